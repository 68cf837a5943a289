"""A job's policies as plain numbers: what deciding needs of a spec, and no more.

Made once per applied spec from its canonical JSON, by the reconciler; `PLAIN` is shared by all jobs that say nothing.
Durations and instants are integer microseconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from specs.entry import read_instant
from specs.frozen import frozen

SECOND = 1_000_000

Overlap = Literal["skip", "queue", "replace", "allow"]
MissedPolicy = Literal["latest", "skip", "all"]
Backoff = Literal["fixed", "linear", "exponential"]
DependencyFailure = Literal["wait", "fail", "run"]


@frozen(kw_only=True)
class RetryPolicy:
    """When an attempt that did not succeed is followed by another."""

    attempts: int
    """Including the first."""
    backoff: Backoff
    delay: int
    max_delay: int
    jitter: float
    on: frozenset[str]
    """Of `failed`, `expired`, `lost`."""
    exit_codes: frozenset[int] | None


@frozen
class Upstream:
    """A job whose success is waited for."""

    identity: str
    max_age: int | None


@frozen(kw_only=True)
class Policy:
    """What a job's spec says beside what runs and when."""

    overlap: Overlap = "skip"
    max_concurrent: int = 1
    """Runs at once; more than 1 only with `allow`."""
    missed: MissedPolicy = "latest"
    grace: int | None = None
    """A slot later than this is not caught up."""
    max_missed: int = 20
    """With `all`: how many slots are caught up at most."""
    retry: RetryPolicy | None = None
    rerun_lost: bool = False
    success_codes: frozenset[int] = frozenset({0})
    spread: int = 0
    """The fixed offset of every slot is below this."""
    random: int = 0
    """The offset of each slot is below this."""
    start_at: int | None = None
    end_at: int | None = None
    repeat: int | None = None
    until: str | None = None
    depends_on: tuple[Upstream, ...] = ()
    on_dependency_failure: DependencyFailure = "wait"
    pool: str | None = None
    priority: int = 0
    calendars: tuple[str, ...] = ()
    cancel_on_delete: bool = False
    prune: bool = True
    completion: str = ""
    """Digest of what says when the job is complete, the schedule left out: another one starts a completed job anew."""


PLAIN = Policy()
"""Of a job that says nothing about it."""

_FIELDS = frozenset(
    {
        "overlap", "max_concurrent", "missed", "retry", "on_lost", "success_codes", "jitter", "start_at", "end_at",
        "repeat", "until", "depends_on", "on_dependency_failure", "pool", "priority", "calendar", "on_delete", "prune",
    }
)  # fmt: skip
_COMPLETING = ("start_at", "end_at", "repeat", "until")
DEFAULT_CONCURRENT = 10
"""Runs of one job at once with `overlap: allow` and no limit given: enough for any honest job, and no fork bomb."""


def policy_of(fields: Mapping[str, Any], *, default_timezone: str = "UTC") -> Policy:
    """The policy in the fields of a canonical spec.

    Raises:
        ScheduleError: `start_at` or `end_at` is no instant (`specs.load` refuses such a spec; the zone may be gone).
    """
    if _FIELDS.isdisjoint(fields):
        return PLAIN
    get = fields.get
    zone = get("timezone") or default_timezone
    overlap: Overlap = get("overlap", "skip")
    missed = get("missed", "latest")
    missed = missed if isinstance(missed, dict) else {"policy": missed}
    jitter = get("jitter") or {}
    jitter = jitter if isinstance(jitter, dict) else {"spread": jitter}
    calendar = get("calendar") or []
    completing = {name: fields[name] for name in _COMPLETING if name in fields}
    return Policy(
        overlap=overlap,
        max_concurrent=(get("max_concurrent") or DEFAULT_CONCURRENT) if overlap == "allow" else 1,
        missed=missed["policy"],
        grace=_span(missed.get("grace")),
        max_missed=missed.get("max", PLAIN.max_missed),
        retry=_retry(get("retry")),
        rerun_lost=get("on_lost") == "rerun",
        success_codes=frozenset(get("success_codes", (0,))),
        spread=_span(jitter.get("spread")) or 0,
        random=_span(jitter.get("random")) or 0,
        start_at=_instant(get("start_at"), zone),
        end_at=_instant(get("end_at"), zone),
        repeat=get("repeat"),
        until=get("until"),
        depends_on=tuple(_upstream(each, fields["project"]) for each in get("depends_on") or ()),
        on_dependency_failure=get("on_dependency_failure", "wait"),
        pool=get("pool"),
        priority=get("priority", 0),
        calendars=(calendar,) if isinstance(calendar, str) else tuple(calendar),
        cancel_on_delete=get("on_delete") == "cancel",
        prune=get("prune", True),
        completion=hashlib.sha256(json.dumps(completing, sort_keys=True).encode()).hexdigest() if completing else "",
    )


def _span(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * SECOND)


def _instant(text: str | None, timezone: str) -> int | None:
    return None if text is None else read_instant(text, timezone)


def _retry(fields: Mapping[str, Any] | None) -> RetryPolicy | None:
    if fields is None or fields["attempts"] == 1:
        return None
    codes = fields["exit_codes"]
    return RetryPolicy(
        attempts=fields["attempts"],
        backoff=fields["backoff"],
        delay=round(fields["delay"] * SECOND),
        max_delay=round(fields["max_delay"] * SECOND),
        jitter=fields["jitter"],
        on=frozenset(fields["on"]),
        exit_codes=None if codes is None else frozenset(codes),
    )


def _upstream(value: str | Mapping[str, Any], project: str) -> Upstream:
    name, age = (value, None) if isinstance(value, str) else (value["job"], value["max_age"])
    return Upstream(name if "/" in name else f"{project}/{name}", _span(age))
