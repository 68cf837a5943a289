"""What people type who do not know the command line yet, or mistype: each is answered with what to type instead."""

from __future__ import annotations

import pytest

from cli.main import COMMANDS
from cli.othernames import OTHER_NAMES

NAMES = [name for section in COMMANDS.values() for name in section]

HELP = ["-h", "--help", "help"]
HELP_OF_LIST = ["list -h", "list --help", "help list", "list -w --help", "--no-color list --help"]
HELP_OF_CRONTAB = ["import crontab -h", "help import crontab", "import help crontab"]


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        *((line, "Usage: jobsctl [OPTIONS] COMMAND") for line in HELP),
        *((line, "Usage: jobsctl list") for line in HELP_OF_LIST),
        *((line, "Usage: jobsctl import crontab") for line in HELP_OF_CRONTAB),
        ("help help", "Usage: jobsctl [OPTIONS] COMMAND"),
        ("import help", "Usage: jobsctl import [OPTIONS]"),
    ],
)
def test_help_is_found_wherever_it_is_looked_for(jobsctl, line, usage):
    done = jobsctl(*line.split())
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(usage)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("", 2, "Usage: jobsctl"),
        ("lst", 2, "did you mean list"),
        ("desribe hello", 2, "did you mean describe"),
        ("ls", 2, "there is no command ls; you may mean `jobsctl list`"),
        ("rm hello", 2, "you may mean `jobsctl delete`"),
        ("get jobs", 2, "you may mean `jobsctl list` or `jobsctl describe`"),
        ("frobnicate", 2, "there is no command frobnicate\nhint: `jobsctl --help`"),
        ("LIST", 2, "did you mean list"),
        ("help lst", 2, "did you mean list"),
        ("list help", 2, "`jobsctl list --help` shows how it is used"),
        ("list --lable x", 2, "did you mean --label"),
        ("list --label", 2, "--label needs a value\nhint: `jobsctl list --help`"),
        ("runs -n", 2, "hint: `jobsctl runs --help`"),
        ("import crontab --write", 2, "hint: `jobsctl import --help`"),
        ("--home", 2, "hint: `jobsctl --help`"),
        ("list --phase faild", 2, "is not one of 'pending'"),
        ("list -o jsn", 2, "'jsn' is not one of"),
        ("list -- --watch", 2, "--watch"),
        ("import crntab x", 2, "did you mean crontab"),
        ("explain job.retyr", 4, "did you mean job.retry"),
        ("describe helo", 4, "did you mean default/hello?"),
        ("trigger hello --timeout soon", 2, "a duration is like 90s"),
        ("runs --since yesterdy", 2, "hint: `jobsctl runs --help`"),
        ("delete", 2, "which job? None was named"),
    ],
)
def test_mistakes(jobsctl, known, line, code, said):
    known.job()
    done = jobsctl(*line.split())
    assert (done.code, done.out) == (code, "")
    assert said in done.err


@pytest.mark.parametrize("command", ["describe", "logs", "why", "next", "explain", "validate", "trigger"])
@pytest.mark.parametrize(
    "text", ["", "x" * 120_000, "-", "../../etc/passwd", "a\nb", "日本" * 50], ids=lambda text: text[:9]
)
def test_arguments_that_are_no_name_end_with_a_message(jobsctl, known, command, text, monkeypatch):
    known.job()
    done = jobsctl(command, text)
    assert done.code in (1, 2, 3, 4)  # 1: a file cannot have this name
    assert "unexpected happened" not in done.err
    assert len(done.err) < 5000, "a screen, whatever was pasted"


@pytest.mark.parametrize("line", ["validate", "plan", "diff", "apply", "backup", "list --home", "apply -f"])
def test_an_empty_path_is_not_the_folder_one_is_in(jobsctl, home, known, line):
    """As of `"$FOLDER"` in a script where that is not set."""
    done = jobsctl(*line.split(), "")
    assert (done.code, done.out) == (2, "")
    assert "is empty\nhint: is a variable not set?" in done.err


def test_two_dashes_end_the_options(jobsctl, known):
    known.job()
    assert jobsctl("--", "list").code == 0
    assert "there is no job or run -x" in jobsctl("describe", "--", "-x").err


def test_other_names_are_none_of_ours_and_mean_commands_there_are():
    assert OTHER_NAMES.keys().isdisjoint(NAMES)
    assert {meant for commands in OTHER_NAMES.values() for meant in commands} <= set(NAMES)
    assert "help" not in NAMES
