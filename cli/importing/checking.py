"""`--check`: is what was written due exactly when the source system would have started it?

Called by `delivering`. Pure: `now` is a parameter. The two sides share nothing: the source's own rule (`imported.Rule`)
against our schedule, compiled from the YAML text that was written and read back as a spec file is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import orjson

from cli.importing.imported import HORIZON_YEARS, Imported
from specs.calendar import Calendars, JobCalendar, compile_calendar
from specs.canonical import canonical_bytes
from specs.diagnostic import Diagnostic, Severity
from specs.kinds import Calendar
from specs.load import load_bytes
from specs.model import Job
from specs.policy import policy_of
from specs.schedule import compile_schedule
from specs.timing import Timing

if TYPE_CHECKING:
    from specs.schedule import Schedule

COUNT = 1000
_YEAR = 365 * 86_400_000_000 + 86_400_000_000 // 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where the two sides part."""

    source: int | None
    """The source's instant, microseconds UTC; None when it has none there."""
    ours: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome for one job."""

    state: Literal["same", "different", "incomparable"]
    compared: int = 0
    """Instants that are the same on both sides."""
    through: int | None = None
    """The instant up to which both were looked at: the last of them, or the horizon where they are rare."""
    bounded: bool = False
    """The horizon ended the comparison, not the number of instants."""
    difference: Difference | None = None
    reason: str = ""
    """Why nothing can be compared."""


def read_back(document: str, path: str, default_timezone: str) -> tuple[Job | None, tuple[Diagnostic, ...]]:
    """The one job of a document that was written, as the daemon would read it; None with the errors when it cannot."""
    found = load_bytes(document.encode(), path, default_timezone=default_timezone)
    errors = tuple(each for each in found.diagnostics if each.severity is Severity.ERROR)
    if errors or len(found.jobs) != 1:
        return None, errors
    return Job.from_canonical(found.jobs[0].spec), ()


def read_calendars(document: str, path: str, default_timezone: str) -> Calendars | None:
    """The calendars of a document that `read_back` found sound; None without any."""
    found = load_bytes(document.encode(), path, default_timezone=default_timezone).documents
    models = [(each.name, Calendar.model_validate_json(each.spec)) for each in found if each.kind == "Calendar"]
    members = [
        JobCalendar(name, model.mode, model.action, compile_calendar(model, default_timezone)) for name, model in models
    ]
    return Calendars(tuple(members)) if members else None


def check(
    job: Imported,
    spec: Job,
    *,
    now: int,
    default_timezone: str,
    count: int = COUNT,
    calendars: Calendars | None = None,
) -> Checked:
    """Compare the next `count` instants, or those of the next `HORIZON_YEARS` years where they are fewer.

    Ours are those that are to run: within the job's horizon, and where its calendars are open.
    """
    schedule = compile_schedule(spec, default_timezone=default_timezone)
    rule = job.rule
    if rule is None:
        return Checked("incomparable", reason=job.no_rule or "its source says no instants")
    if rule.at_boot != schedule.reboot:
        theirs, ours = ("starts", "does not") if rule.at_boot else ("does not start", "does")
        return Checked("different", difference=Difference(None, None, f"the source {theirs} at boot, ours {ours}"))
    if schedule.from_finish is not None:
        why = "ours is counted from the end of the run before, the source's is not"
        return Checked("different", difference=Difference(rule.after(now), None, why))
    end = now + HORIZON_YEARS * _YEAR
    timing = Timing(
        schedule, now, policy_of(orjson.loads(canonical_bytes(spec)), default_timezone=default_timezone), spec.identity
    )
    slots = (slot for slot, _ in timing.runs_after(now, calendars))
    at = now
    for number in range(count):
        theirs_at, ours_at = rule.after(at), next(slots, None)
        theirs_at = theirs_at if theirs_at is not None and theirs_at <= end else None
        ours_at = ours_at if ours_at is not None and ours_at <= end else None
        if theirs_at != ours_at:
            difference = Difference(theirs_at, ours_at, _why(theirs_at, ours_at, schedule))
            return Checked("different", number, at if number else None, difference=difference)
        if theirs_at is None:
            return Checked("same", number, end, bounded=True)
        at = theirs_at
    return Checked("same", count, at)


def _why(source: int | None, ours: int | None, schedule: Schedule) -> str:
    """Which side has an instant that the other lacks, and whether the clock is moved around it."""
    first = min(at for at in (source, ours) if at is not None)
    who = (
        "the source starts it then and ours does not"
        if first == source
        else "ours starts it then and the source does not"
    )
    try:
        zone = ZoneInfo(schedule.timezone)
    except (KeyError, ValueError):
        return who
    moved = {(_EPOCH + timedelta(microseconds=first, hours=hours)).astimezone(zone).utcoffset() for hours in (-4, 4)}
    return f"{who}: the clock of {schedule.timezone} is moved that night" if len(moved) > 1 else who
