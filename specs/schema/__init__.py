"""The JSON Schema of spec files: what editors check, complete and show while somebody writes.

Read by `jobsctl schema` and `explain`; `specs.schema.editors` makes files of it. Made from the models by
`specs.schema.build`, and kept as a file beside this one, so that a reader pays for no model: a test compares the two.
Must not import pydantic.

Draft-07, which every editor's language server understands. Nothing in it stands beside a `$ref`: draft-07 ignores that.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
KINDS = ("job", "defaults", "pool", "calendar", "notifier", "config")
"""Documents, as `jobsctl schema KIND` calls them; `config` is `jobsctl.yaml`."""
_GENERATED = Path(__file__).with_name("jobsctl.schema.json")


@cache
def whole() -> Schema:
    """The schema of a whole file, which picks by `kind`. To be read, not to be changed."""
    found: Schema = orjson.loads(_GENERATED.read_bytes())
    return found


def definition(name: str) -> Schema:
    """What a definition says, by its name: `Job`, `Retry`."""
    found: Schema = whole()["definitions"][name]
    return found


def of_kind(kind: str) -> Schema:
    """The schema of one of `KINDS`, with the definitions that it needs and no others."""
    name = kind.capitalize()
    needed: dict[str, Schema] = {}
    _collect(name, needed)
    wanted = {each: schema for each, schema in whole()["definitions"].items() if each in needed}
    return {"$schema": DRAFT, "allOf": [{"$ref": f"#/definitions/{name}"}], "definitions": wanted}


def _collect(name: str, needed: dict[str, Schema]) -> None:
    if name in needed:
        return
    needed[name] = definition(name)
    for each in _references(needed[name]):
        _collect(each, needed)


def _references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"].split("/")[2]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(_references, node.values()))
    return set().union(*map(_references, node)) if isinstance(node, list) else set()
