"""The spec of a job as its page shows it: the lines of its file, or the stored spec where the file says another thing.

Secrets that somebody wrote in clear are masked (`status.words.masking`). The file is shown only when the last look
found it to say what is applied, and when every secret was found in it, of the spec and of what it says by now; the
stored spec, masked, else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specs.diagnostic import InvalidSpec, Severity
from specs.secrets import secrets_in_script
from specs.text import MAX_FILE_BYTES, decode
from state.records import JobRecord, SourceState
from state.runfiles import open_plain
from status.deadline import read_spec
from status.words.masking import MASK, masked, secret_texts
from status.words.yaml import dump_yaml

_NEXT = re.compile(r"^(?:---|\.\.\.)(?:[ \t\r]|$)", re.MULTILINE)
"""The end of a document. Inside one no line begins so: text in blocks is indented."""


@dataclass(frozen=True, slots=True)
class SpecText:
    """What is shown."""

    lines: Sequence[tuple[int, str]]
    """Numbers as in the file, and what stands there."""
    from_file: bool
    """False: it is the stored spec, with every default."""
    why: str = ""
    """Then: why not the file."""


def spec_text(record: JobRecord, source: SourceState | None) -> SpecText:
    """The spec of a job as it is applied."""
    spec = read_spec(record.spec).fields
    if record.archived_at is not None or record.missing_since is not None:
        return _stored(record, "no file has it any more")
    if record.problem:
        return _stored(record, "its file is wrong, and this goes on")
    if source is None or source.problem is not None:
        return _stored(record, "the files cannot be read")
    if record.path.endswith(".json") or "\\" in record.path:
        return _stored(record, "its file is not one for reading")
    text = _document(Path(source.root), record)
    if text is None:
        return _stored(record, "its file cannot be read")
    said = _read(text, record.path)
    if said is None:
        return _stored(record, "its file is being edited")
    # Those that are applied, and those of an edit that was not looked at yet.
    for secret in sorted(secret_texts(spec) | secret_texts(said), key=len, reverse=True):
        if secret not in text:
            return _stored(record, "it holds secrets, which are masked")
        text = text.replace(secret, MASK)
    for found in sorted(secrets_in_script(text), key=lambda each: each.start, reverse=True):
        text = text[: found.start] + MASK + text[found.end :]
    return SpecText(list(enumerate(text.rstrip().split("\n"), record.line)), True)


def _stored(record: JobRecord, why: str) -> SpecText:
    fields = _said(masked(read_spec(record.spec).fields))
    return SpecText(list(enumerate(dump_yaml(fields).rstrip("\n").split("\n"), 1)), False, why)


def _said(value: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping without what says nothing."""
    kept = {key: _said(item) if isinstance(item, Mapping) else item for key, item in value.items()}
    return {key: item for key, item in kept.items() if item not in (None, {}, [], "")}


def _read(text: str, path: str) -> Mapping[str, Any] | None:
    """What a document says; None when it cannot be read."""
    from specs.document import read_documents

    documents, findings = read_documents(decode(text.encode(), path))
    wrong = any(finding.severity is Severity.ERROR for finding in findings)
    value = documents[0].value if len(documents) == 1 and not wrong else None
    return value if isinstance(value, dict) else None


def _document(root: Path, record: JobRecord) -> str | None:
    """The text of the job's document, from its first line on; None when it cannot be read, or names another job."""
    path = root / record.path
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve(strict=True)):
            return None
    except OSError:
        return None
    descriptor = open_plain(path)
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    try:
        text = decode(data, record.path).text if len(data) <= MAX_FILE_BYTES else ""
    except InvalidSpec:
        return None
    lines = re.sub(r"\r\n?", "\n", text).split("\n")
    document = "\n".join(lines[record.line - 1 :])
    end = _NEXT.search(document)
    document = document if end is None else document[: end.start()]
    name = re.search(r"^name:\s*[\"']?([a-z0-9-]+)", document, re.MULTILINE)
    return document if name is not None and name[1] == record.name else None
