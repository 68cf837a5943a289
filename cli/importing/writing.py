"""Imported jobs as YAML: the text a person of this project would have written.

Called by `delivering`. Pure. ruamel writes it; what is decided here is style: the order of the keys, when a text is
quoted, when a list stays on one line, scripts as blocks, comments where they belong.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from cli.importing.imported import Imported, SharedDocument
from specs.text import FORBIDDEN

WIDTH = 100
"""Columns that a list may take on one line."""
ORDER = (
    "apiVersion", "kind", "name", "project", "description", "labels", "tags", "annotations", "schedule", "timezone",
    "dst",
    "jitter", "suspend", "start_at", "end_at", "repeat", "until", "calendar", "depends_on", "on_dependency_failure",
    "run", "env", "params", "timeout", "grace", "capture", "success_codes", "retry", "on_lost", "overlap",
    "max_concurrent", "missed", "pool", "priority", "retention", "notify", "callback",
)  # fmt: skip
"""As the examples have them: who, when, what, and then what if. Other keys come last, in their own order."""
_RUN_ORDER = (
    "type", "command", "script", "interpreter", "working_dir", "user", "group", "umask", "limits",
)  # fmt: skip
# What YAML 1.1 takes for something else than a text; YAML 1.2, which we read, takes some of it for one.
_NOT_TEXT = re.compile(
    r"y|n|yes|no|on|off|true|false|null|~|=|<<|[-+]?[0-9][0-9_,.:]*(?:[eE][-+]?[0-9]+)?|0[xob][0-9a-f_]+|[-+]?\.[0-9_]+.*|[-+]?\.(inf|nan)"
    r"|\d{4}-\d\d?-\d\d?.*",
    re.IGNORECASE,
)
_FLOWING = frozenset({"retry", "missed", "jitter", "labels", "retention", "suspend", "limits", "capture", "dst"})
_UNFIT = re.compile(r"[ \t](\n|$)|^\s|\t|[^\x20-\x7e\n\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNWRITTEN = re.compile(f"{FORBIDDEN.pattern}|\r")
_BLOCKS = frozenset({"script", "instructions", "description", "body"})
"""Texts that are written as a block when they have several lines; a script always."""


def write_document(job: Imported, *, project: str | None = None) -> str:
    """The YAML document of one job, and of what it needs, ending with a line break, without `---` before the first."""
    tree = dict(job.tree)
    if project is not None:
        tree["project"] = project
    document = _mapping(_ordered(tree, ORDER), ())
    _remark(document, job)
    head = "".join(f"# {line}".rstrip() + "\n" for line in job.comments)
    others = (_dumped(_mapping(_ordered(each, ORDER), ())) for each in job.documents)
    # In a comment a lone carriage return would end it, for some readers: what follows would be keys.
    return write_stream(_legible(text) for text in [head + _dumped(document), *others])


def write_shared(shared: SharedDocument) -> str:
    """The YAML document of what several jobs need; a `Defaults` has the keys of its job in their order."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in shared.comments)
    return _legible(head + _dumped(_mapping(_ordered(shared.tree, ORDER), ())))


def write_stream(documents: Iterable[str]) -> str:
    """Several documents as one stream."""
    return "---\n".join(documents)


def _legible(document: str) -> str:
    """With what no spec may hold, or would end a line, as escapes. Texts that hold it are within double quotes."""
    return _UNWRITTEN.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _dumped(document: CommentedMap) -> str:
    yaml = YAML()
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _ordered(tree: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    rank = {key: index for index, key in enumerate(order)}
    return {key: tree[key] for key in sorted(tree, key=lambda key: rank.get(key, len(rank)))}


def _mapping(tree: Mapping[str, Any], path: tuple[str, ...]) -> CommentedMap:
    if path == ("run",):
        tree = _ordered(tree, _RUN_ORDER)
    made = CommentedMap()
    for key, value in tree.items():
        # A key that is ours is read as we read it: `on` is no boolean there, and nobody writes it in quotes.
        own = path[-1:] == ("notify",) and path[0] in ("notify", "job")
        made[key if own else _text(key, ())] = _value(value, (*path, key))
    if path and path[-1] in _FLOWING and _short(tree, path):
        made.fa.set_flow_style()
    return made


def _value(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, Mapping):
        return _mapping(value, path)
    if isinstance(value, list | tuple):
        made = CommentedSeq([_value(each, path) for each in value])
        if _short(value, path):
            made.fa.set_flow_style()
        return made
    return value


def _short(value: Mapping[str, Any] | Sequence[Any], path: tuple[str, ...]) -> bool:
    """Fits on one line and is easily read there."""
    items = [*value.keys(), *value.values()] if isinstance(value, Mapping) else value
    plain = not any(isinstance(each, Mapping | list | tuple) or "\n" in str(each) for each in items)
    indent = 2 * len(path) + len(path[-1]) + 2
    return plain and path[-1] != "schedule" and indent + sum(len(str(each)) + 3 for each in items) <= WIDTH


def _text(value: str, path: tuple[str, ...]) -> Any:
    """The scalar, or the kind of scalar of ruamel that writes it as we want it."""
    key = path[-1] if path else ""
    if key == "script" or (key in _BLOCKS and "\n" in value):
        block = "\n".join(line.rstrip(" \t") for line in value.split("\n")) if key != "script" else value
        # A block cannot begin with a blank, and shows no blanks at the end of a line: then quotes are clearer.
        if _UNFIT.search(block) is None and _UNWRITTEN.search(block) is None:
            return LiteralScalarString(block)
        return DoubleQuotedScalarString(value)
    looks_like_cron = key in ("schedule", "cron") and re.search(r"^[*@]|^[0-9H]\S* \S+ \S+ \S+ \S+$", value)
    if _NOT_TEXT.fullmatch(value) or looks_like_cron or not value or _UNWRITTEN.search(value):
        return DoubleQuotedScalarString(value)
    # Readers of YAML 1.1, as PyYAML, take `?` in a list on one line for a key's beginning.
    questioned = "?" in value and key != "description"
    return value if _plain(value) and not questioned else DoubleQuotedScalarString(value)


def _plain(value: str) -> bool:
    """Needs no quotes, in a list on one line either."""
    return re.search(r"^[\s\-?:,\[\]{}#&*!|>'\"%@`]|[,\[\]{}]|: |:$| #|\s$", value) is None or (
        re.fullmatch(r"--?[A-Za-z0-9][^,\[\]{}#:]*[^\s,\[\]{}#:]|-[A-Za-z]", value) is not None
    )


def _remark(document: CommentedMap, job: Imported) -> None:
    for path, text in job.remarks.items():
        node = document
        for key in path[:-1]:
            node = node[key]
        if path[-1] in node:
            node.yaml_set_comment_before_after_key(path[-1], before=text, indent=2 * (len(path) - 1))
