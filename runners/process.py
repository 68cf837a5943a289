"""From a job's spec to a `Launch`: program, environment, secrets.

Called by the reconciler right before a run is handed to the runner, so a secret is read when it is used and kept
nowhere.
"""

from __future__ import annotations

import pwd
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from runners.base import Launch
from runners.inputs import UpstreamRun, environment, fill, values_of
from specs.outside import OutsideUnreadable, read_value
from specs.stored import StoredJob
from specs.storedprogram import StoredProgram

_INHERITED = ("PATH", "HOME", "LANG", "TZ")
"""All a job sees of the daemon's environment: the rest may hold tokens."""
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEFAULT_INTERPRETER = ("/bin/sh", "-eu")


class LaunchError(Exception):
    """Raised when a run cannot be prepared: what of it, why, and what to do. Never holds a secret's value."""

    def __init__(self, subject: str, cause: str, hint: str) -> None:
        super().__init__(subject, cause, hint)
        self.subject = subject
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.subject}: {self.cause}; {self.hint}"


def make_launch(
    job: StoredJob,
    *,
    run_id: str,
    run_dir: str,
    base_dir: Path,
    attempt: int,
    scheduled_for: int | None,
    trigger: str,
    environ: Mapping[str, str],
    params: Mapping[str, str] = MappingProxyType({}),
    upstream: tuple[UpstreamRun, ...] = (),
) -> Launch:
    """Everything needed to start one run of `job`. Raises LaunchError; Unreadable for a spec that is damaged.

    Args:
        run_dir: absolute; the runner makes it.
        base_dir: what relative paths in the spec start at: the root of the specs' repository.
        scheduled_for: the slot in microseconds UTC; None for a run somebody asked for.
        environ: the daemon's own environment.
        params: what was given for this run; the spec's defaults fill the rest.
        upstream: the runs of other jobs that this one follows.
    """
    process = StoredProgram.of(job)
    values = values_of(job, params)
    secrets: list[str] = []
    env = {name: environ[name] for name in _INHERITED if name in environ}
    env.setdefault("PATH", _DEFAULT_PATH)
    env |= _account(process)
    for name, value in process.env.items():
        if isinstance(value, str):
            env[name] = fill(value, values)
        else:
            env[name] = _secret(name, value, base_dir, environ)
            secrets.append(env[name])
        if "\0" in env[name]:
            raise LaunchError(
                f"env {name}", "its value holds a NUL character", "environment values cannot; pass a file"
            )
    env |= environment(values, upstream, job.project)
    env |= {
        "JOBSCTL_RUN_ID": run_id,
        "JOBSCTL_JOB": job.name,
        "JOBSCTL_PROJECT": job.project,
        "JOBSCTL_ATTEMPT": str(attempt),
        "JOBSCTL_SCHEDULED_FOR": "" if scheduled_for is None else _rfc3339(scheduled_for),
        "JOBSCTL_TRIGGER": trigger,
        "JOBSCTL_OUTPUT_DIR": f"{run_dir}/outputs",
        "JOBSCTL_PROGRESS_FILE": f"{run_dir}/progress.json",
        "JOBSCTL_RESULT_FILE": f"{run_dir}/result.json",
    }
    return Launch(
        run_id=run_id,
        run_dir=run_dir,
        argv=tuple(fill(part, values) for part in _argv(process, run_dir)),
        script=process.script,
        env=env,
        secrets=tuple(secrets),
        working_dir=fill(_working_dir(process, base_dir), values),
        user=process.user,
        group=process.group,
        umask=process.umask,
        memory=process.memory,
        cpu=process.cpu,
        pids=process.pids,
        nofile=process.nofile,
        output_max=process.output_max,
        separate_streams=process.separate_streams,
        stamp_lines=process.stamp_lines,
        timeout=job.timeout_seconds(),
        grace=job.grace,
    )


def _argv(process: StoredProgram, run_dir: str) -> tuple[str, ...]:
    if process.command is not None:
        return tuple(process.command)
    return (*(process.interpreter or _DEFAULT_INTERPRETER), f"{run_dir}/script")


def _working_dir(process: StoredProgram, base_dir: Path) -> str:
    if process.working_dir is None:
        return str(base_dir)
    if "\0" in process.working_dir:
        raise LaunchError("working_dir", "it holds a NUL character", "correct the path")
    return str(base_dir / process.working_dir)


def _account(process: StoredProgram) -> dict[str, str]:
    """What login sets for another user. An unknown one is the runner's to refuse, where it switches."""
    if process.user is None:
        return {}
    try:
        account = pwd.getpwuid(int(process.user)) if process.user.isdigit() else pwd.getpwnam(process.user)
    except KeyError:
        return {}
    return {"HOME": account.pw_dir, "USER": account.pw_name, "LOGNAME": account.pw_name}


def _secret(name: str, source: Mapping[str, str], base_dir: Path, environ: Mapping[str, str]) -> str:
    try:
        return read_value(source, subject=f"env {name}", base_dir=base_dir, environ=environ)
    except OutsideUnreadable as error:
        raise LaunchError(error.subject, error.cause, error.hint) from None


@lru_cache(maxsize=64)  # runs that are due together have one instant
def _rfc3339(at: int) -> str:
    instant = datetime.fromtimestamp(at // 1_000_000, UTC)
    fraction = f".{at % 1_000_000:06d}".rstrip("0") if at % 1_000_000 else ""
    return instant.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"
