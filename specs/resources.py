"""The documents that jobs share: is a `Pool` or a `Calendar` sound, and what is its canonical form.

Called by `specs.load` for each such document of a file. Opens nothing; whether a job names one that exists is asked in
`specs.references`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from specs.calendar import compile_calendar
from specs.canonical import digest_of
from specs.desired import DesiredDocument
from specs.diagnostic import Diagnostic
from specs.document import Document, Loc
from specs.expression import ScheduleError
from specs.fields import parse_name
from specs.findings import findings_of
from specs.kinds import Calendar, Pool

RESOURCES: dict[str, type[Pool] | type[Calendar]] = {"Pool": Pool, "Calendar": Calendar}


def is_resource(value: Mapping[str, Any]) -> bool:
    """Whether a document says that it is one."""
    kind = value.get("kind")
    return isinstance(kind, str) and kind in RESOURCES


def names_resource(identity: str) -> bool:
    """Whether an identity is `Kind:name`, not a job's `project/name`."""
    return ":" in identity


def resource_identity(value: Mapping[str, Any]) -> str | None:
    """`Kind:name` of a document that may be otherwise wrong; None when it has no name."""
    try:
        return f"{value['kind']}:{parse_name(value.get('name'))}"
    except ValueError:
        return None


def check_resource(document: Document, default_timezone: str) -> tuple[DesiredDocument | None, list[Diagnostic]]:
    """The canonical document (None when it has errors), and all findings."""
    model = RESOURCES[document.value["kind"]]
    try:
        checked = model.model_validate(document.value)
    except ValidationError as error:
        return None, findings_of(error, document, model)
    if isinstance(checked, Calendar) and (found := _calendar_findings(checked, document, default_timezone)):
        return None, found
    spec = orjson.dumps(checked.model_dump(mode="json", by_alias=True), option=orjson.OPT_SORT_KEYS)
    path, line = document.source.path, document.line
    return DesiredDocument(checked.kind, checked.name, spec, digest_of(spec), path, line), []


def _calendar_findings(calendar: Calendar, document: Document, default_timezone: str) -> list[Diagnostic]:
    try:
        compile_calendar(calendar, default_timezone)
    except ScheduleError as error:
        loc: Loc = (error.field, *error.loc)
        code = "JOB042" if error.field == "timezone" else "JOB045"
        whole = error.start is None or error.end is None
        place = document.place(loc) if whole else document.place_within(loc, error.start or 0, error.end or 0)
        return [document.source.finding(code, error.message, place, help=error.help)]
    return []
