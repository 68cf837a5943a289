"""Every page and state of a month in a real browser: nothing goes wrong, nothing is too wide, nobody is kept out.

Screenshots go to build/screenshots: three of each page, for people to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.places import PLACES, Ids, Place, newest_runs
from tests.browser.serving import served_at
from tests.browser.telling import tell
from tests.browser.watching import Watch
from tests.household import eventually
from tests.page.browsing import chromium
from tests.page.month import FULL, make_month

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
SIZES = {1440: "light", 768: "light", 360: "dark"}
"""Widths, and the scheme in which each is kept as a picture. What is where does not depend on the scheme."""

READER = """() => {
    const shown = (each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const level = (each) => Number(each.tagName[1]);
    return {
        headings: [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].filter(shown).map(level),
        landmarks: ["main", "body > header", "body > footer", "header nav"].map((one) => document.querySelectorAll(one).length),
        titles: document.title,
        nameless: [...document.querySelectorAll("nav, section, [role=region]")].filter((each) =>
            shown(each) && !each.ariaLabel && !document.getElementById(each.getAttribute("aria-labelledby"))
            && !each.matches("section")).length,
        ids: [...document.querySelectorAll("[id]")].map((each) => each.id),
    };
}"""  # noqa: E501


@dataclass
class Month:
    """The month, served."""

    address: str
    ids: Ids
    browser: Browser

    def open(self, path: str, *, live: bool = True, status: int = 200, **options: Any) -> tuple[Page, Watch]:
        """A page of a context of its own, and what goes wrong there."""
        context = self.browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        context.set_default_timeout(20_000)
        watch = Watch(context, self.address)
        watch.expected.add(status)
        page = context.new_page()
        page.goto(self.address + path)
        if live:
            expect(page.locator("#live")).to_have_text("live")
        return page, watch


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    home = make_month(tmp_path_factory.mktemp("browser") / "shop")
    tell(home, FULL)
    with served_at(home, FULL) as address, chromium() as browser:
        yield Month(address, newest_runs(address), browser)


def violations(page: Page) -> list[str]:
    """What axe-core finds, of any weight."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']} ({each['impact']}): {[node['html'][:160] for node in each['nodes'][:3]]}" for each in found]


@pytest.mark.parametrize("place", [pytest.param(place, id=place.name) for place in PLACES])
def test_nothing_is_wrong_with_a_page(month: Month, place: Place) -> None:
    """No error, no outside request, no violation in either scheme, and no width at which it scrolls sideways."""
    page, watch = month.open(place.at(month.ids), live=place.status == 200, status=place.status)
    seen = page.evaluate(READER)
    levels = seen["headings"]
    assert levels[:1] == [1] and levels.count(1) == 1, levels
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert seen["landmarks"] == ([1, 1, 1, 1] if place.status == 200 else [1, 1, 0, 0])
    assert seen["titles"].endswith(" - jobsctl")
    assert seen["nameless"] == 0
    assert sorted(set(seen["ids"])) == sorted(seen["ids"])
    assert violations(page) == []
    for width, scheme in SIZES.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=SCREENSHOTS / f"{place.name}-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []  # now dark, and on a phone
    assert watch.faults == []
    page.context.close()


def test_what_goes_wrong_on_a_page_is_seen(month: Month) -> None:
    """The watch of all these tests: without it they would pass over anything."""
    page, watch = month.open("/source")
    assert watch.faults == []
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'https://elsewhere.example/x.png' }))")
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.evaluate("setTimeout(() => alert('here'))")
    page.evaluate("setTimeout(() => { throw new Error('broken'); })")
    page.evaluate("fetch('/static/none/none.css')")
    page.evaluate("console.error('said')")
    for what in ("policy: img-src", "policy: style-src", "dialogue", "broken", "answered 404", "said"):
        eventually(lambda what=what: page.evaluate("1") and any(what in each for each in watch.faults), what)
    page.context.close()


