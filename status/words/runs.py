"""What became of a run, in words: its outcome, what it waits for, its slot, how long it took, and revisions in short.

Used by the command line, the page and what is told to people. Pure.
"""

from __future__ import annotations

from state.records import TERMINAL_STATES, Reason, Run, RunState
from status.words.reasons import wait_words
from status.words.times import NEVER, relative, span, stamp


def short_revision(revision: str | None) -> str:
    """`main@1a2b3c4` for `main@sha1:1a2b3c4d...`, `main@1a2b3c4-dirty` for what that commit does not hold as it is."""
    if revision is None:
        return NEVER
    branch, at, digest = revision.rpartition("@")
    digest, dash, mark = digest.removeprefix("sha1:").partition("-")
    return f"{branch}{at}{digest[:7]}{dash}{mark}"


def outcome_detail(run: Run) -> str:
    """What the state does not say: `exit code 2`, `SIGKILL`, `overlap, 3 slots`, `pool`, `cancelling`; else empty."""
    if run.state is RunState.SKIPPED:
        reason = str(run.reason or "unknown")
        return f"{reason}, {run.skipped_count} slots" if (run.skipped_count or 1) > 1 else reason
    if run.state in TERMINAL_STATES:
        how = exit_words(run.reason, run.exit_code, run.signal)
        if how is not None:
            return how
        known = run.reason is None or run.reason == run.state.value or run.reason is Reason.SUCCEEDED
        return "" if known else str(run.reason)
    if run.state is RunState.BLOCKED and run.reason is not None:
        return str(run.reason)
    return "cancelling" if run.cancel_requested_at is not None else ""


def exit_words(reason: str | None, exit_code: int | None, signal: int | None) -> str | None:
    """`exit code 2`, `SIGKILL`; None of a run that did not end by itself."""
    if reason == Reason.EXIT_CODE and exit_code is not None:
        return f"exit code {exit_code}"
    return signal_name(signal) if reason == Reason.SIGNAL and signal is not None else None


def waiting_words(run: Run, now: int) -> str:
    """What a blocked run waits for, and until when: `the delay before its next attempt, in 34s`."""
    until = f", {relative(run.not_before, now)}" if run.not_before is not None else ""
    return f"{wait_words(run.reason)}{until}"


def slot_text(run: Run) -> str:
    """The slot; of a record of several skipped ones the first and the last."""
    if run.skipped_first is None or run.skipped_first == run.scheduled_for:
        return stamp(run.scheduled_for)
    return f"{stamp(run.skipped_first)} .. {stamp(run.scheduled_for)}"


def signal_name(number: int) -> str:
    """`SIGKILL`, or `signal 64` for one without a name."""
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def duration_text(run: Run, now: int) -> str:
    """How long it took, or has been running for."""
    if run.started_at is None:
        return NEVER
    return span(max((run.finished_at or now) - run.started_at, 0) / 1_000_000)
