"""Whether a run that ended is tried again, and when. Pure. Called by `reconciler.finishing`."""

from __future__ import annotations

from hashlib import blake2s

from specs.policy import SECOND, Policy, RetryPolicy
from state.records import Reason, Run, RunState

_RERUN = RetryPolicy(
    attempts=1 << 30,
    backoff="exponential",
    delay=SECOND,
    max_delay=300 * SECOND,
    jitter=0.0,
    on=frozenset({"lost"}),
    exit_codes=None,
)
"""`on_lost: rerun`: again whatever `retry` says; slower each time, so a run that takes the machine down cannot do so
in a loop."""

_FINAL = frozenset({Reason.DEPENDENCY, Reason.SUPERSEDED, Reason.REPLACED, Reason.SUSPENDED, Reason.DELETED})
"""Ends that another attempt would not change."""


def next_attempt_at(policy: Policy, run: Run) -> int | None:
    """When the attempt after this ended run may start, microseconds; None when there is none."""
    if run.state not in (RunState.FAILED, RunState.EXPIRED) or run.reason in _FINAL or run.finished_at is None:
        return None
    if run.cancel_requested_at is not None:
        return None  # somebody wanted it to end, however it did
    lost = run.reason is Reason.LOST
    if lost and policy.rerun_lost:
        return run.finished_at + delay_after(_RERUN, run.attempt, run.id)
    retry = policy.retry
    if retry is None or run.attempt >= retry.attempts:
        return None
    if ("lost" if lost else run.state.value) not in retry.on:
        return None
    exited = run.reason is Reason.EXIT_CODE
    if retry.exit_codes is not None and exited and run.exit_code not in retry.exit_codes:
        return None
    return run.finished_at + delay_after(retry, run.attempt, run.id)


def delay_after(retry: RetryPolicy, attempt: int, seed: str) -> int:
    """Microseconds between the end of attempt `attempt` (from 1) and the start of the next.

    `seed` decides on the jitter: the same run gives the same delay, also after a crash.
    """
    match retry.backoff:
        case "fixed":
            factor = 1
        case "linear":
            factor = attempt
        case "exponential":
            factor = 2 ** min(attempt - 1, 40)
    delay = min(retry.delay * factor, max(retry.max_delay, retry.delay))
    share = int.from_bytes(blake2s(seed.encode(), digest_size=4).digest()) / 2**31 - 1
    return round(delay * (1 + retry.jitter * share))
