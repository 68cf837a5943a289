"""`Defaults` documents: what a folder gives to the jobs in it and below, and a job's document with it.

Used by `specs.sweep` and `specs.source` (which folders give what), `specs.load` (a job before it is checked) and the
command line. Touches no file by itself: a finding about a default reads its document through the `Reader` it is given.

The nearest folder wins, key by key. Mappings are merged, all other values replaced; so are the values in which two
halves make no whole: a schedule, a suspend, one variable of `env`, one of `params`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from specs.canonical import digest_of
from specs.desired import DesiredDocument
from specs.diagnostic import Diagnostic, Severity
from specs.document import Document, Loc, Marks
from specs.frozen import frozen

NOT_DEFAULTS: Mapping[str, str] = {
    "apiVersion": "it says how this document is written",
    "kind": "a default is of jobs",
    "name": "every job has its own",
    "renamed_from": "one job alone can take over a history",
    "depends_on": "the job that all would wait for may be below the folder too, and would wait for itself",
}
"""Fields of a job that no folder can give, with the reason."""
FROZEN = "frozen"
"""The key of what is below a folder whose defaults cannot be known."""
_RIVAL = "this folder has other `Defaults`"
_WHOLE = frozenset({("schedule",), ("suspend",)})
_OF_WHOLES = frozenset({("env",), ("params",)})

Reader = Callable[[str], list[Document]]
"""The documents of the file at a path, read now; empty when it cannot be read."""


class Inherited(NamedTuple):
    """What a folder gives to its jobs, with the folders above it."""

    key: str = ""
    """Changes with the values; empty for nothing. `FROZEN`: see there."""
    values: Mapping[str, Any] = {}
    documents: tuple[DesiredDocument, ...] = ()
    """Where it is said, the nearest first. `spec` is canonical JSON of the values."""
    culprit: str = ""
    """The file whose defaults cannot be used, when frozen."""


NOTHING = Inherited()


class DefaultsTree:
    """The `Defaults` documents of all folders."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, DesiredDocument | None]] = {}
        """Folder: file: its document; None when it has none that is sound, nor had one."""
        self._known: dict[str, Inherited] = {}
        self.changed = False
        """Whether any document became another one, came or went since this was copied."""

    def __bool__(self) -> bool:
        return bool(self._folders)

    @property
    def files(self) -> list[str]:
        """Every file with such a document."""
        return [path for files in self._folders.values() for path in files]

    def copy(self) -> DefaultsTree:
        """One of its own, unchanged yet."""
        other = DefaultsTree()
        other._folders = {folder: dict(files) for folder, files in self._folders.items()}
        return other

    def put(self, path: str, document: DesiredDocument | None, *, broken: bool = False) -> None:
        """A file's document, the last sound one; `broken`: there is one that is not. Neither: it has none."""
        folder = path.rpartition("/")[0]
        files = self._folders.get(folder, {})
        if document is None and not broken:
            if path in files:
                del files[path]
                self._forget()
            if not files:
                self._folders.pop(folder, None)
        elif path not in files or _digest(files[path]) != _digest(document):
            self._folders.setdefault(folder, files)[path] = document
            self._forget()
        else:
            files[path] = document  # on another line, maybe
            self._known.clear()

    def of(self, path: str) -> Inherited:
        """What the jobs of this file are given."""
        return self._of(path.rpartition("/")[0]) if self._folders else NOTHING

    def rival_findings(self, read: Reader) -> list[Diagnostic]:
        """At every document beside which its folder has another one."""
        found: list[Diagnostic] = []
        for files in self._folders.values():
            for path, document in files.items() if len(files) > 1 else ():
                other = f"in {next(each for each in sorted(files) if each != path)}"
                there = [each for each in read(path) if each.value.get("kind") == "Defaults"]
                if there:
                    found.append(rival(there[0], other))
                elif document is not None:
                    found.append(Diagnostic("JOB054", f"{_RIVAL} {other}", path, document.line))
        return found

    def _forget(self) -> None:
        self._known.clear()
        self.changed = True

    def _of(self, folder: str) -> Inherited:
        known = self._known.get(folder)
        if known is None:
            above = self._of(folder.rpartition("/")[0]) if folder else NOTHING
            known = self._known[folder] = self._merged(folder, above)
        return known

    def _merged(self, folder: str, above: Inherited) -> Inherited:
        files = self._folders.get(folder)
        if not files or above.key == FROZEN:
            return above
        first = min(files)
        document = files[first]
        if document is None or len(files) > 1:
            return Inherited(FROZEN, culprit=first)
        values = merged(above.values, orjson.loads(document.spec))
        key = digest_of(orjson.dumps(values, option=orjson.OPT_SORT_KEYS))
        return Inherited(key, values, (document, *above.documents))