FOCUSABLE = """() => {
    const all = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    return [...document.querySelectorAll(all)]
        .filter((each) => !each.disabled && each.type !== "hidden")
        .filter((each) => each.checkVisibility({ visibilityProperty: true }))
        .map((each, place) => (each.dataset.place = place)).length;
}"""
FOCUSED = """() => {
    const here = document.activeElement;
    if (here === document.body) return null;
    const box = here.getBoundingClientRect();
    const look = getComputedStyle(here);
    const own = getComputedStyle(here.querySelector?.(".box") || here);
    return {
        place: here.dataset.place === undefined ? null : Number(here.dataset.place),
        what: here.outerHTML.slice(0, 120),
        ringed: look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1.5 || own.strokeWidth === "2px",
        inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""


@pytest.mark.parametrize(
    "name", ["overview", "jobs", "job-invalid", "run-two-streams", "graph", "source", "deliveries"]
)
def test_tab_goes_through_all_that_can_be_used_and_shows_where_it_is(month: Month, name: str) -> None:
    place = next(each for each in PLACES if each.name == name)
    page, watch = month.open(place.at(month.ids))
    count = page.evaluate(FOCUSABLE)
    assert count > 8
    reached = []
    for _ in range(count + 12):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        assert focused["ringed"], focused["what"]
        assert focused["inside"], focused["what"]
        if focused["place"] is not None and focused["place"] not in reached:
            reached.append(focused["place"])
    assert reached == list(range(count))  # a field with parts, as of a date, stops several times
    assert watch.faults == []
    page.context.close()


def test_slash_goes_to_the_search_escape_leaves_it_and_keys_press_what_has_the_focus(month: Month) -> None:
    page, watch = month.open("/jobs/shop/search-reindex")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("a/b")  # in the field a slash is a letter
    expect(page.locator("#find")).to_have_value("a/b")
    page.keyboard.press("Escape")
    expect(page.locator("#find")).not_to_be_focused()
    first = page.locator("details.data").first
    first.locator("summary").focus()
    page.keyboard.press("Space")
    expect(first).to_have_attribute("open", "")
    page.keyboard.press("Enter")
    expect(first).not_to_have_attribute("open", "")
    page.locator("#live").focus()
    page.keyboard.press("Space")
    expect(page.locator("#live")).to_have_text("paused")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text("live")
    page.locator("#history").locator("xpath=../..").locator("tbody th a").first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{month.address}/runs/{month.ids['shop/search-reindex']}")
    assert watch.faults == []
    page.context.close()


def test_letters_twice_as_large_hide_nothing(month: Month) -> None:
    """Text size of the browser doubled, which is not its zoom: that is a narrower window."""
    page, watch = month.open("/")
    told = "[...document.styleSheets[0].cssRules].find((rule) => rule.selectorText === 'html').style.font"
    assert page.evaluate(told).startswith("93.75%")  # of what the reader has chosen
    before = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    page.evaluate("document.documentElement.style.fontSize = '187.5%'")
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == 2 * before
    for path in ("/", "/jobs", "/jobs/shop/invoices", f"/runs/{month.ids['data/transform']}", "/source"):
        if path != "/":
            page.goto(month.address + path)
            page.evaluate("document.documentElement.style.fontSize = '187.5%'")
        page.set_viewport_size({"width": 720, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 720, path
        clipped = page.evaluate(
            """() => [...document.querySelectorAll("main :is(h1, h2, p, dd, button), header :is(a, button)")]
                .filter((each) => each.checkVisibility() && !each.closest(".hidden, .scroll, .lane, .skip")
                    && getComputedStyle(each).overflow !== "visible" && each.scrollWidth > each.clientWidth + 1)
                .map((each) => each.outerHTML.slice(0, 120))"""
        )
        assert clipped == [], path
    assert watch.faults == []
    page.context.close()


def test_nothing_moves_for_who_wants_no_motion(month: Month) -> None:
    moves = (
        "() => { document.querySelector('main *').classList.add('changed'); return document.getAnimations().length; }"
    )
    for wish, expected in (("reduce", 0), ("no-preference", 1)):
        page, watch = month.open("/jobs", reduced_motion=wish)
        assert page.evaluate(moves) == expected
        assert watch.faults == []
        page.context.close()


def test_states_can_be_told_apart_where_colours_are_forced(month: Month) -> None:
    """Shapes are drawn as backgrounds, which such a mode takes away where nobody says otherwise."""
    page, watch = month.open("/", forced_colors="active")
    page.screenshot(path=SCREENSHOTS / "overview-forced-colours.png", full_page=True)
    glyph = """(one) => [getComputedStyle(document.querySelector(one), "::before").backgroundColor,
                         getComputedStyle(document.body).backgroundColor]"""
    for one in (".s-failed", ".s-running", ".s-active", ".daemon", ".mark"):
        shape, ground = page.evaluate(glyph, one)
        assert one == ".mark" or shape not in (ground, "rgba(0, 0, 0, 0)"), one
    fills = page.evaluate(
        "['.sums .f-bad', '.sums .f-ok'].map((one) => getComputedStyle(document.querySelector(one)).fill)"
    )
    assert len(set(fills)) == 2
    assert watch.faults == []
    page.context.close()


def test_a_page_can_be_printed(month: Month) -> None:
    """On paper nothing can be pressed or scrolled: fields go, what scrolls is shown whole, ink is dark."""
    page, watch = month.open(f"/runs/{month.ids['shop/search-reindex']}", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for gone in ("header nav", "#live", "#find", ".log-tools"):
        expect(page.locator(gone).first).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 27, 29)"
    log = page.locator(".log").first
    assert log.evaluate("(each) => each.scrollHeight <= each.clientHeight + 1")
    assert log.locator(".l").first.evaluate("(each) => getComputedStyle(each).whiteSpace") == "pre-wrap"
    page.screenshot(path=SCREENSHOTS / "run-printed.png")
    page.goto(f"{month.address}/jobs/shop/invoices")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".choices")).to_be_hidden()
    page.screenshot(path=SCREENSHOTS / "job-printed.png", full_page=True)
    assert watch.faults == []
    page.context.close()


def test_all_of_it_can_be_read_without_javascript(month: Month) -> None:
    """Filters, sorting, pages of the history, details, attempts, the graph. Logs: `tests.page.test_live_log`."""
    page, watch = month.open("/jobs", live=False, java_script_enabled=False)
    page.locator("#q").fill("backup")
    page.locator("#project").select_option("ops")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("#q")).to_have_value("backup")
    expect(page.locator("#project")).to_have_value("ops")
    page.locator("thead a", has_text="Job").click()
    page.locator("thead a", has_text="Job").click()
    expect(page.locator("tbody .job").first).to_have_text("ops/backup-files")
    page.get_by_role("link", name="Show all jobs").click()
    page.locator(".facets .s-failed").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("tbody .job", has_text="invoices").click()
    page.locator("details.data summary").first.click()
    expect(page.locator("details.data table").first).to_be_visible()
    page.locator(".choices a", has_text="failed").click()
    expect(page.locator(".runs tbody tr").first).to_contain_text("failed")
    expect(page.locator(".runs .s-succeeded")).to_have_count(0)
    page.goto(f"{month.address}/jobs/shop/payments-poll")
    newest = page.locator(".runs tbody th").first.inner_text()
    page.locator(".pager a[rel=next]").click()
    older = page.locator(".runs tbody th").first.inner_text()
    assert older < newest
    page.locator(".pager a[rel=prev]").click()
    expect(page.locator(".runs tbody th").first).to_have_text(newest)
    page.goto(f"{month.address}/deliveries")
    page.locator(".facets .s-failed").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody summary").click()
    expect(page.locator(".attempts")).to_contain_text("no answer within 5 s")
    page.goto(f"{month.address}/graph")
    page.locator("svg a.node", has_text="transform").click()
    expect(page.locator("h1")).to_contain_text("data/transform")
    assert watch.faults == []
    page.context.close()
