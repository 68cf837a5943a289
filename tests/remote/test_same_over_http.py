"""Every reader says over HTTP, byte for byte, what it says beside the database: in every form, errors too."""

from __future__ import annotations

import json
import socket

import pytest

from cli.options import OUTPUTS, REMOTE
from state.reads import Reader

READERS = {
    "status": [[], ["hello"], ["broken"], ["data/load"]],
    "list": [[], ["--all"], ["-l", "team=data"], ["--phase", "failed"], ["-p", "data"], ["-p", "nothing"]],
    "describe": [["data/load"], ["broken"], ["extract"]],
    "runs": [
        [], ["default/hello"], ["-n", "3"], ["--active"], ["--status", "failed", "--since", "7d"], ["-l", "team=data"],
        ["-p", "data", "--oldest-first"], ["--until", "3d"],
    ],
    "run": [["broken"], ["extract"], ["default/hello"], ["data/load"]],
    "events": [["-n", "1200"], ["extract"], ["--warnings", "-n", "5"], ["--after", "3"], ["-p", "data"]],
    "why": [["broken"], ["data/load"], ["extract"], ["broken", "--at", "-1h"]],
    "graph": [[], ["load"]],
    "next": [["data/extract", "-n", "3"], ["broken"], ["--schedule", "0 9 * * *"]],
    "timers": [[], ["-p", "data"]],
    "search": [["hello"], ["echo", "-n", "2"], ["gone", "--all"], ["gone"], ["fails always", "-l", "!team"]],
    "outputs": [[], ["apart"]],
    "metrics": [["default/hello"]],
    "silence": [["--list"], ["--list", "-p", "data"]],
    "deliveries": [
        [], ["-n", "1"], ["broken"], ["extract"], ["--failed", "--since", "7d"], ["--target", "ops", "--before", "3"],
        ["aa11bb1"], ["aa11bb"], ["aa11"], ["--kind", "callback", "-p", "default"], ["-p", "data"], ["nothing"],
    ],
}  # fmt: skip
FORMS = dict.fromkeys(READERS, OUTPUTS) | {"graph": ("text", "wide", "dot", "json", "yaml", "jsonl", "name")}
CALLS = [
    pytest.param(reader, arguments, id=" ".join([reader, *arguments]))
    for reader, calls in READERS.items()
    for arguments in calls
]


@pytest.mark.parametrize(("reader", "arguments"), CALLS)
def test_a_reader_says_the_same_over_http_in_every_form(town, ask, reader, arguments):
    for form in FORMS[reader]:
        here = ask(town.home, reader, *arguments, "-o", form)
        there = ask(town.url, reader, *arguments, "-o", form)
        assert (there.code, there.out, there.err) == (here.code, here.out, here.err), form


@pytest.mark.parametrize(
    ("run", "arguments"),
    [
        pytest.param("hello29", [], id="of three pieces"),
        pytest.param("hello29", ["-n", "2"], id="its tail"),
        pytest.param("hello29", ["--grep", "99$", "-n", "1000"], id="lines that match"),
        pytest.param("hello29", ["--since", "7m", "--until", "2m"], id="by time"),
        pytest.param("running", [], id="of a run that goes on"),
        pytest.param("apart", [], id="two streams"),
        pytest.param("apart", ["--stream", "stderr"], id="one of two"),
        pytest.param("apart", ["--stream", "output"], id="a stream that is not"),
        pytest.param("extract", [], id="none"),
        pytest.param("failed", ["--grep", "("], id="a pattern that is none"),
    ],
)
def test_a_log_is_the_same_over_http(town, ask, run, arguments):
    here, there = (ask(where, "logs", town.runs[run], *arguments) for where in (town.home, town.url))
    assert there == here


@pytest.mark.parametrize("arguments", [["default/broken", "--for", "1h"], ["--all", "--end"]], ids=["begin", "end"])
def test_a_silence_is_listed_over_http_and_not_changed(town, ask, arguments):
    done = ask(town.url, "silence", *arguments)
    assert (done.code, done.out) == (2, "")
    assert "with --server silences can be listed, not made or ended" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["describe", "nope"], id="no such job"),
        pytest.param(["describe", "helo"], id="a job mistyped"),
        pytest.param(["describe", "hello"], id="a job of two projects"),
        pytest.param(["run", "01m7yjkb"], id="no such run"),
        pytest.param(["run", "01k0"], id="the beginning of a run too short"),
        pytest.param(["list", "-l", "a=b=c"], id="a selector that is none"),
        pytest.param(["runs", "--before", "zzz"], id="a cursor that is none"),
    ],
)
def test_an_error_is_the_same_over_http(town, ask, arguments):
    here, there = (ask(where, *arguments) for where in (town.home, town.url))
    assert here.code != 0
    assert there == here


def test_every_reader_is_compared_or_has_its_own_test():
    assert REMOTE - READERS.keys() == {"logs", "top"}


def test_every_question_of_the_reader_is_answered_over_http_or_refused_in_words():
    from cli.remote.reader import RemoteReader

    questions = {name for name, each in vars(Reader).items() if callable(each) and not name.startswith("_")}
    assert questions <= vars(RemoteReader).keys()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["list", "--all", "-o", "json"], id="jobs"),
        pytest.param(["runs", "-n", "30", "-o", "json"], id="runs"),
        pytest.param(["runs", "-n", "30", "--oldest-first", "-o", "json"], id="runs, oldest first"),
        pytest.param(["runs", "--all", "-o", "jsonl"], id="all runs"),
        pytest.param(["events", "-n", "40", "-o", "json"], id="events"),
        pytest.param(["events", "--after", "3", "-n", "40", "-o", "json"], id="events after one"),
    ],
)
def test_pages_are_put_together(town, ask, monkeypatch, arguments):
    here = ask(town.home, *arguments)
    monkeypatch.setattr("cli.remote.reader.PAGE", 3)
    monkeypatch.setattr("cli.remote.reader.IDS", 4)
    monkeypatch.setattr("cli.remote.reader.IDS_OF_PARAMETER", 2)
    assert ask(town.url, *arguments) == here


def test_a_daemon_that_runs_is_seen_from_afar(town, ask):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(str(town.home.doorbell))
        try:
            for form in ("table", "json"):
                here, there = (ask(where, "status", "-o", form) for where in (town.home, town.url))
                assert there == here
            assert json.loads(there.out)["daemon"]["running"]
        finally:
            town.home.doorbell.unlink()
