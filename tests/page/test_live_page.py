"""A page in a real browser over a real status process: it keeps itself up to date and disturbs nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from state.home import Home
from state.records import RunState
from state.store import Store
from status.page.assets import assets
from status.words.times import relative, span
from tests.page.browsing import chromium, listen
from tests.page.month import make_month
from tests.seeing.building import HOUR, beat, carry_out, make_home, record_of
from tests.seeing.conftest import StatusProcess, serve

PATHS = ["/", "/jobs", "/graph", "/source", "/deliveries"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def now() -> int:
    import time

    return time.time_ns() // 1000  # noqa: TID251  (the status process under test reads the real clock)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, now: int) -> Iterator[StatusProcess]:
    """A month of history, served."""
    home = make_month(tmp_path_factory.mktemp("shop") / "home", now=now, days=8)
    server = serve(home)
    yield server
    server.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    made = context.new_page()
    told = listen(made)
    yield made
    context.close()
    assert told == []


@pytest.fixture
def house(tmp_path: Path, now: int) -> Iterator[tuple[StatusProcess, Store, Home]]:
    """A small home that a test writes to, served."""
    home = make_home(tmp_path / "home")
    store = Store.open(home.database, now=now - HOUR)
    job = store.put_job(record_of("hello", at=now - HOUR))
    carry_out(store, job, at=now - HOUR)
    beat(home, now + HOUR)  # so that it never gets old while a test runs
    server = serve(home)
    try:
        yield server, store, home
    finally:
        server.close()
        store.close()


def address(server: StatusProcess, path: str) -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def live(page: Page) -> None:
    """Wait until the stream of events is open."""
    expect(page.locator("#live")).to_have_text("live")


def fail(store: Store, name: str, at: int) -> None:
    """Another job, whose run fails."""
    carry_out(store, store.put_job(record_of(name, at=at)), at=at, state=RunState.FAILED)


def test_what_fails_appears_by_itself_and_is_announced(
    page: Page, house: tuple[StatusProcess, Store, Home], now: int
) -> None:
    server, store, _ = house
    page.goto(address(server, "/"))
    expect(page.locator("h1")).to_have_text("Everything is all right")
    live(page)
    page.evaluate("window.mark = 1")
    fail(store, "broken", now)
    server.ring()
    expect(page.locator("h1")).to_have_text("1 thing to look at")
    expect(page.locator(".trouble h2")).to_have_text("default/broken")
    expect(page.locator("#announce")).to_have_text("1 thing to look at")
    assert page.evaluate("window.mark") == 1  # it was not loaded anew


def test_an_update_keeps_focus_and_selection(page: Page, house: tuple[StatusProcess, Store, Home], now: int) -> None:
    server, store, _ = house
    fail(store, "broken", now)
    server.ring()
    page.goto(address(server, "/jobs"))
    live(page)
    expect(page.locator("tr[data-key='default/broken']")).to_be_visible()
    page.locator("tr[data-key='default/hello'] a.job").focus()
    page.evaluate(
        """() => {
          getSelection().selectAllChildren(document.querySelector("tr[data-key='default/broken'] .job"));
          window.row = document.querySelector("tr[data-key='default/hello']");
        }"""
    )
    fail(store, "another", now)
    server.ring()
    expect(page.locator("tr[data-key='default/another']")).to_be_visible()
    assert page.evaluate("document.activeElement.textContent") == "default/hello"
    assert page.evaluate("getSelection().toString()").replace("\n", "") == "default/broken"
    assert page.evaluate("window.row.isConnected")


def test_a_reader_may_pause_and_go_on(page: Page, house: tuple[StatusProcess, Store, Home], now: int) -> None:
    server, store, _ = house
    page.goto(address(server, "/"))
    live(page)
    page.locator("#live").click()
    expect(page.locator("#live")).to_have_text("paused")
    fail(store, "broken", now)
    server.ring()
    page.locator("#live").click()
    expect(page.locator("h1")).to_have_text("1 thing to look at")
    live(page)


def test_a_stream_that_breaks_is_told_and_taken_up_again(
    page: Page, house: tuple[StatusProcess, Store, Home], now: int
) -> None:
    server, store, home = house
    page.goto(address(server, "/"))
    live(page)
    page.context.set_offline(True)
    port = server.port
    server.close()
    expect(page.locator("#live")).to_have_text("reconnecting")
    fail(store, "broken", now)
    again = serve(home, listen=f"127.0.0.1:{port}")
    try:
        page.context.set_offline(False)
        expect(page.locator("h1")).to_have_text("1 thing to look at", timeout=30_000)
        live(page)
    finally:
        again.close()


def test_typing_filters_the_list_without_loading_it_anew(page: Page, shop: StatusProcess) -> None:
    page.goto(address(shop, "/jobs"))
    page.evaluate("window.mark = 1")
    page.keyboard.press("/")
    page.keyboard.type("stock")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.evaluate("document.activeElement.id") == "q"
    assert page.evaluate("window.mark") == 1
    assert page.url.endswith("/jobs?q=stock")
    page.locator("thead a", has_text="Job").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_words_of_time_are_the_same_here_and_there(page: Page, shop: StatusProcess) -> None:
    page.goto(address(shop, "/source"))
    seconds = [0, 0.4, 0.9994, 1, 1.5, 9.94, 9.96, 59.4, 59.6, 60, 61, 599, 3599, 3600, 35_999, 36_060, 86_399, 86_400,
               863_999, 864_000, 1_000_000, 40_000_000]  # fmt: skip
    code = "async ([address, seconds]) => { const w = await import(address); return seconds.map((s) => [w.span(s)," \
           " w.relative(0, s * 1000), w.relative(s * 1000, 0)]); }"  # fmt: skip
    found = page.evaluate(code, [assets().address("words.js"), seconds])
    micros = [round(each * 1_000_000) for each in seconds]
    assert found == [[span(each), relative(0, at), relative(at, 0)] for each, at in zip(seconds, micros, strict=True)]


def test_a_page_can_be_read_without_javascript(browser: Browser, shop: StatusProcess) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        for path in PATHS:
            page.goto(address(shop, path))
            assert re.search(r"\w{3}", page.locator("main").inner_text()), path
            assert not page.locator("#live").is_visible(), path
            assert "how things were when it was loaded" in page.locator("footer").inner_text(), path
    finally:
        context.close()


def test_everything_can_be_reached_by_keyboard_with_a_visible_focus(page: Page, shop: StatusProcess) -> None:
    page.goto(address(shop, "/"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
