"""What a job runs, in lines: the program, where and as whom, its limits, its environment. Pure.

Used by `describe` and the page. Values that look like secrets are masked: a spec should not hold any, and a screen is
photographed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from specs.stored import StoredJob
from status.words.masking import masked
from status.words.times import size

SHOWN_LINES = 8
"""Of a script; `--output yaml` has all of it."""


def command_pairs(job: StoredJob) -> Iterator[tuple[str, str]]:
    """Name and text of everything about the program."""
    run = masked(job.fields).get("run") or {}
    if run.get("command"):
        yield "Command", shlex.join(run["command"])
    if run.get("script"):
        lines = str(run["script"]).rstrip("\n").split("\n")
        yield "Script", " ".join(run.get("interpreter") or ["/bin/sh", "-eu"])
        for line in lines[:SHOWN_LINES]:
            yield "", line
        if len(lines) > SHOWN_LINES:
            yield "", f"... and {len(lines) - SHOWN_LINES} lines more"
    for key, word in (("working_dir", "Directory"), ("user", "User"), ("group", "Group"), ("umask", "Umask")):
        if run.get(key) is not None:
            yield word, str(run[key])
    limits = ", ".join(_limits(run.get("limits") or {}))
    if limits:
        yield "Limits", limits


def environment_pairs(job: StoredJob) -> Iterator[tuple[str, str]]:
    """Name and value of every variable; of a secret where it comes from."""
    for name, value in (masked(job.fields).get("env") or {}).items():
        if isinstance(value, Mapping):
            ((source, where),) = value.items()
            yield name, f"{SOURCES.get(source, source)} {where}"
        else:
            yield name, str(value)


SOURCES = {"from_file": "secret, from the file", "from_env": "secret, from the daemon's variable",
           "credential": "secret, the systemd credential"}  # fmt: skip


def _limits(limits: Mapping[str, Any]) -> Iterator[str]:
    if limits.get("memory"):
        yield f"{size(limits['memory'])} of memory"
    if limits.get("cpu"):
        yield f"{limits['cpu']:g} processors"
    if limits.get("pids"):
        yield f"{limits['pids']} processes"
    if limits.get("nofile"):
        yield f"{limits['nofile']} open files"
