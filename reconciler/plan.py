"""What `decide` answers: a plan, as plain data, that `apply` carries out without thinking."""

from __future__ import annotations

from collections.abc import Mapping

from specs.frozen import frozen
from state.records import Reason, RunState, Trigger


@frozen
class StartRun:
    """Make a run for this slot and hand it to the runner."""

    slot: int | None
    trigger: Trigger
    reason: Reason = Reason.DUE
    upstream: Mapping[str, str] | None = None
    """Identity to run id of what it follows."""


@frozen
class WaitRun:
    """Make a run for this slot that waits: `blocked`."""

    slot: int | None
    trigger: Trigger
    reason: Reason
    """One of `WAIT_REASONS`."""
    not_before: int | None = None
    message: str | None = None
    """For people: what for."""
    upstream: Mapping[str, str] | None = None


@frozen
class FailRun:
    """Make a run for this slot that fails without being started."""

    slot: int
    trigger: Trigger
    reason: Reason
    message: str


@frozen
class ReleaseRun:
    """Hand a blocked run to the runner."""

    run_id: str
    upstream: Mapping[str, str] | None = None
    reason: Reason = Reason.DUE


@frozen
class KeepWaiting:
    """A blocked run waits for something else than before."""

    run_id: str
    reason: Reason
    not_before: int | None = None
    message: str | None = None


@frozen
class EndRun:
    """A blocked run ends without being started."""

    run_id: str
    state: RunState
    reason: Reason
    message: str


@frozen
class StopRun:
    """A run that was handed over is to be stopped."""

    run_id: str
    reason: Reason


@frozen
class SkipSlots:
    """Record `count` slots from `first` to `last` as not run, with the reason."""

    first: int
    last: int
    count: int
    reason: Reason
    message: str | None = None


Action = StartRun | WaitRun | FailRun | ReleaseRun | KeepWaiting | EndRun | StopRun | SkipSlots


@frozen
class Plan:
    """The actions, in order, and where the schedule stands after them."""

    reason: Reason
    actions: tuple[Action, ...] = ()
    cursor_at: int | None = None
    """New watermark: every slot at or before it is accounted for by the actions or earlier ones. None: unchanged."""
    next_at: int | None = None
    """When the next slot starts; None: never, until the spec or another job changes something."""
    wake_at: int | None = None
    """When to decide again, at the latest."""
    boot_id: str | None = None
    """The boot for which `@reboot` is now accounted for; None: unchanged."""
    completed: bool = False
    """Nothing will start by itself any more."""
    repeat_done: int | None = None
    """None: unchanged."""
    consumed: Mapping[str, int] | None = None
    """Ends of upstream jobs that are followed now: identity to instant. None: unchanged."""
