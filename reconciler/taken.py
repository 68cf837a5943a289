"""Leaving out of a plan what has happened already. Called by `reconciler.act` when the database refused a slot.

A slot that is decided on a second time (a clock set back by hours, a schedule edited in such an hour, a restored
database) has its row: that is the lock. The other slots of the same plan must not be lost with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.plan import Action, FailRun, Plan, SkipSlots, StartRun, WaitRun
from specs.timing import Timing


def without_taken(plan: Plan, timing: Timing, is_taken: Callable[[int], bool]) -> Plan:
    """The plan without the slots that have a row of their own. `is_taken` is asked for each instant that would be
    one."""
    kept: list[Action] = []
    dropped = 0
    for action in plan.actions:
        if isinstance(action, SkipSlots):
            if (rest := _shortened(action, timing, is_taken)) is not None:
                kept.append(rest)
        elif isinstance(action, StartRun | WaitRun | FailRun) and action.slot is not None and is_taken(action.slot):
            dropped += 1
        else:
            kept.append(action)
    done = None if plan.repeat_done is None else plan.repeat_done - dropped
    return replace(plan, actions=tuple(kept), repeat_done=done)


def _shortened(skip: SkipSlots, timing: Timing, is_taken: Callable[[int], bool]) -> SkipSlots | None:
    """A skip is stored under its last slot: it ends before those that are taken."""
    while is_taken(skip.last):
        last = timing.before(skip.last - 1, skip.first - 1)
        if skip.count == 1 or last is None:
            return None
        skip = replace(skip, last=last, count=skip.count - 1)
    return skip
