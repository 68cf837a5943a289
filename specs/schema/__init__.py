"""The JSON Schema of spec files: what editors check, complete and show while somebody writes.

Read by `jobsctl schema`, `explain`, `init` and `apply`. Made from the models by `specs.schema.build`, and kept as a
file beside this one, so that a reader pays for no model: a test compares the two. Must not import pydantic.

Draft-07, which every editor's language server understands. Nothing in it stands beside a `$ref`: draft-07 ignores that.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import orjson

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
KINDS = ("job", "defaults", "pool", "calendar", "config")
"""Documents, as `jobsctl schema KIND` calls them; `config` is `jobsctl.yaml`."""
FILE = ".jobsctl.schema.json"
"""What the schema is called in the top folder of the specs: git carries it, the daemon passes over names with a dot.

It stands there, not in the home, because the specs may be a repository of their own, somewhere else.
"""
CONFIG = "#/definitions/Config"
_GENERATED = Path(__file__).with_name("jobsctl.schema.json")


@cache
def whole() -> Schema:
    """The schema of a whole file, which picks by `kind`. To be read, not to be changed."""
    found: Schema = orjson.loads(_GENERATED.read_bytes())
    return found


def compact() -> bytes:
    """The same as JSON, as `FILE` holds it: a line for each definition, so that a new version is a short change."""
    rest = {key: value for key, value in whole().items() if key != "definitions"}
    lines = [orjson.dumps(name) + b":" + orjson.dumps(each) for name, each in whole()["definitions"].items()]
    return orjson.dumps(rest)[:-1] + b',\n"definitions":{\n' + b",\n".join(lines) + b"\n}}\n"


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


def modeline(target: Path, root: Path, part: str = "") -> str:
    """The first line of the spec file `target`: it tells an editor where the schema is, from the file's own folder.

    Args:
        root: the top folder of the specs.
        part: `CONFIG` for `jobsctl.yaml`.
    """
    path = os.path.relpath(root / FILE, target.parent)
    return f"# yaml-language-server: $schema={Path(path).as_posix()}{part}\n"


def has_modeline(data: bytes) -> bool:
    """Whether a file says already which schema it has, in any of the spellings that editors know."""
    return b"yaml-language-server" in data or b"$schema" in data