def rival(document: Document, other: str) -> Diagnostic:
    """The finding that the folder has another `Defaults` document; `other` as `on line 5` or `in b.yaml`."""
    advice = "make one of the two; until then nothing changes below"
    return document.finding("JOB054", f"{_RIVAL} {other}", ("kind",), help=advice)


def _digest(document: DesiredDocument | None) -> str | None:
    return None if document is None else document.digest


def merged(under: Mapping[str, Any], over: Mapping[str, Any], at: tuple[str, ...] = ()) -> dict[str, Any]:
    """`over` with what only `under` says."""
    if at == ("run",):
        under = _fitting(under, over)
    found = {**under, **over}
    for key, value in over.items():
        below, path = under.get(key), (*at, key)
        if isinstance(value, dict) and isinstance(below, dict) and path not in _WHOLE and at not in _OF_WHOLES:
            found[key] = merged(below, value, path)
    return found


def _fitting(under: Mapping[str, Any], over: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a default `run`, what does not contradict a job's own program."""
    if over.get("type", under.get("type")) != under.get("type", over.get("type")):
        return {}
    others = {"command": ("script", "interpreter"), "script": ("command",)}
    dropped = {name for own, names in others.items() if own in over for name in names}
    return {name: value for name, value in under.items() if name not in dropped}


@frozen
class JobDocument(Document):
    """A job's document with what it is given. `value` is both; a place is where the value is said."""

    own: dict[str, Any]
    inherited: Inherited
    read: Reader

    @property
    def given(self) -> Mapping[str, Any]:
        """What the document itself says."""
        return self.own

    def resolve(self, loc: Loc) -> tuple[Any, Marks, Marks]:
        """As `Document.resolve`, in the document that says it."""
        document, there = self._saying(loc)
        return document.resolve(there)

    def finding(
        self,
        code: str,
        message: str,
        loc: Loc,
        *,
        at_key: bool = False,
        span: tuple[int, int] | None = None,
        help: str | None = None,
        severity: Severity = Severity.ERROR,
        identity: str | None = None,
    ) -> Diagnostic:
        """As `Document.finding`, in the file that says it."""
        document, there = self._saying(loc)
        return document.finding(
            code, message, there, at_key=at_key, span=span, help=help, severity=severity, identity=identity
        )

    def _saying(self, loc: Loc) -> tuple[Document, Loc]:
        own = Document(self.source, self.own, self.marks, self.sound)
        value: Any = self.own
        for index, part in enumerate(loc):
            if isinstance(value, dict) and isinstance(part, str) and part not in value:
                if part.startswith(("=", "[")):  # of a union: no place of a file
                    continue
                named = tuple(each for each in loc[: index + 1] if not str(each).startswith(("=", "[")))
                for document in self.inherited.documents:
                    if _holds(orjson.loads(document.spec), named):
                        return self._default(document, own, loc)
                return own, loc
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif not isinstance(value, dict):
                break
        return own, loc

    def _default(self, document: DesiredDocument, own: Document, loc: Loc) -> tuple[Document, Loc]:
        for each in self.read(document.path):
            if each.value.get("kind") == "Defaults" and isinstance(each.value.get("job"), dict):
                return each, ("job", *loc)
        return own, loc


def _holds(value: Any, loc: Loc) -> bool:
    for part in loc:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def with_defaults(document: Document, inherited: Inherited, read: Reader) -> Document:
    """A job's document with what its folder gives."""
    if not inherited.values:
        return document
    value = merged(inherited.values, document.value)
    return JobDocument(document.source, value, document.marks, document.sound, document.value, inherited, read)
