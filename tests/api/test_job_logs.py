"""`/api/v1/jobs/{job}/logs`: many logs as one, in order, within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.reads import Reader
from status.lists.joblogs import MOST_RUNS, Written, read_job_log
from status.lists.logs import Cut, LogQuery
from tests.api.conftest import Town
from tests.seeing.building import HOUR, NINE, carry_out, record_of

LINES = [(run, line) for run in range(6) for line in range(3)]


def text(town: Town, wanted: list[tuple[int, int]]) -> str:
    ids = [run.id for run in town.runs["default/hello"]]
    return "".join(f"{ids[run]} run {run} line {line}\n" for run, line in wanted)


@pytest.mark.parametrize(
    ("query", "wanted", "cut"),
    [
        pytest.param("", LINES, "false", id="all, the oldest run first"),
        pytest.param("limit=4", LINES[:4], "lines", id="the first lines"),
        pytest.param("tail=4", LINES[-4:], "false", id="the last lines"),
        pytest.param("filter=line%201", [each for each in LINES if each[1] == 1], "false", id="lines with a text"),
        pytest.param("filter=line%201&tail=2", [(4, 1), (5, 1)], "false", id="the last lines with a text"),
        pytest.param("since=2026-11-21T13:00:00Z", LINES[12:], "false", id="since the fifth run"),
        pytest.param("start=2026-11-21T10:00:00Z&end=2026-11-21T11:00:00Z", LINES[3:6], "false", id="of one hour"),
        pytest.param("stream=stderr", [], "false", id="a stream that there is not"),
    ],
)
def test_logs_of_a_job_are_asked_in_parts(town: Town, query: str, wanted: list[tuple[int, int]], cut: str) -> None:
    answer = town.get(f"/api/v1/jobs/default/hello/logs?{query}")
    assert answer.text == text(town, wanted)
    assert answer.headers["x-log-truncated"] == cut
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_as_json_each_run_and_stream_is_an_item(town: Town) -> None:
    answer = town.get("/api/v1/jobs/apart/logs?format=json").json()
    run = town.runs["default/apart"][0]
    assert [(item["run"], item["stream"], item["text"]) for item in answer["items"]] == [
        (run.id, "stdout", "out\n"), (run.id, "stderr", "err\n"),
    ]  # fmt: skip
    assert answer["truncated"] is None
    assert town.get("/api/v1/jobs/default/hello/logs?format=json&limit=1").json()["truncated"] == "lines"
    only = town.get("/api/v1/jobs/apart/logs?stream=stderr").text
    assert only == f"{run.id} err\n"


def test_a_line_ends_with_a_newline_and_nothing_else(town: Town) -> None:
    run = town.runs["default/hello"][0]
    written = Written(run, "output", b"10%\r20%\r\n\x0ba\x1c\n\nlast")
    head = f"{run.id} ".encode()
    assert list(written.lines()) == [head + b"10%\r20%\r\n", head + b"\x0ba\x1c\n", head + b"\n", head + b"last\n"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("since=1h&start=2h", 422, id="two beginnings"),
        pytest.param("start=1h&end=2h", 422, id="nothing between"),
        pytest.param("format=xml", 400, id="no such form"),
        pytest.param("stream=output,stderr", 422, id="two streams"),
        pytest.param("limit=0", 400, id="no lines"),
        pytest.param("run=x", 400, id="an unknown parameter"),
    ],
)
def test_what_cannot_be_asked_is_refused(town: Town, query: str, status: int) -> None:
    town.get(f"/api/v1/jobs/default/hello/logs?{query}", status)


def test_only_so_many_runs_are_looked_through(town: Town) -> None:
    job = town.store.put_job(record_of("busy"))
    runs = [carry_out(town.store, job, at=NINE + number * HOUR) for number in range(MOST_RUNS + 5)]
    for run in runs:
        directory = town.home.run_dir_of(run)
        directory.mkdir(parents=True)
        (directory / "output.log").write_text("x\n")
    assert job.id is not None
    with Reader(town.home.database) as reader:
        cut = Cut()
        found = read_job_log(town.home, reader, job.id, LogQuery(None, None, 1000, None, None, None), cut)
        assert [each.run.id for each in found] == [run.id for run in runs[5:]]
        assert cut.why == "runs"
        cut = Cut()
        since = runs[-10].created_at
        found = read_job_log(town.home, reader, job.id, LogQuery(since, None, 1000, None, None, None), cut)
        assert ([each.run.id for each in found], cut.why) == ([run.id for run in runs[-10:]], "false")
        cut = Cut(room=7)
        found = read_job_log(town.home, reader, job.id, LogQuery(None, None, 1000, 50, None, None), cut)
        assert sum(len(each.data) for each in found) <= 8
        assert cut.why == "bytes"


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    limit=st.integers(1, 25),
    tail=st.none() | st.integers(1, 25),
    word=st.sampled_from([None, "line 1", "run 3", "x", "run"]),
)
def test_parts_are_those_of_a_plain_list(town: Town, limit: int, tail: int | None, word: str | None) -> None:
    everything = text(town, LINES).splitlines(keepends=True)
    wanted = [line for line in everything if word is None or word in line.partition(" ")[2]]
    expected = wanted[:limit] if tail is None else wanted[-min(tail, limit) :]
    query = f"limit={limit}" + (f"&tail={tail}" if tail else "") + (f"&filter={word}" if word else "")
    assert town.get(f"/api/v1/jobs/default/hello/logs?{query}").text == "".join(expected)
