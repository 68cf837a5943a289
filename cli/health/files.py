"""The home itself: its settings, and the folder of specs."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cli.health.finding import SECOND, Check, Finding, Patient, ok, problem, warning


def check_settings(patient: Patient) -> Iterator[Finding]:
    """`jobsctl.yaml`: can it be used, and is it what the daemon uses."""
    path = patient.home.config
    if patient.config_error is not None:
        for found in patient.config_error.diagnostics:
            yield problem(
                f"{path}:{found.line}:{found.column}: {found.message}; a daemon will not start",
                found.help or "jobsctl validate",
            )
        return
    if not path.exists():
        yield ok(f"no {path.name}: every setting has its default")
        return
    beat = patient.heartbeat
    changed = path.stat().st_mtime_ns // 1000
    if patient.alive and beat is not None and beat.started_at is not None and changed > beat.started_at + SECOND:
        yield warning(f"{path} was changed after the daemon started: it goes by the old one", "restart the daemon")
    else:
        yield ok(f"{path} can be used")


def check_specs(patient: Patient) -> Iterator[Finding]:
    """The folder of specs: there, readable, read, and without mistakes."""
    root = patient.specs
    if not root.is_dir():
        yield problem(f"{root} is not a folder: no job can be found", "make it, or set `specs` in jobsctl.yaml")
        return
    if not os.access(root, os.R_OK | os.X_OK):
        yield problem(f"{root} cannot be read", f"look at its owner and mode: ls -ld {root}")
        return
    source = patient.reader.source() if patient.reader is not None else None
    if source is None:
        yield ok(f"{root} is there; `jobsctl validate` tells what is in it")
        return
    if source.problem is not None:
        yield problem(f"{source.problem}; what was applied last goes on", f"look at {root}")
    if source.invalid:
        have = "has a mistake in its file" if source.invalid == 1 else "have a mistake in their files"
        yield problem(
            f"{source.invalid} of {source.jobs + source.invalid} jobs {have}; last good versions run on",
            "jobsctl validate",
        )
    if not source.problem and not source.invalid:
        yield ok(f"{root}: {source.files} files, {source.jobs} jobs, no mistake")


CHECKS = (
    Check("settings", "whether jobsctl.yaml can be used, and the daemon goes by it", check_settings),
    Check("specs", "whether the folder of specs is there and without mistakes", check_specs),
)
