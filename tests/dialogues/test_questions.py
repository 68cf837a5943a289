"""Questions: who is asked, what is said first, which answer is which; and what a program gets in their place."""

from __future__ import annotations

import subprocess

import pytest

from state.inbox import read_requests
from state.records import RunState
from tests.dialogues.terminal import CTRL_C, CTRL_D, PROGRAM, plain_environment

SPEC = "name: {name}\nlabels: {{team: ops}}\nschedule: every 10m\nrun: {{command: [a]}}\n"


@pytest.fixture
def two(known, home):
    """Two jobs with an active run each, two idle ones, and a state that others may read."""
    for name in ("one", "two"):
        known.run(known.job(SPEC.format(name=name), path=f"{name}.yaml"), state=RunState.RUNNING)
    for name in ("three", "four"):
        known.job(f"name: {name}\nrun: {{command: [a]}}\n", path=f"{name}.yaml")
    home.state.chmod(0o755)
    return known


QUESTIONS = [
    pytest.param(["delete", "-l", "team=ops"], "Delete 2 jobs (default/one, default/two)?", id="delete"),
    pytest.param(["delete", "three", "four", "--purge"], "Purge 2 jobs (three, four)?", id="purge"),
    pytest.param(["delete", "three", "--purge"], "Purge 1 job (three)?", id="purge-one"),
    pytest.param(["cancel", "--all"], "Cancel the active runs of 2 jobs (default/one, default/two)?", id="cancel-all"),
    pytest.param(["cancel", "-l", "team"], "Cancel the active runs of 2 jobs (", id="cancel-label"),
    pytest.param(["suspend", "-l", "team"], "Suspend 2 jobs (default/one, default/two)?", id="suspend"),
    pytest.param(["resume", "-l", "team"], "Resume 2 jobs (default/one, default/two)?", id="resume"),
    pytest.param(["silence", "-l", "team", "--for", "1h"], "Silence 2 jobs (default/one, default/two)?", id="silence"),
    pytest.param(["silence", "-l", "team", "--end"], "End the silence of 2 jobs (default/one, ", id="silence-end"),
    pytest.param(["trigger", "-l", "team"], "Trigger 2 jobs (default/one, default/two)?", id="trigger"),
    pytest.param(["doctor", "--fix", "--only", "rights-state"], "Mend this?", id="doctor-fix"),
]
SEVERE = [each for each in QUESTIONS if each.id in ("delete", "purge", "cancel-all", "doctor-fix")]
HARMLESS = [each for each in QUESTIONS if each not in SEVERE]


def changed(home) -> bool:
    """Whether anything was done or asked for."""
    return (
        bool(read_requests(home)) or home.state.stat().st_mode & 0o777 != 0o755 or len(list(home.specs.iterdir())) < 4
    )


@pytest.mark.parametrize(("arguments", "question"), QUESTIONS)
def test_enter_alone_means_no(two, home, terminal, arguments, question):
    asked = terminal(*arguments)
    asked.until("[y/N] ", after=asked.until(question))
    assert not changed(home)
    asked.press("\n")
    assert asked.end() == (0 if "doctor" in arguments else 7)  # doctor tells how the home is
    assert "Nothing was done." in asked.text
    assert not changed(home)


@pytest.mark.parametrize(("arguments", "question"), QUESTIONS)
def test_y_does_it(two, home, terminal, arguments, question):
    asked = terminal(*arguments)
    asked.until("[y/N] ")
    asked.press("y\n")
    assert asked.end() == 0, asked.text
    assert changed(home)


@pytest.mark.parametrize(("arguments", "question"), QUESTIONS)
def test_yes_beforehand_is_not_asked(two, home, terminal, arguments, question):
    asked = terminal(*arguments, "-y")
    assert asked.end() == 0, asked.text
    assert "[y/N]" not in asked.text
    assert changed(home)


ANSWERS = {
    "n": ("n\n", 7), "no": ("NO\n", 7), "yes": ("Yes\n", 0), "blanks": ("  y \n", 0), "ctrl-d": (CTRL_D, 7),
    "ctrl-c": (CTRL_C, 130), "ctrl-c-in-a-line": (b"ye\x03", 130),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "code"), ANSWERS.values(), ids=ANSWERS)
def test_answers(two, home, terminal, keys, code):
    asked = terminal("delete", "-l", "team")
    asked.until("[y/N] ")
    asked.press(keys)
    assert asked.end() == code
    assert changed(home) is (code == 0)
    assert asked.is_as_before
    assert asked.text.endswith("\n"), "the next prompt gets a line of its own"
    assert "Traceback" not in asked.text


