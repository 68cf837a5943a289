"""The slots of one job: its schedule within its horizon, when each starts, and which of them its calendars let run.

Asked by the reconciler (what is due, what comes next), the status room and the command line: one rule for all of them.
Pure. Instants are integer microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from specs.frozen import frozen
from specs.jitter import latest_started, next_start, start_of
from specs.policy import Policy
from specs.schedule import Schedule

CLOCK_CORRECTION = 3 * 3600 * 1_000_000
"""A clock set back by more than this is a correction, not a repeat of slots already run: Debian cron's limit. What was
noted of times that are to come yet is of no use then. Microseconds."""
EXAMINED = 500
"""Closed stretches of its calendars that are passed in search of the next run: more is never, for who asks."""


class Calendars(Protocol):
    """The calendars of a job, together: `specs.calendar.Calendars`, which not every process needs to import."""

    def blocked_by(self, t: int) -> tuple[str, str] | None:
        """The name and action of the calendar that forbids this instant; None when it is open."""

    def next_open(self, t: int) -> int | None:
        """The first open instant from `t` on."""

    def next_change(self, t: int) -> int | None:
        """The first instant after `t` at which one of them opens or shuts."""


@frozen
class Timing:
    """When one job is due. `anchor` is when its schedule was first applied, `identity` decides on its jitter."""

    schedule: Schedule
    anchor: int
    policy: Policy
    identity: str

    def upcoming(self, after: int) -> tuple[int, int] | None:
        """The first slot after `after` and its start; None when there is none, also after `end_at`."""
        policy = self.policy
        if policy.start_at is not None:
            after = max(after, policy.start_at - 1)
        if not (policy.spread or policy.random):
            slot = self.schedule.next_after(after, anchor=self.anchor)
            found = None if slot is None else (slot, slot)
        else:
            found = next_start(
                self.schedule,
                after,
                anchor=self.anchor,
                identity=self.identity,
                spread=policy.spread,
                random=policy.random,
            )
        return None if found is None or (policy.end_at is not None and found[0] > policy.end_at) else found

    def after(self, t: int) -> int | None:
        """The first slot strictly after `t`."""
        found = self.upcoming(t)
        return None if found is None else found[0]

    def latest(self, now: int, after: int) -> int | None:
        """The last slot after `after` that has started by `now`; all before it have started too."""
        policy = self.policy
        if policy.start_at is not None:
            after = max(after, policy.start_at - 1)
        if not (policy.spread or policy.random):
            return self.before(now, after)
        found = latest_started(
            self.schedule,
            now,
            after=after,
            anchor=self.anchor,
            identity=self.identity,
            spread=policy.spread,
            random=policy.random,
        )
        return found if found is None or policy.end_at is None or found <= policy.end_at else self.before(now, after)

    def before(self, through: int, after: int = 0) -> int | None:
        """The last slot in (after, through], whenever it starts."""
        policy = self.policy
        if policy.start_at is not None:
            after = max(after, policy.start_at - 1)
        if policy.end_at is not None:
            through = min(through, policy.end_at)
        return self.schedule.latest_through(through, after=after, anchor=self.anchor)

    def start(self, slot: int) -> int:
        """When this slot starts. What follows a run, or the boot, has no jitter."""
        policy = self.policy
        if not (policy.spread or policy.random) or not self.schedule.slots:
            return slot
        following = self.schedule.next_after(slot, anchor=self.anchor)
        return start_of(slot, following, identity=self.identity, spread=policy.spread, random=policy.random)

    def runs_after(self, after: int, calendars: Calendars | None) -> Iterator[tuple[int, int]]:
        """Slots that are to run, with their starts. While one is deferred, those that come are dropped."""
        found = self.upcoming(after)
        passed = 0
        while found is not None and passed < EXAMINED:
            slot, start = found
            blocked = None if calendars is None else calendars.blocked_by(slot)
            if calendars is None or blocked is None:
                passed = 0
                yield slot, start
                found = self.upcoming(slot)
                continue
            passed += 1
            opening = calendars.next_open(slot)
            if opening is None:
                return
            if blocked[1] == "defer":
                yield slot, max(opening, start)
                found = self.upcoming(opening - 1)
            else:  # as all slots until a calendar changes
                change = calendars.next_change(slot)
                found = self.upcoming((opening if change is None else change) - 1)

    def next_run(self, after: int, calendars: Calendars | None) -> tuple[int, int] | None:
        """The first slot after `after` that is to run, and its start."""
        return next(islice(self.runs_after(after, calendars), 1), None)
