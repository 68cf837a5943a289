"""The page of a server that asks for tokens: the browser's own dialogue opens it, for all or for one project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watching import Watch
from tests.page.browsing import chromium
from tests.streaming.test_stream_tokens import Guarded, make_guarded


@dataclass
class Doors:
    """The server, and a browser in front of it."""

    guarded: Guarded
    browser: Browser

    def enter(self, token: str, path: str = "/", *expected: int) -> tuple[Page, Watch, int]:
        """A page as somebody with this password sees it, and with which status."""
        context = self.browser.new_context(http_credentials={"username": "anybody", "password": token})
        address = f"http://127.0.0.1:{self.guarded.server.port}"
        watch = Watch(context, address)
        watch.expected |= set(expected)
        page = context.new_page()
        answer = page.goto(address + path)
        assert answer is not None
        return page, watch, answer.status


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with make_guarded(tmp_path_factory.mktemp("guarded")) as guarded, chromium() as browser:
        yield Doors(guarded, browser)


def test_a_token_as_password_opens_page_modules_and_stream(doors: Doors) -> None:
    page, watch, status = doors.enter(doors.guarded.tokens["all"], "/jobs")
    assert status == 200
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("tbody .job")).to_have_text(["ops/backup", "web/deploy"])
    page.get_by_role("link", name="Source").click()
    expect(page.locator("h1")).to_have_text("Source")
    expect(page.locator("#live")).to_have_text("live")
    page.goto(f"{page.url.rpartition('/')[0]}/runs/{doors.guarded.runs['web'].id}")
    expect(page.locator(".log .l")).to_have_text(["done"])
    assert watch.faults == []
    page.context.close()


def test_a_wrong_token_is_told_how_to_come_in_and_nothing_else(doors: Doors) -> None:
    page, watch, status = doors.enter("not-a-token", "/jobs/ops/backup", 401)
    assert status == 401
    expect(page.locator("h1")).to_have_text("A token is needed")
    expect(page.locator("main")).to_contain_text("give a token as the password")
    assert page.locator(".top").evaluate("(each) => getComputedStyle(each).display") == "flex"  # it has its style
    assert "backup" not in page.locator("body").inner_text()
    assert watch.faults == []
    page.context.close()


def test_a_token_of_one_project_shows_that_project_and_says_so(doors: Doors) -> None:
    token = doors.guarded.tokens["ops"]
    page, watch, _ = doors.enter(token, "/", 404, 403)
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator(".scope")).to_have_text("project ops")
    pages = page.locator("header nav a")
    expect(pages).to_have_text(["Overview", "Jobs", "Graph", "Deliveries"])
    for address in [each.get_attribute("href") for each in pages.all()]:
        page.goto(f"http://127.0.0.1:{doors.guarded.server.port}{address}")
        expect(page.locator("#live")).to_have_text("live")
        expect(page.locator(".scope")).to_have_text("project ops")
        assert "deploy" not in page.content()
    page.goto(f"http://127.0.0.1:{doors.guarded.server.port}/jobs")
    expect(page.locator("tbody .job")).to_have_text(["ops/backup"])
    for path, heading in (
        ("/jobs/web/deploy", "There is nothing here"),
        (f"/runs/{doors.guarded.runs['web'].id}", "There is nothing here"),
        ("/source", "Not with this token"),
    ):
        page.goto(f"http://127.0.0.1:{doors.guarded.server.port}{path}")
        expect(page.locator("h1")).to_have_text(heading)
    assert watch.faults == []
    page.context.close()
