"""What takes long says so: one line on stderr, on a terminal only, and nothing of it is left."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cli import progress
from cli.progress import Progress
from tests.dialogues.hostile import EVIL, Tty
from tests.dialogues.terminal import on_screen

JOB = "name: hello\nschedule: every 10m\nrun: {command: [echo]}\n"


@pytest.fixture
def slow(tmp_path):
    """A file whose reader waits for its writer."""
    path = tmp_path / "slow.yaml"
    os.mkfifo(path)
    return path


def feed(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Write what it waits for, once it does."""
    while process.poll() is None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:  # nobody reads yet
            assert error.errno == errno.ENXIO
            time.sleep(0.01)
            continue
        with os.fdopen(descriptor, "w") as file:
            file.write(JOB)
        return
    raise AssertionError("it ended before it read")


def test_the_line_goes_away(home, terminal, slow):
    shown = terminal("validate", slow)
    shown.until("checking the files ...")
    slow.write_text(JOB)
    assert shown.end() == 0
    assert on_screen(shown.shown).strip() == "1 file, 1 valid job: no errors"


def test_it_counts_seconds(home, terminal, slow):
    shown = terminal("validate", slow)
    shown.until("checking the files ... 2s")
    slow.write_text(JOB)
    assert shown.end() == 0


@pytest.mark.parametrize(
    ("streams", "environment"),
    [
        pytest.param({"stderr": subprocess.PIPE}, {}, id="stderr is a pipe"),
        pytest.param({}, {"TERM": "dumb"}, id="a dumb terminal"),
    ],
)
def test_elsewhere_there_is_none(home, terminal, slow, streams, environment):
    program = "import cli.progress as p; p.PATIENCE = 0; from cli.main import main; main()"
    shown = terminal("-c", program, "--home", home.root, "validate", slow, program=(sys.executable,), **streams,
                     env=environment)  # fmt: skip
    feed(slow, shown.process)
    _, said = shown.process.communicate() if streams else (None, b"")
    assert shown.end() == 0
    assert b"checking" not in shown.shown + said
    assert b"\x1b" not in shown.shown + said


def test_data_is_not_mixed_with_it(home, terminal, slow):
    """Standard output in a pipe: the line is on stderr, the pipe has the data only."""
    shown = terminal("validate", slow, "-o", "json", stdout=subprocess.PIPE)
    shown.until("checking the files ...")
    slow.write_text(JOB)
    data, _ = shown.process.communicate()
    assert shown.end() == 0
    assert data.replace(b"\n", b"").replace(b" ", b"") == b'{"items":[]}'


@pytest.fixture
def told(monkeypatch):
    """`told(what, columns)`: the first line of a progress, as soon as it is written."""

    def tell(what: str, columns: int) -> str:
        lines: list[str] = []
        written = threading.Event()

        def write_error(text: str) -> None:
            lines.append(text)
            written.set()

        monkeypatch.setattr(progress, "PATIENCE", 0)
        monkeypatch.setattr(progress, "write_error", write_error)
        monkeypatch.setattr("sys.stderr", Tty())
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm")
        with Progress(what):
            assert written.wait(20)
        assert lines[-1] == progress.ERASE
        return lines[0].removeprefix(progress.ERASE)

    return tell


def test_it_is_never_longer_than_a_line(told):
    assert told("reading " + "x" * 300, 20) == "reading xxxxxxxxxxx"
    assert told("読" * 30, 20) == "読" * 9 + " "


def test_names_in_it_do_not_drive_the_terminal(told):
    assert told(EVIL, 500).startswith("EVIL\\x1b]0;title\\x07")


def test_quick_work_shows_nothing(monkeypatch):
    """The thread is told that it is over before it has written."""
    shown = Tty()
    monkeypatch.setattr(progress, "PATIENCE", 1000)
    monkeypatch.setattr("sys.stderr", shown)
    with Progress("reading"):
        pass
    assert shown.got() == ""
