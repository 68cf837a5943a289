"""What `decide` answers: a plan, as plain data, that `apply` carries out without thinking."""

from __future__ import annotations

from dataclasses import dataclass

from state.records import Reason, Trigger


@dataclass(frozen=True, slots=True)
class StartRun:
    """Make a run for this slot and hand it to the runner."""

    slot: int | None
    trigger: Trigger
    reason: Reason = Reason.DUE


@dataclass(frozen=True, slots=True)
class SkipSlots:
    """Record `count` slots from `first` to `last` as not run, with the reason."""

    first: int
    last: int
    count: int
    reason: Reason


Action = StartRun | SkipSlots


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions, in order, and where the schedule stands after them."""

    reason: Reason
    actions: tuple[Action, ...] = ()
    cursor_at: int | None = None
    """New watermark: every slot at or before it is accounted for by the actions or earlier ones. None: unchanged."""
    next_at: int | None = None
    """When to decide again; None: never, until the spec changes."""
    boot_id: str | None = None
    """The boot for which `@reboot` is now accounted for; None: unchanged."""
    completed: bool = False
    """The schedule has no further instants."""
