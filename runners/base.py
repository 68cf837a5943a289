"""The contract between the reconciler and whatever carries out a run.

A `Launch` goes down, messages come up. Nothing else crosses. The same contract tests run against every runner and
against the product fake (`runners.stub`). Instants are microseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class EndReason(StrEnum):
    """Why a run ended, as the runner saw it. A stop that was asked for wins over how the process then died."""

    EXIT = "exit"
    """It ended by itself, by exit or by a signal nobody here sent."""
    TIMEOUT = "timeout"
    CANCEL = "cancel"
    OOM = "oom"
    START_ERROR = "start_error"
    LOST = "lost"
    """It was started, or may have been, and how it ended cannot be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that is needed to start one run; made from a spec by `runners.process`."""

    run_id: str
    run_dir: str
    """Absolute. Made by the runner: 0700, with `outputs/` inside."""
    argv: Sequence[str]
    script: str | None = None
    """Text to write to `run_dir/script` (0700) before the start; `argv` already names it."""
    env: Mapping[str, str]
    """The whole environment: nothing is inherited."""
    secrets: Sequence[str] = ()
    """Values to redact. When there are any, output goes through the supervisor's pipe."""
    working_dir: str
    user: str | None = None
    group: str | None = None
    umask: int | None = None
    memory: int | None = None
    cpu: float | None = None
    pids: int | None = None
    nofile: int | None = None
    output_max: int
    """Bytes of output kept per file: first quarter, last three."""
    separate_streams: bool = False
    stamp_lines: bool = False
    timeout: float | None = None
    """Seconds from the start to TERM. Enforced also while no daemon is there."""
    grace: float = 10.0
    """Seconds from TERM to KILL of the whole tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """A run an earlier daemon handed over, whose end is not stored: tell how it is."""

    run_id: str
    run_dir: str
    supervisor: str | None
    boot_id: str | None
    pid: int | None = None
    pid_start: int | None = None
    timeout: float | None = None
    grace: float = 10.0
    started_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The program is running."""

    run_id: str
    at: int
    pid: int
    pid_start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """The run is over; its whole process tree is gone. Sent again after a restart until it is acknowledged."""

    run_id: str
    at: int
    reason: EndReason
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    started_at: int | None = None
    pid: int | None = None
    pid_start: int | None = None
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    output_bytes: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """For people: which limits were enforced how, what was killed afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverStarted:
    """The run was never started and never will be by the one it was handed to. Safe to launch again, under the same id.

    Answer to `Adopt`; also said of a launch whose supervisor died before it took it up.
    """

    run_id: str


Message = Started | Exited | NeverStarted


class Runner(Protocol):
    """Carries out runs. Every call returns at once; what happens comes out of `poll`."""

    name: str
    """Which supervisor new runs go to; stored with the run before it is launched. Changes when a supervisor dies."""
    boot_id: str
    complaint: str
    """The last words of a supervisor that ended, or of one that could not be started; "" when there were none."""

    def launch(self, launches: Sequence[Launch]) -> None:
        """Hand over. A run id already known is not started again: its state is told again instead.

        Raises OSError when nobody is there to take them: none was handed over, try again later.
        """

    def stop(self, run_id: str, *, grace: float) -> None:
        """TERM to the tree, KILL after `grace` seconds. Unknown or ended runs: nothing."""

    def adopt(self, runs: Sequence[Adopt]) -> None:
        """For each run exactly one of `Started` (still running), `Exited`, `NeverStarted` comes out of `poll`.

        Called once, before the first `launch`, with every run that is not stored as ended. Ends of other runs that were
        never acknowledged are told too: acknowledge them.
        """

    def acknowledge(self, run_ids: Sequence[str]) -> None:
        """The ends of these runs are stored: the journal may forget them."""

    def fileno(self) -> int:
        """A descriptor that is readable when `poll` has something."""

    def poll(self) -> Sequence[Message]:
        """What happened since the last call, in order per run. Never blocks."""

    def close(self) -> None:
        """Let go. Running runs go on."""
