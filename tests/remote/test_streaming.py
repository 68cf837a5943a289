"""Following a server: through its death and return, and what is said where it cannot be done."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cli.remote.client import Client
from cli.remote.streaming import EventStream
from state.home import Home
from state.records import Event, Reason, Run, RunState
from state.store import RunEnd
from tests.commands.conftest import MINUTE, NOW, Known
from tests.remote.test_client import HOUSE, Other, error, other
from tests.seeing.building import beat
from tests.seeing.conftest import StatusProcess, serve

__all__ = ["other"]
PATIENCE = 30.0
PIECE = b'id: 4\ndata: {"start":0,"end":4,"text":"one\\n"}\n\n'


class Town:
    """A home with a run that runs, and its server, which may be killed and comes back at the same address."""

    def __init__(self, home: Home) -> None:
        home.specs.mkdir(parents=True)
        self.home, self.known = home, Known(home)
        self.run: Run = self.known.run(self.known.job(), ago=MINUTE, state=RunState.RUNNING)
        self.log = home.run_dir_of(self.run) / "output.log"
        self.log.parent.mkdir(parents=True)
        beat(home, NOW)
        self.server: StatusProcess = serve(home)
        self.port = self.server.port

    def write(self, data: bytes) -> None:
        with self.log.open("ab") as file:
            file.write(data)

    def kill(self) -> None:
        os.kill(self.server.process.pid, signal.SIGKILL)
        self.server.close()
        self.home.http.unlink()

    def come_back(self) -> None:
        self.server = serve(self.home, listen=f"127.0.0.1:{self.port}")

    def note(self) -> None:
        self.known.store.add_events([
            Event(at=NOW, job_id=self.run.job_id, run_id=self.run.id, type="Normal", reason="noted", message="here")
        ])  # fmt: skip

    def end(self) -> None:
        self.known.store.finished([
            RunEnd(run_id=self.run.id, at=NOW, state=RunState.FAILED, reason=Reason.EXIT_CODE, error="exit code 3")
        ])  # fmt: skip


@pytest.fixture
def town(tmp_path) -> Iterator[Town]:
    town = Town(Home(tmp_path / "home"))
    yield town
    town.server.close()
    town.known.store.close()


@pytest.fixture
def follow(town: Town) -> Iterator[Any]:
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "jobsctl", "--server", f"http://127.0.0.1:{town.port}", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def line_of(process: subprocess.Popen[bytes]) -> bytes:
    """The next line; a watchdog ends a process that says nothing."""
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read().decode()
        return line
    finally:
        watchdog.cancel()


def test_a_log_goes_on_where_it_was_when_the_server_dies_and_comes_back(town: Town, follow: Any) -> None:
    town.write(b"one\n\xff")
    process = follow("logs", "-f", "hello")
    assert line_of(process) == b"one\n"
    town.write(b"two\n")
    assert line_of(process) == b"\xfftwo\n"
    town.kill()
    town.write(b"three, \xc3(")
    town.come_back()
    town.write(b"\n")
    assert line_of(process) == b"three, \xc3(\n"
    town.write(b"four")
    town.end()
    out, err = process.communicate(timeout=PATIENCE)
    assert (out, process.returncode) == (b"four", 0)
    assert err.splitlines()[-1] == f"run {town.run.id} failed: exit code 3".encode()


def test_events_go_on_where_they_were_when_the_server_dies_and_comes_back(town: Town, follow: Any) -> None:
    of_all, of_run = (follow("events", "-f", *more, "-n", "0", "-o", "jsonl") for more in ([], [town.run.id]))
    for process in (of_all, of_run):
        while not select.select([process.stdout], [], [], 0.5)[0]:
            town.note()  # until it listens
        assert json.loads(line_of(process))["reason"] == "noted"
    town.kill()
    town.end()
    town.come_back()
    out, _ = of_run.communicate(timeout=PATIENCE)
    assert [json.loads(line)["reason"] for line in out.splitlines()][-1] == "exit_code"
    assert of_run.returncode == 0
    ids = [json.loads(line_of(of_all))["id"]]
    while (told := json.loads(line_of(of_all)))["reason"] == "noted":
        ids.append(told["id"])
    assert (told["reason"], [*ids, told["id"]]) == ("exit_code", list(range(ids[0], told["id"] + 1)))


def collect(other: Other, count: int, **more: Any) -> list[tuple[str, str]]:
    with EventStream(Client(other.url), "/api/v1/x", last="0") as stream:
        found: list[tuple[str, str]] = []
        while len(found) < count and not stream.over:
            stream.wait(PATIENCE)
            found += [(each.id, each.kind) for each in stream.take()]
        return found


def test_it_comes_back_with_the_last_id_that_was_had_whole(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"content-type": "text/event-stream"}
    other.answers["*"] = 200, headers, b"retry: 1\nid: 0\n\n" + PIECE + b'id: 9\ndata: {"start":4'
    assert collect(other, 2) == [("4", "message")] * 2
    asked = [headers["last-event-id"] for _, headers in other.asked]
    assert asked[:2] == ["0", "4"]


def test_the_last_event_ends_it_and_so_does_a_204(other: Other) -> None:
    headers = {"content-type": "text/event-stream"}
    other.answers["*"] = 200, headers, PIECE + b'id: end\nevent: end\ndata: {"state":"failed"}\n\n'
    assert collect(other, 9) == [("4", "message"), ("end", "end")]
    other.answers["*"] = 204, {}, b""
    assert collect(other, 9) == []


@pytest.mark.parametrize(
    ("status", "headers", "body", "code", "said"),
    [
        pytest.param(200, {}, b"{}", 7, "an older jobsctl", id="a server that does not stream"),
        pytest.param(404, {}, error("not_found", path="/api/v1/events"), 7, "an older jobsctl", id="no such route"),
        pytest.param(503, {}, error("overloaded"), 1, "too much to do", id="too many follow"),
        pytest.param(403, {}, error("forbidden"), 7, "does not allow", id="not allowed"),
    ],
)
def test_where_events_cannot_be_followed_it_is_said(other, ask, status, headers, body, code, said) -> None:
    other.says("house", HOUSE)
    other.says("events", {"items": []})
    other.says("*", {"item": None})
    other.answers["/api/v1/events"] = status, headers, body
    done = ask(other.url, "events", "-f", "-n", "0")
    assert (done.code, done.out) == (code, ""), done.err
    assert said in done.err
