"""How JSON Schema says what `specs.notation` reads: names, and durations and sizes with their units.

Used by `specs.fields` and `specs.policies`, which give them to pydantic. `patternErrorMessage` is what an editor says
in place of the pattern; other readers pass over it. [0-9], not \\d: to JavaScript and Python that is not the same.
"""

from __future__ import annotations

from typing import Any

from specs.notation import NAME_PATTERN

NAME: dict[str, Any] = {
    "type": "string",
    "pattern": f"^{NAME_PATTERN}$",
    "maxLength": 63,
    "patternErrorMessage": "a name is 1 to 63 of a-z, 0-9 and '-', and starts and ends with a letter or digit",
}
REFERENCE: dict[str, Any] = {
    "type": "string",
    "pattern": f"^{NAME_PATTERN}(/{NAME_PATTERN})?$",
    "maxLength": 127,
    "patternErrorMessage": "a job is `name`, or `project/name` of another project",
}
_LONGEST = 315_360_000
_LARGEST = 2**50

_DURATION_TEXT: dict[str, Any] = {
    "title": "duration",
    "type": "string",
    "pattern": r"^(?=.*[1-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+(\.[0-9]+)?s)?$",
    "patternErrorMessage": "a duration is like 90s, 15m, 1h30m or 2d, or a number of seconds",
}
_SECONDS: dict[str, Any] = {"title": "seconds", "type": "number", "exclusiveMinimum": 0, "maximum": _LONGEST}

DURATION: dict[str, Any] = {"anyOf": [_DURATION_TEXT, _SECONDS]}
TIMEOUT: dict[str, Any] = {
    "anyOf": [_DURATION_TEXT, {"title": "no limit", "type": "string", "const": "none"}, _SECONDS],
}
SIZE: dict[str, Any] = {
    "anyOf": [
        {
            "title": "size",
            "type": "string",
            "pattern": r"^(?=.*[1-9])[0-9]+(\.[0-9]+)?\s*(B|k|K|KB|Ki|KiB|[MGT](i?B|i)?)?$",
            "patternErrorMessage": "a size is like 64Mi, 1.5G or 800k, or a number of bytes",
        },
        {"title": "bytes", "type": "integer", "minimum": 1, "maximum": _LARGEST},
    ]
}
