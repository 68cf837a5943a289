"""`--watch`: what is appended where nobody looks, and what is drawn where somebody does."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from cli.watching import ENTER, LEAVE, Alarm, Changes
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.reads import Reader
from state.records import Reason, RunState
from state.store import RunEnd
from tests.commands.conftest import MINUTE, NOW
from tests.seeing.conftest import serve

PATIENCE = 10.0


def play(monkeypatch, *steps: Callable[[], object]) -> None:
    """Between two rounds do the next of `steps` instead of waiting; then Ctrl-C."""
    rest = iter(steps)

    def wait(self: Alarm, seconds: float) -> None:
        step = next(rest, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(Alarm, "wait", wait)


def nothing() -> None:
    """A round in which nothing happens."""


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """How often jobs were read."""
    calls: list[str] = []
    jobs = Reader.jobs
    monkeypatch.setattr(Reader, "jobs", lambda self, **given: calls.append("jobs") or jobs(self, **given))
    return calls


def test_only_what_changed_is_appended_and_nothing_is_read_while_nothing_changes(jobsctl, known, monkeypatch, asked):
    hello = known.job()
    known.job("name: other\nrun: {command: [echo]}\n", path="other.yaml")
    play(monkeypatch, nothing, lambda: known.run(hello), nothing, lambda: known.source(), nothing)
    done = jobsctl("list", "--watch", "-o", "jsonl")
    assert done.code == 130
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["metadata"]["name"] for line in lines] == ["hello", "other", "hello"]
    assert [line["phase"] for line in lines] == ["pending", "pending", "active"]
    assert len(asked) == 3  # at first, after the run, and after the look at the files, which changed no job


def test_a_table_grows_below_its_one_heading(jobsctl, known, monkeypatch):
    hello = known.job()
    first = known.run(hello, ago=9 * MINUTE)
    play(monkeypatch, lambda: known.run(hello, ago=MINUTE, state=RunState.FAILED))
    done = jobsctl("runs", "-w", "-n", "1")
    heading, *rows = done.out.splitlines()
    assert heading.startswith("RUN ")
    assert [row.split()[2] for row in rows] == ["succeeded", "failed"]
    assert rows[0].startswith(first.id)
    assert rows[0].index("default/hello") == rows[1].index("default/hello")
    assert done.err.count("There are more") == 0


@pytest.mark.parametrize(
    ("form", "separator"), [pytest.param("yaml", "---\n", id="yaml"), pytest.param("json", "\n{", id="json")]
)
def test_documents_follow_each_other(jobsctl, known, monkeypatch, form, separator):
    hello = known.job()
    play(monkeypatch, lambda: known.run(hello))
    done = jobsctl("list", "-w", "-o", form)
    assert len(("\n" + done.out).split(separator)) == 3


def test_one_thing_is_told_again_when_it_changed(jobsctl, known, monkeypatch):
    hello = known.job()
    other = known.job("name: other\nrun: {command: [echo]}\n", path="other.yaml")
    play(monkeypatch, lambda: known.run(other), lambda: known.run(hello))
    done = jobsctl("describe", "hello", "-w", "-o", "jsonl")
    assert [json.loads(line)["phase"] for line in done.out.splitlines()] == ["pending", "active"]


def test_a_run_is_watched_until_it_is_over(jobsctl, known, monkeypatch):
    run = known.run(known.job(), ago=MINUTE, state=RunState.RUNNING)
    end = RunEnd(run_id=run.id, at=NOW, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED, exit_code=0)
    play(monkeypatch, nothing, lambda: known.store.finished([end]), nothing)
    done = jobsctl("run", run.id, "-w", "-o", "jsonl")
    assert done.code == 0
    assert [json.loads(line)["state"] for line in done.out.splitlines()] == ["running", "succeeded"]


def test_what_is_not_there_is_told_at_once(jobsctl, known, monkeypatch):
    play(monkeypatch)
    done = jobsctl("describe", "nope", "-w")
    assert (done.code, done.out) == (4, "")


def test_over_http_a_change_is_seen_by_its_tag_and_a_server_that_goes_is_waited_for(jobsctl, home, known, monkeypatch):
    hello = known.job()
    server = serve(home)
    url = f"http://127.0.0.1:{server.port}"
    try:
        play(monkeypatch, nothing, lambda: known.run(hello), nothing, lambda: server.close(), nothing)
        done = jobsctl("--server", url, "list", "-w", "-o", "jsonl")
    finally:
        server.close()
    assert done.code == 130
    assert [json.loads(line)["phase"] for line in done.out.splitlines()] == ["pending", "active"]
    assert done.err.count("trying again") == 1


@pytest.mark.parametrize("place", ["home", "http"])
def test_deliveries_are_watched_although_nothing_but_the_outbox_changes(jobsctl, home, known, monkeypatch, place):
    known.job()
    outbox = Outbox.open(home.outbox, now=NOW)
    add(outbox, "one")
    server = serve(home) if place == "http" else None
    try:
        play(monkeypatch, nothing, lambda: add(outbox, "two"), nothing, lambda: arrived(outbox, "one"), nothing)
        where = () if server is None else ("--server", f"http://127.0.0.1:{server.port}")
        done = jobsctl(*where, "deliveries", "-w", "-o", "jsonl")
    finally:
        outbox.close()
        if server is not None:
            server.close()
    assert done.code == 130
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [(line["id"], line["state"]) for line in lines] == [
        ("one", "pending"), ("two", "pending"), ("one", "delivered"),
    ]  # fmt: skip


def add(outbox: Outbox, id: str) -> None:
    """A delivery that waits."""
    outbox.add_delivery(
        Delivery(
            id=id, kind=DeliveryKind.NOTIFICATION, target="ops", address=0, batch=id, identity="default/hello",
            event="failure", created_at=NOW, next_attempt_at=NOW, payload=b"{}",
        )
    )  # fmt: skip


def arrived(outbox: Outbox, id: str) -> None:
    """It was taken."""
    outbox.record_attempt(id, Attempt(number=1, sent_at=NOW, seconds=0.1), Outcome(state=DeliveryState.DELIVERED))


def test_an_interval_that_keeps_the_machine_busy_is_refused(jobsctl, known):
    assert jobsctl("list", "-w", "--interval", "0").code == 2


def test_what_went_and_came_back_is_told_again():
    changes = Changes()
    told = [changes.of(names, name=str, view=str) for names in (["a", "b"], ["b"], ["a", "b"], ["a", "b"])]
    assert told == [["a", "b"], [], ["a"], []]


class Terminal:
    """The real program on a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ |= {"TERM": "xterm", "LINES": "", "COLUMNS": ""}
            for name in ("LINES", "COLUMNS"):
                del os.environ[name]
            os.execv(sys.executable, [sys.executable, "-c", "from cli.main import main; main()", *arguments])
        self.seen = b""
        self.resize(24, 100)

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, text: bytes, *, after: int = 0) -> int:
        """Read until `text` was written behind place `after`; the place behind it."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen[after:]:
            assert time.monotonic() < deadline, self.seen[after:]
            if select.select([self.fd], [], [], 0.1)[0]:
                self.seen += os.read(self.fd, 65536)
        return self.seen.index(text, after) + len(text)

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def press(self, key: bytes) -> None:
        os.write(self.fd, key)

    def wait(self) -> int:
        """The rest of what it says, and its exit code."""
        with suppress(OSError):
            while data := os.read(self.fd, 65536):
                self.seen += data
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def terminal(home) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        started.append(Terminal("--home", str(home.root), *arguments))
        return started[-1]

    yield start
    for each in started:
        with suppress(OSError, ChildProcessError):
            if os.waitpid(each.pid, os.WNOHANG) == (0, 0):
                os.kill(each.pid, signal.SIGKILL)
                os.waitpid(each.pid, 0)
        os.close(each.fd)


def test_on_a_terminal_it_redraws_in_place_and_gives_the_screen_back(known, terminal):
    hello = known.job()
    screen = terminal("list", "-w", "--interval", "0.1")
    place = screen.until(b"pending")
    assert screen.seen.startswith(ENTER + b"\x1b[H")
    assert not screen.echoes
    known.run(hello)
    place = screen.until(b"active", after=place)
    assert screen.seen.count(ENTER) == 1
    assert b"\x1b[2J" not in screen.seen  # clearing before drawing is what flickers
    for number in range(30):
        known.job(f"name: more-{number}\nrun: {{command: [echo]}}\n", path=f"{number}.yaml")
    screen.until(b"... and ", after=place)
    screen.resize(60, 100)
    screen.until(b"more-29", after=len(screen.seen))
    screen.press(b"\x03")
    assert screen.wait() == 130
    assert screen.seen.count(LEAVE) == 1
    left = screen.seen.partition(LEAVE)[2]
    assert b"default/more-29" in left
    assert b"\x1b[H" not in left


@pytest.mark.parametrize(
    ("number", "code"), [pytest.param(signal.SIGTERM, 143, id="SIGTERM"), pytest.param(signal.SIGINT, 130, id="SIGINT")]
)
def test_a_signal_gives_the_screen_back_at_once(known, terminal, number, code):
    known.job()
    screen = terminal("status", "-w", "--interval", "1h")
    screen.until(b"jobs    1")
    os.kill(screen.pid, number)
    assert screen.wait() == code
    assert screen.seen.count(LEAVE) == 1


def test_ctrl_z_gives_the_screen_back_and_going_on_takes_it_again(known, terminal):
    known.job()
    screen = terminal("list", "-w", "--interval", "1h")
    screen.until(b"pending")
    # Nobody could continue it here, so the kernel goes on at once: a process group without a shell is not stopped.
    os.kill(screen.pid, signal.SIGTSTP)
    place = screen.until(ENTER, after=screen.until(LEAVE))
    screen.until(b"pending", after=place)
    os.kill(screen.pid, signal.SIGINT)
    assert screen.wait() == 130
