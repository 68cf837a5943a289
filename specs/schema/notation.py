"""How JSON Schema says what `specs.notation` reads: durations and sizes, with their units.

Used by `specs.fields`, which gives them to pydantic. `patternErrorMessage` is what an editor says in place of the
pattern; other readers of the schema pass over it. [0-9], not \\d: to JavaScript and Python that is not the same.
"""

from __future__ import annotations

from typing import Any

_LONGEST = 315_360_000
_LARGEST = 2**50

_DURATION_TEXT: dict[str, Any] = {
    "title": "duration",
    "description": "Days, hours, minutes, seconds, in this order: 90s, 15m, 1h30m, 2d. At most 3650d.",
    "type": "string",
    "pattern": r"^(?=.*[1-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+(\.[0-9]+)?s)?$",
    "patternErrorMessage": "a duration is like 90s, 15m, 1h30m or 2d, or a number of seconds",
    "examples": ["90s", "15m", "1h30m"],
}
_SECONDS: dict[str, Any] = {"title": "seconds", "type": "number", "exclusiveMinimum": 0, "maximum": _LONGEST}

DURATION: dict[str, Any] = {"anyOf": [_DURATION_TEXT, _SECONDS]}
TIMEOUT: dict[str, Any] = {
    "anyOf": [{"title": "no limit", "type": "string", "const": "none"}, _DURATION_TEXT, _SECONDS],
}
SIZE: dict[str, Any] = {
    "anyOf": [
        {
            "title": "size",
            "description": "A number with k, M, G, T (1000) or Ki, Mi, Gi, Ti (1024): 64Mi, 1.5G. At most 1 PiB.",
            "type": "string",
            "pattern": r"^(?=.*[1-9])[0-9]+(\.[0-9]+)?\s*(B|k|K|KB|Ki|KiB|[MGT](i?B|i)?)?$",
            "patternErrorMessage": "a size is like 64Mi, 1.5G or 800k, or a number of bytes",
            "examples": ["64Mi", "1G"],
        },
        {"title": "bytes", "type": "integer", "minimum": 1, "maximum": _LARGEST},
    ]
}
