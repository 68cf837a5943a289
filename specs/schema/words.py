"""What a schema says of a value, in words of people: its type, its default, an example as it stands in a file.

Used by `jobsctl explain` and by docs/generate_specs.py. Pure; must not import pydantic.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from specs.schema import Schema, definition

_NAMES = {"object": "mapping", "string": "text", "boolean": "true or false", "integer": "whole number"}
_PLAIN = re.compile(r"[A-Za-z0-9/_(]([A-Za-z0-9 ./_()*$&|='<>+-]*[A-Za-z0-9./_()*$])?")
FORMS = {
    "duration": "90s, 15m, 1h30m, 2d, or a number of seconds",
    "size": "64Mi, 1.5G (Ki, Mi, Gi by 1024; k, M, G by 1000), or a number of bytes",
}
"""How what these words of `type_words` mean is written."""
_NOT_TEXT = re.compile(r"(?i)null|true|false|yes|no|on|off|[-+]?[0-9.]+(e[-+]?[0-9]+)?|0[xo][0-9a-f]+")
"""What a reader of YAML, 1.2 or 1.1, takes for something else when it stands without quotes."""


def followed(shape: Schema) -> Schema:
    """What a `$ref` leads to; anything else as it is."""
    target = shape.get("$ref")
    if not isinstance(target, str):
        return shape
    _, _, name, *rest = target.split("/")
    found = definition(name)
    for part in rest:
        found = found[part]
    return found


def members(shape: Schema) -> Iterator[Schema]:
    """The forms that a value may have, without `null`: itself, when there is only one."""
    shape = followed(shape)
    if "properties" in shape:  # its `anyOf` is about fields that go together
        yield shape
        return
    inner = shape.get("anyOf")
    if inner is None and "type" not in shape:
        inner = shape.get("allOf")
    for each in inner or ():
        yield from members(each)
    if inner is None and shape.get("type") != "null":
        yield shape


def type_words(shape: Schema) -> str:
    """`text`, `duration`, `list of texts`, `fixed, linear or exponential`."""
    said = (_word(member) for member in members(shape) if member.get("title") not in ("seconds", "bytes"))
    return _either(dict.fromkeys(said))


def _either(words: Mapping[str, None] | list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _word(shape: Schema) -> str:
    if "const" in shape:
        return f"`{in_yaml(shape['const'])}`"
    if "enum" in shape:
        return _either([f"`{word}`" for word in shape["enum"]])
    kind = shape["type"] if isinstance(shape["type"], str) else shape["type"][0]
    title = str(shape.get("title", ""))
    if kind == "array":
        return f"list of {_plural(shape['items'])}"
    if title in ("duration", "size"):
        return title
    return _NAMES.get(kind, str(kind))


def _plural(items: Schema) -> str:
    words = type_words(items)
    return words if words.startswith("`") else re.sub(r"\b(text|mapping|number|duration)\b", r"\1s", words)


def allowed(shape: Schema) -> list[str]:
    """The words that a value, or an item of it, may be; empty when there are others too."""
    found: list[str] = []
    for member in members(shape):
        inner = member.get("items", member)
        if "enum" in inner:
            found += [word for word in inner["enum"] if word is not None]
        elif "const" in inner and inner["const"] not in ("process",):
            found.append(in_yaml(inner["const"]))
    return found


def bounds(shape: Schema) -> str:
    """`1 to 100`, for a number; empty when there are none."""
    for member in members(shape):
        low, above, high = (member.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
        if member.get("title") in ("seconds", "bytes"):
            continue
        if low is not None and high is not None:
            return f"{low:,g} to {high:,g}" if high < 1e6 else f"{low:,} to {high:,}"
        if above is not None and high is not None:
            return f"more than {above:,g}, at most {high:,g}"
    return ""


def default_words(shape: Schema, *, required: bool) -> str:
    """The default as in a file; `required`; empty when there is none."""
    if required:
        return "required"
    value = shape.get("default")
    return "" if value in (None, "", [], {}) else in_yaml(value)


def in_yaml(value: object) -> str:
    """A value in YAML's short form, on one line: `{policy: latest, grace: 2h}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {in_yaml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_yaml, value)) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def example_lines(name: str, value: object) -> list[str]:
    """`name: value` as it stands in a file; a text of several lines as a block."""
    if isinstance(value, str) and "\n" in value:
        block = "|" if value.endswith("\n") else "|-"
        return [f"{name}: {block}", *(f"  {line}" for line in value.rstrip("\n").split("\n"))]
    return [f"{name}: {in_yaml(value)}"]


def _text(value: str) -> str:
    """A text that YAML reads as this text, with quotes only where it needs them."""
    if _PLAIN.fullmatch(value) and ": " not in value and " #" not in value and not _NOT_TEXT.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)
