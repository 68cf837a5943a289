"""Makes the JSON Schema from the models: `python -m specs.schema.build` writes the file that `specs.schema` reads.

Pydantic's own schema is the start. What is changed: draft-07 only; defaults in the units that people write; unions with
titles, for an editor's messages; and the rules of `specs.schema.rules`, which pydantic keeps in code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from specs.config import Config
from specs.defaults import NOT_DEFAULTS
from specs.kinds import Calendar, Defaults, Pool
from specs.model import Job
from specs.notifiers import Notifier
from specs.schema import _GENERATED, DRAFT, Schema
from specs.schema.rules import ONE_PROGRAM, PATTERNS, RULES
from specs.strict import Strict

MODELS: Mapping[str, type[Strict]] = {
    "Job": Job,
    "Defaults": Defaults,
    "Pool": Pool,
    "Calendar": Calendar,
    "Notifier": Notifier,
    "Config": Config,
}
_OWN = {"Config": "Config"}
"""Prefix of a model's inner definitions, where another model has one of the same name (`Retention`)."""
_NOTE = "Written by jobsctl from its models: do not edit. `jobsctl schema --write` renews it."
_LENGTHS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_SIZES = (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10))
_NAMES = {"string": "text", "array": "list", "boolean": "true or false", "null": "nothing", "integer": "number"}
"""Titles of the members of a union that have none: an editor says `Expected "text | list"`."""


