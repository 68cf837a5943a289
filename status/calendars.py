"""The stored calendars, compiled, for readers who tell when a job is expected: `status.picture`, the command line.

A calendar that was sound when stored and is not any more (a zone left the tz database) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from specs.calendar import Calendars, JobCalendar, compile_calendar
from specs.expression import ScheduleError
from specs.policy import Policy
from specs.stored import StoredCalendar, Unreadable
from state.records import DocumentRecord


def compile_calendars(documents: Iterable[DocumentRecord], *, default_timezone: str) -> dict[str, JobCalendar]:
    """Every calendar by name; other documents are passed over."""
    found: dict[str, JobCalendar] = {}
    for document in documents:
        if document.kind != "Calendar":
            continue
        try:
            model = StoredCalendar.of(document.spec)
            times = compile_calendar(model, default_timezone)
        except (ScheduleError, Unreadable):
            continue
        found[document.name] = JobCalendar(document.name, model.mode, model.action, times)
    return found


def calendars_of(policy: Policy, known: Mapping[str, JobCalendar]) -> Calendars | None:
    """Those a job names; None when it names none that is known."""
    members = tuple(known[name] for name in policy.calendars if name in known)
    return Calendars(members) if members else None