@pytest.mark.parametrize("garbage", ["maybe\n", "yesterday\n", b"\xff\xfe\n", b"\x1b[A\n"], ids=repr)
def test_what_is_no_answer_is_asked_again(two, home, terminal, garbage):
    asked = terminal("delete", "-l", "team")
    place = asked.until("[y/N] ")
    asked.press(garbage)
    asked.until("[y/N] ", after=asked.until("Please type y for yes or n for no.", after=place))
    assert not changed(home)
    asked.press("n\n")
    assert asked.end() == 7


def test_what_was_typed_before_the_question_is_no_answer(two, home, terminal):
    """A command that was pasted with the lines after it."""
    # The program is stopped before it can ask: what is pressed now is there before its question for sure.
    asked = terminal(
        program=(PROGRAM[0], "-c", "import sys, cli.confirming as c, cli.main as m\n"
                 "ask = c.read_answer\n"
                 "def late(prompt):\n"
                 "    print('ready', flush=True); import select; select.select([0], [], []); return ask(prompt)\n"
                 "c.read_answer = late\n"
                 f"sys.argv = ['jobsctl', '--home', {str(home.root)!r}, 'delete', '-l', 'team']\n"
                 "m.main()\n")
    )  # fmt: skip
    asked.until("ready")
    asked.press("y\n")
    asked.until("[y/N] ")
    assert not changed(home)
    asked.press("\n")
    assert asked.end() == 7
    assert not changed(home)


@pytest.mark.parametrize(("arguments", "question"), SEVERE)
@pytest.mark.parametrize("stream", ["stdin", "stderr"])
def test_nobody_is_asked_where_nobody_can_answer_or_see_it(two, home, terminal, arguments, question, stream):
    """The refusal names the question and the flag. Standard input may hold a `y`: it is no person's."""
    asked = terminal(*arguments, **{stream: subprocess.PIPE})
    if stream == "stdin":
        said, _ = asked.process.communicate(b"y\n")
        asked.end()
        said = asked.shown
    else:
        _, said = asked.process.communicate()
    assert asked.process.returncode == 7
    assert b"nobody can be asked: " + question.encode() in said.replace(b"\r\n", b"\n")
    assert b"hint: give --yes if it is meant" in said
    assert b"[y/N]" not in said
    assert not changed(home)


@pytest.mark.parametrize(("arguments", "question"), HARMLESS)
def test_what_can_be_undone_is_done_where_nobody_can_be_asked(two, home, arguments, question):
    done = subprocess.run([*PROGRAM, "--home", home.root, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          env=plain_environment())  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert changed(home)


def test_the_question_is_seen_when_the_data_goes_into_a_file(two, home, terminal, tmp_path):
    with (tmp_path / "data").open("wb") as data:
        asked = terminal("delete", "-l", "team", "-o", "name", stdout=data)
        asked.until("[y/N] ")
        asked.press("y\n")
        assert asked.end() == 0
    assert (tmp_path / "data").read_text() == "job/default/one\njob/default/two\n"


def test_names_from_outside_do_not_drive_the_terminal_in_a_question(two, home, terminal):
    asked = terminal("delete", "one", "tw\x1b]0;x\x07o")
    asked.until("Delete 2 jobs (one, tw\\x1b]0;x\\x07o)? [y/N] ")
    asked.press("\n")
    assert asked.end() == 7


FLAGS = [
    pytest.param(["restore", "{backup}"], "--force restores all the same", id="restore"),
    pytest.param(["import", "crontab", "{crontab}", "--write", "{jobs}"], "--force overwrites", id="import"),
]


@pytest.mark.parametrize(("arguments", "flag"), FLAGS)
def test_what_has_force_is_refused_without_it_and_asks_nothing(two, home, terminal, tmp_path, jobsctl, arguments, flag):
    """`--force` is said beforehand, also by a person: it is not a matter of one key."""
    (tmp_path / "crontab").write_text("0 1 * * * /usr/bin/one\n")
    assert jobsctl("backup", tmp_path / "b.tar.gz").code == 0
    places = {"backup": tmp_path / "b.tar.gz", "crontab": tmp_path / "crontab", "jobs": home.specs}
    asked = terminal(*(word.format(**places) for word in arguments))
    assert asked.end() == 7
    assert flag in asked.text
    assert "[y/N]" not in asked.text