class _AsWritten(GenerateJsonSchema):
    """Keys in the order of the models and of the examples, not of the alphabet."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        return value


def build() -> Schema:
    """The schema of a whole spec file, with a definition for every model."""
    definitions: dict[str, Schema] = {}
    for name, model in MODELS.items():
        raw = model.model_json_schema(
            schema_generator=_AsWritten, ref_template="#/definitions/" + _OWN.get(name, "") + "{model}"
        )
        own = _OWN.get(name, "")
        shared = [inner for inner, schema in raw.get("$defs", {}).items() if own and definitions.get(inner) == schema]
        for inner in shared:  # one model that both have
            raw = orjson.loads(orjson.dumps(raw).replace(_named(own + inner), _named(inner)))
            del raw["$defs"][inner]
        for inner, schema in raw.pop("$defs", {}).items():
            definitions[own + inner] = schema
        definitions[name] = raw
    done = {name: _object(name, schema, definitions) for name, schema in sorted(definitions.items())}
    done["Defaults"]["properties"]["job"] |= _job_of_defaults(done)
    return {
        "$schema": DRAFT,
        "$comment": _NOTE,
        "title": "jobsctl",
        "description": "A document of jobsctl: a job, or what jobs share.",
        "type": "object",
        "properties": {"kind": _kinds(done)},
        "allOf": [_when(kind) for kind in MODELS if kind != "Config"],
        "definitions": done,
    }


def _named(definition: str) -> bytes:
    return f'"#/definitions/{definition}"'.encode()


def _kinds(done: Mapping[str, Schema]) -> Schema:
    kinds = [kind for kind in MODELS if kind != "Config"]
    words = [done[kind]["description"].partition("\n\n")[0] for kind in kinds]
    job = done["Job"]["properties"]["kind"]
    shared = {key: job[key] for key in ("description", "default", "examples")}
    return {"type": "string", "enum": kinds, "markdownEnumDescriptions": words} | shared


def _when(kind: str) -> Schema:
    """What a document of this kind has to be. Without the key it is a job."""
    asked: Schema = {"properties": {"kind": {"const": kind}}}
    if kind != "Job":
        asked["required"] = ["kind"]
    return {"if": asked, "then": {"$ref": f"#/definitions/{kind}"}}


def _job_of_defaults(done: Mapping[str, Schema]) -> Schema:
    """Any fields of a job, but those that no folder can give; `run` need not be a whole program."""
    fields = {
        name: {"$ref": f"#/definitions/Job/properties/{name}"}
        for name in done["Job"]["properties"]
        if name not in NOT_DEFAULTS
    }
    run = done["Job"]["properties"]["run"]
    parts = {name: {"$ref": f"#/definitions/ProcessRun/properties/{name}"} for name in done["ProcessRun"]["properties"]}
    given = {key: run[key] for key in ("description", "markdownDescription", "examples") if key in run}
    fields["run"] = given | {
        "type": "object",
        "title": "ProcessRun",
        "properties": parts,
        "additionalProperties": False,
        **ONE_PROGRAM,
    }
    return {"type": "object", "properties": fields, "additionalProperties": False}


def _object(name: str, schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """A model: its properties in their order, and the rules between them."""
    done: Schema = {"title": schema["title"], **_described(schema), "type": "object"}
    required = schema.get("required", [])
    done["properties"] = {
        key: _property(shape, definitions, required=key in required) | PATTERNS.get((name, key), {})
        for key, shape in schema["properties"].items()
    }
    if required:
        done["required"] = required
    return done | {"additionalProperties": False} | RULES.get(name, {})


def _property(shape: Schema, definitions: Mapping[str, Schema], *, required: bool) -> Schema:
    done = _described(shape)
    if not required:
        # pydantic leaves out what a factory makes: an empty list or mapping.
        given = shape["default"] if "default" in shape else [] if shape["type"] == "array" else {}
        done["default"] = _default(given, shape, definitions)
    return done | {"examples": shape["examples"]} | _type(shape)


def _described(schema: Schema) -> Schema:
    """The description, and for hovers the same as Markdown: without, an editor shows the backticks."""
    text = " ".join(schema["description"].split())
    return {"description": text} | ({"markdownDescription": text} if "`" in text else {})


_META = frozenset({"title", "description", "default", "examples"})


def _type(shape: Schema) -> Schema:
    """What a value may be, without what is said about it."""
    shape = {key: value for key, value in shape.items() if key not in _META}
    if "$ref" in shape:
        return {"allOf": [shape]}
    if "items" in shape:
        shape = shape | {"items": _member(shape["items"])}
    if "patternProperties" in shape:
        values = {keys: _member(value) for keys, value in shape["patternProperties"].items()}
        shape = shape | {"patternProperties": values, "additionalProperties": False}
    members = shape.get("anyOf") or shape.get("oneOf")
    if members is None:
        return shape
    members = list(_flat(members))
    kept = [member for member in members if member.get("type") != "null"]
    if len(kept) < len(members) and len(kept) == 1 and kept[0].keys().isdisjoint({"$ref", "const", "enum"}):
        only = _type(kept[0])
        return only | {"type": [only["type"], "null"]}
    return {"anyOf": [_titled(member) for member in members]}


def _flat(members: list[Schema]) -> Iterator[Schema]:
    """A union in a union is one union."""
    for member in members:
        inner = member.get("anyOf") or member.get("oneOf")
        yield from _flat(inner) if inner else (member,)


def _titled(member: Schema) -> Schema:
    """A member of a union."""
    if "$ref" in member:
        return member
    title = member.get("title") or _NAMES.get(member.get("type", ""))
    kept = {key: member[key] for key in ("description", "examples") if key in member}
    return ({"title": title} if title else {}) | kept | _type(member)


def _member(schema: Schema) -> Schema:
    """An item of a list, or a value of a map."""
    return schema if "$ref" in schema else _type(schema)


def _default(value: Any, shape: Schema, definitions: Mapping[str, Schema]) -> Any:
    """A default as a person would write it: `5m`, not 300.0; of a mapping only what is not nothing."""
    if isinstance(value, dict) and "$ref" in (found := _reference(shape)):
        fields = definitions[found["$ref"].rpartition("/")[2]]["properties"]
        return {key: _default(each, fields[key], definitions) for key, each in value.items() if each is not None}
    titles = {member.get("title") for member in _flat([shape])}
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "duration" in titles:
            return _compact(value, _LENGTHS)
        if "size" in titles:
            return _compact(value, _SIZES)
    return value


def _reference(shape: Schema) -> Schema:
    return next((member for member in _flat([shape]) if "$ref" in member), {})


def _compact(value: float, units: tuple[tuple[str, int], ...]) -> str | float:
    return next((f"{value / size:.0f}{unit}" for unit, size in units if value % size == 0), value)


def main() -> None:
    """Write the file."""
    _GENERATED.write_bytes(orjson.dumps(build(), option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
