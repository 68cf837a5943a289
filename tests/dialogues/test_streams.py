"""Standard streams that are closed, full, or whose reader went away; and encodings that lack characters."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.records import RunState
from tests.commands.conftest import MINUTE
from tests.dialogues.terminal import PROGRAM, plain_environment

WIDE = "売上 – Bücher"


@pytest.fixture
def house(known, home, tmp_path) -> dict[str, str]:
    """A job, runs, a log; what commands need to be named."""
    job = known.job(f"name: hello\ndescription: {WIDE}\nschedule: every 10m\nrun: {{command: [echo]}}\n")
    for number in range(1, 4):
        run = known.run(job, ago=number * 10 * MINUTE)
    folder = home.runs / "default" / "hello" / run.id
    folder.mkdir(parents=True)
    (folder / "output.log").write_text(f"{WIDE}\n" * 5)
    active = known.run(job, state=RunState.RUNNING, ago=MINUTE).id
    (home.runs / "default" / "hello" / active).mkdir()
    (home.runs / "default" / "hello" / active / "output.log").write_text("one line\n")
    (tmp_path / "crontab").write_text("0 1 * * * /usr/bin/one\n0 2 * * * /usr/bin/two\n")
    return {"run": run.id, "crontab": str(tmp_path / "crontab"), "backup": str(tmp_path / "backup.tar.gz")}


READERS = [
    "status", "list", "search echo", "describe hello", "runs -o jsonl", "runs --all -o jsonl", "logs {run}",
    "events", "why hello", "next hello -o json", "metrics hello", "top -n 3 -d 0.2", "validate --format json", "plan",
    "schema", "explain codes", "import crontab {crontab}", "doctor --only disk", "completion bash", "--help",
    "help list", "backup {backup}",
]  # fmt: skip


def call(home, line: str, places: dict[str, str], **streams: object) -> subprocess.Popen[bytes]:
    words = line.format(**places).split()
    return subprocess.Popen([*PROGRAM, "--home", home.root, *words], env=plain_environment(), **streams)


@pytest.fixture
def full() -> Iterator[int]:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("line", READERS)
def test_a_reader_that_went_away_is_quiet(home, house, line):
    """As after `| head -1`: what a shell reports for a program that SIGPIPE ended, and not a word."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = call(home, line, house, stdout=write_end, stderr=subprocess.PIPE)
    os.close(write_end)
    _, said = process.communicate()
    assert b"Broken" not in said
    assert b"error:" not in said
    assert process.returncode == 141


@pytest.mark.parametrize(
    "line", ["runs -n 1", "validate", "import crontab {crontab}", "doctor --only disk", "top -n 2 -d 0.2"]
)
def test_messages_that_nobody_reads_change_nothing(home, house, line):
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = call(home, line, house, stdout=subprocess.PIPE, stderr=write_end)
    os.close(write_end)
    shown, _ = process.communicate()
    assert process.returncode == 0
    assert shown.strip() != b"" or line == "validate"


@pytest.mark.parametrize("line", ["logs -f hello", "events -f --since 2020-01-01T00:00:00Z", "list -w", "run hello -w",
                                  "top --plain -d 1h", "list -w --interval 365d"])  # fmt: skip
def test_what_follows_ends_when_its_reader_does(home, house, known, line):
    """At once, not with the next line, which may never come."""
    process = call(home, line, house, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() != b""
    process.stdout.close()
    assert (process.wait(40), b"error" in (said := process.stderr.read())) == (141, False), said
    process.stderr.close()


FULL = [
    "list",
    "logs {run}",
    "validate --format json",
    "version",
    "--help",
    "runs --all -o jsonl",
    "import crontab {crontab}",
]


@pytest.mark.parametrize("line", FULL)
def test_a_full_disk_is_an_error_and_said(home, house, full, line):
    process = call(home, line, house, stdout=full, stderr=subprocess.PIPE)
    _, said = process.communicate()
    assert process.returncode == 1
    assert b"error: standard output: No space left on device\n" in said
    assert b"Traceback" not in said


@pytest.mark.parametrize("line", ["list", "nosuch", "validate", "describe nobody"])
def test_messages_into_a_full_file_change_nothing(home, house, full, line):
    code = {"list": 0, "nosuch": 2, "validate": 0, "describe nobody": 4}[line]
    assert call(home, line, house, stdout=subprocess.DEVNULL, stderr=full).wait() == code


CLOSED = {
    "stdin": ("<&-", 0, True), "stdout": (">&-", 1, True), "stderr": ("2>&-", 0, False),
    "all": ("<&- >&- 2>&-", 1, False),
}  # fmt: skip


@pytest.mark.parametrize("line", ["list", "logs {run}"])
@pytest.mark.parametrize(("how", "code", "words"), CLOSED.values(), ids=CLOSED)
def test_closed_streams(home, house, line, how, code, words):
    """What is asked for and gets nowhere is an error; messages may get lost."""
    command = f'exec "$@" {how}'
    done = subprocess.run(
        ["/bin/sh", "-c", command, "sh", *PROGRAM, "--home", home.root, *line.format(**house).split()],
        capture_output=True, env=plain_environment(),
    )  # fmt: skip
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    if words and code:
        assert b"error: standard output: Bad file descriptor" in done.stderr


def test_no_file_that_is_written_takes_the_place_of_a_closed_stream(home, house):
    """A database that is opened as number 1 would get what is printed."""
    before = home.database.read_bytes()
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *PROGRAM, "--home", home.root, "backup", house["backup"]],
        env=plain_environment(),
    )  # fmt: skip
    assert done.returncode == 1  # it is made, and its name gets nowhere
    assert call(home, "backup --verify {backup}", house, stdout=subprocess.DEVNULL).wait() == 0
    assert home.database.read_bytes() == before


def test_standard_input_that_is_closed_is_an_empty_file(home, house):
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM, "--home", home.root, "validate", "-"],
        capture_output=True, env=plain_environment(),
    )  # fmt: skip
    assert done.returncode in (0, 3)
    assert b"Traceback" not in done.stderr


LOCALES = {
    "C": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "latin": {"PYTHONIOENCODING": "latin-1:strict"},
    "one that is not there": {"LC_ALL": "xx_YY.KOI8-Q"},
}


@pytest.mark.parametrize("environment", LOCALES.values(), ids=LOCALES)
@pytest.mark.parametrize("line", ["list -o wide", "list -o json", "logs {run}"])
def test_what_goes_into_a_pipe_is_utf8_in_every_locale(home, house, environment, line):
    done = subprocess.run(
        [*PROGRAM, "--home", home.root, *line.format(**house).split()], capture_output=True,
        env={**plain_environment(), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert WIDE in done.stdout.decode()
    if line == "list -o json":
        json.loads(done.stdout)


@pytest.mark.parametrize("line", ["list -o wide", "logs {run}", "describe hello"])
def test_characters_that_a_terminal_lacks_are_written_out(terminal, house, line):
    shown = terminal(*line.format(**house).split(), env={"PYTHONIOENCODING": "ascii"}, columns=400)
    assert shown.end() == 0
    assert "\\u58f2\\u4e0a \\u2013 B\\xfccher" in shown.text


def test_a_file_with_a_name_that_is_no_text_is_told(home, house):
    (Path(os.fsdecode(os.fsencode(home.specs) + b"/\xff\xfe.yaml"))).write_text("name: [\n")
    done = call(home, "validate", house, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    shown, said = done.communicate()
    assert done.returncode == 3
    assert b"Traceback" not in said
    assert b"\\udcff\\udcfe.yaml" in shown or b"\\xff\\xfe.yaml" in shown
