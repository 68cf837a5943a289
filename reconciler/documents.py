"""Pools and calendars: from documents of the files to what deciding is told. Called by `looking` and `recovery`.

A document that is invalid now keeps its last good version; one that went is kept as long as a job names it. Notifiers
are stored for the notify process, and deciding is told nothing of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from reconciler.finishing import wake
from reconciler.world import World
from specs.calendar import JobCalendar, compile_calendar
from specs.desired import Desired
from specs.stored import StoredCalendar, StoredJob
from state.records import DocumentRecord


@dataclass(frozen=True, slots=True)
class DocumentChanges:
    """What a look changes."""

    put: tuple[DocumentRecord, ...] = ()
    removed: tuple[tuple[str, str], ...] = ()


def changed_documents(world: World, desired: Desired, now: int) -> DocumentChanges:
    """What is to be stored so that the documents are as the files have them."""
    if desired.problem is not None or not (desired.documents_changed or not world.looked or world.spare_documents):
        return DocumentChanges()
    put = tuple(
        DocumentRecord(
            kind=each.kind,
            name=each.name,
            spec=each.spec,
            digest=each.digest,
            path=each.path,
            line=each.line,
            revision=desired.revision_of(each.identity),
            applied_at=now,
        )
        for key, each in sorted(desired.documents.items())
        if (known := world.documents.get(key)) is None
        or (known.digest, known.path, known.line) != (each.digest, each.path, each.line)
    )
    gone = {
        key
        for key, known in world.documents.items()
        if key not in desired.documents
        and key not in desired.invalid_documents
        and known.path not in desired.unreadable_paths
    }
    kept = gone & _named(world) if gone else gone
    world.spare_documents = bool(kept)
    return DocumentChanges(put, tuple(sorted(gone - kept)))


def _named(world: World) -> set[tuple[str, str]]:
    named: set[tuple[str, str]] = set()
    for entry in world.jobs:
        if entry.archived:
            continue
        named |= {("Calendar", name) for name in entry.policy.calendars}
        if entry.policy.pool is not None:
            named.add(("Pool", entry.policy.pool))
        if b'"notify":[' in entry.spec:
            named |= {("Notifier", name) for rule in StoredJob.of(entry.spec).notify for name in rule.to}
    return named


def apply_documents(world: World, changes: DocumentChanges, now: int) -> None:
    """After the commit: what jobs share is as it is stored; those whom it concerns are decided on."""
    for record in changes.put:
        define(world, record)
    for kind, name in changes.removed:
        del world.documents[kind, name]
        if kind == "Pool":
            world.pools.resize(name, 0)
        elif kind == "Calendar":
            world.set_calendar(name, None)
    for record in changes.put:
        if record.kind == "Pool":
            wake(world, world.pools.call(record.name, now), now)
        elif record.kind == "Calendar":
            wake(world, [entry.id for entry in world.jobs if record.name in entry.policy.calendars], now)


def define(world: World, record: DocumentRecord) -> None:
    """Take over one stored document."""
    world.documents[record.kind, record.name] = record
    if record.kind == "Pool":
        world.pools.resize(record.name, orjson.loads(record.spec)["slots"])
    elif record.kind == "Calendar":
        calendar = StoredCalendar.of(record.spec)
        times = compile_calendar(calendar, world.jobs.default_timezone)
        world.set_calendar(record.name, JobCalendar(record.name, calendar.mode, calendar.action, times))
