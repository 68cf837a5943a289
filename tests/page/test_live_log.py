"""The log of a run in a real browser over a real status process: followed, searched, bounded, and text all the time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from state.home import Home
from state.records import Reason, Run, RunState
from state.store import RunEnd, RunStarted, Store
from status.page.assets import assets
from status.page.logtext import Look, line_of
from tests.page.browsing import chromium, listen
from tests.page.markup import Element, read
from tests.page.month import make_month
from tests.seeing.building import HOUR, SECOND, beat, make_home, record_of, run_of
from tests.seeing.conftest import StatusProcess, serve

LINES = [
    "plain & <b> \"q\" 'p'", "\x1b[31mred\x1b[0m no", "\x1b[1;4;92mx\x1b[24my", "\x1b[38;5;208mx\x1b[48;5;240my",
    "\x1b[38;2;0;0;255mx\x1b[38;2;9;9;9my\x1b[38;2;250;250;250mz", "\x1b[38;5m", "\x1b[2J\x1b[Hx", "\x1b]0;title\x07x",
    "\x1b]8;;javascript:alert(1)\x1b\\here\x1b]8;;\x1b\\", "10%\r50%\r100%", "dos\r", "a\x08\x00\x9b\x7f",
    "x\u202eexe\u200b\ufeff",    "y" * 5000, "👩‍👧" * 1500, "\x1b[mx\x1b[;;mx\x1b[99999mx", "<script>alert(1)</script>",
    "tab\there", "", "\r", "\x1b", "\x1b[",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    made = context.new_page()
    told = listen(made)
    yield made
    context.close()
    assert told == []


class Writer:
    """A run that goes on, and writes what a test says."""

    def __init__(self, home: Home, now: int) -> None:
        self.store = Store.open(home.database, now=now - HOUR)
        job = self.store.put_job(record_of("hello", at=now - HOUR))
        self.run: Run = run_of(job, at=now - 60 * SECOND)
        self.store.insert_runs([self.run])
        self.store.started([RunStarted(run_id=self.run.id, at=now - 60 * SECOND, pid=1, pid_start=1)])
        folder = home.run_dir_of(self.run)
        folder.mkdir(parents=True)
        self.log = folder / "output.log"
        self.log.touch()

    def write(self, text: str) -> None:
        with self.log.open("ab") as file:
            file.write(text.encode())

    def end(self, now: int) -> None:
        end = RunEnd(run_id=self.run.id, at=now, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED, exit_code=0)
        self.store.finished([end])


@pytest.fixture
def now() -> int:
    return time.time_ns() // 1000  # noqa: TID251  (the status process under test reads the real clock)


@pytest.fixture
def house(tmp_path: Path, now: int) -> Iterator[tuple[StatusProcess, Writer]]:
    home = make_home(tmp_path / "home")
    writer = Writer(home, now)
    beat(home, now + HOUR)
    server = serve(home)
    try:
        yield server, writer
    finally:
        server.close()
        writer.store.close()


def address(server: StatusProcess, path: str) -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def shape(element: Element) -> list[object]:
    """What can be seen of it."""
    return [
        child if isinstance(child, str) else (child.tag, child.attributes.get("class"), shape(child))
        for child in element.children
    ]


def test_what_comes_is_shown_as_what_was_there(house: tuple[StatusProcess, Writer], page: Page) -> None:
    """`logtext.js` and `logtext.py` make the same of every line."""
    server, writer = house
    page.goto(address(server, f"/runs/{writer.run.id}"))
    made = page.evaluate(
        """async ([module, lines]) => {
            const { Look, lineOf } = await import(module);
            const look = new Look();
            return lines.map((line) => {
                const place = document.createElement("p");
                place.append(lineOf(line, look));
                return place.innerHTML;
            });
        }""",
        [assets().address("logtext.js"), LINES],
    )
    look = Look()
    for line, html in zip(LINES, made, strict=True):
        assert shape(read(html)) == shape(read(str(line_of(line, look)))), repr(line[:60])


def test_a_growing_log_is_followed_to_its_end(house: tuple[StatusProcess, Writer], page: Page, now: int) -> None:
    server, writer = house
    writer.write("first\nha")
    page.goto(address(server, f"/runs/{writer.run.id}"))
    lines = page.locator(".log .l")
    expect(lines).to_have_text(["first", "ha"])
    writer.write("lf\n<img src=x onerror=alert(1)>\x1b[32m green\n")
    expect(lines).to_have_text(["first", "half", "<img src=x onerror=alert(1)> green"])
    expect(page.locator(".log .c2")).to_have_text(" green")
    assert page.locator(".log img").count() == 0
    writer.write("last")
    writer.end(now + SECOND)
    server.ring()
    expect(page.get_by_role("button", name="Ended")).to_be_disabled()
    expect(lines.last).to_have_text("last")
    expect(page.locator("h1 .s-succeeded")).to_be_visible()


def test_following_pauses_and_goes_on_where_it_was(house: tuple[StatusProcess, Writer], page: Page) -> None:
    server, writer = house
    writer.write("one\n")
    page.goto(address(server, f"/runs/{writer.run.id}"))
    page.get_by_role("button", name="Pause").click()
    writer.write("two\n")
    page.get_by_role("button", name="Go on").click()
    writer.write("three\n")
    expect(page.locator(".log .l")).to_have_text(["one", "two", "three"])


def test_of_a_flood_the_newest_lines_are_kept_and_the_rest_can_be_had(
    house: tuple[StatusProcess, Writer], page: Page
) -> None:
    server, writer = house
    page.goto(address(server, f"/runs/{writer.run.id}"))
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    writer.write("".join(f"line {number}\n" for number in range(14_000)) + "the end\n")
    lines = page.locator(".log .l")
    expect(lines.last).to_have_text("the end")
    assert lines.count() <= 5000
    bottom = "(box) => box.scrollHeight - box.scrollTop - box.clientHeight"
    assert page.locator(".log").evaluate(bottom) < 50
    first = int(str(lines.first.text_content()).split()[1])
    page.locator(".log-earlier").click()
    page.wait_for_function("(count) => document.querySelectorAll('.log .l').length > count", arg=5000)
    numbers = page.evaluate(
        "[...document.querySelectorAll('.log .l')].slice(0, -1).map((l) => Number(l.textContent.split(' ')[1]))"
    )
    assert numbers[0] < first
    assert numbers == list(range(numbers[0], 14_000))


def test_a_text_is_found_and_walked_through_by_keyboard(house: tuple[StatusProcess, Writer], page: Page) -> None:
    server, writer = house
    writer.write("".join(f"line {number} {'Needle' if number % 50 == 0 else ''}\n" for number in range(1, 301)))
    page.goto(address(server, f"/runs/{writer.run.id}"))
    page.locator("#log-find").fill("needle")
    expect(page.locator(".log-count")).to_have_text("0 of 6")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".log-count")).to_have_text("2 of 6")
    expect(page.locator(".log .here")).to_have_text("line 100 Needle")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".log-count")).to_have_text("1 of 6")
    page.locator(".log").focus()
    page.keyboard.press("w")
    expect(page.get_by_role("button", name="Wrap")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("N")
    expect(page.locator(".log-count")).to_have_text("6 of 6")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StatusProcess, dict[str, str]]]:
    """Four days of history, served; the newest runs by job."""
    began = time.time_ns() // 1000  # noqa: TID251
    home = make_month(tmp_path_factory.mktemp("shop") / "home", now=began, days=4)
    server = serve(home)
    runs = server.http.get("/api/v1/runs?limit=1000").json()["items"]
    yield server, {f"{run['project']}/{run['job']}": run["id"] for run in reversed(runs)}
    server.close()


def test_without_javascript_all_of_a_log_can_be_read(
    shop: tuple[StatusProcess, dict[str, str]], browser: Browser
) -> None:
    server, runs = shop
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address(server, f"/runs/{runs['shop/search-reindex']}"))
    page.locator("a.log-earlier").click()
    expect(page.locator("a.log-later")).to_be_visible()
    page.locator("#log-find").fill("shard 07/40")
    page.get_by_role("button", name="Find lines").click()
    expect(page.locator(".found .l").first).to_contain_text("shard 07/40")
    context.close()
