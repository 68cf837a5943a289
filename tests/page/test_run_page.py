"""The page of a run over a month of history: how it went and why, its log, what it used, left and went through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from state.home import Home
from state.reads import Reader
from state.records import Run, RunState
from tests.page.markup import faults, read
from tests.page.month import FULL
from tests.page.site import Site, site


@pytest.fixture(scope="module")
def shop(month: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(month, FULL, tmp_path_factory.mktemp("status")) as found:
        yield found


@pytest.fixture(scope="module")
def newest(month: Home) -> Iterator[Callable[..., Run]]:
    """The newest run of a job in a state."""
    with Reader(month.database) as reader:

        def find(identity: str, state: RunState) -> Run:
            return reader.runs(job_id=reader.job(identity).id, states=[state], limit=1)[0]

        yield find


Newest = Callable[..., Run]
KINDS = [
    ("shop/invoices", RunState.FAILED), ("data/backfill", RunState.RUNNING), ("data/train", RunState.EXPIRED),
    ("ops/vacuum", RunState.CANCELLED), ("shop/fraud-check", RunState.SKIPPED), ("shop/stock-sync", RunState.BLOCKED),
    ("data/quality", RunState.BLOCKED), ("data/transform", RunState.SUCCEEDED), ("ops/dns-check", RunState.SUCCEEDED),
]  # fmt: skip


@pytest.mark.parametrize(("identity", "state"), KINDS, ids=[f"{identity}-{state}" for identity, state in KINDS])
def test_every_kind_of_run_has_a_sound_page(shop: Site, newest: Newest, identity: str, state: RunState) -> None:
    run = newest(identity, state)
    page = shop.page(f"/runs/{run.id}")
    assert page.one("h1").all("span", class_=f"s-{state}")
    assert page.one("p", class_="trail").text == identity
    assert page.one("p", class_="sentence").text.startswith("It ")
    assert page.one("span", class_="id").text == run.id


def test_a_failed_run_says_why_and_what_to_do_and_links_its_attempts(shop: Site, newest: Newest) -> None:
    run = newest("shop/invoices", RunState.FAILED)
    page = shop.page(f"/runs/{run.id}")
    assert page.one("p", class_="sentence").text.startswith("It failed: exit code 1, after ")
    attempts = page.one("ol", class_="attempts").all("li")
    assert [each.text.split(" failed")[0] for each in attempts] == ["attempt 1", "attempt 2"]
    assert "aria-current" in attempts[1].attributes
    assert "password expired" in page.one("div", class_="log").text
    assert any("jobsctl trigger shop/invoices" in each.text for each in page.all("code", class_="command"))


def test_a_running_run_shows_its_progress_and_follows_its_log(shop: Site, newest: Newest) -> None:
    run = newest("data/backfill", RunState.RUNNING)
    page = shop.page(f"/runs/{run.id}")
    assert page.one("progress").attributes["value"] == "62.5"
    view = page.one("div", class_="log-view")
    assert view.attributes["data-state"] == "follow"
    assert view.attributes["data-follow"] == f"/api/v1/runs/{run.id}/logs?stream=output"
    assert page.one("body").attributes["data-refresh"] == "5"


def test_params_requesters_and_progress_are_text(shop: Site, newest: Newest) -> None:
    answer = shop.get(f"/runs/{newest('data/backfill', RunState.RUNNING).id}")
    page = read(answer.text)
    assert "'\"><script>alert(1)</script>" in page.one("dl", class_="pairs").text
    assert "<b>mallory</b>@desk" in page.text
    assert "day 18 of 29 <b>2026-11-02</b>" in page.text
    assert not page.all("b")
    assert len(page.all("script")) == answer.text.count("<script ")


def test_hostile_output_is_text(shop: Site, newest: Newest) -> None:
    answer = shop.get(f"/runs/{newest('ops/dns-check', RunState.SUCCEEDED).id}")
    assert faults(answer.text) == []
    page = read(answer.text)
    lines = page.one("div", class_="log").all("span", class_="l")
    assert lines[0].text == "<script>alert('output')</script>"
    assert "[U+202E]" in lines[1].text
    assert "␀nul ␇bell ␈back cleared [U+009B]31mC1" in lines[2].text
    assert "more characters]" in lines[-1].text
    assert not any(each in answer.text for each in "\x00\x07\x08\x1b\x9b\u202e")
    assert "</template>" in lines[1].text


def test_colours_are_classes(shop: Site, newest: Newest) -> None:
    page = shop.page(f"/runs/{newest('shop/search-reindex', RunState.SUCCEEDED).id}")
    assert page.one("div", class_="log").all("span", class_="c2")[0].text == "ok"


def test_streams_kept_apart_are_shown_side_by_side_or_alone(shop: Site, newest: Newest) -> None:
    run = newest("data/transform", RunState.SUCCEEDED)
    both = shop.page(f"/runs/{run.id}")
    heads = [each.one("p", class_="log-head") for each in both.all("div", class_="log-view")]
    assert [each.all("span", class_="mono")[0].text for each in heads] == ["stdout", "stderr"]
    alone = shop.page(f"/runs/{run.id}?stream=stderr")
    assert "without a region" in alone.one("div", class_="log").text


def test_a_giant_log_is_walked_by_links_alone(shop: Site, newest: Newest) -> None:
    run = newest("shop/search-reindex", RunState.SUCCEEDED)
    page = shop.page(f"/runs/{run.id}")
    assert "of 2.0 MiB" in page.one("span", class_="log-where").text
    seen = 0
    ends = [page.one("div", class_="log-view").attributes]
    for _ in range(3):
        page = shop.page(page.one("a", class_="log-earlier").attributes["href"])
        ends.append(page.one("div", class_="log-view").attributes)
        seen += len(page.one("div", class_="log").all("span", class_="l"))
    assert [each["data-start"] for each in ends[:-1]] == [each["data-end"] for each in ends[1:]]
    assert seen > 1000
    forth = shop.page(page.one("a", class_="log-later").attributes["href"])
    assert forth.one("div", class_="log-view").attributes["data-start"] == ends[-1]["data-end"]


def test_lines_are_found_by_the_server(shop: Site, newest: Newest) -> None:
    run = newest("shop/invoices", RunState.FAILED)
    page = shop.page(f"/runs/{run.id}?find=smtplib")
    (line,) = page.one("ol", class_="found").all("li")
    assert "authentication failed" in line.text
    there = shop.page(line.one("a").attributes["href"])
    assert there.one("div", class_="log").all("span", class_="l")[0].text.startswith("smtplib.")
    none = shop.page(f"/runs/{run.id}?find=%3Cscript%3E")
    assert "No line with <script>" in none.text


def test_a_time_of_the_jobs_wall_clock_leads_into_the_log(shop: Site, newest: Newest) -> None:
    run = newest("shop/search-reindex", RunState.SUCCEEDED)
    page = shop.page(f"/runs/{run.id}")
    box = page.one("input", id="log-at").attributes
    assert box["min"] == "2026-11-21T03:00:00"
    middle = shop.page(f"/runs/{run.id}?at=2026-11-21T03:30:00").one("div", class_="log-view").attributes
    assert 0 < int(middle["data-start"]) < int(middle["data-size"]) // 2 + 200_000
    first = shop.page(f"/runs/{run.id}?at={box['min']}").one("div", class_="log-view").attributes
    assert first["data-start"] == "0"
    same = shop.page(f"/runs/{run.id}?at=2026-11-21T02:30:00Z").one("div", class_="log-view").attributes
    assert same["data-start"] == middle["data-start"]


def test_kept_files_are_linked_whatever_they_are_called(shop: Site, newest: Newest) -> None:
    run = newest("data/export-partners", RunState.SUCCEEDED)
    links = shop.page(f"/runs/{run.id}").one("ul", class_="files").all("a")
    assert {each.text: each.attributes["href"].partition("/outputs/")[2] for each in links} == {
        "partners/north.csv": "partners/north.csv",
        "partners/süd.csv": "partners/s%C3%BCd.csv",
        "read <me> & \"you\".txt": "read%20%3Cme%3E%20%26%20%22you%22.txt",
        "summary.json": "summary.json",
    }  # fmt: skip


def test_the_story_is_told_with_the_time_since_its_beginning(shop: Site, newest: Newest) -> None:
    lines = shop.page(f"/runs/{newest('shop/invoices', RunState.FAILED).id}").one("ol", class_="story-line").all("li")
    assert [each.one("span", class_="reason").text for each in lines] == ["created", "released", "started", "exit_code"]
    assert "warning" in lines[-1].attributes["class"]
    assert lines[1].one("span", class_="quiet").text.startswith("+2m")


def test_a_run_follows_others_by_links(shop: Site, newest: Newest) -> None:
    run = newest("data/load", RunState.FAILED)
    page = shop.page(f"/runs/{run.id}")
    assert run.upstream is not None
    followed = page.one("div", class_="around")
    assert followed.one("a", class_="run").attributes["href"] == f"/runs/{run.upstream['data/transform']}"


def test_a_slot_that_did_not_run_has_no_log_and_says_why(shop: Site, newest: Newest) -> None:
    page = shop.page(f"/runs/{newest('ops/mirror', RunState.SKIPPED).id}")
    assert "the run before was still active" in page.one("p", class_="sentence").text
    assert not page.all("div", class_="log")


def test_the_beginning_of_an_id_will_do(shop: Site, newest: Newest) -> None:
    run = newest("shop/invoices", RunState.FAILED)
    assert shop.page(f"/runs/{run.id[:-1]}").one("span", class_="id").text == run.id


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/runs/01m7zzzzzzzzzzzzzzzzzzzzzz", 404, id="no-such-run"),
        pytest.param("/runs/%3Cscript%3E", 404, id="no-id"),
        pytest.param("/runs/01m7", 409, id="several"),
    ],
)
def test_what_is_not_there_is_an_error_as_a_page(shop: Site, path: str, status: int) -> None:
    answer = shop.get(path)
    assert answer.status_code == status
    assert "<script>" not in answer.text


@pytest.mark.parametrize("query", ["stream=x", "from=-1", "from=x", "at=whenever", "colour=red"])
def test_a_part_of_a_log_that_cannot_be_meant_is_400(shop: Site, newest: Newest, query: str) -> None:
    assert shop.get(f"/runs/{newest('shop/invoices', RunState.FAILED).id}?{query}").status_code == 400


def test_who_may_see_one_project_sees_no_run_of_another(month: Home, newest: Newest, tmp_path: Path) -> None:
    other, own = newest("shop/invoices", RunState.FAILED), newest("data/load", RunState.FAILED)
    with site(month, FULL, tmp_path, project="data") as seen:
        assert seen.get(f"/runs/{other.id}").status_code == 404
        assert seen.get(f"/runs/{other.id[:-1]}").status_code == 404
        assert seen.get(f"/runs/{own.id}").status_code == 200


def test_a_first_view_stays_small(shop: Site, newest: Newest) -> None:
    """Issue 5: under 100 kB as it goes over the wire; with a 2 MB log, too."""
    answer = shop.get(f"/runs/{newest('shop/search-reindex', RunState.SUCCEEDED).id}")
    assert answer.num_bytes_downloaded < 30_000
    assert shop.get("/jobs/shop/payments-poll").num_bytes_downloaded < 30_000
