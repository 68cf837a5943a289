"""Logs as they grow: what is sent, how it ends, how it goes on after a break. A real process, real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.logs import Log
from state.records import Reason, Run, RunState
from state.store import RunEnd, RunStarted
from status.streams.pieces import piece_of, whole_characters
from tests.seeing.building import HOUR, NINE, SECOND, run_of
from tests.streaming.conftest import Town
from tests.streaming.following import Message


def begin(town: Town, name: str = "ops/backup", *, started: bool = True) -> Run:
    """A run that is active."""
    town.hours += 1
    run = run_of(town.jobs[name], at=NINE + town.hours * HOUR)
    town.store.insert_runs([run])
    if started:
        town.store.started([RunStarted(run_id=run.id, at=run.created_at, pid=1, pid_start=1)])
    return run


def end(town: Town, run: Run) -> None:
    at = run.created_at + SECOND
    town.store.finished([
        RunEnd(run_id=run.id, at=at, state=RunState.FAILED, reason=Reason.EXIT_CODE, exit_code=3)
    ])  # fmt: skip
    town.server.ring()


def log_of(town: Town, run: Run, stream: str = "output") -> Path:
    directory = town.home.run_dir_of(run)
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"{stream}.log"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def text_of(messages: list[Message]) -> str:
    return "".join(message.data["text"] for message in messages if message.kind == "message")


def test_a_log_is_followed_from_its_beginning_to_the_end_of_the_run(town: Town) -> None:
    run = begin(town)
    log = log_of(town, run)
    append(log, b"one\n")
    follower = town.follow(f"/api/v1/runs/{run.id}/logs")
    assert follower.take(1)[0].data == {"start": 0, "end": 4, "text": "one\n"}
    append(log, b"two without an end")
    told = follower.take(1)
    assert (told[0].id, told[0].data["text"]) == ("22", "two without an end")
    append(log, b", now\n")
    end(town, run)
    last, ending = follower.rest()
    assert (last.data["text"], last.id) == (", now\n", "28")
    assert (ending.kind, ending.id, ending.data["state"], ending.data["exitCode"]) == ("end", "end", "failed", 3)
    assert ending.data == town.server.http.get(f"/api/v1/runs/{run.id}").json() | {"reached": None}
    assert follower.over


def test_a_log_goes_on_where_the_client_was_and_a_client_that_has_all_is_told_not_to_come_back(town: Town) -> None:
    run = begin(town)
    append(log_of(town, run), b"0123456789")
    end(town, run)
    path = f"/api/v1/runs/{run.id}/logs"
    assert text_of(town.follow(path, 4).rest()) == "456789"
    assert [message.kind for message in town.follow(path, 10).rest()] == ["end"]
    assert [message.kind for message in town.follow(path, 10**9).rest()] == ["end"]
    answer = town.server.http.get(path, headers={"accept": "text/event-stream", "last-event-id": "end"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_run_that_has_not_written_yet_is_waited_for(town: Town) -> None:
    run = begin(town, started=False)
    follower = town.follow(f"/api/v1/runs/{run.id}/logs")
    follower.opening()
    append(log_of(town, run), b"at last\n")
    assert follower.take(1)[0].data["text"] == "at last\n"
    end(town, run)
    assert [message.kind for message in follower.rest()] == ["end"]


def test_a_run_that_ends_without_a_word_ends_its_stream(town: Town) -> None:
    run = begin(town)
    follower = town.follow(f"/api/v1/runs/{run.id}/logs")
    follower.opening()
    end(town, run)
    assert [message.kind for message in follower.rest()] == ["end"]
    assert town.server.http.get(f"/api/v1/runs/{run.id}/logs?follow=true").status_code == 404


def test_characters_are_never_torn_and_other_bytes_are_seen_as_such(town: Town) -> None:
    run = begin(town)
    log = log_of(town, run)
    append(log, "straße ".encode() + b"\xff\xfe\x00\r\x1b[31m " + "🌍".encode()[:2])
    follower = town.follow(f"/api/v1/runs/{run.id}/logs")
    assert follower.take(1)[0].data["text"] == "straße \ufffd\ufffd\x00\r\x1b[31m "
    append(log, "🌍".encode()[2:])
    assert follower.take(1)[0].data["text"] == "🌍"
    append(log, b"\xe2\x82")  # the run ends within a character
    end(town, run)
    assert text_of(follower.rest()) == "\ufffd"


def test_the_last_lines_and_times_choose_where_to_begin(town: Town) -> None:
    run = begin(town)
    log = log_of(town, run)
    append(log, b"".join(b"line %d\n" % number for number in range(10)))
    log.with_suffix(".idx").write_text("".join(f"{NINE + second * SECOND} {second * 7}\n" for second in range(1, 10)))
    end(town, run)
    path = f"/api/v1/runs/{run.id}/logs"
    assert text_of(town.follow(f"{path}?tail=2").rest()) == "line 8\nline 9\n"
    assert text_of(town.follow(f"{path}?start=2026-11-21T09:00:08Z").rest()) == "line 8\nline 9\n"
    assert text_of(town.follow(f"{path}?tail=2", 56).rest()) == "line 8\nline 9\n"
    assert text_of(town.follow(f"{path}?tail=2", 0).rest()).startswith("line 0\n")  # who comes back is no newcomer


def test_only_lines_that_hold_a_text_are_told_whole_however_they_were_written(town: Town) -> None:
    run = begin(town)
    log = log_of(town, run)
    append(log, b"ERR")
    path = f"/api/v1/runs/{run.id}/logs?filter=ERROR"
    follower = town.follow(path)
    follower.opening()
    append(log, b"OR one\nall is well\nno ERROR he")
    first = follower.take(1)[0]
    assert (first.data, first.id) == ({"start": 0, "end": 22, "text": "ERROR one\n"}, "22")
    append(log, b"re\nwell\n")
    second = follower.take(1)[0]
    assert second.data["text"] == "no ERROR here\n"
    append(log, b"x" * 100_000 + b"\nlast ERROR")
    end(town, run)
    messages = follower.rest()
    assert text_of(messages) == "last ERROR\n"
    assert text_of(town.follow(path, second.id).rest()) == "last ERROR\n"
    whole = "ERROR one\nno ERROR here\nlast ERROR\n"
    assert text_of(town.follow(path).rest()) == town.server.http.get(path).text == whole
    assert text_of(town.follow(f"{path}&tail=2").rest()) == "no ERROR here\nlast ERROR\n"
    assert town.server.http.get(f"{path}&tail=2").text == "no ERROR here\nlast ERROR\n"


def test_so_many_lines_are_told_and_then_the_last_event_says_so(town: Town) -> None:
    run = begin(town)
    log = log_of(town, run)
    append(log, b"one\ntw")
    path = f"/api/v1/runs/{run.id}/logs?limit=3"
    follower = town.follow(path)
    follower.opening()
    assert follower.last_id == "0/3"
    first = follower.take(1)[0]
    assert (first.data["text"], first.id) == ("one\ntw", "6/2")
    append(log, b"o\nthree\nfour\n")
    text, ending = follower.rest()
    assert text.data["text"] == "o\nthree\n"
    assert (ending.kind, ending.data["state"], ending.data["reached"]) == ("end", "running", "limit")
    assert follower.over
    assert text_of(town.follow(path, first.id).rest()) == "o\nthree\n"  # not three lines more
    for last in (text.id, "end"):
        answer = town.server.http.get(path, headers={"accept": "text/event-stream", "last-event-id": last})
        assert (last, answer.status_code) == (last, 204)
    end(town, run)
    few = town.follow(f"/api/v1/runs/{run.id}/logs?limit=100").rest()
    assert (text_of(few), few[-1].data["reached"]) == ("one\ntwo\nthree\nfour\n", None)


def test_what_was_written_up_to_an_instant_is_told_and_then_the_last_event(town: Town) -> None:
    run = begin(town)
    log = log_of(town, run)
    append(log, b"".join(b"line %d\n" % number for number in range(10)))
    log.with_suffix(".idx").write_text(
        "".join(f"{NINE - 9 * HOUR + second * SECOND} {second * 7}\n" for second in range(1, 10))
    )
    messages = town.follow(f"/api/v1/runs/{run.id}/logs?start=2026-11-21T00:00:03Z&end=2026-11-21T00:00:05Z").rest()
    assert text_of(messages) == "line 3\nline 4\n"
    assert (messages[-1].kind, messages[-1].data["state"], messages[-1].data["reached"]) == ("end", "running", "end")
    end(town, run)


def test_streams_kept_apart_are_followed_by_name(town: Town) -> None:
    run = begin(town)
    append(log_of(town, run, "stdout"), b"out\n")
    append(log_of(town, run, "stderr"), b"err\n")
    end(town, run)
    path = f"/api/v1/runs/{run.id}/logs"
    assert text_of(town.follow(f"{path}?stream=stderr").rest()) == "err\n"
    assert town.server.http.get(f"{path}?follow=true").status_code == 422


def test_a_cut_in_the_middle_is_told_once(town: Town) -> None:
    run = begin(town)
    log = log_of(town, run)
    append(log, b"a" * 100_000 + b"\n" + b"b" * 100_000 + b"\n")
    log.with_suffix(".gap").write_text("50000 150000\n")
    end(town, run)
    messages = town.follow(f"/api/v1/runs/{run.id}/logs").rest()
    text = text_of(messages)
    assert text == "a" * 50_000 + "[jobsctl: 97.7 KiB cut here]\n" + "b" * 50_001 + "\n"
    assert messages[-2].id == "200002"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("x=1", 400, id="an unknown parameter"),
        pytest.param("format=json", 400, id="a form"),
        pytest.param("stream=nope", 400, id="an unknown stream"),
        pytest.param("limit=0", 400, id="no lines at all"),
        pytest.param("since=1h&start=2h", 422, id="two beginnings"),
        pytest.param("since=1h&end=2h", 422, id="an end before the beginning"),
    ],
)
@pytest.mark.parametrize("of", ["runs/{}", "jobs/ops/backup"], ids=["of a run", "of a job"])
def test_what_has_no_meaning_for_a_log_that_goes_on_is_refused(town: Town, of: str, query: str, status: int) -> None:
    run = begin(town)
    append(log_of(town, run), b"x\n")
    answer = town.server.http.get(f"/api/v1/{of.format(run.id)}/logs?follow=true&{query}")
    assert answer.status_code == status
    assert status != 400 or answer.json()["error"]["details"]["parameter"] == query.partition("=")[0]
    end(town, run)


def test_many_followers_and_a_large_log_cost_no_memory_to_speak_of(town: Town) -> None:
    run = begin(town)
    log = log_of(town, run)
    line = b"0123456789abcdef" * 4 + b"\n"
    append(log, line * 400_000)  # 26 MB
    before = resident(town)
    lazy = [town.follow(f"/api/v1/runs/{run.id}/logs", receive_buffer=4096) for _ in range(20)]
    eager = town.follow(f"/api/v1/runs/{run.id}/logs", len(line) * 300_000)
    end(town, run)
    assert text_of(eager.rest()) == (line * 100_000).decode()
    assert resident(town) - before < 16_000_000
    assert lazy[0].take(1)[0].data["text"].encode().startswith(line)


def test_a_program_that_writes_megabytes_at_once_is_followed_byte_for_byte(town: Town) -> None:
    run = begin(town)
    log = log_of(town, run)
    append(log, b"begin\n")
    followers = [town.follow(f"/api/v1/runs/{run.id}/logs") for _ in range(3)]
    for follower in followers:
        assert follower.take(1)[0].data["text"] == "begin\n"
    flood = "".join(f"line {number} ü\n" for number in range(200_000))
    append(log, flood.encode())
    assert followers[0].take(1)[0].data["text"].startswith("line 0 ü\n")
    append(log, b"end\n")
    end(town, run)
    assert all(text_of(follower.rest()) == flood + "end\n" for follower in followers[1:])


def resident(town: Town) -> int:
    """Bytes."""
    pages = Path(f"/proc/{town.server.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=4).map(str.encode), st.binary(max_size=4)), max_size=8), st.data())
def test_pieces_put_together_are_the_log(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], data: st.DataObject
) -> None:
    content = b"".join(parts)
    directory = tmp_path_factory.mktemp("log")
    (directory / "output.log").write_bytes(content)
    text, position = "", 0
    with Log(directory) as log:
        while position < len(content):
            end = data.draw(st.integers(position + 1, len(content)))
            piece = piece_of(log, position, end, all_there=end == len(content))
            if piece.end == position:
                assert end < len(content)  # nothing whole yet
                piece = piece_of(log, position, len(content), all_there=True)
            text += piece.text
            position = piece.end
    assert text == content.decode("utf-8", "replace")


@settings(derandomize=True, max_examples=200)
@given(st.text(max_size=6), st.integers(0, 3))
def test_what_is_held_back_is_less_than_a_character(text: str, cut: int) -> None:
    data = text.encode()
    data = data[: len(data) - cut] if cut else data
    whole = whole_characters(data)
    assert len(data) - whole <= 3
    assert data[:whole].decode() == data.decode("utf-8", "ignore")
