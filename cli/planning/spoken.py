"""Canonical specs as people write them: without what goes without saying, times and sizes with their units. Pure.

Used by `plan`, `diff` and `apply` for what people read; data keeps the canonical values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.planning.fields import MISSING, all_defaults, complete
from specs.notation import write_duration, write_size

_TIMES = frozenset({"timeout", "grace", "delay", "max_delay", "max_age", "spread", "random", "every", "resync"})
_SIZES = frozenset({"memory", "output", "output_max"})


def beyond_defaults(spec: Mapping[str, Any], other: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a job's canonical spec says beyond the defaults.

    Args:
        other: the spec it is compared with: where that one says something, the default is said too.
    """
    return _beyond(complete(spec), None if other is None else complete(other), all_defaults())


def _beyond(value: Mapping[str, Any], other: Mapping[str, Any] | None, defaults: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for key, item in value.items():
        default = defaults.get(key, MISSING)
        there = default if other is None else other.get(key, default)
        if isinstance(item, dict) and isinstance(default, dict) and default:
            if part := _beyond(item, there if isinstance(there, dict) else None, default):
                said[key] = part
        elif item != default or (there != default and item not in (None, {}, [])):
            said[key] = item
    return said


def with_units(value: Any, name: str = "") -> Any:
    """`30m` for a `timeout` of 1800, `512Mi` for a `memory` of 536870912; the rest as it is.

    Args:
        name: of the field that holds it, without what it stands in.
    """
    if isinstance(value, dict):
        named = name in ("env", "labels", "annotations", "params")
        return {key: item if named else with_units(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [with_units(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name in _TIMES and value > 0:
            return write_duration(value)
        if name in _SIZES:
            return write_size(int(value))
    return value
