"""What a page knows at one instant, as tellers of stories ask it (`status.seen.Seen`). Made by the page of a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from state.errors import NotFound
from state.records import JobRecord
from status.heartbeat import DOWN_AFTER, Heartbeat
from status.page.visit import Visit
from status.why.compose import overview
from status.why.facts import facts_of, last_slot
from status.why.known import Facts
from status.why.story import Story

if TYPE_CHECKING:
    from specs.calendar import Calendars, JobCalendar
    from specs.policy import Policy


class Looking:
    """One visit's. Who may see one project only is told nothing of jobs of another."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.now = visit.now
        self.reader = visit.reader

    @property
    def timezone(self) -> str:
        return self._visit.timezone

    @property
    def heartbeat(self) -> Heartbeat | None:
        return self._visit.facts.heartbeat

    @property
    def alive(self) -> bool:
        beat = self.heartbeat
        return beat is not None and beat.age(self.now) < DOWN_AFTER

    @property
    def source_problem(self) -> str | None:
        source = self._visit.picture.source
        return None if source is None or self._visit.project is not None else source.problem

    def find(self, identity: str) -> JobRecord | None:
        """The job of an identity; None when there is none that may be seen."""
        if not self._visit.may_see(identity.partition("/")[0]):
            return None
        try:
            return self.reader.job(identity)
        except NotFound:
            return None

    @cached_property
    def _calendars(self) -> Mapping[str, JobCalendar]:
        from status.calendars import compile_calendars

        return compile_calendars(self.reader.documents("Calendar"), default_timezone=self.timezone)

    def calendars(self, policy: Policy) -> Calendars | None:
        """The calendars a job names; None when it names none that is known."""
        if not policy.calendars:
            return None
        from status.calendars import calendars_of

        return calendars_of(policy, self._calendars)

    def facts(self, record: JobRecord) -> Facts:
        """Everything about a job now. Of a pool that jobs of other projects share, only who may see those is told."""
        found = facts_of(self, record)
        if self._visit.project is None:
            return found
        seen = tuple(each for each in found.upstream if self._visit.may_see(each.upstream.identity.partition("/")[0]))
        return replace(found, upstream=seen, pool=None)

    def story(self, facts: Facts) -> Story:
        """What `jobsctl why` tells: the last slot, what is active, what comes."""
        return overview(facts, last_slot(self, facts))
