"""What the story of a job is made of: plain data, gathered by `facts`, read by `past`, `waiting` and `coming`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from specs.frozen import frozen
from specs.policy import Policy
from specs.schedule import Schedule
from specs.timing import Timing
from state.records import Event, JobRecord, Reason, Run
from status.timing import timing_of
from status.upstream import UpstreamFacts
from status.why.words import Local

if TYPE_CHECKING:
    from specs.calendar import Calendars  # 10 ms that most commands need not pay


@frozen(kw_only=True)
class PoolFacts:
    """The pool of a job, as it is now."""

    name: str
    slots: int | None
    """None: no `Pool` document of this name was applied."""
    running: Sequence[Run] = ()
    waiting: Sequence[Run] = ()


@frozen(kw_only=True)
class Facts:
    """Everything about one job at one instant."""

    now: int
    record: JobRecord
    policy: Policy
    schedule: Schedule | None
    """None: what was sound when stored does not compile any more."""
    trouble: str | None = None
    """Then: why."""
    local: Local
    alive: bool
    """A daemon runs."""
    last_beat: int | None = None
    """When the daemon last gave a sign of life."""
    active: Sequence[Run] = ()
    """Runs of the job that are not over, oldest first."""
    upstream: Sequence[UpstreamFacts] = ()
    pool: PoolFacts | None = None
    calendars: Calendars | None = None
    source_problem: str | None = None

    @property
    def timing(self) -> Timing | None:
        """The slots of the job; None when there is no schedule to ask."""
        return None if self.schedule is None else timing_of(self.record, self.schedule, self.policy)


@frozen(kw_only=True)
class SlotFacts:
    """What is stored about one slot."""

    slot: int
    rows: Sequence[Run] = ()
    """Its attempts, or the one record of skipped slots that covers it."""
    caught_up: Run | None = None
    """After slots that were missed: the run of the slot after them."""
    holder: Run | None = None
    """The run that was active at that instant."""
    pause: Event | None = None
    """The last `suspended` event before it."""
    oldest: int | None = None
    """The earliest instant that history is kept of; None: all of it."""

    @property
    def skipped(self) -> Run | None:
        """The record that covers it, when it did not run."""
        return self.rows[0] if self.rows and self.rows[0].skipped_count is not None else None

    @property
    def reason(self) -> Reason | None:
        return self.rows[-1].reason if self.rows else None
