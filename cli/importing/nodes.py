"""YAML and JSON files of other systems as trees of texts, each with its place.

Called by the readers of systems that write YAML (`kubernetes`, `yacron`, `term_llm`). Unlike `specs.document`, which
reads our own files, it takes what is legal there: anchors, aliases, `<<`, and scalars whose type their field decides.
Opens no file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

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

from cli.importing.imported import UNREADABLE, SourceText, unreadable
from specs.diagnostic import Diagnostic
from specs.syntax import explain
from specs.text import Source

MAX_DEPTH = 64
MAX_NODES = 500_000
"""Values of one file with every alias counted as what it stands for: a list of all CronJobs of a large cluster has a
tenth of it, and nine lines of YAML can stand for a billion."""

LONGEST_READ_TWICE = 1 << 20
"""Characters. The pure parser reads a megabyte in about ten seconds."""

_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")) | {"!"}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"})
_DECORATION = re.compile(r"^[-=#~*_+\s]+|[-=#~*_+\s]+$")
_NO_PROSE = re.compile(r"(yaml-language-server|yamllint|vim:|-\*-|kics|checkov|noqa|[\w.-]+:(\s|$)|-\s)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value and where it begins, both from 1."""

    line: int
    column: int
    path: str = ""
    """Its file; empty for what no file says."""
    size: int = 1
    """Values it stands for, itself included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar(Node):
    text: str
    plain: bool = True
    """Written without quotes: then it may be a number, a truth value or nothing."""
    end_column: int | None = None
    """One past its last character; None when it ends on another line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields(Node):
    """A mapping. Keys are texts."""

    entries: Mapping[str, Node]
    places: Mapping[str, tuple[int, int]]
    """Line and column of each key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Node):
    """A list."""

    items: tuple[Node, ...]


class Unexpected(Exception):
    """Raised when a value is not what its field holds, or something needed is missing. Becomes a finding."""

    def __init__(self, node: Node, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.path, self.line, self.column = node.path, max(1, node.line), max(1, node.column)
        self.end_column = node.end_column if isinstance(node, Scalar) else None
        self.message = message
        self.help = help

    def finding(self, source: SourceText) -> Diagnostic:
        """The finding, in `source` or in a file that it includes."""
        if self.path not in ("", source.path):
            source = SourceText(self.path, "")
        return unreadable(source, self.line, self.column, self.message, help=self.help, end=self.end_column)


def read_nodes(source: SourceText) -> tuple[list[Node], tuple[Diagnostic, ...]]:
    """The documents of a file that are not empty. With a finding there are those that were whole before it."""
    parser = _ruamel_yaml.CParser(source.text)
    try:
        builder = _Builder(parser.get_event, source.path)
        return _built(source, builder)
    except YAMLError as error:
        # libyaml 0.1.7 refuses some valid YAML and says little: the pure parser has the last word on what is short
        if isinstance(error, MarkedYAMLError) and len(source.text) > LONGEST_READ_TWICE:
            return builder.documents, (_syntax(source, error),)
    finally:
        parser.dispose()
    events = YAML(typ="safe", pure=True).parse(source.text)
    builder = _Builder(lambda: next(events, None), source.path)
    try:
        return _built(source, builder)
    except MarkedYAMLError as error:
        return builder.documents, (_syntax(source, error),)
    except (YAMLError, ValueError, RecursionError, OverflowError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        return builder.documents, (unreadable(source, 1, 1, f"this cannot be read as YAML: {what}"),)
    finally:
        events.close()


def _syntax(source: SourceText, error: MarkedYAMLError) -> Diagnostic:
    return replace(explain(Source(source.text, source.path), error), code=UNREADABLE)


def _built(source: SourceText, builder: _Builder) -> tuple[list[Node], tuple[Diagnostic, ...]]:
    try:
        builder.build()
    except Unexpected as error:
        return builder.documents, (error.finding(source),)
    return builder.documents, ()


class _Builder:
    """Builds trees from events, without recursion."""

    def __init__(self, get_event: Callable[[], Any], path: str) -> None:
        self.get_event = get_event
        self.path = path
        self.documents: list[Node] = []
        self._anchors: dict[str, Node] = {}

    def build(self) -> None:
        while (event := self.get_event()) is not None:
            if isinstance(event, DocumentStartEvent):
                self._anchors = {}
                node = self._document()
                if node is not None and not is_null(node):
                    self.documents.append(node)

    def _document(self) -> Node | None:
        open_containers: list[tuple[Any, list[Node]]] = []  # the start event, and the children so far
        while (event := self.get_event()) is not None and not isinstance(event, DocumentEndEvent):
            if isinstance(event, MappingStartEvent | SequenceStartEvent):
                if len(open_containers) >= MAX_DEPTH:
                    raise Unexpected(_at(event), f"nested deeper than {MAX_DEPTH} levels")
                _check_tag(event)
                open_containers.append((event, []))
                continue
            if isinstance(event, ScalarEvent):
                node: Node = _scalar(event, self.path)
            elif isinstance(event, AliasEvent):
                found = self._anchors.get(event.anchor)
                if found is None:
                    raise Unexpected(_at(event), f"`*{event.anchor}` names nothing that stands before it")
                node = found
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                start, children = open_containers.pop()
                make = _fields if isinstance(event, MappingEndEvent) else _items
                node = make(start, children, self.path)
                event = start
            else:
                continue
            if node.size > MAX_NODES:
                help = "write the values out, or split the file"
                raise Unexpected(_at(event), f"with its aliases this stands for more than {MAX_NODES:,} values", help)
            if not isinstance(event, AliasEvent) and event.anchor is not None:
                self._anchors[event.anchor] = node
            if not open_containers:
                self.get_event()  # the end of the document
                return node
            open_containers[-1][1].append(node)
        return None


def _at(event: Any) -> Node:
    return Node(line=event.start_mark.line + 1, column=event.start_mark.column + 1)


def _check_tag(event: Any) -> None:
    tag = str(event.ctag) if event.ctag is not None else ""
    if tag and tag not in _TAGS:
        raise Unexpected(_at(event), f"a tag (`{tag}`) is not read", "remove it; write a text in quotes")


def _scalar(event: Any, path: str) -> Scalar:
    if event.ctag is not None:
        _check_tag(event)
    text = event.value
    if event.style == '"' and not text.isprintable():
        try:  # JSON writes characters past U+FFFF as two surrogates; YAML's parsers leave them apart
            text = text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise Unexpected(_at(event), "half of a surrogate pair in a text", "write the character itself") from None
        if "\0" in text:
            raise Unexpected(_at(event), "a NUL character in a text", "remove it: no program can be given one")
    start, end = event.start_mark, event.end_mark
    return Scalar(
        line=start.line + 1,
        column=start.column + 1,
        path=path,
        text=text,
        plain=bool(event.implicit[0]),
        end_column=end.column + 1 if end.line == start.line else None,
    )


def _items(start: Any, children: list[Node], path: str) -> Items:
    at = _at(start)
    size = 1 + sum(each.size for each in children)
    return Items(line=at.line, column=at.column, path=path, items=tuple(children), size=size)


def _fields(start: Any, children: list[Node], path: str) -> Fields:
    at = _at(start)
    entries: dict[str, Node] = {}
    places: dict[str, tuple[int, int]] = {}
    merged: list[Fields] = []
    for key, value in zip(children[::2], children[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise Unexpected(key, "a key must be a text, not a list or mapping")
        if key.text == "<<" and key.plain:
            merged += _merged(value)
            continue
        if key.text in entries:
            raise Unexpected(key, f"`{key.text}` is given twice", f"the first is on line {places[key.text][0]}")
        entries[key.text] = value
        places[key.text] = (key.line, key.column)
    for other in merged:
        for name, value in other.entries.items():
            if name not in entries:
                entries[name], places[name] = value, other.places[name]
    size = 1 + sum(each.size for each in entries.values())
    return Fields(line=at.line, column=at.column, path=path, entries=entries, places=places, size=size)


def _merged(value: Node) -> list[Fields]:
    found = value.items if isinstance(value, Items) else (value,)
    for each in found:
        if not isinstance(each, Fields):
            raise Unexpected(value, "`<<` takes a mapping, or a list of mappings")
    return [each for each in found if isinstance(each, Fields)]


def is_null(node: Node) -> bool:
    """Nothing, as `key:` or `key: null`."""
    return isinstance(node, Scalar) and node.plain and node.text in _NULLS


def get(fields: Fields | None, name: str) -> Node | None:
    """The value of a field; None when it is not there, or is null."""
    node = None if fields is None else fields.entries.get(name)
    return None if node is None or is_null(node) else node


def fields_of(node: Node | None, what: str) -> Fields | None:
    """A mapping, or None. Raises Unexpected."""
    if node is None or isinstance(node, Fields):
        return node
    raise Unexpected(node, f"`{what}` must be a mapping")


def items_of(node: Node | None, what: str) -> tuple[Node, ...]:
    """The members of a list; none for None. Raises Unexpected."""
    if node is None:
        return ()
    if isinstance(node, Items):
        return node.items
    raise Unexpected(node, f"`{what}` must be a list")


def text_of(node: Node | None, what: str) -> str | None:
    """A text, or any scalar as it was written. Raises Unexpected."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        return node.text
    raise Unexpected(node, f"`{what}` must be a text")


