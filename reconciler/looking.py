"""Applying a look at the files: one transaction, then the timers. Called by the loop for each look, in order.

The cost is that of the changes: identities that neither changed nor are missing are not touched.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler import records
from reconciler.crashpoint import crashpoint
from reconciler.documents import apply_documents, changed_documents
from reconciler.ends import DELETED_BY
from reconciler.finishing import call_pools, join_queue
from reconciler.stalling import note
from reconciler.sync import Change, JobChange, SyncPlan, former_identity, plan_sync
from reconciler.table import Entry, Meaning
from reconciler.world import World, log
from specs.desired import DIRTY, Desired
from specs.policy import Policy
from specs.source import Look
from state.errors import StateError
from state.records import Event, JobRecord, Run, RunState, SourceState

SHOWN_FINDINGS = 200
"""Findings kept for readers: nobody reads more, and a broken merge can make thousands."""

EVENTS_HELD = 500
"""Events are stored in bites: those of a first look at 10,000 files would take 4 MB."""

_QUIET = frozenset({Change.UNCHANGED})
"""Changes that are no event: nothing that people follow changed."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a look did."""

    plan: SyncPlan
    look_again_at: int | None = None
    source: SourceState | None = None
    counts: Mapping[Change, int] = field(default_factory=dict)


def apply_look(
    world: World, look: Look, now: int, *, cache_version: str, last: SourceState | None, wanted_gone: frozenset[str]
) -> Applied:
    """Apply one look.

    Raises:
        StateError: the database would not take it; nothing changed, the same look can be applied again.
    """
    desired = look.desired
    if not world.looked:
        _hold_specs(world, desired)
    plan = plan_sync(
        world.jobs,
        desired,
        candidates=_candidates(world, desired) | wanted_gone,
        live=sum(not entry.archived for entry in world.jobs),
        now=now,
        policy=world.prune_policy,
        confirmed=world.confirm_prune,
        wanted_gone=wanted_gone,
    )
    source = _source_state(desired, plan, last)
    documents = changed_documents(world, desired, now)
    stored: list[Entry] = []
    events: list[Event] = []
    stopped: list[Run] = []
    failed: list[tuple[str, str]] = []
    with world.store.transaction():
        if documents.put or documents.removed:
            world.store.put_documents(documents.put, documents.removed)
        for change in plan.changes:
            try:
                if _stands(world, change, desired):
                    continue
                entry = world.jobs.by_identity(change.renamed_from or change.identity)
                old = None if entry is None else world.store.job(entry.id)
                record, meaning = _record_of(world, change, entry, old, desired, now)
            except StateError:
                raise
            except Exception as error:  # a mistake of this program about one job holds back no other
                log.exception(
                    "%s: what its file says could not be applied; what was applied last goes on", change.identity
                )
                failed.append((change.identity, f"applying its file failed: {type(error).__name__}: {error}"))
                continue
            if record is not None:
                stored.append(world.jobs.entry_of(world.store.put_job(record, before=old), meaning=meaning))
                stopped += _cancel_deleted(world, change, now)
                events += _events(change, stored[-1], now)
                if len(events) >= EVENTS_HELD:
                    world.store.add_events(events)
                    events.clear()
        world.store.add_events(events)
        if look.read or look.cache_removed:
            world.store.save_cache(cache_version, look.cache_rows(), look.cache_removed)
        if source != last:
            world.store.set_source(source)
    crashpoint("look-applied")
    apply_documents(world, documents, now)
    _remember(world, stored, plan, now, first=not world.looked)
    for identity, message in failed:
        if (entry := world.jobs.by_identity(identity)) is not None:
            note(world, entry, message, now)
    for run in stopped:
        world.live[run.id] = run
        world.runner.stop(run.id, grace=world.jobs[run.job_id].grace)
    world.confirm_prune = world.confirm_prune and desired.problem is not None
    if stored or source != last or documents.put or documents.removed:
        world.changed()
    return Applied(plan, plan.look_again_at, source, plan.counts)


def _hold_specs(world: World, desired: Desired) -> None:
    """From the first look on, starting a run reads nothing: the files' side has nearly every spec in memory."""
    for entry in world.jobs:
        if entry.archived:
            continue
        job = desired.jobs.get(entry.identity)
        if job is not None and job.digest == entry.digest:
            entry.share(job)
        else:
            entry.hold_spec()


def _candidates(world: World, desired: Desired) -> set[str]:
    candidates = set(desired.changed) | set(desired.gone) | world.missing
    if not world.looked:
        candidates |= set(desired.jobs) | set(desired.invalid)
        candidates |= {entry.identity for entry in world.jobs if not entry.archived}
    return candidates


def _stands(world: World, change: JobChange, desired: Desired) -> bool:
    """Whether nothing is different from what is stored."""
    entry = world.jobs.by_identity(change.identity)
    if change.change is not Change.UNCHANGED or entry is None or change.job is None:
        return False
    same_place = (entry.path, entry.line) == (change.job.path, change.job.line)
    dirty = entry.revision is not None and entry.revision.endswith(DIRTY)
    same_source = not dirty or desired.revision_of(entry.identity) == entry.revision
    return same_place and same_source and not entry.has_problem and entry.missing_since is None


