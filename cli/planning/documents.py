"""What becomes of pools, calendars, notifiers and defaults, and to which jobs that matters.

Used by `cli.planning.compare`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from cli.planning.before import Before
from cli.planning.fields import changed_fields
from cli.planning.plan import Action, DocumentPlan
from specs.desired import Desired, DesiredDocument


def plan_documents(
    before: Before, desired: Desired, defaults: Mapping[str, DesiredDocument], *, whole: bool
) -> list[DocumentPlan]:
    """By kind and name. What is named by a job and in no file any more is kept, as the daemon keeps it."""
    old = {f"{kind}:{name}": each for (kind, name), each in before.documents.items()}
    new = {f"{kind}:{name}": each for (kind, name), each in desired.documents.items()}
    if before.defaults is not None:
        old |= {f"Defaults:{path}": each for path, each in before.defaults.items()}
        new |= {f"Defaults:{path}": each for path, each in defaults.items()}
    unsound = {f"{kind}:{name}" for kind, name in desired.invalid_documents}
    differing = sorted(
        identity
        for identity in old.keys() | new.keys()
        if identity not in unsound and _digest(old.get(identity)) != _digest(new.get(identity))
    )
    if not whole:
        differing = [identity for identity in differing if identity in new]
    if not differing:
        return []
    users = _users(before, desired, differing)
    return [_plan(identity, old.get(identity), new.get(identity), users.get(identity, ())) for identity in differing]


def touching(documents: Iterable[DocumentPlan]) -> dict[str, tuple[str, ...]]:
    """By job, the documents that change for it."""
    found: dict[str, tuple[str, ...]] = {}
    for document in documents:
        for job in document.jobs:
            found[job] = (*found.get(job, ()), document.identity)
    return found


def _digest(document: DesiredDocument | None) -> str | None:
    return None if document is None else document.digest


def _plan(
    identity: str, old: DesiredDocument | None, new: DesiredDocument | None, users: tuple[str, ...]
) -> DocumentPlan:
    place = new or old
    assert place is not None
    kind, _, name = identity.partition(":")
    action: Action = "create" if old is None else "change" if new is not None else "keep" if users else "prune"
    before = None if old is None else orjson.loads(old.spec)
    after = None if new is None else orjson.loads(new.spec)
    return DocumentPlan(
        kind=kind,
        name=name,
        action="prune" if kind == "Defaults" and new is None else action,
        path=place.path,
        line=place.line,
        old=before,
        new=after,
        fields=changed_fields(before, after) if before is not None and after is not None else (),
        jobs=users,
    )


def _users(before: Before, desired: Desired, differing: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By document, the jobs that name it, or are below its folder. Reads the specs of those that may name one only."""
    wanted = set(differing)
    found: dict[str, list[str]] = {identity: [] for identity in wanted}
    folders = {each: each.partition(":")[2].rpartition("/")[0] for each in wanted if each.startswith("Defaults:")}
    for identity, job in sorted(desired.jobs.items()):
        for document, folder in folders.items():
            if not folder or job.path.startswith(f"{folder}/"):
                found[document].append(identity)
        for document in _named(job.spec) & wanted:
            found[document].append(identity)
    for identity in desired.invalid:  # what was applied last goes on, and may name one
        was = before.jobs.get(identity)
        for document in (set() if was is None else _named(was.spec)) & wanted:
            found[document].append(identity)
    return {document: tuple(sorted(jobs)) for document, jobs in found.items()}


def _named(spec: bytes) -> set[str]:
    if b'"pool":' not in spec and b'"calendar":' not in spec and b'"notify":' not in spec:
        return set()
    fields = orjson.loads(spec)
    calendar = fields.get("calendar") or ()
    named = {f"Calendar:{each}" for each in ((calendar,) if isinstance(calendar, str) else calendar)}
    for rule in fields.get("notify", ()):
        named |= {f"Notifier:{each}" for each in ([rule["to"]] if isinstance(rule["to"], str) else rule["to"])}
    return named | ({f"Pool:{fields['pool']}"} if fields.get("pool") else set())
