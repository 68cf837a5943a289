"""What is to become of the slots that are due: the rules of the documents, told once more and in another way.

`reconciler.decide` is not asked: what it decided is held against this. Instants and lengths in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from specs.jitter import stable_offset
from tests.simulation.calendars import Together, next_open, shut_by
from tests.simulation.clock import MINUTE, SECOND
from tests.simulation.oracle import read_instant
from tests.simulation.rows import RunRow

BY_HAND = frozenset({"manual", "api"})
SCHEDULED = frozenset({"schedule", "catch_up", "boot"})
"""Triggers of runs that account for a slot."""
FINAL = frozenset({"dependency", "superseded", "replaced", "suspended", "deleted"})
"""Ends that are not tried again."""


@lru_cache(maxsize=4096)
def fields_of(spec: bytes) -> dict[str, Any]:
    """Of a canonical spec."""
    found: dict[str, Any] = json.loads(spec)
    return found


def span(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * SECOND)


def suspended(spec: bytes, overridden: bool) -> bool:
    return overridden or fields_of(spec).get("suspend", False) is not False


def limit_of(spec: bytes) -> int:
    """How many runs of the job may be handed over at once."""
    fields = fields_of(spec)
    return fields.get("max_concurrent") or 10 if fields.get("overlap") == "allow" else 1


def horizon(spec: bytes) -> tuple[int | None, int | None]:
    """`start_at` and `end_at`."""
    fields = fields_of(spec)
    zone = fields.get("timezone") or "UTC"
    start, end = (fields.get(name) for name in ("start_at", "end_at"))
    return (None if start is None else read_instant(start, zone)), (None if end is None else read_instant(end, zone))


def within(spec: bytes, slots: Sequence[int]) -> list[int]:
    """Those of the slots that are not before `start_at` and not after `end_at`."""
    begin, end = horizon(spec)
    return [slot for slot in slots if (begin is None or slot >= begin) and (end is None or slot <= end)]


def shift_of(spec: bytes) -> int:
    """How much later than its slot every run of the job starts."""
    fields = fields_of(spec)
    jitter = fields.get("jitter") or {}
    spread = jitter.get("spread") if isinstance(jitter, dict) else jitter
    return stable_offset(f"{fields['project']}/{fields['name']}", span(spread) or 0)


@dataclass(frozen=True, slots=True)
class Situation:
    """A job at the instant at which its due slots are decided."""

    spec: bytes
    now: int
    anchor_at: int
    """When its schedule was first applied."""
    handed: int
    """Runs that were handed over and are not over."""
    waiting: tuple[RunRow, ...]
    """Blocked runs, in the order in which they are to start."""
    overridden: bool
    """`jobsctl suspend`."""
    up_since: int
    repeat_done: int
    together: Together
    """Its calendars."""


def verdicts(situation: Situation, slots: Sequence[int], *, once: bool, boot: int | None) -> list[tuple[int, str]]:
    """For the slot of a boot and every due slot, in order: the trigger of its run, or the reason why it is skipped."""
    spec = situation.spec
    if suspended(spec, situation.overridden):
        return [(slot, "suspended") for slot in ([] if boot is None else [boot]) + list(slots)]
    if slots and once and slots[-1] < situation.anchor_at - MINUTE:
        return [(slots[-1], "past")]
    wanted = [] if boot is None else [(boot, "boot")]
    wanted += _wanted(situation, slots)
    return _placed(situation, wanted)


def _wanted(situation: Situation, slots: Sequence[int]) -> list[tuple[int, str]]:
    """Whether each slot would run, were the job idle."""
    fields, now = fields_of(situation.spec), situation.now
    missed = fields.get("missed", "latest")
    missed = missed if isinstance(missed, dict) else {"policy": missed, "grace": None, "max": 20}
    grace, shift = span(missed["grace"]), shift_of(situation.spec)
    most = {"latest": 1, "skip": 0, "all": missed["max"]}[missed["policy"]]
    said: list[tuple[int, str]] = []
    taken, newest = 0, True
    for back, slot in enumerate(reversed(slots)):
        begin = slot + shift
        absent = "daemon_down" if slot <= situation.up_since else "missed"
        action = shut_by(situation.together, slot)
        if action is not None:
            opening = next_open(situation.together, slot)
            waits = opening is not None and opening > now
            if action == "skip" or opening is None or (waits and not newest):
                said.append((slot, "calendar"))
                continue
            if waits:
                said.append((slot, "schedule"))
                newest = False
                continue
            begin = max(begin, opening)
        late = now - begin
        if newest and late < MINUTE:
            verdict, newest = "schedule", False
        elif (back > most and not situation.together) or taken >= most or (missed["policy"] == "latest" and not newest):
            verdict = absent
        elif grace is not None and late > grace:
            verdict = "grace"
        else:
            verdict, taken, newest = "catch_up", taken + 1, False
        said.append((slot, verdict))
    said.reverse()
    return said


def _holding(situation: Situation, run: RunRow) -> str | None:
    """Why a waiting run keeps another from being wanted: one that a calendar lets go now is as good as running."""
    if run.reason == "calendar" and next_open(situation.together, situation.now) == situation.now:
        return "overlap"
    return run.reason


def _placed(situation: Situation, wanted: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The same beside the runs that there are, and that there may be: `overlap`, `repeat`."""
    fields = fields_of(situation.spec)
    overlap, repeat = fields.get("overlap", "skip"), fields.get("repeat")
    others = [run for run in situation.waiting if run.reason != "backoff"]
    taken = 0
    said: list[tuple[int, str]] = []
    for slot, verdict in wanted:
        if verdict in SCHEDULED:
            if repeat is not None and taken >= repeat - situation.repeat_done:
                refusal: str | None = "horizon"
            elif overlap == "allow":
                full = situation.handed + len(situation.waiting) + taken >= limit_of(situation.spec)
                refusal = "overlap" if full and not (taken and verdict == "catch_up") else None
            elif taken:
                refusal = None
            elif overlap == "replace":  # only what runs, or is about to, is replaced
                held = [_holding(situation, run) for run in others if run.reason != "overlap"]
                refusal = held[0] if held else None
            elif overlap == "queue":
                queued = sum(run.attempt == 1 for run in situation.waiting)
                first = situation.waiting[0].reason if situation.waiting else None
                # The run before has just ended: who waited for it starts in this very decision.
                leaves = situation.handed == 0 and first == "overlap" and "pool" not in fields
                queue = [_holding(situation, run) for run in situation.waiting if run.attempt == 1]
                refusal = None if queued <= leaves else "overlap" if situation.handed else queue[0]
            else:
                refusal = "overlap" if situation.handed else _holding(situation, others[0]) if others else None
            taken += refusal is None
            verdict = refusal or verdict
        said.append((slot, verdict))
    return said


