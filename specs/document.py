"""From the text of a file to its documents: plain values, and where each key and value stands.

Called by `specs.load` and `specs.config`. One pass over the events of a YAML parser, without recursion, with our own
rules: YAML 1.2 core scalars, no aliases, tags or directives, bounded depth and size. JSON is read as the YAML it is.

The events come from ruamel's C parser (libyaml 0.1.7). It refuses some valid YAML (`[http://x/y]`), so what it
refuses is parsed again by ruamel's pure parser, which is 30 times slower, and whose answer counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import _ruamel_yaml  # type: ignore[import-not-found]  # of ruamel.yaml.clib, which ships no types
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from specs.diagnostic import Diagnostic, Severity
from specs.frozen import frozen
from specs.scalars import LONGEST_NUMBER, MAYBE_NOT_TEXT, NumberTooLong, plain, plain_short
from specs.syntax import explain
from specs.text import Place, Source

MAX_DEPTH = 24
MAX_NODES = 20_000
"""Keys and values of one file."""

Loc = tuple[str | int, ...]
Marks = Any
"""Where a value stands: its event, or `(event, {key: (key event, Marks)})`, or `(event, [Marks])`."""


class _Scalar(ScalarEvent):
    """A scalar event made in one call instead of three nested ones: 50 of them are a quarter of a file's time."""

    __slots__ = ()
    comment = None

    def __init__(  # as the C parser calls it
        self, anchor: Any, tag: Any, implicit: Any, value: str, start_mark: Any, end_mark: Any, style: Any
    ) -> None:
        self.anchor = anchor
        self.ctag = tag
        self.implicit = implicit
        self.value = value
        self.start_mark = start_mark
        self.end_mark = end_mark
        self.style = style


_ruamel_yaml.ScalarEvent = _Scalar  # the C parser makes what this name of its module says; it is a ScalarEvent too


class _Mark(Protocol):
    line: int
    column: int


class _Event(Protocol):
    start_mark: _Mark
    end_mark: _Mark


@frozen
class Document:
    """One document of a file: a mapping with text keys all the way down."""

    source: Source
    value: dict[str, Any]
    marks: Marks
    sound: bool
    """False when something in it was refused: its values are then only good for finding its name."""

    @property
    def line(self) -> int:
        """The first line, from 1."""
        return int(self.marks[0].start_mark.line) + 1

    @property
    def given(self) -> Mapping[str, Any]:
        """What the document itself says, without what it is given by others."""
        return self.value

    def resolve(self, loc: Loc) -> tuple[Any, Marks, Marks]:
        """`(value, its marks, its key's event or None)` of the deepest part of `loc` that is there.

        What pydantic puts into a place that no file holds (`=tag` of a union, `[key]`) is passed over.
        """
        value: Any = self.value
        marks, key = self.marks, None
        for part in loc:
            if isinstance(value, dict) and part in value:
                key, marks = marks[1][part]
                value = value[part]
            elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
                value, marks, key = value[part], marks[1][part], None
        return value, marks, key

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
        """A finding about the value at `loc`, its key, or the characters `span` of its text."""
        place = self.place(loc, key=at_key) if span is None else self.place_within(loc, *span)
        return self.source.finding(code, message, place, help=help, severity=severity, identity=identity)

    def place(self, loc: Loc, *, key: bool = False) -> Place:
        """Where the value at `loc` stands, or its key. A mapping, list or block text is shown by its key."""
        _, marks, key_event = self.resolve(loc)
        if key_event is not None and (key or isinstance(marks, tuple) or _is_block(marks)):
            return _span(key_event)
        if isinstance(marks, tuple):
            if marks is self.marks and marks[1]:
                return _span(next(iter(marks[1].values()))[0])
            mark = marks[0].start_mark
            return Place(mark.line + 1, mark.column + 1, mark.column + 2)
        return _span(marks)

    def place_within(self, loc: Loc, start: int, end: int) -> Place:
        """Where the characters `start` to `end` of the text at `loc` stand; the whole value when it is written so
        that they cannot be told (escapes, several lines)."""
        value, marks, _ = self.resolve(loc)
        whole = self.place(loc)
        line = self.source.line(whole.line)
        if not isinstance(value, str) or isinstance(marks, tuple) or line is None or whole.end_column is None:
            return whole
        written = line[whole.column - 1 : whole.end_column - 1]
        quoted = written[:1] in ("'", '"')
        if (written[1:-1] if quoted else written) != value:
            return whole
        first = whole.column + quoted + max(0, min(start, len(value)))
        return Place(whole.line, first, max(first + 1, min(first + end - start, whole.end_column - quoted)))


