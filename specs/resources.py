"""The documents jobs share: is a `Pool`, `Calendar`, `Notifier` or `Defaults` sound, and what is its canonical form?

Called by `specs.load` for each such document of a file. Opens nothing; whether a job names one that exists is asked in
`specs.references`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
from pydantic import ValidationError

from specs import unbuilt
from specs.calendar import compile_calendar
from specs.canonical import digest_of
from specs.defaults import NOT_DEFAULTS, merged
from specs.desired import DesiredDocument
from specs.diagnostic import Diagnostic, Severity
from specs.document import Document, Loc
from specs.expression import ScheduleError
from specs.findings import findings_of
from specs.kinds import Calendar, Defaults, Pool
from specs.model import Job
from specs.notation import parse_name
from specs.notifiers import Notifier
from specs.quiet import compile_digest, compile_quiet
from specs.rules import schedule_findings
from specs.secrets import Secret, secret_in_address
from specs.template import wrong_places
from specs.zones import find_zone

RESOURCES: dict[str, type[Pool] | type[Calendar] | type[Notifier]] = {
    "Pool": Pool,
    "Calendar": Calendar,
    "Notifier": Notifier,
}


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
    found = []
    if isinstance(checked, Notifier):
        found = list(_notifier_findings(checked, document, default_timezone))
        if any(each.severity is Severity.ERROR for each in found):
            return None, sorted(found, key=lambda each: (each.line, each.column))
    spec = orjson.dumps(checked.model_dump(mode="json", by_alias=True), option=orjson.OPT_SORT_KEYS)
    path, line = document.source.path, document.line
    return DesiredDocument(checked.kind, checked.name, spec, digest_of(spec), path, line), found


def _calendar_findings(calendar: Calendar, document: Document, default_timezone: str) -> list[Diagnostic]:
    try:
        compile_calendar(calendar, default_timezone)
    except ScheduleError as error:
        loc: Loc = (error.field, *error.loc)
        code = "JOB042" if error.field == "timezone" else "JOB045"
        span = None if error.start is None or error.end is None else (error.start, error.end)
        return [document.finding(code, error.message, loc, span=span, help=error.help)]
    return []


def _notifier_findings(notifier: Notifier, document: Document, default_timezone: str) -> Iterator[Diagnostic]:
    zone = notifier.timezone or default_timezone
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("JOB042", lambda: find_zone(zone)),
        ("JOB049", lambda: notifier.quiet_hours and compile_quiet(notifier.quiet_hours, zone)),
        ("JOB040", lambda: notifier.digest and compile_digest(notifier.digest, zone, notifier.name)),
    )
    for code, check in checks:
        try:
            check()
        except ScheduleError as error:
            loc: Loc = ("timezone",) if code == "JOB042" else (error.field, *error.loc)
            span = None if error.start is None or error.end is None else (error.start, error.end)
            yield document.finding(code, error.message, loc, span=span, help=error.help)
            if code == "JOB042":
                return
    for index, url in enumerate(notifier.urls):
        if isinstance(url, str) and (secret := secret_in_address(url)) is not None:
            yield _secret_finding(document, ("urls", index), secret)
    for part in ("title", "body") if notifier.template is not None else ():
        for span, message, help in wrong_places(getattr(notifier.template, part) or ""):
            yield document.finding("JOB048", message, ("template", part), span=span, help=help)


def _secret_finding(document: Document, loc: Loc, secret: Secret) -> Diagnostic:
    """As the lint tells it of a job (`specs.lint.clear`); the line is shown without it."""
    found = document.finding(
        "JOB074",
        f"the address holds {secret.what} in clear",
        loc,
        span=(secret.start, secret.end),
        help="write `{from_file: PATH}` (or `from_env`, `credential`), and change the secret: it stays in the history",
        severity=Severity.WARNING,
    )
    line, start = found.source_line or "", found.column - 1
    end = len(line) if found.end_column is None else found.end_column - 1
    return replace(found, source_line=f"{line[:start]}{'*' * (end - start)}{line[end:]}")


def check_defaults(document: Document, default_timezone: str) -> tuple[DesiredDocument | None, list[Diagnostic]]:
    """The values of a `Defaults` document (None when it has errors), and all findings.

    Its values are tried in a job that says nothing else, so that a wrong one is told once, here, and not of each job.
    """
    try:
        given = Defaults.model_validate(document.value).job
    except ValidationError as error:
        return None, findings_of(error, document, Defaults)
    inner = Document(document.source, given, document.marks[1]["job"][1], document.sound)
    found = [
        inner.finding("JOB055", f"`{name}` cannot be a default: {why}", (name,), at_key=True, help="remove it")
        for name, why in NOT_DEFAULTS.items()
        if name in given
    ]
    found += unbuilt_findings(inner, None)
    refused = {loc[0] for loc, _ in unbuilt.refusals(given)}
    values = {name: value for name, value in given.items() if name not in NOT_DEFAULTS and name not in refused}
    try:
        job = Job.model_validate(merged(_trial(values), values))
    except ValidationError as error:
        found += findings_of(error, inner, Job)
    else:
        found += schedule_findings(job, inner, None, default_timezone)[1]
    if any(finding.severity is Severity.ERROR for finding in found):
        return None, sorted(found, key=lambda each: (each.line, each.column))
    spec = orjson.dumps(given, option=orjson.OPT_SORT_KEYS)
    return DesiredDocument("Defaults", "", spec, digest_of(spec), document.source.path, document.line), found


def _trial(values: Mapping[str, Any]) -> dict[str, Any]:
    run = values.get("run")
    has_program = isinstance(run, dict) and ("script" in run or "command" in run)
    program = {"script": "true"} if isinstance(run, dict) and "interpreter" in run else {"command": ["true"]}
    return {"name": "trial", "run": {} if has_program else program}


def unbuilt_findings(document: Document, identity: str | None) -> list[Diagnostic]:
    """What a job's document, or defaults, name that this version does not build."""
    return [
        document.finding("JOB020", unbuilt.message(what), loc, identity=identity)
        for loc, what in unbuilt.refusals(document.value)
    ]
