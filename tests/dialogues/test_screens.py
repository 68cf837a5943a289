"""Narrow terminals, terminals that change their size, and people who listen to the screen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from state.records import RunState
from tests.commands.conftest import MINUTE
from tests.dialogues.terminal import CTRL_C, Terminal

JOB = "name: {name}\ndescription: 売上 – the sales of yesterday\nschedule: every 10m\nrun: {{command: [echo]}}\n"


@pytest.fixture
def busy(known):
    """Three jobs with names of some length, each with an active run."""
    for name in ("one", "two", "three-with-a-long-name"):
        known.run(known.job(JOB.format(name=name), path=f"{name}.yaml"), state=RunState.RUNNING, ago=MINUTE)


def plain(written: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", written.decode())


@pytest.mark.parametrize("columns", [40, 20])
@pytest.mark.parametrize("command", ["list", "runs", "timers"])
def test_tables_keep_what_matters_on_a_narrow_terminal(busy, terminal, command, columns):
    shown = terminal(command, columns=columns, lines=8)
    assert shown.end() == 0
    text = plain(shown.shown)
    assert "JOB" in text
    assert "default/one" in text
    assert "SCHEDULE" not in text
    assert "DURATION" not in text


@pytest.mark.parametrize("command", ["status", "describe one", "why one", "next one", "plan", "explain job.schedule",
                                     "list --help", "nosuch"])  # fmt: skip
def test_everything_else_works_on_a_tiny_one(busy, terminal, command):
    shown = terminal(*command.split(), columns=20, lines=5)
    assert shown.end() in (0, 1, 2, 5)
    assert "Traceback" not in shown.text
    assert "unexpected" not in shown.text


def until_picture(screen: Terminal, fits: Callable[[list[str]], bool]) -> None:
    """Read until a picture was drawn whose lines are as wanted."""
    place = screen.until(b"\x1b[H", after=len(screen.shown))
    for _ in range(100):
        end = screen.until(b"\x1b[H", after=place)
        if fits(plain(screen.shown[place : end - len(b"\x1b[H")]).split("\n")):
            return
        place = end
    raise AssertionError(f"none of 100 pictures is as wanted; the last: {screen.shown[place:]!r}")


@pytest.mark.parametrize("arguments", [["top", "-d", "0.3"], ["list", "-w", "--interval", "0.3"]], ids=["top", "list"])
def test_a_live_picture_follows_the_size(busy, terminal, arguments):
    screen = terminal(*arguments, columns=120, lines=24)
    screen.until("three-with-a-long-name")
    for columns, lines in ((40, 8), (20, 5), (120, 24)):
        screen.resize(lines, columns)
        whole = columns == 120 or (arguments[0] == "list" and lines > 5)

        def fits(picture: list[str], columns: int = columns, lines: int = lines, whole: bool = whole) -> bool:
            # What is too long of `list` the terminal itself cuts.
            narrow = arguments[0] == "list" or max(map(cell_len, picture)) <= columns
            return narrow and len(picture) <= lines and ("three-with-a-long-name" in "\n".join(picture)) is whole

        until_picture(screen, fits)
    screen.press(CTRL_C)
    assert screen.end() == 130
    assert screen.is_as_before


LISTENING = [
    pytest.param(["top", "--plain", "-d", "0.2"], {}, id="top --plain"),
    pytest.param(["list", "-w", "--interval", "0.2"], {"TERM": "dumb"}, id="list -w, dumb"),
    pytest.param(["run", "one", "-w"], {"TERM": "dumb"}, id="run -w, dumb"),
    pytest.param(["events", "-f", "--since", "2020-01-01T00:00:00Z"], {"TERM": "dumb"}, id="events -f, dumb"),
]


@pytest.mark.parametrize(("arguments", "environment"), LISTENING)
def test_people_who_listen_get_lines_one_after_another(busy, known, terminal, arguments, environment):
    """Nothing is drawn over, no cursor is moved: a screen reader reads what is new, once."""
    screen = terminal(*arguments, "--no-color", env=environment)
    if arguments[0] == "events":
        known.update(known.store.job_by_identity("default/one"), path="else.yaml")
        screen.process.terminate()
        screen.end()
    else:
        screen.until("default/one" if arguments[0] != "run" else "running")
        screen.press(CTRL_C)
        assert screen.end() == 130
    assert b"\x1b" not in screen.shown
    assert b"\r" not in screen.shown.replace(b"\r\n", b"")


def test_top_on_a_dumb_terminal_is_one_look(busy, terminal):
    screen = terminal("top", env={"TERM": "dumb"})
    assert screen.end() == 0
    assert b"\x1b" not in screen.shown
