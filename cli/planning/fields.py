"""Two canonical specs, field by field: which paths were added, removed, or have another value. Pure.

Used by `cli.planning`. A field that a canonical spec leaves out because it has its default is compared as that default,
so that a person reads `overlap: skip -> queue`, not a field out of nowhere.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from pydantic_core import to_jsonable_python

from specs.frozen import frozen
from specs.model import Job
from specs.program import ProcessRun

Step = str | int
Path = tuple[Step, ...]
"""Keys of mappings and places in lists (from 0)."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Absent(Enum):
    """The value of a field that is not there."""

    MISSING = "missing"


MISSING = Absent.MISSING


@frozen
class FieldChange:
    """One path with what was there and what is: JSON values, or `MISSING`."""

    path: Path
    old: Any
    new: Any

    @property
    def name(self) -> str:
        """`run.command[2]`, `labels."a.b"`."""
        return path_text(self.path)


def path_text(path: Path) -> str:
    """A path as people write it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        word = step if _PLAIN.fullmatch(step) else json.dumps(step, ensure_ascii=False)
        text += f".{word}" if text else word
    return text


@functools.cache
def _unsaid() -> Mapping[str, Any]:
    """The defaults that canonical specs of jobs leave out."""
    return {
        name: to_jsonable_python(field.get_default(call_default_factory=True), by_alias=True)
        for name, field in Job.model_fields.items()
        if field.exclude_if is not None
    }


def complete(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A job's canonical spec with the defaults that it leaves out, keys sorted."""
    return dict(sorted({**_unsaid(), **spec}.items()))


@functools.cache
def all_defaults() -> Mapping[str, Any]:
    """Of every field of a job that has one, and of its program's."""
    given = {
        name: to_jsonable_python(field.get_default(call_default_factory=True), by_alias=True)
        for name, field in Job.model_fields.items()
        if not field.is_required()
    }
    run = {
        name: to_jsonable_python(field.get_default(call_default_factory=True), by_alias=True)
        for name, field in ProcessRun.model_fields.items()
    }
    return {**given, "run": run}


def said_fields(spec: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """What a job's spec says beyond the defaults: of a job that is new. Its name is not among it."""
    unnamed = {key: value for key, value in spec.items() if key not in ("name", "project")}
    defaults = {key: value for key, value in all_defaults().items() if key in unnamed}
    found = changed_fields(defaults, unnamed)
    return tuple(FieldChange(change.path, MISSING, change.new) for change in found if change.new is not MISSING)


def changed_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Every path that differs, in the order of the names. Lists of one length are compared item by item, others as a
    whole: what was put in at the front would make all items another one."""
    return tuple(_mapping((), old, new))


def _mapping(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for key in sorted(old.keys() | new.keys()):
        yield from _value((*path, key), old.get(key, MISSING), new.get(key, MISSING))


def _value(path: Path, old: Any, new: Any) -> Iterator[FieldChange]:
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        yield from _mapping(path, old, new)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _value((*path, index), before, after)
    elif old != new or (isinstance(old, bool) is not isinstance(new, bool)):  # True == 1
        yield FieldChange(path, old, new)
