"""A plan as data: `plan -o json`. Keys are camelCase and only added to; secrets are masked. Pure.

Every key is there, null where there is nothing to say. Of a field `change` tells whether null is a value or none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from cli.planning.fields import MISSING, FieldChange, Path, Step, said_fields
from cli.planning.plan import ACTIONS, Coming, DocumentPlan, JobPlan, Origin, Plan, Spec
from cli.planning.words import night_words
from specs.diagnostic import Diagnostic
from specs.nights import Night
from specs.render import as_dict
from specs.zones import find_zone
from status.words.instants import rfc3339
from status.words.masking import masked, masked_pair

View = dict[str, Any]


def plan_view(plan: Plan) -> View:
    """Everything but the jobs, which are the `items`."""
    return {
        "at": rfc3339(plan.at),
        "before": origin_view(plan.before),
        "after": origin_view(plan.after),
        "summary": summary_view(plan),
        "differs": plan.differs,
        "documents": [document_view(each) for each in plan.documents],
        "touched": [job_view(each) for each in plan.touched],
        "errors": [_finding(each) for each in plan.errors],
        "notes": list(plan.notes),
    }


def summary_view(plan: Plan) -> View:
    """How many of each."""
    counts: View = {action: plan.counts.get(action, 0) for action in ACTIONS}
    return {**counts, "unchanged": plan.unchanged, "errors": len(plan.errors), "newErrors": plan.new_errors}


def origin_view(origin: Origin) -> View:
    """A side of the comparison."""
    return {"kind": origin.kind, "name": origin.name, "revision": origin.revision}


def shown_fields(plan: JobPlan | DocumentPlan) -> list[tuple[str, Any, Any]]:
    """Name, old and new value of each field that differs, masked. `MISSING` where there is none."""
    named = {change.path[0] for change in plan.fields}
    old, new = masked_pair(_only(plan.old, named), _only(plan.new, named))
    return [(change.name, _at(old, change.path), _at(new, change.path)) for change in plan.fields]


def _only(spec: Spec | None, names: Collection[Step]) -> Spec | None:
    """The fields that are shown: masking thousands of specs whole takes longer than planning them."""
    return None if spec is None else {name: value for name, value in spec.items() if name in names}


def told_fields(plan: JobPlan) -> list[tuple[str, Any, Any]]:
    """For people: of a new job what it says; of a renamed one not that its name differs."""
    if plan.action == "create" and plan.new is not None:
        new = masked(plan.new)
        return [(change.name, MISSING, _at(new, change.path)) for change in said_fields(plan.new)]
    hidden = ("name", "project", "renamed_from") if plan.action == "rename" else ()
    return [field for field in shown_fields(plan) if field[0] not in hidden]


def _at(spec: Any, path: Path) -> Any:
    for step in path:
        try:
            spec = spec[step]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return spec


def _fields_view(plan: JobPlan | DocumentPlan) -> list[View]:
    views: list[View] = []
    for change, (_, old, new) in zip(plan.fields, shown_fields(plan), strict=True):
        values = {side: None if value is MISSING else value for side, value in (("old", old), ("new", new))}
        views.append({"path": change.name, "change": _word(change), **values})
    return views


def _word(change: FieldChange) -> str:
    return "added" if change.old is MISSING else "removed" if change.new is MISSING else "changed"


def document_view(plan: DocumentPlan) -> View:
    """A pool, a calendar, or a folder's defaults."""
    view: View = {
        "kind": plan.kind, "name": plan.name, "action": plan.action, "path": plan.path, "line": plan.line,
        "fields": _fields_view(plan), "jobs": list(plan.jobs),
    }  # fmt: skip
    return view | _whole(plan.old, plan.new)


def _whole(old: Spec | None, new: Spec | None) -> View:
    """The spec of what is new, or goes; of what stays the fields tell."""
    spec = None if old is not None and new is not None else new if new is not None else old
    return {"spec": None if spec is None else masked(spec)}


def job_view(plan: JobPlan) -> View:
    """One job."""
    again = plan.reanchor
    view: View = {
        "job": plan.identity,
        "action": plan.action,
        "path": plan.path,
        "line": plan.line,
        "renamedFrom": plan.was,
        "fields": _fields_view(plan),
        "reanchored": None,
        "pause": plan.pause,
        "next": {"before": _coming(plan.before), "after": _coming(plan.after)},
        "nights": [_night(each) for each in plan.nights],
        "touchedBy": list(plan.touched_by),
        "findings": [_finding(each) for each in plan.findings],
        "notes": list(plan.notes),
    }
    if again is not None:
        view["reanchored"] = {"why": list(again.why), "gridStartsAnew": again.grid, "startsAgain": again.restarts}
    return view | _whole(plan.old, plan.new)


def _coming(coming: Coming | None) -> View | None:
    if coming is None:
        return None
    zone = find_zone(coming.timezone)
    instants = [
        {
            "at": rfc3339(instant.start),
            "slot": rfc3339(instant.slot),
            "local": zone.local(instant.start).isoformat(),
            "same": instant.same,
        }
        for instant in coming.instants
    ]
    note = coming.note or None
    return {"schedule": coming.words, "timezone": coming.timezone, "instants": instants, "note": note}


def _night(night: Night) -> View:
    return {
        "at": rfc3339(night.at),
        "timezone": night.timezone,
        "kind": night.kind,
        "first": f"{night.first // 60:02}:{night.first % 60:02}",
        "times": night.times,
        "effect": night.effect,
        "message": night_words(night),
    }


def _finding(finding: Diagnostic) -> View:
    """Without the line of the file, which may hold a secret in clear."""
    return {key: value for key, value in as_dict(finding).items() if key != "sourceLine"}
