"""The page over a real daemon: a run comes, writes and ends, and every page tells it by itself; servers come and go."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.watching import Watch
from tests.examples.servers import free_port
from tests.household import Household, eventually
from tests.page.browsing import chromium

PATIENCE = 20_000
"""Milliseconds: only a failing test waits so long."""
GATED = """\
name: import
description: Takes over what came.
schedule: every 1s
overlap: skip
run:
  script: |
    echo "first line"
    until test -e "$GATES/middle"; do sleep 0.05; done
    echo "a needle in the middle"
    until test -e "$GATES/end"; do sleep 0.05; done
    echo "last line"
    touch "$GATES/ended"
    exit 3
env: {GATES: "GATES_HERE"}
"""
QUIET = "name: report\nrun: {command: ['true']}\n"


@dataclass
class Watched:
    """A daemon's home in four tabs: the overview, the list, the job, and what a test opens."""

    household: Household
    gates: Path
    port: int
    watch: Watch
    tabs: dict[str, Page]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self, name: str, path: str) -> Page:
        page = self.tabs[name] = self.watch.context.new_page()
        page.goto(self.address + path)
        expect(page.locator("#live")).to_have_text("live")
        page.evaluate("window.mark = 1")
        return page

    def status_pid(self) -> int:
        try:
            return int(json.loads(self.household.home.http.read_bytes())["pid"])
        except (FileNotFoundError, ValueError):
            return 0


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    household = Household(tmp_path / "home")
    port = free_port()
    gates = tmp_path / "gates"
    gates.mkdir()
    household.commit({"report.yaml": QUIET})
    expect.set_options(timeout=PATIENCE)
    try:
        household.start("--listen", f"127.0.0.1:{port}")
        eventually(lambda: household.home.http.exists(), "the status process listens")
        with chromium() as browser:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            yield Watched(household, gates, port, Watch(context, f"http://127.0.0.1:{port}"), {})
            context.close()
    finally:
        expect.set_options(timeout=5_000)
        household.close()


def test_every_page_follows_a_run_from_its_commit_to_its_failure(watched: Watched) -> None:
    """Nothing is loaded anew, and what a reader did stays: focus, an open detail, a selection, the place."""
    home = watched.open("overview", "/")
    jobs = watched.open("jobs", "/jobs")
    expect(home.locator("h1")).to_have_text("Everything is all right")
    jobs.locator("a.job", has_text="report").focus()
    watched.household.commit({"import.yaml": GATED.replace("GATES_HERE", str(watched.gates))}, "Import what comes")
    row = jobs.locator("tr[data-key='default/import']")
    expect(row.locator("td").first).to_have_text("in progress")
    expect(home.locator("main .rows .job", has_text="import").first).to_be_visible()
    job = watched.open("job", "/jobs/default/import")
    running = job.locator(".runs tbody tr").filter(has=job.locator(".s-running"))
    expect(running).to_have_count(1)
    run = running.locator("a.run").get_attribute("href") or ""
    log = watched.open("run", run)
    expect(log.locator(".log .l")).to_have_text(["first line"])
    job.locator("#next").scroll_into_view_if_needed()
    place = job.evaluate("scrollY")
    job.evaluate("getSelection().selectAllChildren(document.getElementById('rules'))")

    (watched.gates / "middle").touch()
    expect(log.locator(".log .l")).to_have_text(["first line", "a needle in the middle"])
    log.locator("#log-find").fill("needle")
    expect(log.locator(".log-count")).to_have_text("0 of 1")
    log.get_by_role("button", name="Pause").click()
    (watched.gates / "end").touch()
    eventually(lambda: (watched.gates / "ended").exists(), "the job is at its end")
    expect(log.locator("h1 .s-failed")).to_be_visible()
    assert log.locator(".log .l").count() == 2  # what came is held back while it is paused
    expect(log.locator("#log-find")).to_have_value("needle")
    log.get_by_role("button", name="Go on").click()
    expect(log.locator(".log .l")).to_have_text(["first line", "a needle in the middle", "last line"])

    expect(home.locator(".trouble h2").filter(has_text="default/import")).to_be_visible()
    expect(home.locator("#announce")).to_contain_text("to look at")  # on a busy machine the daemon may complain too
    expect(row.locator(".s-failed").first).to_be_visible()
    expect(job.locator(f".runs tr[data-key='{run.removeprefix('/runs/')}']")).to_contain_text("failed (exit code 3)")
    assert jobs.evaluate("document.activeElement.textContent") == "default/report"
    assert job.evaluate("getSelection().toString()") == "Rules"
    assert abs(job.evaluate("scrollY") - place) < 400  # what stands above grows by a row
    for tab in watched.tabs.values():
        assert tab.evaluate("window.mark") == 1
    assert watched.watch.faults == []


def test_a_status_process_that_dies_comes_back_and_so_do_the_pages(watched: Watched) -> None:
    page = watched.open("overview", "/")
    first = watched.status_pid()
    watched.watch.may_be_gone = True
    os.kill(first, signal.SIGKILL)
    expect(page.locator("#live")).to_have_text("reconnecting")
    eventually(lambda: watched.status_pid() not in (0, first), "the daemon starts another")
    watched.household.commit({"other.yaml": "name: other\nschedule: every 1s\nrun: {script: 'exit 4'}\n"})
    expect(page.locator(".trouble h2").filter(has_text="default/other")).to_be_visible()
    expect(page.locator("#live")).to_have_text("live")
    assert page.evaluate("window.mark") == 1
    assert watched.watch.faults == []


def test_a_hidden_tab_asks_nothing_and_catches_up(watched: Watched) -> None:
    page = watched.open("jobs", "/jobs")
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    watched.household.commit({"other.yaml": "name: other\nrun: {command: ['true']}\n"})
    with_it = watched.open("second", "/jobs")
    expect(with_it.locator("a.job", has_text="other")).to_be_visible()
    watched.household.commit({"third.yaml": "name: third\nrun: {command: ['true']}\n"})
    expect(with_it.locator("a.job", has_text="third")).to_be_visible()
    assert asked == []
    assert page.locator("a.job").count() == 1
    page.evaluate(hide, False)
    expect(page.locator("a.job")).to_have_count(3)
    assert watched.watch.faults == []
