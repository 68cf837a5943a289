"""`top`: one look at what runs and waits, and the screen, which gives the terminal back however it ends."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli import livelook
from cli.livelook import in_sort
from state.records import DocumentRecord, Reason, RunState
from state.runfiles import Sample
from status.live import Running, Usage, Waiting, in_order, pools_of, running_of, usage_of
from tests.commands.conftest import MINUTE, NOW

SECOND = 1_000_000
POOLED = "name: {name}\nschedule: every 10m\npool: db\npriority: {priority}\nrun: {{command: [echo]}}\n"


@pytest.fixture
def house(known, home):
    """One run that runs, measured; two that wait for the one slot of a pool."""
    pool = DocumentRecord(kind="Pool", name="db", spec=b'{"slots":1}', digest="d", path="db.yaml", line=1)
    known.store.put_documents([pool], [])
    first = known.job(POOLED.format(name="first", priority=0), path="first.yaml")
    second = known.job(POOLED.format(name="second", priority=5), path="second.yaml")
    run = known.run(first, ago=10 * MINUTE, state=RunState.RUNNING)
    directory = home.run_dir_of(run)
    directory.mkdir(parents=True)
    looks = [(NOW - 2 * SECOND, 3 * SECOND, 1 << 20), (NOW - SECOND, 4_500_000, 5 << 20)]
    (directory / "series.bin").write_bytes(b"".join(struct.pack("<qQQ", *look) for look in looks))
    (directory / "progress.json").write_text('{"percent": 40, "message": "step 2\\u001b[2J"}')
    known.waiting(first, Reason.POOL, ago=2 * MINUTE)
    known.waiting(second, Reason.POOL, ago=MINUTE)
    return run


def test_a_look_as_json(jobsctl, house):
    done = jobsctl("top", "-o", "json")
    assert done.code == 0
    look = json.loads(done.out)
    assert look["running"] == [{
        "job": "default/first", "run": house.id, "state": "running", "attempt": 1,
        "startedAt": "2026-11-21T07:50:00.020Z", "cpuCores": 1.5, "memoryBytes": 5 << 20, "percent": 40.0,
        "message": "step 2\x1b[2J",
    }]  # fmt: skip
    assert [(each["job"], each["reason"], each["pool"], each["priority"]) for each in look["waiting"]] == [
        ("default/second", "pool", "db", 5), ("default/first", "pool", "db", 0),
    ]  # fmt: skip
    assert look["pools"] == [{"name": "db", "slots": 1, "running": 1, "waiting": 2}]
    assert look["totals"] == {"running": 1, "waiting": 2, "cpuCores": 1.5, "memoryBytes": 5 << 20}
    assert look["daemon"]["running"] is False
    assert "\x1b" not in done.out


def test_off_a_terminal_it_is_one_look_in_plain_lines(jobsctl, house):
    out = jobsctl("top").out
    head, sums, pools, blank, headings, first, gap, title, *queue = out.splitlines()
    assert head == "2026-11-21 08:00:00Z  the daemon is not running: nothing is started"
    assert sums.startswith("1 running, 2 waiting; CPU 150%, memory 5.0 MiB; load of the machine ")
    assert pools == "pools: db 1/1 (2 waiting)"
    assert headings.split() == ["JOB", "RUN", "STATE", "FOR", "TRY", "CPU", "MEMORY", "PROGRESS"]
    assert re.split("  +", first) == [
        "default/first", house.id, "running", "10m00s", "1", "150%", "5.0 MiB", "40% step 2\\x1b[2J",
    ]  # fmt: skip
    assert (blank, gap, title, len(queue)) == ("", "", "2 runs waiting", 3)
    assert re.search(r"default/second +\w+ +1m00s +5  a slot of its pool db\n", out)
    assert out.index("default/second") < out.rindex("default/first")


def test_a_number_of_looks(jobsctl, house, monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr("cli.commands.top.rest", slept.append)
    done = jobsctl("top", "-n", "3", "-d", "7s", "-o", "jsonl")
    assert [json.loads(line)["kind"] for line in done.out.splitlines()] == ["Top"] * 3
    assert slept == [7.0, 7.0]


def test_plain_lines_go_on_until_ctrl_c(jobsctl, house, monkeypatch):
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.commands.top.rest", interrupt)
    done = jobsctl("top", "--plain")
    assert (done.code, done.out.count("1 running")) == (130, 1)


def test_a_quiet_house(jobsctl, known):
    out = jobsctl("top").out
    assert "0 running, 0 waiting; CPU 0%, memory 0 B" in out
    assert out.endswith("Nothing runs.\n")
    assert jobsctl("top", "-o", "name").out == ""


def test_it_says_when_there_are_more_than_it_looks_at(jobsctl, house, monkeypatch):
    assert json.loads(jobsctl("top", "-o", "json").out)["truncated"] is False
    monkeypatch.setattr(livelook, "MOST", 2)
    assert json.loads(jobsctl("top", "-o", "json").out)["truncated"] is True
    assert "there are more: only the first 2 of either are looked at\n" in jobsctl("top").out


def test_the_project_limits_it(jobsctl, house):
    assert jobsctl("top", "-o", "name").out == f"run/{house.id}\n"
    assert jobsctl("top", "-p", "other", "-o", "name").out == ""


@pytest.mark.parametrize("arguments", [("--delay", "0.1"), ("--once", "-n", "2"), ("--sort", "name")])
def test_what_makes_no_sense_is_refused(jobsctl, known, arguments):
    assert jobsctl("top", *arguments).code == 2


USAGES = {
    "no look yet": ([], Usage()),
    "one look: since the start": ([(1, 0.5, 10)], Usage(0.5, 10)),
    "two looks": ([(1, 0.5, 10), (3, 1.5, 20)], Usage(0.5, 20)),
    "the CPU time of a child was lost": ([(1, 0.5, 10), (2, 0.4, 20)], Usage(0.0, 20)),
    "the clock was set back": ([(3, 0.5, 10), (2, 1.5, 20)], Usage(None, 20)),
    "the last look is long ago": ([(-500, 0.5, 10)], Usage()),
}


@pytest.mark.parametrize(("looks", "expected"), USAGES.values(), ids=USAGES)
def test_what_a_run_uses_now(known, looks, expected):
    run = replace(known.new_run(known.job()), started_at=NOW)
    samples = [Sample(NOW + after * SECOND, cpu, memory) for after, cpu, memory in looks]
    assert usage_of(run, samples, NOW + 4 * SECOND) == expected


PROGRESS = {
    "both": ({"percent": 40, "message": "half"}, 40.0, "half"), "nothing": (None, None, None),
    "too much": ({"percent": 140}, None, None), "no number": ({"percent": True, "message": 4}, None, None),
}  # fmt: skip


@pytest.mark.parametrize(("document", "percent", "message"), PROGRESS.values(), ids=PROGRESS)
def test_progress_is_what_makes_sense_of_it(known, document, percent, message):
    found = running_of(known.new_run(known.job()), (), document, NOW)
    assert (found.percent, found.message) == (percent, message)


def test_the_queue_is_in_the_order_of_the_daemon(known):
    """Priority, and a step more for each minute; what waits for a time comes last."""
    job = known.job()

    def waiting(name: str, minutes: int, priority: int, not_before: int | None = None) -> Waiting:
        run = known.new_run(job, created_at=NOW - minutes * MINUTE)
        return Waiting(replace(run, error=name, not_before=not_before), None, priority)

    queue = [
        waiting("retry", 50, 9, NOW + MINUTE), waiting("old", 12, 0), waiting("important", 1, 10),
        waiting("new", 0, 0), waiting("over", 0, 3, NOW - MINUTE), waiting("sooner", 0, 0, NOW + SECOND),
    ]  # fmt: skip
    ordered = [each.run.error for each in in_order(queue, NOW)]
    assert ordered == ["old", "important", "over", "new", "sooner", "retry"]


def test_pools_are_those_that_are_defined_or_named():
    documents = [DocumentRecord(kind="Pool", name="db", spec=b'{"slots":2}', digest="d", path="p.yaml", line=1)]
    occupancy = [
        ("db", RunState.RUNNING, None, 1), ("db", RunState.PENDING, None, 1), ("db", RunState.BLOCKED, Reason.POOL, 3),
        ("db", RunState.BLOCKED, Reason.BACKOFF, 5), ("lost", RunState.BLOCKED, Reason.POOL, 1),
        (None, RunState.RUNNING, None, 9),
    ]  # fmt: skip
    found = [(pool.name, pool.slots, pool.running, pool.waiting) for pool in pools_of(documents, occupancy)]
    assert found == [("db", 2, 2, 3), ("lost", None, 0, 1)]


def test_sorting_puts_what_is_not_known_last(known):
    job = known.job()

    def running(name: str, cpu: float | None, memory: int | None, started: int | None) -> Running:
        run = replace(known.new_run(job), error=name, started_at=started)
        return Running(run, Usage(cpu, memory), None, None)

    runs = [running("new", None, None, None), running("small", 0.1, 9, NOW), running("big", 2.0, 1, NOW - 1)]
    assert [each.run.error for each in in_sort(runs, "cpu")] == ["big", "small", "new"]
    assert [each.run.error for each in in_sort(runs, "memory")] == ["small", "big", "new"]
    assert [each.run.error for each in in_sort(runs, "time")] == ["big", "small", "new"]


# the screen, in a real terminal

OTHER_SCREEN, FIRST_SCREEN, CURSOR = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"


class Terminal:
    """A program on a pseudo-terminal of its own, as the leader of its session."""

    def __init__(self, *command: str, columns: int = 100, lines: int = 24, **environment: str) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.theirs = theirs
        self.modes = termios.tcgetattr(theirs)
        plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**plain, "TERM": "xterm", **environment},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )  # fmt: skip
        self.shown = b""

    def until(self, text: bytes, *, since: int = 0) -> int:
        """Read until it shows `text`; gives the place behind it."""
        deadline = time.monotonic() + 20
        while (found := self.shown.find(text, since)) < 0:
            assert time.monotonic() < deadline, self.shown[since:]
            if select.select([self._ours], [], [], 0.1)[0]:
                self.shown += os.read(self._ours, 65536)
        return found + len(text)

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def end(self) -> int:
        """The code it ends with, everything read."""
        code = self.process.wait(20)
        while select.select([self._ours], [], [], 0)[0]:
            self.shown += os.read(self._ours, 65536)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)
        os.close(self._ours)
        os.close(self.theirs)


@pytest.fixture
def on_terminal() -> Iterator:
    opened: list[Terminal] = []

    def open_terminal(*command: str, **given: object) -> Terminal:
        opened.append(Terminal(*command, **given))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


def top(home, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "jobsctl", "--home", str(home.root), "top", *arguments)


ENDS = {
    "q": (lambda terminal: terminal.type(b"q"), 0),
    "Ctrl-C": (lambda terminal: terminal.type(b"\x03"), 130),
    "SIGTERM": (lambda terminal: terminal.process.terminate(), -signal.SIGTERM),
    "SIGHUP": (lambda terminal: terminal.process.send_signal(signal.SIGHUP), -signal.SIGHUP),
    "an error": (None, 5),
}


@pytest.mark.parametrize(("how", "code"), ENDS.values(), ids=ENDS)
def test_the_terminal_is_given_back_however_it_ends(home, house, on_terminal, how, code):
    terminal = on_terminal(*top(home, "-d", "0.3s"))
    terminal.until(b"q quit")
    assert OTHER_SCREEN in terminal.shown
    if how is None:
        home.database.rename(home.database.with_suffix(".away"))
    else:
        how(terminal)
    assert terminal.end() == code
    assert FIRST_SCREEN in terminal.shown
    assert CURSOR in terminal.shown[terminal.shown.index(FIRST_SCREEN) - 50 :]
    assert termios.tcgetattr(terminal.theirs) == terminal.modes
    assert b"Traceback" not in terminal.shown


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell with job control")
def test_stopped_and_taken_up_again_it_gives_the_terminal_back_meanwhile(home, house, on_terminal, tmp_path: Path):
    script = tmp_path / "shell"
    script.write_text('set -m\n"$@"\nstty -a\necho stopped-now\nfg >/dev/null\necho over: $?\n')
    terminal = on_terminal("bash", str(script), *top(home, "-d", "0.3s"))
    place = terminal.until(b"q quit")
    terminal.type(b"\x1a")
    place = terminal.until(b"stopped-now", since=place)
    assert FIRST_SCREEN in terminal.shown
    assert b" icanon" in terminal.shown
    terminal.until(OTHER_SCREEN, since=place)
    place = terminal.until(b"q quit", since=place)
    terminal.type(b"q")
    terminal.until(b"over: 0", since=place)


def test_keys_sort_pause_and_help(home, house, on_terminal):
    terminal = on_terminal(*top(home, "-d", "60s"))
    place = terminal.until(b"by cpu")
    for key, answer in ((b"m", b"by memory"), (b"t", b"by time"), (b"p", b"PAUSED"), (b"?", b"100% is one processor")):
        terminal.type(key)
        place = terminal.until(answer, since=place)
    terminal.type(b"?q")
    assert terminal.end() == 0


def test_a_narrow_terminal_without_colours_shows_what_matters(home, house, on_terminal):
    terminal = on_terminal(*top(home), columns=40, lines=14, NO_COLOR="1")
    terminal.until(b"by cpu")
    terminal.type(b"q")
    terminal.end()
    screen = terminal.shown[terminal.shown.index(OTHER_SCREEN) : terminal.shown.index(FIRST_SCREEN)].decode()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)
    assert max(map(len, plain.replace("\r", "").split("\n"))) <= 40
    assert re.search(r"JOB +FOR +CPU +MEMORY *\r?\n", plain)
    assert "default/first" in plain
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", screen)


def test_a_dumb_terminal_gets_one_look_in_plain_lines(home, house, on_terminal):
    terminal = on_terminal(*top(home), TERM="dumb")
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.shown
    assert b"1 running, 2 waiting" in terminal.shown
