"""Pages of houses that are out of the ordinary: texts that are meant to do harm, and ten thousand jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from state.records import RunState
from state.store import Store
from tests.browser.hostile import make_hostile
from tests.browser.serving import served_at
from tests.browser.watching import Watch
from tests.page.browsing import chromium
from tests.page.month import FULL
from tests.seeing.building import HOUR, beat, carry_out, make_home, record_of, source_state

JOBS = 10_000
UPDATE = """() => new Promise((done) => {
    document.addEventListener("page:updated", () => done(), { once: true });
    document.dispatchEvent(new CustomEvent("page:look"));
})"""
ACTING = "/[\\u202e\\u2066\\u2067\\x00\\x07\\x08\\x1b\\x9b]/g"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def test_no_text_acts_on_a_page_or_breaks_its_layout(browser: Browser, tmp_path: Path) -> None:
    """Nothing of it is run, asked for or followed; no page scrolls sideways on a phone; no letter is turned round."""
    home = make_home(tmp_path / "home")
    paths = make_hostile(home, FULL)
    with served_at(home, FULL) as address:
        context = browser.new_context(viewport={"width": 360, "height": 740})
        watch = Watch(context, address)
        watch.expected.add(404)
        context.add_init_script("window.hits = 0; window.hit = () => { hits += 1; };")
        page = context.new_page()
        for path in paths:
            page.goto(address + path)
            if page.locator("#live").count():
                expect(page.locator("#live")).to_have_text("live")
                page.evaluate(UPDATE)  # what modules put in is text, too
            found = page.evaluate(
                """() => ({
                    hits: window.hits,
                    wide: document.documentElement.scrollWidth,
                    made: document.querySelectorAll("main :is(script, img, iframe, svg[onload], [onerror])").length,
                    links: [...document.links].map((each) => each.href).filter((each) => !/^https?:/.test(each)),
                    odd: (document.body.innerText.match(ACTING) || []).length,
                    title: document.title.slice(-10),
                })""".replace("ACTING", ACTING)
            )
            expected = {"hits": 0, "wide": 360, "made": 0, "links": [], "odd": 0, "title": " - jobsctl"}
            assert found == expected, path
        assert watch.faults == []
        context.close()


@pytest.mark.timeout(240)
def test_ten_thousand_jobs_are_a_small_page_that_is_filtered_as_one_types(browser: Browser, tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    store = Store.open(home.database, now=FULL - HOUR)
    with store.transaction():
        record = record_of("job", at=FULL - HOUR, spec={"schedule": "every 1h", "description": "One of many."})
        for number in range(JOBS):
            team = f"team-{number % 20:02d}"
            job = store.put_job(replace(record, name=f"job-{number:05d}", project=team))
            if number % 50 == 0:
                carry_out(
                    store, job, at=FULL - HOUR, state=RunState.FAILED if number % 1000 == 0 else RunState.SUCCEEDED
                )
        store.set_source(source_state(jobs=JOBS))
    store.close()
    beat(home, FULL)
    with served_at(home, FULL) as address:
        for path in ("/", "/jobs"):
            with httpx.stream("GET", address + path, headers={"accept-encoding": "gzip"}) as answer:
                assert sum(map(len, answer.iter_raw())) < 40_000, path
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        watch = Watch(context, address)
        sizes: list[int] = []
        context.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
        page = context.new_page()
        page.goto(f"{address}/jobs", wait_until="load")
        expect(page.locator("#live")).to_have_text("live")
        assert 0 < sum(sizes) < 100_000
        assert page.evaluate("document.querySelectorAll('*').length") < 4_000
        expect(page.locator(".pager")).to_contain_text("of 10,000")
        page.locator(".pager a[rel=next]").click()
        expect(page.locator(".pager")).to_contain_text("page 2 of")
        page.keyboard.press("/")
        page.keyboard.type("job-0770")
        expect(page.locator("tbody tr")).to_have_count(10)
        page.locator("#project").select_option("team-07")
        expect(page.locator("tbody .job")).to_have_text(["team-07/job-07707"])
        page.locator(".clear").click()
        page.locator(".facets .s-failed").click()
        expect(page.locator("tbody tr")).to_have_count(10)
        page.goto(address)
        expect(page.locator("h1")).to_have_text("10 things to look at")
        assert page.evaluate("document.querySelectorAll('*').length") < 4_000
        assert watch.faults == []
        context.close()
