"""Fields by the path people name them with: `job.retry.backoff`, `retry.backoff`, `config.http.listen`.

Used by `jobsctl explain`. Read from the schema; must not import pydantic.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from specs.frozen import frozen
from specs.schema import KINDS, Schema, definition, whole
from specs.schema.words import followed, members

_INDEX = re.compile(r"\[[^\]]*\]")


@frozen
class Field:
    """One field, or a whole kind of document (`job`)."""

    path: str
    """As it is shown: `job.depends_on[].job`, `job.params.NAME.default`."""
    shape: Schema
    required: bool = False

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2].removesuffix("[]")

    @property
    def kind(self) -> str:
        """The document it is in, one of `KINDS`."""
        return self.path.partition(".")[0]

    @property
    def description(self) -> str:
        return str(self.shape.get("description", ""))


def kinds() -> list[Field]:
    """All documents."""
    return [Field(kind, definition(kind.capitalize())) for kind in KINDS]


def inside(field: Field) -> list[Field]:
    """The fields of a mapping, of those in a list, of the values of a map; none for anything else."""
    return [] if field.path == "defaults.job" else list(_named(field).values())


def _named(field: Field) -> dict[str, Field]:
    found: dict[str, Field] = {}
    mappings = list(_mappings(field.path, field.shape))
    either = len({shape["title"] for _, shape in mappings}) > 1
    for path, shape in mappings:
        required = () if either else shape.get("required", ())  # of several forms none has to be the one
        for name, each in shape["properties"].items():
            # A mapping, or a list of such mappings: the fields are the same, and the short path is enough.
            found.setdefault(name, Field(f"{path}.{name}", followed(each), name in required))
    return found


def _mappings(path: str, shape: Schema) -> Iterator[tuple[str, Schema]]:
    for member in members(shape):
        if "properties" in member:
            yield path, member
        elif "items" in member:
            yield from _mappings(path if path.endswith("[]") else f"{path}[]", member["items"])
        else:
            for value in member.get("patternProperties", {}).values():
                yield from _mappings(f"{path}.NAME", value)


def everything() -> Iterator[Field]:
    """Every document and every field, outer before inner. Those of a job stand once, not again below `defaults.job`."""
    waiting = kinds()
    while waiting:
        field = waiting.pop(0)
        yield field
        waiting[:0] = inside(field)


def find(text: str) -> list[Field]:
    """What is meant by a path; several when a document and a field of a job have the same name. Empty for none.

    `retry.backoff` is a field of a job, and a name that only one field has needs no more: `memory`. What is in a list
    or a map can be named with or without the index or the key: `depends_on[0].job`, `depends_on.job`,
    `params.region.default`, `params.default`.
    """
    parts = _parts(text)
    roots = {field.path: field for field in kinds()}
    first = parts[0].lower()
    found: list[Field] = []
    if first in roots:
        found += _below(roots[first], parts[1:])
    found += _below(roots["job"], parts)
    if not found:
        ending = [field for field in everything() if f".{field.path}".endswith(f".{'.'.join(parts)}")]
        found += ending if len(ending) == 1 else []
    return found


def _parts(text: str) -> list[str]:
    return _INDEX.sub("", text).strip(".").split(".")


def _below(field: Field, parts: list[str]) -> list[Field]:
    if not parts:
        return [field]
    inner = _named(Field("job", definition("Job")) if field.path == "defaults.job" else field)
    if parts[0] in inner:
        return _below(inner[parts[0]], parts[1:])
    if any("patternProperties" in member for member in members(field.shape)):
        return _below_name(field, parts)
    return []


def _below_name(field: Field, parts: list[str]) -> list[Field]:
    """`parts` begins with a key that the file's author chose."""
    if len(parts) == 1:
        values = [value for member in members(field.shape) for value in member["patternProperties"].values()]
        return [Field(f"{field.path}.NAME", value | {"description": field.description}) for value in values]
    return _below(Field(f"{field.path}.NAME", _without_names(field.shape)), parts[1:])


def _without_names(shape: Schema) -> Schema:
    return {"anyOf": [value for member in members(shape) for value in member["patternProperties"].values()]}


def near(text: str) -> list[str]:
    """Paths that `text` may have meant, the nearest first."""
    asked = ".".join(_parts(text)).lower()
    paths = [field.path for field in everything()]
    by_name: dict[str, list[str]] = {}
    for path in paths:
        for end in {path.partition(".")[2], path.rpartition(".")[2]}:
            by_name.setdefault(end, []).append(path)
    close = difflib.get_close_matches(asked, [*paths, *by_name], n=3, cutoff=0.7)
    last = asked.rpartition(".")[2]
    close += difflib.get_close_matches(last, by_name, n=2, cutoff=0.75)
    return list(dict.fromkeys(path for each in close for path in by_name.get(each, [each])))[:3]


def belongs(field: Field) -> list[str]:
    """Where it can be written, in words."""
    if field.kind == "config":
        return ["in jobsctl.yaml"]
    if field.kind != "job":
        return [f"in a document of `kind: {field.kind.capitalize()}`"]
    if field.path == "job":
        return ["in any file below the specs directory"]
    top = field.path.split(".")[1].removesuffix("[]")
    shared = top in whole()["definitions"]["Defaults"]["properties"]["job"]["properties"]
    given = ["in the `job:` of `kind: Defaults`, for all jobs of a folder"] if shared else []
    return ["in a job", *given]
