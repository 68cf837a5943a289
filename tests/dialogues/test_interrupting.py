"""Ctrl-C at every place that waits or works long: 130, no traceback, the terminal as before, nothing half done."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from state.inbox import read_requests
from state.records import Event, RunState
from tests.commands.conftest import MINUTE, NOW
from tests.dialogues.terminal import CTRL_C

TEN_GIGABYTES = 10 << 30
"""Of nothing, in a file with holes: packing it takes far longer than a key."""


@pytest.fixture
def running(known, home) -> str:
    """A job with an event and an active run that has written a line; the run's id."""
    job = known.job()
    run = known.run(job, state=RunState.RUNNING, ago=MINUTE)
    folder = home.runs / "default" / "hello" / run.id
    folder.mkdir(parents=True)
    (folder / "output.log").write_text("first line\n")
    event = Event(at=NOW, job_id=job.id, run_id=None, type="Normal", reason="updated", message="It was updated.")
    known.store.add_events([event])
    return run.id


def interrupted(asked, text: str | bytes) -> None:
    """Once `text` is seen, Ctrl-C ends it: at once, quietly, the terminal as it was."""
    asked.until(text)
    asked.press(CTRL_C)
    assert asked.end() == 130, asked.text
    assert asked.is_as_before
    for word in ("Traceback", "Exception", "error:", "Aborted"):
        assert word not in asked.text


WAITING = [
    pytest.param(["logs", "-f", "hello"], "first line", id="logs"),
    pytest.param(["events", "-f", "--since", "2026-01-01T00:00:00Z"], "It was updated.", id="events"),
    pytest.param(["list", "-w"], "default/hello", id="list"),
    pytest.param(["list", "-w", "-o", "jsonl"], "hello", id="list-jsonl"),
    pytest.param(["run", "hello", "-w"], "running", id="run"),
    pytest.param(["top"], "q quit", id="top"),
    pytest.param(["top", "--plain", "-d", "1h"], "default/hello", id="top-plain"),
]


@pytest.mark.parametrize(("arguments", "text"), WAITING)
def test_what_shows_until_somebody_stops_it(running, terminal, arguments, text):
    interrupted(terminal(*arguments), text)


ASKING = [
    pytest.param(["trigger", "hello", "--wait"], "is pending ...", id="trigger"),
    pytest.param(["cancel", "hello", "--wait"], "is running ...", id="cancel"),
    pytest.param(["resume", "hello", "--timeout", "1h"], "waiting for the daemon's answer ...", id="resume"),
    pytest.param(["silence", "hello", "--for", "1h", "--timeout", "1h"], "waiting for the daemon's", id="silence"),
    pytest.param(["apply", "--timeout", "1h"], "waiting until the daemon has applied them ...", id="apply"),
]


@pytest.mark.parametrize(("arguments", "text"), ASKING)
def test_waiting_for_the_daemon(known, home, running, daemon, terminal, arguments, text):
    """Only the waiting ends: what was asked for stays asked for, a run goes on."""
    made = threading.Event()

    def answer(request, store):
        run = None
        if request.kind == "trigger":
            run = known.new_run(store.job_by_identity("default/hello"))
            store.insert_runs([run])
        made.set()
        return ("silence" if request.kind in ("resume", "silence") else "done"), "", run and run.id

    daemon.answer = answer
    (home.specs / "new.yaml").write_text("name: new\nrun: {command: [a]}\n")
    interrupted(terminal(*arguments), text)
    assert made.is_set()
    assert known.store.run(running).state is RunState.RUNNING


# Files that open only when somebody writes to them: work on them never ends.
WORKING = [
    pytest.param(["validate", "{never}"], "checking the files ...", id="validate"),
    pytest.param(["diff", "{never}"], "reading the files ...", id="diff"),
    pytest.param(["apply", "{never}"], "checking the files ...", id="apply"),
    pytest.param(["plan", "{never}"], "comparing the files ...", id="plan"),
    pytest.param(["import", "crontab", "{never}"], "reading {never} ...", id="import"),
]


@pytest.mark.parametrize(("arguments", "text"), WORKING)
def test_reading_files(known, home, tmp_path, terminal, arguments, text):
    known.job()
    never = tmp_path / "never"
    os.mkfifo(never)
    interrupted(terminal(*(word.format(never=never) for word in arguments), columns=300), text.format(never=never))
    assert read_requests(home) == []
    assert [path.name for path in home.specs.iterdir()] == ["hello.yaml"]


@pytest.mark.parametrize("arguments", [["validate", "-"], ["import", "crontab", "-", "--write", "{home}/jobs"]])
def test_reading_what_is_typed(home, terminal, arguments):
    """Nothing is written between the lines of the person who types."""
    asked = terminal(*(word.format(home=home.root) for word in arguments))
    asked.press("name: hello\n")
    asked.until_read()
    interrupted(asked, "name: hello\r\n")
    assert asked.text.replace("^C", "").strip() == "name: hello"
    assert list(home.specs.iterdir()) == []


def test_a_backup_leaves_nothing_behind(running, home, tmp_path, terminal):
    os.truncate(home.runs / "default" / "hello" / running / "output.log", TEN_GIGABYTES)
    folder = tmp_path / "backups"
    folder.mkdir()
    interrupted(terminal("backup", "--runs", folder), "packing run 1 of 1 ...")
    assert list(folder.iterdir()) == []


def test_checks_of_the_doctor(known, home, terminal):
    """A git that answers nothing."""
    known.job()
    git = home.root.parent / "bin" / "git"
    git.parent.mkdir()
    git.write_text("#!/bin/sh\nexec sleep 1000\n")
    git.chmod(0o755)
    for folder in ("objects", "refs"):
        (home.specs / ".git" / folder).mkdir(parents=True)
    (home.specs / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    interrupted(terminal("doctor", env={"PATH": f"{git.parent}:{os.environ['PATH']}"}), "checking git ...")


def test_the_first_moments(home, terminal):
    """While the program is still being loaded."""
    program = ("import sys, threading, _thread; sys.argv = ['jobsctl', 'version']\n"
               "class Slow:\n"
               "    def find_spec(self, name, path=None, target=None):\n"
               "        if name == 'cli.main': print('loading', flush=True); threading.Event().wait()\n"
               "sys.meta_path.insert(0, Slow())\n"
               "import jobsctl; jobsctl.main()\n")  # fmt: skip
    interrupted(terminal(program=(sys.executable, "-c", program)), "loading")
