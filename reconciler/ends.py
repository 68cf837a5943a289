"""What a runner's `Exited` means for the run: its terminal state and reason. Pure.

An accepted cancel is never overwritten: a run that ended well after it was cancelled is `cancelled`.
"""

from __future__ import annotations

import signal
from collections.abc import Collection, Mapping
from typing import Any

from runners.base import EndReason, Exited
from state.records import Reason, Run, RunState
from state.store import RunEnd

_FIXED: Mapping[EndReason, tuple[RunState, Reason, str | None]] = {
    EndReason.TIMEOUT: (RunState.EXPIRED, Reason.TIMEOUT, "ran longer than its timeout"),
    EndReason.CANCEL: (RunState.CANCELLED, Reason.CANCELLED, "cancelled"),
    EndReason.OOM: (RunState.FAILED, Reason.OOM, "used more memory than its limit"),
    EndReason.START_ERROR: (RunState.FAILED, Reason.START_ERROR, "could not be started"),
    EndReason.LOST: (RunState.FAILED, Reason.LOST, "how it ended cannot be known"),
}
_STOPPED = (EndReason.EXIT, EndReason.OOM, EndReason.TIMEOUT, EndReason.CANCEL)
REPLACED_BY, DELETED_BY = "overlap: replace", "on_delete: cancel"
"""Who asked for a cancel that a policy brought about; each has a reason of its own."""


def outcome(run: Run, exited: Exited, success_codes: Collection[int] = (0,)) -> tuple[RunState, Reason, str | None]:
    """State, reason, and one line for people (None for a success)."""
    if run.cancel_requested_at is not None and exited.reason in _STOPPED:
        if run.cancel_requested_by == REPLACED_BY:
            return RunState.CANCELLED, Reason.REPLACED, "the next slot came: overlap is `replace`"
        if run.cancel_requested_by == DELETED_BY:
            return RunState.CANCELLED, Reason.DELETED, "its job was deleted: on_delete is `cancel`"
        return RunState.CANCELLED, Reason.CANCELLED, f"cancelled by {run.cancel_requested_by or 'somebody'}"
    if run.cancel_requested_at is not None and exited.reason is EndReason.LOST:
        return RunState.CANCELLED, Reason.LOST, "cancelled; how it ended cannot be known"
    if exited.reason is not EndReason.EXIT:
        state, reason, words = _FIXED[exited.reason]
        return state, reason, exited.error or words
    if exited.signal is not None:
        return RunState.FAILED, Reason.SIGNAL, f"killed by {signal_name(exited.signal)}"
    if exited.exit_code in success_codes:
        return RunState.SUCCEEDED, Reason.SUCCEEDED, None
    return RunState.FAILED, Reason.EXIT_CODE, f"exit code {exited.exit_code}"


def signal_name(number: int) -> str:
    """`SIGTERM`, or `signal 64` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def run_end(run: Run, exited: Exited, *, success_codes: Collection[int] = (0,), progress: Any, result: Any) -> RunEnd:
    """The row's end, for `Store.finished`."""
    state, reason, error = outcome(run, exited, success_codes)
    return RunEnd(
        run_id=run.id,
        at=exited.at,
        state=state,
        reason=reason,
        error=error,
        exit_code=exited.exit_code,
        signal=exited.signal,
        cpu_seconds=exited.cpu_seconds,
        peak_memory=exited.peak_memory,
        output_bytes=exited.output_bytes,
        started_at=exited.started_at,
        pid=exited.pid,
        pid_start=exited.pid_start,
        progress=progress,
        result=result,
    )
