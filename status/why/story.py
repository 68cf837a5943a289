"""The shape of a story: answers, each about one slot or about now, and as stable data. Pure.

Made by `past`, `waiting` and `coming`; printed by `cli.whylines`, shown by the page of a job. The JSON shape is
documented in docs/why.md and only grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from specs.frozen import frozen
from state.records import Reason, Run
from status.views import API_VERSION, View, run_view
from status.words.instants import rfc3339


class About(StrEnum):
    """Which question an answer is the answer to."""

    SLOT = "slot"
    """The slot that was asked for with `--at`."""
    LAST = "last"
    NOW = "now"
    NEXT = "next"


class Verdict(StrEnum):
    """What it comes to, in one word for programs."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    RUNNING = "running"
    WAITING = "waiting"
    """A run is stored, and something keeps it from starting."""
    UNDECIDED = "undecided"
    """The slot has come, and the daemon has not decided on it yet."""
    NO_SLOT = "no_slot"
    UNKNOWN = "unknown"
    """There was a slot, and nothing is stored about it."""
    WILL_RUN = "will_run"
    MAY_WAIT = "may_wait"
    """It comes, and something may keep it from starting at once."""
    WILL_NOT_RUN = "will_not_run"
    NOTHING = "nothing"
    """No run yet; no slot to come."""


@frozen(kw_only=True)
class Answer:
    """One part of the story."""

    about: About
    verdict: Verdict
    title: str
    """`Last slot, Sat 2026-11-21 09:00 CET (2h ago)`."""
    text: Sequence[str]
    """Sentences; the first one says it all."""
    slot: int | None = None
    starts_at: int | None = None
    """When it starts, or is expected to: the slot and its jitter."""
    reason: Reason | None = None
    runs: Sequence[Run] = ()
    """The attempts, or the record of skipped slots that covers the slot."""
    advice: Sequence[str] = ()
    """Commands, or what to edit."""

    def view(self) -> View:
        """For programs."""
        return {
            "about": self.about.value,
            "verdict": self.verdict.value,
            "reason": None if self.reason is None else self.reason.value,
            "scheduledFor": rfc3339(self.slot),
            "startsAt": rfc3339(self.starts_at),
            "text": list(self.text),
            "advice": list(self.advice),
            "runs": [run_view(run) for run in self.runs],
        }


@frozen(kw_only=True)
class Story:
    """What `why` tells."""

    identity: str
    timezone: str
    generation: int
    revision: str | None
    rule: str
    """Which schedule, generation and revision decide now."""
    asked: int | None
    """The instant of `--at`."""
    notes: Sequence[str]
    """What is odd: a file that is wrong, a time that came twice."""
    answers: Sequence[Answer]

    def view(self) -> dict[str, Any]:
        """For programs."""
        return {
            "apiVersion": API_VERSION,
            "kind": "Why",
            "job": self.identity,
            "timezone": self.timezone,
            "generation": self.generation,
            "revision": self.revision,
            "rule": self.rule,
            "at": rfc3339(self.asked),
            "notes": list(self.notes),
            "answers": [answer.view() for answer in self.answers],
        }
