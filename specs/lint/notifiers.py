"""JOB079: a Notifier that no job names. Called by those who lint a whole folder, or a file beside it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import orjson

from specs.desired import DesiredDocument, DesiredJob
from specs.diagnostic import Diagnostic, Severity
from specs.document import Document

KIND = "Notifier"


def notifier_findings(
    documents: Iterable[DesiredDocument],
    jobs: Iterable[DesiredJob],
    document_of: Callable[[DesiredDocument], Document | None],
) -> list[Diagnostic]:
    """The warnings about notifiers among `documents`.

    Args:
        jobs: every sound job there is. Without any nothing is told: it is not known who would name one.
        document_of: as the file has it; None when it cannot be read any more.
    """
    notifiers = [each for each in documents if each.kind == KIND]
    every = list(jobs) if notifiers else []
    if not every:
        return []
    named = {name for job in every for name in _named(job.spec)}
    found = []
    for each in notifiers:
        document = None if each.name in named else document_of(each)
        if document is not None:
            found.append(
                document.finding(
                    "JOB079",
                    f"no job names Notifier `{each.name}`: nobody is told anything by it",
                    ("name",),
                    help=f"write `notify: [{{to: {each.name}}}]` into a job, or into the folder's Defaults for all",
                    severity=Severity.WARNING,
                )
            )
    return found


def _named(spec: bytes) -> Iterable[str]:
    """The notifiers of a job; most have none, and are not read."""
    if b'"notify"' not in spec:
        return
    for rule in orjson.loads(spec).get("notify") or ():
        to = rule["to"]
        yield from [to] if isinstance(to, str) else to