def truth_of(node: Node | None, what: str) -> bool | None:
    """A truth value, YAML 1.1 spellings too. Raises Unexpected."""
    if node is None:
        return None
    if isinstance(node, Scalar) and node.text in _TRUE | _FALSE:
        return node.text in _TRUE
    raise Unexpected(node, f"`{what}` must be true or false")


def whole_of(node: Node | None, what: str) -> int | None:
    """A whole number. Raises Unexpected."""
    if node is None:
        return None
    if isinstance(node, Scalar) and re.fullmatch(r"[-+]?[0-9]{1,15}", node.text):
        return int(node.text)
    raise Unexpected(node, f"`{what}` must be a whole number")


def number_of(node: Node | None, what: str) -> float | None:
    """A number. Raises Unexpected."""
    if node is None:
        return None
    if isinstance(node, Scalar) and re.fullmatch(r"[-+]?([0-9]{1,15}\.?[0-9]{0,9}|\.[0-9]{1,9})", node.text):
        return float(node.text)
    raise Unexpected(node, f"`{what}` must be a number")


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    """Broken where YAML's parsers break: at U+0085, U+2028 and U+2029 too."""
    return re.split("[\n\x85\u2028\u2029]", text)


def comment_above(source: SourceText, line: int) -> str:
    """The comment that stands directly above `line` (from 1), as one line of prose; empty when there is none."""
    lines, found = _lines(source.text), list[str]()
    for number in range(min(line - 1, len(lines)) - 1, -1, -1):
        stripped = lines[number].strip()
        if not stripped.startswith("#"):
            break
        found.append(stripped)
    return _prose(reversed(found))


def comment_beside(source: SourceText, node: Node | None) -> str:
    """The comment behind a value on its line; empty when there is none."""
    lines = _lines(source.text)
    if not isinstance(node, Scalar) or node.end_column is None or node.line > len(lines):
        return ""
    rest = lines[node.line - 1][node.end_column - 1 :].lstrip(" \t,]}")
    return _prose([rest]) if rest.startswith("#") else ""


def _prose(lines: Iterator[str] | list[str]) -> str:
    words = (_DECORATION.sub("", line) for line in lines)
    return " ".join(word for word in words if word and not _NO_PROSE.match(word))
