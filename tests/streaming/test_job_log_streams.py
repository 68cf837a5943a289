"""The logs of all runs of a job as one stream: what is sent, in which order, how it goes on. A real process."""

from __future__ import annotations

import pytest

from state.records import Reason, Run, RunState
from state.store import RunEnd, RunStarted
from tests.seeing.building import HOUR, NINE, SECOND, run_of
from tests.streaming.conftest import Town
from tests.streaming.following import Message
from tests.streaming.test_log_streams import append, begin, end, log_of

PATH = "/api/v1/jobs/ops/backup/logs"


def wrote(town: Town, text: str, stream: str = "output", *, over: bool = True) -> Run:
    """A run that wrote this."""
    run = begin(town)
    append(log_of(town, run, stream), text.encode())
    if over:
        end(town, run)
    return run


def told(messages: list[Message]) -> list[tuple[str, str]]:
    """What was told of which run: its texts joined, its begin and end."""
    found: list[tuple[str, str]] = []
    for message in messages:
        if message.kind == "message":
            run, text = message.data["run"], message.data["text"]
            if found and found[-1][0] == run and found[-1][1] not in ("run", "ended"):
                found[-1] = (run, found[-1][1] + text)
            else:
                found.append((run, text))
        elif message.kind != "end":
            found.append((message.data["id"], message.kind))
    return found


def test_the_run_that_runs_and_each_further_one_are_told_with_their_begin_and_end(town: Town) -> None:
    wrote(town, "of before\n")
    first = wrote(town, "one\n", over=False)
    follower = town.follow(PATH)
    assert follower.take(1)[0].data == {"run": first.id, "stream": "output", "start": 0, "end": 4, "text": "one\n"}
    append(log_of(town, first), b"two")
    assert follower.take(1)[0].data["text"] == "two"
    end(town, first)
    ended = follower.take(1)[0]
    assert (ended.kind, ended.data["id"], ended.data["state"], ended.data["exitCode"]) == (
        "ended",
        first.id,
        "failed",
        3,
    )
    second = wrote(town, "", over=False)
    begun = follower.take(1)[0]
    assert (begun.kind, begun.data["id"], begun.data["attempt"]) == ("run", second.id, 1)
    assert begun.data["scheduledFor"] == town.server.http.get(f"/api/v1/runs/{second.id}").json()["scheduledFor"]
    append(log_of(town, second), b"three\n")
    assert follower.take(1)[0].data["text"] == "three\n"
    end(town, second)
    assert told(follower.take(1)) == [(second.id, "ended")]


def test_a_run_that_is_over_before_it_is_looked_at_is_told_whole(town: Town) -> None:
    follower = town.follow(PATH)
    follower.opening()
    run = wrote(town, "quick\n")
    assert told(follower.take(3)) == [(run.id, "run"), (run.id, "quick\n"), (run.id, "ended")]


def test_runs_that_overlap_are_told_side_by_side_and_streams_kept_apart_by_name(town: Town) -> None:
    one, two = wrote(town, "1a\n", "stdout", over=False), wrote(town, "2a\n", over=False)
    follower = town.follow(PATH)
    assert {message.data["text"] for message in follower.take(2)} == {"1a\n", "2a\n"}
    append(log_of(town, two), b"2b\n")
    assert follower.take(1)[0].data["text"] == "2b\n"
    append(log_of(town, one, "stderr"), b"1b\n")
    assert (message := follower.take(1)[0]).data["text"] == "1b\n"
    assert (message.data["run"], message.data["stream"]) == (one.id, "stderr")
    end(town, two)
    assert told(follower.take(1)) == [(two.id, "ended")]
    append(log_of(town, one, "stdout"), b"1c\n")
    assert follower.take(1)[0].data["text"] == "1c\n"
    only = town.follow(f"{PATH}?stream=stderr")
    assert told(only.take(1)) == [(one.id, "1b\n")]
    end(town, one)
    assert told(only.take(1)) == [(one.id, "ended")]


def test_who_comes_back_at_any_place_gets_exactly_the_rest(town: Town) -> None:
    newest = town.newest()
    runs = [wrote(town, f"{number} first\n", over=False) for number in range(2)]
    live = town.follow(PATH, newest)
    seen = live.take(4)  # two begin, both texts
    append(log_of(town, runs[1]), b"more\n")
    seen += live.take(1)
    end(town, runs[1])
    seen += live.take(1)
    third = wrote(town, "3\n")
    seen += live.take(3)
    end(town, runs[0])
    seen += live.take(1)
    assert told(seen)[-1] == (runs[0].id, "ended")
    for place, message in enumerate(seen[:-1]):
        back = town.follow(PATH, message.id)
        rest: list[Message] = []
        while sum(each.kind == "ended" for each in rest) < sum(each.kind == "ended" for each in seen[place + 1 :]):
            rest += back.take(1)
        for run in (*runs, third):
            of_run = [each for each in seen[place + 1 :] if run.id in (each.data.get("run"), each.data.get("id"))]
            again = [each for each in rest if run.id in (each.data.get("run"), each.data.get("id"))]
            assert told(again) == told(of_run), (place, message.id)


