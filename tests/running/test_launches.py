"""From a spec to a launch: program, environment, secrets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from runners.base import Launch
from runners.process import LaunchError, make_launch
from specs.model import Job
from specs.stored import StoredJob

ENVIRON = {
    "PATH": "/bin",
    "HOME": "/home/daemon",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "TOKEN": "s3cret-token",
    "OTHER": "x",
}


def launch(tmp_path: Path, *, environ: dict[str, str] | None = None, at: int | None = None, **spec: Any) -> Launch:
    spec = {"name": "report", "run": {"command": ["echo", "hi"]}} | spec
    return make_launch(
        StoredJob.of(orjson.dumps(Job.model_validate(spec).canonical())),
        run_id="01run",
        run_dir=str(tmp_path / "runs" / "01run"),
        base_dir=tmp_path,
        attempt=2,
        scheduled_for=at,
        trigger="schedule",
        environ=ENVIRON if environ is None else environ,
    )


def test_the_environment_is_four_of_the_daemons_what_is_declared_and_our_own(tmp_path: Path) -> None:
    made = launch(tmp_path, env={"GREETING": "hi", "LANG": "de_DE.UTF-8"}, at=1_700_000_000_500_000)
    folder = str(tmp_path / "runs" / "01run")
    assert made.env == {
        "PATH": "/bin",
        "HOME": "/home/daemon",
        "LANG": "de_DE.UTF-8",
        "TZ": "UTC",
        "GREETING": "hi",
        "JOBSCTL_RUN_ID": "01run",
        "JOBSCTL_JOB": "report",
        "JOBSCTL_PROJECT": "default",
        "JOBSCTL_ATTEMPT": "2",
        "JOBSCTL_SCHEDULED_FOR": "2023-11-14T22:13:20.5Z",
        "JOBSCTL_TRIGGER": "schedule",
        "JOBSCTL_OUTPUT_DIR": f"{folder}/outputs",
        "JOBSCTL_PROGRESS_FILE": f"{folder}/progress.json",
        "JOBSCTL_RESULT_FILE": f"{folder}/result.json",
    }
    assert made.secrets == ()


def test_a_run_somebody_asked_for_has_no_slot(tmp_path: Path) -> None:
    assert launch(tmp_path).env["JOBSCTL_SCHEDULED_FOR"] == ""


def test_a_daemon_without_a_path_still_gives_one(tmp_path: Path) -> None:
    assert "/usr/bin" in launch(tmp_path, environ={}).env["PATH"]


def test_secrets_are_read_at_the_launch_and_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from-a-file\n\n")
    (tmp_path / "creds").mkdir()
    (tmp_path / "creds" / "db").write_text("from-a-credential")
    made = launch(
        tmp_path,
        environ=ENVIRON | {"CREDENTIALS_DIRECTORY": str(tmp_path / "creds")},
        env={"A": {"from_file": "file"}, "B": {"from_env": "TOKEN"}, "C": {"credential": "db"}},
    )
    assert [made.env[name] for name in "ABC"] == ["from-a-file\n", "s3cret-token", "from-a-credential"]
    assert list(made.secrets) == ["from-a-file\n", "s3cret-token", "from-a-credential"]


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        pytest.param({"from_file": "absent"}, "cannot read", id="no-file"),
        pytest.param({"from_file": "."}, "not a regular file", id="folder"),
        pytest.param({"from_file": "pipe"}, "not a regular file", id="pipe"),
        pytest.param({"from_file": "huge"}, "larger than", id="huge"),
        pytest.param({"from_file": "nul"}, "NUL", id="nul"),
        pytest.param({"from_env": "ABSENT"}, "no environment variable ABSENT", id="no-variable"),
        pytest.param({"credential": "db"}, "was given no credentials", id="no-credentials"),
    ],
)
def test_a_secret_that_is_not_there_says_what_to_do_and_no_value(
    tmp_path: Path, source: dict[str, str], cause: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(b"topsecret" * 20_000)
    (tmp_path / "nul").write_bytes(b"topsecret\0")
    with pytest.raises(LaunchError) as raised:
        launch(tmp_path, env={"KEY": source})
    error = raised.value
    assert error.subject == "env KEY"
    assert cause in error.cause
    assert error.hint
    assert "topsecret" not in str(error)


@pytest.mark.parametrize(
    ("run", "argv"),
    [
        pytest.param({"command": ["a", "b c"]}, ["a", "b c"], id="command"),
        pytest.param({"script": "exit"}, ["/bin/sh", "-eu", "SCRIPT"], id="script"),
        pytest.param({"script": "x", "interpreter": ["python3"]}, ["python3", "SCRIPT"], id="interpreter"),
    ],
)
def test_a_script_is_run_by_its_interpreter(tmp_path: Path, run: dict[str, Any], argv: list[str]) -> None:
    made = launch(tmp_path, run=run)
    script = str(tmp_path / "runs" / "01run" / "script")
    assert list(made.argv) == [script if part == "SCRIPT" else part for part in argv]
    assert made.script == run.get("script")


def test_limits_and_places_reach_the_launch(tmp_path: Path) -> None:
    made = launch(
        tmp_path,
        run={
            "command": ["x"],
            "working_dir": "sub",
            "user": "root",
            "umask": "027",
            "limits": {"memory": "64Mi", "cpu": 0.5, "pids": 9, "nofile": 99, "output": "1Mi"},
        },
        timeout="90s",
        grace="5s",
        capture={"streams": "separate", "timestamps": "line"},
    )
    assert made.working_dir == str(tmp_path / "sub")
    assert (made.user, made.umask, made.env["HOME"], made.env["USER"]) == ("root", 0o027, "/root", "root")
    assert (made.memory, made.cpu, made.pids, made.nofile, made.output_max) == (64 << 20, 0.5, 9, 99, 1 << 20)
    assert (made.timeout, made.grace, made.separate_streams, made.stamp_lines) == (90, 5, True, True)


def test_the_default_place_is_the_repository(tmp_path: Path) -> None:
    assert launch(tmp_path).working_dir == str(tmp_path)
