"""Silences as data and in words: what `silence --list`, `status` and the page say of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from state.records import SilenceRecord
from status.words.instants import rfc3339
from status.words.times import both

ALL = "all jobs"


def silence_of(identity: str, silences: Iterable[SilenceRecord], now: int) -> SilenceRecord | None:
    """Of those that hold now for a job, also as one of all jobs, the one that holds longest."""
    holding = [each for each in silences if each.holds(now) and each.identity in (None, identity)]
    return max(holding, key=lambda each: each.over_at, default=None)


def silence_words(silence: SilenceRecord, now: int) -> str:
    """`until 2026-11-21 18:00:00Z (in 59m), by ann@desk: the database moves`."""
    whose = ", as all jobs" if silence.identity is None else ""
    return f"until {both(silence.until, now)}{whose}, by {silence.silenced_by}: {silence.reason}"


def silence_view(silence: SilenceRecord) -> dict[str, Any]:
    """As JSON has it; `job` is null for all jobs. It is over when `until` has passed."""
    return {
        "job": silence.identity,
        "since": rfc3339(silence.since),
        "until": rfc3339(silence.until),
        "reason": silence.reason,
        "by": silence.silenced_by,
    }
