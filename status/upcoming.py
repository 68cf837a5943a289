"""The coming slots of a job, or of an expression: what `jobsctl next` and the page of a job show. Prints nothing."""

from __future__ import annotations

from itertools import islice

from specs.frozen import frozen
from specs.policy import PLAIN, Policy
from specs.schedule import Schedule, compile_schedule
from specs.timing import Timing
from state.records import JobRecord
from status.deadline import read_policy, read_spec
from status.seen import Seen
from status.timing import timing_of, words_of


@frozen
class Upcoming:
    """What is to come."""

    schedule: Schedule
    slots: list[tuple[int, int]]
    """Slot and start, microseconds UTC: those a calendar drops are left out."""
    notes: tuple[str, ...] = ()
    """Why there are no more, where the schedule does not say it by itself."""
    policy: Policy = PLAIN

    @property
    def words(self) -> str:
        """What starts it, in words."""
        return words_of(self.schedule, self.policy)

    @classmethod
    def of_expression(cls, schedule: Schedule, identity: str, start: int, number: int) -> Upcoming:
        """As if a job had it that was applied at `start`."""
        if schedule.from_finish is not None:
            first = schedule.next_from_finish(anchor=start, last_end=None)
            note = "this is the first start of a job applied now; each further one depends on when the run before ends"
            return cls(schedule, [] if first is None else [(first, first)], (note,))
        return cls(schedule, list(islice(Timing(schedule, start, PLAIN, identity).runs_after(start, None), number)))

    @classmethod
    def of_job(cls, seen: Seen, record: JobRecord, after: int | None, number: int) -> Upcoming:
        """Of a stored job, after `after` (None: now).

        Raises ScheduleError: its zone is not known on this machine.
        """
        zone = seen.timezone
        schedule = compile_schedule(read_spec(record.spec), default_timezone=zone)
        policy = read_policy(record.spec, zone)
        if record.completed_at is not None:
            return cls(schedule, [], (f"{record.identity} is complete: it runs again when its spec changes",))
        if schedule.from_finish is not None:
            return _after_finish(schedule, record)
        if schedule.kind == "manual" and policy.depends_on:
            whom = ", ".join(each.identity for each in policy.depends_on)
            return cls(schedule, [], (f"it starts when what it depends on has succeeded: {whom}",), policy)
        timing, calendars = timing_of(record, schedule, policy), seen.calendars(policy)
        slots = list(islice(timing.runs_after(seen.now if after is None else after, calendars), number))
        notes = []
        if policy.repeat is not None:
            notes.append(f"it is complete after {policy.repeat} runs (`repeat`); {record.repeat_done} are done")
        if not slots and calendars is not None and timing.after(seen.now if after is None else after) is not None:
            notes.append("its calendars never let it run")
        return cls(schedule, slots, tuple(notes))


def _after_finish(schedule: Schedule, record: JobRecord) -> Upcoming:
    if record.active_runs:
        return Upcoming(schedule, [], ("its next start depends on when the run that is active ends",))
    at = record.next_at or schedule.next_from_finish(anchor=record.anchor_at, last_end=record.last_finished_at)
    note = "each further start depends on when the run before ends"
    return Upcoming(schedule, [] if at is None else [(at, at)], (note,))
