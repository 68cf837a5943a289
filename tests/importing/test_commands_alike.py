"""A command line of a crontab does the same in its job: both are run, by real shells, and compared."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.importing.crontab.reader import read_crontab
from cli.importing.imported import SourceText
from tests.importing.corpora import home_of

PART = st.sampled_from(
    ["true", "false", "echo a", "echo 'b c'", 'echo "$HOME"', "echo $UNSET", "cat", "wc -l", "test -d /nowhere",
     "exit 3", "(echo d; false)", "! true", "printf '%s\\n' e f", "X=1 env | grep ^X=", "cd / && pwd", "echo g >&2",
     "{ echo h; }"]
)  # fmt: skip
SIGNS = st.sampled_from([" && ", " || ", "; ", " | "])
LINES = st.lists(st.tuples(PART, SIGNS), min_size=1, max_size=4).map(
    lambda parts: "".join(part + sign for part, sign in parts[:-1]) + parts[-1][0]
)
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C"}


def ran(argv: list[str], stdin: str = "", folder: str = "/") -> tuple[int, str, str]:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, env=ENV, cwd=folder, check=False)
    return done.returncode, done.stdout, done.stderr


def as_job(line: str, script: Path) -> tuple[int, str, str]:
    """As `runners.process` starts it: an argument list, or the script's file read by its interpreter."""
    source = SourceText("c", f"HOME=/\n0 0 * * * {line}\n")
    made = read_crontab(source, system=False, user=None, timezone="UTC", timezone_given=True, home_of=home_of)
    (job,) = made.jobs
    run = job.tree["run"]
    if "command" in run:
        env = [f"{name}={value}" for name, value in job.tree["env"].items()]
        return ran(["/usr/bin/env", *env, *run["command"]], folder=run["working_dir"])
    script.write_text(run["script"])
    return ran([*run.get("interpreter", ["/bin/sh", "-eu"]), os.fspath(script)], folder=run["working_dir"])


@settings(derandomize=True, max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=LINES)
def test_the_job_does_what_cron_did(line: str, tmp_path: Path) -> None:
    code, out, _ = ran(["/bin/sh", "-c", line])
    line = line.replace("%", "\\%")
    assert as_job(line, tmp_path / "script")[:2] == (code, out)


@pytest.mark.parametrize(
    ("line", "shell", "stdin"),
    [
        pytest.param("cat%one%two", "cat", "one\ntwo\n", id="lines"),
        pytest.param("cat; echo end%one", "cat; echo end", "one\n", id="a_list"),
        pytest.param("cat | tr a-z A-Z%one%", "cat | tr a-z A-Z", "one\n", id="a_pipe"),
        pytest.param(r"cat%50\% of $HOME `x`", "cat", "50% of $HOME `x`\n", id="signs"),
        pytest.param("cat%END%'q'", "cat", "END\n'q'\n", id="the_end_of_a_here_document"),
    ],
)
def test_its_input_is_what_cron_gave_it(line: str, shell: str, stdin: str, tmp_path: Path) -> None:
    assert as_job(line, tmp_path / "script")[:2] == ran(["/bin/sh", "-c", shell], stdin)[:2]


@pytest.mark.parametrize(
    ("line", "closes"),
    [('echo "', '"'), ("echo 'a", "'"), ("echo `echo a", "`"), ("(echo a", ")"), ("echo b &&", "true"),
     ("echo c |", "cat"), ("{ echo d;", "}"), ("echo $(echo e", ")"), ("cat <<X", "X"), ("echo \\\\", "x")],
)  # fmt: skip
def test_a_line_that_breaks_off_runs_nothing_of_its_input(line: str, closes: str, tmp_path: Path) -> None:
    code, out, _ = ran(["/bin/sh", "-c", line.replace("\\\\", "\\")], f"{closes}\necho RUN\n")
    done, printed, error = as_job(f"{line}%{closes}%echo RUN%: {closes}", tmp_path / "script")
    assert (bool(done), printed) == (bool(code), out), error
