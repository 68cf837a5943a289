"""What a plan says besides the fields: of the whole, of jobs that go and of jobs that stay. No final full stops.

Called by `cli.planning.compare`. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cli.planning.before import Before, Was
from cli.planning.effects import Held, is_behind
from cli.planning.plan import JobPlan
from reconciler.sync import PrunePolicy
from specs.desired import Desired


def plan_notes(before: Before, desired: Desired, jobs: Collection[JobPlan], guard: PrunePolicy) -> Iterable[str]:
    """Of the whole."""
    if before.origin.kind == "nothing":
        yield "nothing was applied yet: every job is new"
    if desired.problem is not None:
        yield f"{desired.problem}; while it is so, the daemon keeps what runs"
    if any(job.action == "hold" for job in jobs):
        why = (
            "the specs directory is missing or empty"
            if desired.files == 0 or desired.problem
            else (f"more than {guard.jobs} jobs and {guard.share:.0%} of all would go at once")
        )
        yield f"the prune guard holds jobs back: {why}; `jobsctl apply --confirm-prune` lets them go, once"
    if before.origin.kind in ("revision", "directory") and any(job.reanchor and job.reanchor.grid for job in jobs):
        yield "grids of intervals are counted from when they are applied: instants of theirs are as if that were now"


def going_notes(plan: JobPlan, was: Was | None, old: Held | None) -> Iterable[str]:
    """Of a job that is in no file any more."""
    if plan.action == "keep":
        yield "no file defines it any more; it stays, because it says `prune: false`"
    if plan.action == "invalid" or was is None or old is None:
        return
    active = 0 if was.record is None else was.record.active_runs
    cancels = old.policy.cancel_on_delete
    if plan.action == "prune":
        runs = "an active run" if was.record is None else f"{active} active run" + ("" if active == 1 else "s")
        if was.record is None or active:
            yield f"{runs} will be cancelled (`on_delete: cancel`)" if cancels else f"{runs} will go on to the end"
        yield "its history stays, until retention or `jobsctl delete --purge`"


def staying_notes(
    plan: JobPlan, old: Held | None, new: Held, now: int, *, restored: bool, broken: bool
) -> Iterable[str]:
    """Of a job that a file defines: what becomes of its runs, of a pause by hand, of slots that have passed.

    Args:
        restored: it was archived.
        broken: a file named it before, and did not define it soundly.
    """
    if restored:
        yield "it was archived: it comes back with its history"
    elif old is None and broken:
        yield "its file had errors before: what ran then is not known"
    record = new.record
    if record.suspended_at is not None:
        yield "it is suspended by `jobsctl suspend`, and stays so until `jobsctl resume`"
    if old is None:
        return
    if old.record.active_runs and plan.action in ("change", "rename"):
        count = old.record.active_runs
        runs = "1 active run goes" if count == 1 else f"{count} active runs go"
        yield f"{runs} on under the spec {'it' if count == 1 else 'they'} started with"
    if old.record.repeat_done and not record.repeat_done and new.policy.repeat is not None:
        yield f"`repeat` is counted anew: {old.record.repeat_done} of {new.policy.repeat} were done"
    if not restored and is_behind(old, now):
        if is_behind(new, now):
            yield "a slot has passed that no daemon has seen: it is caught up as `missed` says, not by this edit"
        else:
            yield "a slot has passed that no daemon has seen: it is not caught up, the schedule starts anew"
