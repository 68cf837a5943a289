"""Colours: only on a terminal, each stream for itself; what forbids and what forces them."""

from __future__ import annotations

import io
import subprocess

import pytest

from cli.options import Settings
from cli.output import wants_color
from tests.dialogues.hostile import Tty
from tests.dialogues.terminal import PROGRAM, plain_environment

BROKEN = "name: hello\nschedule: nope\nrun: {command: [a]}\n"
RULES = [
    pytest.param({"TERM": "xterm"}, True, True, id="a terminal"),
    pytest.param({"TERM": "xterm"}, False, False, id="no terminal"),
    pytest.param({"TERM": "dumb"}, True, False, id="a dumb one"),
    pytest.param({}, True, True, id="TERM not set"),
    pytest.param({"NO_COLOR": "1"}, True, False, id="NO_COLOR"),
    pytest.param({"NO_COLOR": ""}, True, True, id="an empty NO_COLOR"),
    pytest.param({"FORCE_COLOR": "1"}, False, True, id="FORCE_COLOR"),
    pytest.param({"FORCE_COLOR": ""}, False, False, id="an empty FORCE_COLOR"),
    pytest.param({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True, id="forced on a dumb terminal"),
    pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False, id="both: no wins"),
    pytest.param({"CLICOLOR": "0"}, True, True, id="CLICOLOR is not looked at"),
]


@pytest.mark.parametrize(("environment", "terminal", "colours"), RULES)
def test_rules(monkeypatch, environment, terminal, colours):
    for name in ("TERM", "NO_COLOR", "FORCE_COLOR", "CLICOLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Tty() if terminal else io.StringIO()
    assert wants_color(Settings(), stream) is colours
    assert not wants_color(Settings(no_color=True), stream)


def colours(written: str | bytes) -> bool:
    return (b"\x1b[" if isinstance(written, bytes) else "\x1b[") in written


@pytest.mark.parametrize("where", ["both", "stdout", "stderr"])
def test_each_stream_decides_for_itself(home, known, terminal, where):
    """`diff` tells errors of files on stderr, `list` its data on stdout."""
    known.job()
    (home.specs / "broken.yaml").write_text(BROKEN)
    pipe = {"both": {}, "stdout": {"stderr": subprocess.PIPE}, "stderr": {"stdout": subprocess.PIPE}}[where]
    for line, stream in (("list", "stdout"), ("diff", "stderr")):
        shown = terminal(line, **pipe)
        piped = b"".join(each for each in shown.process.communicate() if each) if pipe else b""
        shown.end()
        assert colours(shown.shown) is (where in ("both", stream))
        assert not colours(piped)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        pytest.param(["--no-color"], {}, id="the option"),
        pytest.param([], {"JOBSCTL_NO_COLOR": "1"}, id="its variable"),
        pytest.param([], {"NO_COLOR": "yes"}, id="NO_COLOR"),
        pytest.param([], {"TERM": "dumb"}, id="TERM"),
        pytest.param(["--no-color"], {"FORCE_COLOR": "1"}, id="the option, and forced"),
    ],
)
def test_no_is_no_on_the_real_terminal(known, terminal, arguments, environment):
    known.job()
    shown = terminal("list", *arguments, env=environment)
    assert shown.end() == 0
    assert "default/hello" in shown.text
    assert not colours(shown.shown)


def test_ci_may_force_them(home, known):
    (home.specs / "broken.yaml").write_text(BROKEN)
    done = subprocess.run([*PROGRAM, "--home", home.root, "validate"], capture_output=True,
                          env={**plain_environment(), "FORCE_COLOR": "1"})  # fmt: skip
    assert colours(done.stdout)
