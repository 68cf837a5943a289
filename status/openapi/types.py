"""Words to write schemas with (JSON Schema 2020-12, as OpenAPI 3.1 has it). Used by the schemas of this folder. Pure.

Every schema has a description and an example; an object's example is made of those of its members, and all its members
are always there, null when unknown. Shapes grow: an object may have more members in a later version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]


def text(description: str, example: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, "examples": [example], **more}


def instant(description: str, example: str = "2026-11-21T09:00:00.000Z") -> Schema:
    """RFC 3339 in UTC, to the millisecond."""
    return text(description, example, format="date-time")


def word(description: str, allowed: Iterable[str], example: str) -> Schema:
    """One of a fixed set."""
    return text(description, example, enum=list(allowed))


def whole(description: str, example: int, least: int | None = 0, **more: Any) -> Schema:
    bound = {} if least is None else {"minimum": least}
    return {"type": "integer", "description": description, "examples": [example], **bound, **more}


def number(description: str, example: float) -> Schema:
    return {"type": "number", "description": description, "examples": [example]}


def flag(description: str, example: bool) -> Schema:
    return {"type": "boolean", "description": description, "examples": [example]}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    found = {**schema, "type": [schema["type"], "null"]}
    if "enum" in found:
        found["enum"] = [*found["enum"], None]
    return found


def several(description: str, items: Schema, example: list[Any] | None = None) -> Schema:
    found = {"type": "array", "description": description, "items": items}
    if example is None and "examples" in items:
        example = [items["examples"][0]]
    return found if example is None else {**found, "examples": [example]}


def mapping(description: str, values: Schema, example: Mapping[str, Any]) -> Schema:
    """An object whose members have names of somebody's own."""
    return {"type": "object", "description": description, "additionalProperties": values, "examples": [dict(example)]}


def record(description: str, /, **members: Schema) -> Schema:
    """An object with these members, all of them required. A trailing underscore of a name is not part of it."""
    named = {name.rstrip("_"): schema for name, schema in members.items()}
    example = {name: schema["examples"][0] for name, schema in named.items() if "examples" in schema}
    return {
        "type": "object",
        "description": description,
        "properties": named,
        "required": list(named),
        "examples": [example],
    }


def reference(name: str) -> Schema:
    """A schema of the table."""
    return {"$ref": f"#/components/schemas/{name}"}


def page(description: str, items: str) -> Schema:
    """A list and the cursor that goes on."""
    return record(
        description,
        items=several("This page.", reference(items)),
        next=nullable(text("The cursor of the next page: `before` when descending, `after` when ascending. Null at the "
                           "end.", "01m7yhz29aer7whczpkpf7957w")),
    )  # fmt: skip


def anything(description: str, example: Any) -> Schema:
    return {"description": description, "examples": [example]}


KIND = "apiVersion"


def kind(name: str) -> dict[str, Schema]:
    """The two members that say what an object is."""
    return {
        "apiVersion": {"const": "jobsctl/v1", "description": "The version of the shape.", "examples": ["jobsctl/v1"]},
        "kind": {"const": name, "description": "What this is.", "examples": [name]},
    }