def next_attempt(spec: bytes, run: RunRow) -> tuple[int, int] | None:
    """Between which instants the attempt after this ended run may start; None when there is none."""
    if run.state not in ("failed", "expired") or run.reason in FINAL or run.finished_at is None:
        return None
    if run.cancel_requested_at is not None:
        return None  # somebody did not want it
    fields = fields_of(spec)
    retry = fields.get("retry")
    if run.reason == "lost" and fields.get("on_lost") == "rerun":
        delay = min(SECOND * 2 ** min(run.attempt - 1, 40), 300 * SECOND)
        return run.finished_at + delay, run.finished_at + delay
    if retry is None or run.attempt >= retry["attempts"]:
        return None
    if ("lost" if run.reason == "lost" else run.state) not in retry["on"]:
        return None
    codes = retry["exit_codes"]
    if codes is not None and run.reason == "exit_code" and run.exit_code not in codes:
        return None
    factor = {"fixed": 1, "linear": run.attempt, "exponential": 2 ** min(run.attempt - 1, 40)}[retry["backoff"]]
    first, most = span(retry["delay"]) or 0, span(retry["max_delay"]) or 0
    delay = min(first * factor, max(most, first))
    return (
        run.finished_at + int(delay * (1 - retry["jitter"])) - 1,
        run.finished_at + int(delay * (1 + retry["jitter"])) + 1,
    )


@dataclass(frozen=True, slots=True)
class Upstream:
    """One dependency of a job."""

    identity: str
    max_age: int | None


def upstreams(spec: bytes) -> list[Upstream]:
    fields = fields_of(spec)
    found = []
    for each in fields.get("depends_on") or ():
        name, age = (each, None) if isinstance(each, str) else (each["job"], each["max_age"])
        found.append(Upstream(name if "/" in name else f"{fields['project']}/{name}", span(age)))
    return found