def test_it_begins_at_an_instant_or_with_the_last_lines(town: Town) -> None:
    wrote(town, "long ago\n")
    hours = town.hours
    run = wrote(town, "a\nb\nc\n")
    later = wrote(town, "d\n")
    log_of(town, run).with_suffix(".idx").write_text(
        "".join(f"{NINE + (hours + 1) * HOUR + second * SECOND // 4} {second * 2}\n" for second in range(4))
    )
    since = (NINE + (hours + 1) * HOUR + SECOND // 4) / 1_000_000
    follower = town.follow(f"{PATH}?since={since}")
    expected = [(run.id, "b\nc\n"), (run.id, "ended"), (later.id, "run"), (later.id, "d\n"), (later.id, "ended")]
    assert told(follower.take(5)) == expected
    assert told(town.follow(f"{PATH}?tail=1").take(2)) == [(later.id, "d\n"), (later.id, "ended")]
    running = wrote(town, "x\ny\nz\n", over=False)
    assert told(town.follow(f"{PATH}?tail=2").take(1)) == [(running.id, "y\nz\n")]
    end(town, running)
    refused = town.server.http.get(f"{PATH}?follow=true&tail=2&since=1h")
    assert (refused.status_code, "give one" in refused.json()["error"]["message"]) == (422, True)


def test_so_many_lines_of_all_runs_are_told_and_then_the_last_event(town: Town) -> None:
    first = wrote(town, "one\ntwo\n", over=False)
    path = f"{PATH}?limit=3&filter=o"
    follower = town.follow(path)
    (text,) = follower.take(1)
    assert text.data["text"] == "one\ntwo\n"
    end(town, first)
    follower.take(1)
    second = wrote(town, "three\nfour\nfive\nso\n", over=False)
    rest = follower.rest()
    assert told(rest) == [(second.id, "run"), (second.id, "four\n")]
    assert (rest[-1].kind, rest[-1].id, rest[-1].data) == ("end", "end", {"reached": "limit"})
    assert told(town.follow(path, text.id).rest()) == [(first.id, "ended"), *told(rest)]
    assert (
        town.server.http.get(path, headers={"accept": "text/event-stream", "last-event-id": "end"}).status_code == 204
    )
    end(town, second)


def test_what_runs_wrote_up_to_an_instant_is_told_and_then_the_last_event(town: Town) -> None:
    hours, town.hours = town.hours, -20_000  # in the past, whatever the real clock says
    run = wrote(town, "in time\n")
    wrote(town, "too late\n")
    town.hours = hours
    start, stop = ((run.created_at + after) / 1_000_000 for after in (0, HOUR // 2))
    messages = town.follow(f"{PATH}?since={start}&end={stop}").rest()
    assert told(messages) == [(run.id, "run"), (run.id, "in time\n"), (run.id, "ended")]
    assert messages[-1].data == {"reached": "end"}


def test_a_run_that_could_not_be_started_is_told_with_its_reason(town: Town) -> None:
    follower = town.follow(PATH)
    follower.opening()
    waiting = begin(town, started=False)
    town.store.finished([failing(waiting)])
    town.server.ring()
    messages = follower.take(2)
    assert told(messages) == [(waiting.id, "run"), (waiting.id, "ended")]
    assert messages[1].data["reason"] == "start_error"


def failing(run: Run) -> RunEnd:
    return RunEnd(
        run_id=run.id, at=run.created_at + 1, state=RunState.FAILED, reason=Reason.START_ERROR, error="no such"
    )


@pytest.mark.parametrize(
    "last",
    [
        pytest.param("x", id="no id"),
        pytest.param("5+nope.output:3", id="no run"),
        pytest.param("5+01m7yrrt80qjbw4v5bkmbxg495.nope:3", id="no stream"),
        pytest.param("5+01m7yrrt80qjbw4v5bkmbxg495.output:" + "9" * 30, id="an offset without end"),
        pytest.param("5/3", id="lines where none were counted"),
        pytest.param("5" + "+01m7yrrt80qjbw4v5bkmbxg495" * 60, id="too many runs"),
    ],
)
def test_an_id_that_was_never_sent_is_refused(town: Town, last: str) -> None:
    answer = town.server.http.get(PATH, headers={"accept": "text/event-stream", "last-event-id": last})
    assert answer.status_code == 400


def test_an_id_of_another_job_tells_nothing_of_its_runs(town: Town) -> None:
    run = run_of(town.jobs["web/deploy"], at=NINE + (town.hours + 1) * HOUR)
    town.hours += 1
    town.store.insert_runs([run])
    town.store.started([RunStarted(run_id=run.id, at=run.created_at, pid=1, pid_start=1)])
    append(log_of(town, run), b"secret\n")
    headers = {"accept": "text/event-stream", "last-event-id": f"5+{run.id}.output:0"}
    assert town.server.http.get(PATH, headers=headers).status_code == 400
