"""What deciding is told about one job, and the machine, at `now`. Plain data, made by the loop's step `act`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from specs.dependency import UpstreamState
from specs.frozen import frozen
from state.records import Reason, Trigger


@frozen(kw_only=True)
class Waiting:
    """A blocked run: stored, not handed over."""

    run_id: str
    slot: int | None
    attempt: int
    trigger: Trigger
    created_at: int
    reason: Reason
    """What it waits for, as stored."""
    not_before: int | None = None
    upstream: Mapping[str, str] | None = None

    @property
    def order(self) -> tuple[int, int]:
        """The runs of one job start by their slots; an attempt before the slots after its own."""
        return (self.created_at if self.slot is None else self.slot, self.attempt)


@frozen
class PoolState:
    """The pool of the job, as it is now."""

    name: str
    free: int
    """Slots not taken; below 0 after the pool was made smaller."""
    waiting: int
    """Runs that wait for a slot of it, those of this job too."""
    chosen: frozenset[str] = frozenset()
    """Runs whose turn it is."""


@frozen
class Observed:
    """What is known of one job, and of the machine, at `now`. Instants are microseconds UTC."""

    cursor_at: int
    anchor_at: int
    """When the present schedule was first applied."""
    active: int
    """Runs handed over and not ended."""
    suspended: bool = False
    archived: bool = False
    completed: bool = False
    boot_accounted: str | None = None
    """The boot whose `@reboot` slot is accounted for."""
    boot_id: str = ""
    booted_at: int = 0
    identity: str = ""
    """`project/name`: decides on jitter."""
    up_since: int = 0
    """When this daemon began to decide: slots before it passed while none did."""
    hold_until: int = 0
    """Catch-ups wait until then, so that not all jobs start at once."""
    repeat_done: int = 0
    last_end: int | None = None
    """When the last run ended."""
    resumed_at: int = 0
    """When it was taken up again: the delay after a run begins anew."""
    failures: int = 0
    """Runs that did not succeed since the last that did."""
    waiting: tuple[Waiting, ...] = ()
    running: tuple[str, ...] = ()
    """The ids of the `active` runs; only where `overlap: replace` needs them."""
    upstream: Mapping[str, UpstreamState] = field(default_factory=dict)
    consumed: Mapping[str, int] = field(default_factory=dict)
    """Of each upstream job, when the last run ended that a run of this one followed."""
    fresh_since: int = 0
    """A success of an upstream job that is older than this starts nothing by itself: it was there before."""
    pool: PoolState | None = None
