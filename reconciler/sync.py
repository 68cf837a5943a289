"""What a look at the files changes: created, configured, restored, broken, missing, pruned. Pure.

Called by `reconciler.adopt_look`; works on the identities that changed only, so a change costs what it is.

A file's mistake keeps the last good job (`problem`); a job that no file names is first `missing`, and pruned (archived)
when a later look, `prune_grace` afterwards, still does not find it and the guard lets it go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from typing import NamedTuple, Protocol

import orjson

from specs.desired import Desired, DesiredJob
from specs.diagnostic import Diagnostic
from specs.frozen import frozen


class Change(StrEnum):
    """What happened to one identity in this look; the words `jobsctl apply` prints."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    """The same job; its place in the files, or what was wrong about it, may have changed."""
    RESTORED = "restored"
    RENAMED = "renamed"
    """The job of another identity, which no file names any more; its history comes along."""
    INVALID = "invalid"
    MISSING = "missing"
    PRUNED = "pruned"


class JobChange(NamedTuple):
    """One identity's change. `job` is set where a file defines it, `findings` where a file is wrong about it.

    A named tuple: a start makes 10,000, and a frozen dataclass sets each field by a call.
    """

    identity: str
    change: Change
    job: DesiredJob | None = None
    findings: tuple[Diagnostic, ...] = ()
    renamed_from: str | None = None
    """The identity that it had."""


@frozen
class PrunePolicy:
    """When absence means deletion."""

    grace: int = 2_000_000
    """Microseconds between the first and the deciding look without the job."""
    jobs: int = 3
    """This many may always go in one look ..."""
    share: float = 0.3
    """... and this share of all jobs."""


@frozen
class SyncPlan:
    """All changes of one look."""

    changes: tuple[JobChange, ...] = ()
    prune_blocked: tuple[str, ...] = ()
    """Identities the guard keeps, sorted."""
    look_again_at: int | None = None
    """When the earliest missing job may be pruned."""
    counts: Mapping[Change, int] = field(default_factory=dict)


class Known(Protocol):
    """What is known of one job: `reconciler.table.Entry`."""

    digest: str
    path: str
    line: int
    archived: bool
    missing_since: int | None
    has_problem: bool

    @property
    def kept(self) -> bool: ...

    @property
    def identity(self) -> str: ...


class Jobs(Protocol):
    """The known jobs: `reconciler.table.JobTable`."""

    def by_identity(self, identity: str) -> Known | None: ...


def plan_sync(
    jobs: Jobs,
    desired: Desired,
    *,
    candidates: Iterable[str],
    live: int,
    now: int,
    policy: PrunePolicy,
    confirmed: bool = False,
    wanted_gone: frozenset[str] = frozenset(),
) -> SyncPlan:
    """The changes for `candidates`: the identities that changed or went, and those missing since an earlier look.

    Args:
        candidates: each once.
        live: jobs not archived, before this look: what the guard's share is of.
        confirmed: `--confirm-prune` was given: the guard is lifted for this look.
        wanted_gone: identities somebody asked to delete: neither grace nor guard.
    """
    changes: list[JobChange] = []
    absent: list[str] = []
    by_identity, defined, invalid = jobs.by_identity, desired.jobs, desired.invalid
    entries: dict[str, Known | None] = {}
    for identity in candidates:  # 10,000 at a start, nearly all unchanged: no call for each that can be left out
        known, job = by_identity(identity), defined.get(identity)
        if job is None or known is None or known.digest != job.digest or known.archived or identity in invalid:
            entries[identity] = known
        else:
            changes.append(JobChange(identity, Change.UNCHANGED, job))
    same = len(changes)
    renamed = dict(_renamed(jobs, desired, (identity for identity, known in entries.items() if known is None)))
    gone = set(renamed.values())
    look_again: list[int] = []
    for identity in sorted(entries.keys() - gone):
        known, job = entries[identity], defined.get(identity)
        if findings := invalid.get(identity, ()):
            if known is not None and not known.archived:
                changes.append(JobChange(identity, Change.INVALID, findings=findings))
        elif identity in renamed:
            changes.append(JobChange(identity, Change.RENAMED, job, renamed_from=renamed[identity]))
        elif job is not None:
            changes.append(JobChange(identity, _change_of(known), job))
        elif known is None or known.archived or known.path in desired.unreadable_paths:
            continue
        elif identity in wanted_gone:
            changes.append(JobChange(identity, Change.PRUNED))
        elif known.kept:
            if known.missing_since is None:
                changes.append(JobChange(identity, Change.MISSING))
        elif known.missing_since is None or now - known.missing_since < policy.grace:
            since = now if known.missing_since is None else known.missing_since
            look_again.append(since + policy.grace)
            if known.missing_since is None:
                changes.append(JobChange(identity, Change.MISSING))
        else:
            absent.append(identity)
    empty = desired.problem is not None or desired.files == 0
    allowed = 0 if empty else max(policy.jobs, int(live * policy.share))
    blocked: tuple[str, ...] = ()
    if confirmed and desired.problem is None:
        allowed = len(absent)
    if len(absent) <= allowed:
        changes += [JobChange(identity, Change.PRUNED) for identity in absent]
    else:
        blocked = tuple(absent)
    counts = Counter(change.change for change in changes[same:])
    if same:
        counts[Change.UNCHANGED] = same
    return SyncPlan(tuple(changes), blocked, min(look_again, default=None), counts)


def _renamed(jobs: Jobs, desired: Desired, new: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(new, old) identities of jobs that are new, and say which known job that no file names any more they were."""
    for identity in new:
        job = desired.jobs.get(identity)
        if job is None or (old := former_identity(job)) is None:
            continue
        if jobs.by_identity(old) is not None and old not in desired.jobs and old not in desired.invalid:
            yield identity, old


def former_identity(job: DesiredJob) -> str | None:
    """What its `renamed_from` says."""
    if b'"renamed_from"' not in job.spec:
        return None
    named: str = orjson.loads(job.spec)["renamed_from"]
    return named if "/" in named else f"{job.project}/{named}"


def _change_of(known: Known | None) -> Change:
    """Of a job that is not as it was."""
    if known is None:
        return Change.CREATED
    return Change.RESTORED if known.archived else Change.CONFIGURED
