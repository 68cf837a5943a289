"""What applying does to one job's time: whether its schedule starts anew, and when it runs next, before and after.

Called by `cli.planning.compare`. Decides nothing itself: the records come from `reconciler.records`, the functions that
the daemon stores with, and the slots from `specs.timing`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import orjson
from pydantic import ValidationError

from cli.planning.before import Was
from cli.planning.fields import complete
from cli.planning.plan import Coming, Instant, Reanchor
from reconciler import records
from reconciler.table import JobTable
from specs.calendar import Calendars, JobCalendar, compile_calendar
from specs.desired import DesiredDocument, DesiredJob
from specs.expression import ScheduleError
from specs.frozen import frozen
from specs.kinds import Calendar
from specs.policy import Policy
from specs.schedule import Schedule
from specs.slots import GridSlots
from specs.timing import Timing
from state.records import JobRecord
from status.timing import words_of

SHOWN = 5
"""Instants."""
_TIMING = ("schedule", "timezone", "dst", "depends_on", "name", "project")
"""The fields that can make it another schedule; `H` depends on the name."""


@frozen
class Held:
    """A job as the daemon holds it: its record, and what its spec means."""

    record: JobRecord
    schedule: Schedule
    policy: Policy


class Meaning:
    """What specs mean on one side: under its zone, with its calendars."""

    def __init__(self, timezone: str, documents: Mapping[tuple[str, str], DesiredDocument]) -> None:
        self.timezone = timezone
        self._table = JobTable(timezone)
        self._documents = documents
        self._calendars: dict[str, JobCalendar | None] = {}

    def of(self, spec: bytes) -> tuple[Schedule, Policy] | None:
        """None for a stored spec that is of no use to this version."""
        try:
            return self._table.meaning_of(spec)
        except (ScheduleError, ValidationError, orjson.JSONDecodeError, KeyError):
            return None

    def calendars(self, policy: Policy) -> Calendars | None:
        """Those that a job names and that there are."""
        members = tuple(found for name in policy.calendars if (found := self._calendar(name)) is not None)
        return Calendars(members) if members else None

    def _calendar(self, name: str) -> JobCalendar | None:
        if name not in self._calendars:
            document = self._documents.get(("Calendar", name))
            self._calendars[name] = None if document is None else _compile(document, self.timezone)
        return self._calendars[name]


def _compile(document: DesiredDocument, timezone: str) -> JobCalendar | None:
    model = Calendar.model_validate_json(document.spec)
    try:
        times = compile_calendar(model, timezone)
    except ScheduleError:
        return None
    return JobCalendar(document.name, model.mode, model.action, times)


def held_before(was: Was, meaning: Meaning, now: int) -> Held | None:
    """The job as it is. Where only files say it, as if they were applied at `now`."""
    found = meaning.of(was.spec)
    if found is None:
        return None
    schedule, policy = found
    if was.record is not None:
        return Held(was.record, schedule, policy)
    project, _, name = was.identity.partition("/")
    job = DesiredJob(project, name, was.spec, was.digest, was.path, was.line)
    return Held(records.created(job, schedule, policy, revision=None, now=now, boot_id=""), schedule, policy)


def held_after(old: Held | None, job: DesiredJob, meaning: Meaning, now: int) -> Held | None:
    """The job as the daemon will store it, when it applies the files at `now`."""
    found = meaning.of(job.spec)
    if found is None:
        return None
    schedule, policy = found
    if old is None:
        record = records.created(job, schedule, policy, revision=None, now=now, boot_id="")
    else:
        record = records.configured(
            old.record, job, schedule, policy, before=old.policy, revision=None, now=now, boot_id=""
        )
    return Held(record, schedule, policy)


def held_rezoned(old: Held, spec: bytes, meaning: Meaning, now: int) -> Held | None:
    """The same job under a daemon with another timezone."""
    found = meaning.of(spec)
    if found is None:
        return None
    schedule, policy = found
    return Held(records.rezoned(old.record, schedule, policy, now), schedule, policy)


def reanchor(old: Held, new: Held, meaning: Meaning) -> Reanchor | None:
    """Why the schedule starts anew; None when it goes on."""
    restarts = old.record.completed_at is not None and new.record.completed_at is None
    if not _is_another(old, new.record.schedule_digest):
        return Reanchor((), grid=False, restarts=True) if restarts else None
    grid = any(isinstance(slots, GridSlots) and slots.origin is None for slots in new.schedule.slots)
    return Reanchor(_causes(old, new, meaning), grid=grid or new.schedule.from_finish is not None, restarts=restarts)


def _is_another(old: Held, digest: str) -> bool:
    return old.record.schedule_digest != digest


def _causes(old: Held, new: Held, meaning: Meaning) -> tuple[str, ...]:
    """The fields each of which, put into the old spec alone, makes it another schedule; else all that differ."""
    before, after = complete(orjson.loads(old.record.spec)), complete(orjson.loads(new.record.spec))
    differing = [name for name in _TIMING if before.get(name) != after.get(name)]
    alone = tuple(name for name in differing if _is_cause(name, before, after, old, meaning))
    found = alone or tuple(differing)
    zoned = meaning.of(old.record.spec)
    stays = zoned is None or not old.record.schedule_digest or not _is_another(old, records.schedule_digest(*zoned))
    if not stays and before.get("timezone") is None:
        found += ("timezone of jobsctl.yaml",)
    return found


def _is_cause(name: str, before: dict[str, Any], after: dict[str, Any], old: Held, meaning: Meaning) -> bool:
    found = meaning.of(orjson.dumps({**before, name: after.get(name)}))
    return found is None or _is_another(old, records.schedule_digest(*found))


def coming(held: Held, meaning: Meaning, now: int) -> Coming:
    """The next instants, from what the daemon has accounted for on."""
    record, schedule, policy = held.record, held.schedule, held.policy
    words, zone = words_of(schedule, policy), schedule.timezone
    if is_of_another_zone(held):
        known = () if record.next_at is None else (Instant(record.next_at, record.next_at),)
        return Coming(words, zone, known, "as the daemon planned it under the timezone it had")
    if record.completed_at is not None:
        return Coming(words, zone, note="complete: it runs again when its spec changes")
    if schedule.from_finish is not None:
        return _after_finish(held, words, zone)
    if schedule.kind == "manual":
        return Coming(words, zone)
    left = SHOWN if policy.repeat is None else min(SHOWN, max(policy.repeat - record.repeat_done, 0))
    timing, calendars = Timing(schedule, record.anchor_at, policy, record.identity), meaning.calendars(policy)
    runs = timing.runs_after(_accounted(timing, record, now), calendars)
    found = tuple(Instant(*each) for each in islice(runs, left))
    note = ""
    if not found and calendars is not None and timing.after(now) is not None:
        note = "its calendars never let it run"
    elif not found and schedule.slots:
        note = "nothing is to come"
    elif policy.repeat is not None and left < SHOWN:
        note = f"complete then: `repeat: {policy.repeat}`"
    return Coming(words, zone, found, note, more=len(found) == SHOWN)


def compared(one: Coming, other: Coming, there: Held, meaning: Meaning) -> Coming:
    """`one` with the instants marked that the other side has too."""
    starts = {each.start for each in other.instants}
    schedule, policy, record = there.schedule, there.policy, there.record
    timing, calendars = Timing(schedule, record.anchor_at, policy, record.identity), meaning.calendars(policy)

    def has(each: Instant) -> bool:
        # Beyond the last that is shown: asked of the rule itself, not of a longer list.
        later = other.more and each.start > other.instants[-1].start
        return each.start in starts or (later and timing.next_run(each.slot - 1, calendars) == (each.slot, each.start))

    return replace(one, instants=tuple(replace(each, same=has(each)) for each in one.instants))


def _after_finish(held: Held, words: str, zone: str) -> Coming:
    note = "each further start depends on when the run before ends"
    if held.record.active_runs or held.record.next_at is None:
        return Coming(words, zone, note=note)
    return Coming(words, zone, (Instant(held.record.next_at, held.record.next_at),), note)


def _accounted(timing: Timing, record: JobRecord, now: int) -> int:
    """What has started by `now` is past, also when no daemon ran: it is caught up or not, but not to come."""
    passed = timing.latest(now, record.cursor_at)
    return record.cursor_at if passed is None else passed


def is_of_another_zone(held: Held) -> bool:
    """Whether the daemon planned it under another timezone than the home has now: what it was is not stored."""
    digest = held.record.schedule_digest
    return digest != "" and digest != records.schedule_digest(held.schedule, held.policy)


def is_behind(held: Held, now: int) -> bool:
    """Whether a slot has come that no daemon has accounted for yet."""
    if is_of_another_zone(held):
        return False
    if held.schedule.from_finish is not None or held.record.completed_at is not None:
        return False
    timing = Timing(held.schedule, held.record.anchor_at, held.policy, held.record.identity)
    return timing.latest(now, held.record.cursor_at) is not None
