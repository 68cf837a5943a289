"""The program of a job as its canonical JSON says, for whoever starts it: `runners.process`. As `specs.stored`, it
needs no pydantic: validating again what was validated before it was stored took longer than making the launch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specs.stored import StoredJob, StoredValue, Unreadable

OUTPUT_KEPT = 104_857_600
"""Bytes per file, where the spec does not say."""

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class StoredProgram:
    """What runs, as whom, with what, within which limits. The meaning of each: `specs.program`."""

    command: Sequence[str] | None
    script: str | None
    interpreter: Sequence[str] | None
    working_dir: str | None
    user: str | None
    group: str | None
    umask: int | None
    memory: int | None
    cpu: float | None
    pids: int | None
    nofile: int | None
    output_max: int
    env: Mapping[str, StoredValue]
    separate_streams: bool
    stamp_lines: bool

    @classmethod
    def of(cls, job: StoredJob) -> StoredProgram:
        """Raises `Unreadable`."""
        try:
            said = job.fields["run"].get
            limits = (said("limits") or _NOTHING).get
            capture = (job.fields.get("capture") or _NOTHING).get
            umask = said("umask")
            return cls(
                said("command"), said("script"), said("interpreter"), said("working_dir"), said("user"), said("group"),
                None if umask is None else int(umask, 8),
                limits("memory"), limits("cpu"), limits("pids"), limits("nofile"), limits("output") or OUTPUT_KEPT,
                job.fields.get("env") or _NOTHING,
                capture("streams") == "separate", capture("timestamps") == "line",
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(str(error)) from None