def _is_block(event: Any) -> bool:
    return getattr(event, "style", None) in ("|", ">")


def _span(event: _Event) -> Place:
    start, end = event.start_mark, event.end_mark
    if end.line == start.line and end.column > start.column:
        return Place(start.line + 1, start.column + 1, end.column + 1)
    return Place(start.line + 1, start.column + 1, None if end.line > start.line else start.column + 2)


class _Refused(Exception):
    """Raised when the rest of a file must not be read. Carries the last finding."""

    def __init__(self, finding: Diagnostic) -> None:
        self.finding = finding


def read_documents(source: Source) -> tuple[list[Document], list[Diagnostic]]:
    """All documents of a file that are not empty, and what is wrong with its form.

    A finding with code `JOB005` (syntax), `JOB011` or `JOB012` (bounds) means that the rest was not read: then there
    are no documents.
    """
    parser = _ruamel_yaml.CParser(source.text)
    try:
        return _Builder(source, parser.get_event, _Scalar).build()
    except _Refused as refused:
        return [], [refused.finding]
    except YAMLError:
        pass
    finally:
        parser.dispose()
    events = YAML(typ="safe", pure=True).parse(source.text)  # a new one each time: a directive leaks into the next
    builder = _Builder(source, lambda: next(events, None), ScalarEvent)
    try:
        return builder.build()
    except _Refused as refused:
        return [], [*builder.findings, refused.finding]
    except MarkedYAMLError as error:
        return [], [*builder.findings, explain(source, error)]
    except (YAMLError, ValueError, RecursionError, OverflowError) as error:
        message = f"this cannot be read as YAML: {type(error).__name__}"
        return [], [*builder.findings, source.finding("JOB005", message, Place(1, 1))]
    finally:
        events.close()


