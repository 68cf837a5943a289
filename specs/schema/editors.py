"""The schema as files that editors read, and the line of a spec file that leads to them.

Used by `init`, `apply` and `schema --write`. The same schema as `specs.schema` has, in the form that
yaml-language-server shows best: it labels a mapping among `examples` "[object Object]", and knows snippets instead.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import orjson

from specs.schema import Schema, of_kind, whole
from specs.schema.words import example_lines, in_yaml

FILE = ".jobsctl.schema.json"
"""What the schema is called in the top folder of the specs: git carries it, the daemon passes over names with a dot.

It stands there, not in the home, because the specs may be a repository of their own, somewhere else.
"""
CONFIG_FILE = ".jobsctl.config.schema.json"
"""The schema of `jobsctl.yaml`, beside it."""
_SEPARATOR = re.compile(rb"(?m)^---[ \t]*\r?\n")
"""Between documents, and standing alone. In the first column it can be nothing else."""


def spec_schema() -> bytes:
    """What `FILE` holds."""
    return _compact(whole())


def config_schema() -> bytes:
    """What `CONFIG_FILE` holds."""
    return _compact(of_kind("config"))


def _compact(schema: Schema) -> bytes:
    """A line for each definition, so that a new version is a short change."""
    rest = {key: value for key, value in schema.items() if key != "definitions"}
    lines = [
        orjson.dumps(name) + b":" + orjson.dumps(_shown(_silent(each), name))
        for name, each in schema["definitions"].items()
    ]
    return orjson.dumps(rest)[:-1] + b',\n"definitions":{\n' + b",\n".join(lines) + b"\n}}\n"


def _silent(definition: Schema) -> Schema:
    """Without its own description, which the server would show in place of that of the field that has the mapping."""
    return {key: value for key, value in definition.items() if key not in ("description", "markdownDescription")}


def _shown(node: Any, name: str) -> Any:
    """A schema as an editor shows it; `name` is the field's."""
    if isinstance(node, list):
        return [_shown(each, name) for each in node]
    if not isinstance(node, dict):
        return node
    shown = {key: _shown(value, name) for key, value in node.items() if key not in ("properties", "examples")}
    if "properties" in node:
        shown["properties"] = {key: _shown(value, key) for key, value in node["properties"].items()}
    if node.get("default", "") is None:
        del shown["default"]  # nobody wants `null` among the completions
    return shown | _examples(node, name)


def _examples(node: Schema, name: str) -> Schema:
    """Texts and numbers stay examples; mappings become snippets, and are shown in the description."""
    given = node.get("examples", [])
    plain = [each for each in given if not isinstance(each, dict | list) and each is not None]
    others = [each for each in given if isinstance(each, dict | list)]
    found: Schema = {"examples": plain} if plain else {}
    if others:
        text = node.get("markdownDescription", node["description"])
        lines = "\n".join(line for each in others for line in example_lines(name, each))
        found["markdownDescription"] = f"{text}\n\n```yaml\n{lines}\n```"
        found["defaultSnippets"] = [{"label": in_yaml(each), "body": each} for each in others]
    return found


def modeline(target: Path, schema: Path) -> str:
    """The line of the file `target` that tells an editor where its schema is, as seen from the file's folder."""
    path = Path(os.path.relpath(schema, target.parent)).as_posix()
    return f"# yaml-language-server: $schema={path}\n"


def with_modelines(data: bytes, target: Path, schema: Path) -> bytes:
    """The content of a spec file with that line before each of its documents: an editor reads it for one only.

    As it is when it names a schema already, or must begin at its beginning (a byte order mark, a directive).
    """
    if b"yaml-language-server" in data or b"$schema" in data or data.startswith((b"\xef\xbb\xbf", b"%")):
        return data
    line = modeline(target, schema).encode()
    below = _SEPARATOR.sub(lambda found: found[0] + line, data)
    return below if _SEPARATOR.match(data) else line + below