def _record_of(
    world: World, change: JobChange, entry: Entry | None, old: JobRecord | None, desired: Desired, now: int
) -> tuple[JobRecord | None, Meaning | None]:
    """The record to store in place of `old`, or None when that is right already; and what its spec means, where that
    was asked for."""
    revision = desired.revision_of(change.identity)
    if entry is None or old is None:
        # Never seen, or archived so long ago that retention took the row with the last of its history.
        if change.job is None:
            return None, None
        schedule, policy = meaning = world.jobs.meaning_of(change.job.spec)
        record = records.created(change.job, schedule, policy, revision=revision, now=now, boot_id=world.boot.id)
        return record, meaning
    match change.change:
        case Change.CONFIGURED | Change.RESTORED | Change.RENAMED:
            assert change.job is not None
            schedule, policy = meaning = world.jobs.meaning_of(change.job.spec)
            record = records.configured(
                old,
                change.job,
                schedule,
                policy,
                before=entry.policy,
                revision=revision,
                now=now,
                boot_id=world.boot.id,
            )
            if policy.depends_on:
                record = replace(record, consumed=_still_followed(record, policy, desired))
            return record, meaning
        case Change.UNCHANGED:
            assert change.job is not None
            return records.found(old, change.job, revision=revision), None
        case Change.INVALID:
            record = records.invalid(old, change.findings, now)
            return (None if record == old else record), None
        case Change.MISSING:
            return records.missing(old, now), None
        case Change.PRUNED:
            return records.archived(old, now), None
        case Change.CREATED:
            raise AssertionError("created above")


def _still_followed(record: JobRecord, policy: Policy, desired: Desired) -> Mapping[str, int]:
    """What runs of the job have followed; of an upstream job that was renamed, under its new name too."""
    found = dict(record.consumed)
    for upstream in policy.depends_on:
        job = desired.jobs.get(upstream.identity)
        former = None if job is None or upstream.identity in found else former_identity(job)
        if former in found:
            found[upstream.identity] = found[former]
    return found


def _events(change: JobChange, entry: Entry, now: int) -> list[Event]:
    if change.change in _QUIET:
        return []
    message = f"{change.change} from {entry.path}:{entry.line}, generation {entry.generation}"
    if change.change is Change.RENAMED:
        message = f"renamed from {change.renamed_from} in {entry.path}:{entry.line}; its history came along"
    if change.change is Change.INVALID:
        message = f"{change.findings[0]}; the last good spec (generation {entry.generation}) goes on"
        log.warning("%s: %s", change.identity, message)
    elif change.change is Change.MISSING:
        message = f"{entry.path} no longer defines it"
    elif change.change is Change.PRUNED:
        message = "archived: no file defines it any more; its history stays"
        log.info("%s: %s", change.identity, message)
    kind = "Warning" if change.change is Change.INVALID else "Normal"
    return [Event(at=now, job_id=entry.id, run_id=None, type=kind, reason=change.change, message=message)]


def _remember(world: World, stored: list[Entry], plan: SyncPlan, now: int, *, first: bool) -> None:
    for entry in stored:
        world.jobs.keep(entry)
        if not first:
            world.timers.set(entry.id, _due_at(world, entry.id, entry.next_at, now))
        for run_id in entry.waiting or ():
            join_queue(world, world.live[run_id])
    if any(entry.waiting for entry in stored):
        call_pools(world, world.pools.names(), now)  # one that has left a queue may have had its turn
    for change in plan.changes:
        if change.change is Change.MISSING:
            world.missing.add(change.identity)
        else:
            world.missing -= {change.identity, change.renamed_from}
    if first:
        known: dict[tuple[int, int, int], int | None] = {}
        world.looked = True
        gc.freeze()  # what 10,000 jobs consist of stays: walking over it again and again would hold up starts by 50 ms
        for entry in world.jobs:
            world.timers.set(entry.id, _due_at(world, entry.id, _upcoming(entry, known), now))


def _cancel_deleted(world: World, change: JobChange, now: int) -> list[Run]:
    """`on_delete: cancel`: what runs of a job that is pruned is to be stopped; what waits ends by being decided on."""
    entry = world.jobs.by_identity(change.identity)
    if change.change is not Change.PRUNED or entry is None or not entry.policy.cancel_on_delete:
        return []
    runs = [run for run in world.live.values() if run.job_id == entry.id and run.state is not RunState.BLOCKED]
    return [world.store.request_cancel(run.id, DELETED_BY, now) for run in runs]


def _upcoming(entry: Entry, known: dict[tuple[int, int, int], int | None]) -> int | None:
    """The next slot. `known`: what was found before; most jobs share a schedule and where it stands with others."""
    if entry.archived:
        return None
    key = (id(entry.schedule), entry.cursor_at, entry.anchor_at)
    if key not in known:
        known[key] = entry.schedule.next_after(entry.cursor_at, anchor=entry.anchor_at)
    return known[key]  # of a plain job; the others are decided on at once


def _due_at(world: World, job_id: int, upcoming: int | None, now: int) -> int | None:
    """When to decide on a job: at its next slot; at once when this boot's `@reboot` is not accounted for."""
    entry = world.jobs[job_id]
    if entry.archived:
        return None if entry.waiting is None else now
    if not entry.is_plain:
        return now  # what its runs wait for, or follow, may have changed
    if entry.cursor_at > now:
        return now  # the clock was set back while no daemon ran
    if entry.schedule.reboot and entry.boot_id != world.boot.id:
        return now
    return upcoming


def _source_state(desired: Desired, plan: SyncPlan, last: SourceState | None) -> SourceState:
    findings = tuple(records.as_data(finding) for finding in desired.diagnostics[:SHOWN_FINDINGS])
    state = SourceState(
        root=desired.root,
        revision=desired.revision,
        scanned_at=desired.scanned_at if last is None else last.scanned_at,
        files=desired.files,
        jobs=len(desired.jobs),
        invalid=len(desired.invalid),
        problem=desired.problem,
        prune_blocked=plan.prune_blocked,
        diagnostics=findings,
    )
    return state if last is not None and state == last else replace(state, scanned_at=desired.scanned_at)