class _Builder:
    """Builds the documents of one file. A part that is refused is noted once, and the rest goes on."""

    def __init__(self, source: Source, get_event: Callable[[], Any], scalar: type) -> None:
        """`scalar`: the class that `get_event` gives for a scalar."""
        self.source = source
        self.get_event = get_event
        self.scalar = scalar
        self.documents: list[Document] = []
        self.findings: list[Diagnostic] = []
        self._noted: set[str] = set()
        self._guarded = "&" in source.text or "*" in source.text or "!" in source.text

    def build(self) -> tuple[list[Document], list[Diagnostic]]:
        get_event = self.get_event
        while (event := get_event()) is not None:
            if event.__class__ is DocumentStartEvent:
                if event.version is not None or event.tags:
                    raise _Refused(
                        self._finding(
                            "JOB008", "a directive (`%YAML`, `%TAG`) is not allowed", event, "remove the line"
                        )
                    )
                self._noted.clear()
                before = len(self.findings)
                value, marks = self._node()
                if isinstance(marks, tuple) and isinstance(value, dict):
                    self.documents.append(Document(self.source, value, marks, len(self.findings) == before))
                elif value is not None:
                    self._note("JOB013", "a document is a mapping, as `name: ...`", _event_of(marks), None)
        return self.documents, self.findings

    def _node(self) -> tuple[Any, Marks]:
        """The document's value and marks. The hot loop: a file is about 60 turns of it, so it calls nothing twice."""
        get_event, guarded, scalar = self.get_event, self._guarded, self.scalar
        outer: list[tuple[Any, Marks, Any, bool, Any, Any]] = []
        container: Any = None
        marks: Marks = None
        places: Any = None  # what `marks` holds of the container's members
        keyed = False  # the container is a mapping
        key: Any = None  # None: the next node is a key
        key_event: Any = None
        left = MAX_NODES
        while True:
            event = get_event()
            kind = event.__class__
            if kind is scalar:
                if guarded and (event.ctag is not None or event.anchor is not None):
                    self._check(event)
                value, mark = event.value, event
                if event.implicit[0]:
                    if value[:1] in MAYBE_NOT_TEXT:
                        value = plain_short(value) if len(value) <= LONGEST_NUMBER else self._long(event)
                elif not value.isprintable() and event.style == '"':
                    value = self._unescaped(value, event)
                if keyed and key is None:
                    key = value if value.__class__ is str else self._key(event)
                    key_event = event
                    if key in container:
                        self._duplicate(key, places, event)
                    continue
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if guarded and (event.ctag is not None or event.anchor is not None):
                    self._check(event)
                if keyed and key is None:
                    raise _Refused(self._finding("JOB010", "a key must be a text, not a list or mapping", event, None))
                if len(outer) >= MAX_DEPTH:
                    raise _Refused(
                        self._finding("JOB011", f"nested deeper than {MAX_DEPTH} levels", event, "flatten the document")
                    )
                outer.append((container, marks, places, keyed, key, key_event))
                keyed = kind is MappingStartEvent
                container, places = ({}, {}) if keyed else ([], [])
                marks, key = (event, places), None
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                value, mark = container, marks
                container, marks, places, keyed, key, key_event = outer.pop()
            elif kind is AliasEvent:
                self._check(event)
                value, mark = None, event
                if keyed and key is None:
                    key, key_event = f"*{event.anchor}", event
                    continue
            elif kind is DocumentEndEvent or event is None:
                return value, mark
            else:
                continue
            left -= 1
            if left < 0:
                raise _Refused(
                    self._finding("JOB012", f"more than {MAX_NODES:,} values in one document", event, "split the file")
                )
            if keyed:
                container[key] = value
                places[key] = (key_event, mark)
                key = None
            elif container is not None:
                container.append(value)
                places.append(mark)

    def _long(self, event: Any) -> Any:
        try:
            return plain(event.value)
        except NumberTooLong:
            self._note("JOB014", "this number is too long", event, "write it in quotes if it is a text")
            return 0

    def _unescaped(self, value: str, event: Any) -> str:
        """JSON writes characters past U+FFFF as two surrogates; YAML's parsers leave them apart."""
        try:
            value = value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._note("JOB004", "half of a surrogate pair in a text", event, "write the character itself")
            return ""
        if "\0" in value:
            self._note("JOB004", "a NUL character in a text", event, "remove it: no program can be given one")
        return value

    def _key(self, event: Any) -> str:
        shown = event.value or "nothing"
        self._note(
            "JOB010", f"a key must be a text, and `{shown}` is not", event, f'write it in quotes: "{event.value}"'
        )
        return str(event.value)

    def _duplicate(self, key: str, places: Any, event: Any) -> None:
        first = places[key][0].start_mark.line + 1
        self._note("JOB009", f"`{key}` is given twice", event, f"the first one is on line {first}; keep one of them")

    def _check(self, event: Any) -> None:
        """Anchors, aliases and tags: each is noted once in a document, however many there are."""
        if event.anchor is not None:
            if "JOB006" not in self._noted:
                self._noted.add("JOB006")
                what = (
                    f"an alias (`*{event.anchor}`)"
                    if event.__class__ is AliasEvent
                    else f"an anchor (`&{event.anchor}`)"
                )
                self._note("JOB006", f"{what} is not allowed", event, "write the value out where it is needed")
        elif "JOB007" not in self._noted:
            self._noted.add("JOB007")
            self._note("JOB007", f"a tag (`{event.ctag}`) is not allowed", event, "remove it; write a text in quotes")

    def _finding(self, code: str, message: str, event: Any, advice: str | None) -> Diagnostic:
        return self.source.finding(code, message, _span(event), help=advice)

    def _note(self, code: str, message: str, event: Any, advice: str | None) -> None:
        self.findings.append(self._finding(code, message, event, advice))


def _event_of(marks: Marks) -> Any:
    return marks[0] if isinstance(marks, tuple) else marks
