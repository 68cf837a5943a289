"""What JSON Schema can say of fields that go together, and of texts with a form of their own.

Used by `specs.schema.build`. The models keep these rules in code; what is not here (cron fields, expressions of CEL,
what other documents say) an editor cannot check, and `jobsctl validate` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_INSTANT = (
    rf"^\s*{_DAY}[Tt ]{_CLOCK}( ?[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})?\s*$",
    "an instant is like 2030-12-24T18:00:00+01:00, or without offset in the job's timezone",
)
_TIME = (r"^[0-9]{1,2}:[0-5][0-9]$", 'a time of day is like "22:30"')
_DATE = r"([0-9]{4}-)?[0-1][0-9]-[0-3][0-9]"
_DATES = (rf"^{_DATE}(\.\.{_DATE})?$", "a day is like 2026-12-24, 12-25 (every year) or 2026-12-24..2027-01-02")
_LISTEN = (r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$", "host:port, as 127.0.0.1:8787 or [::1]:8787")


def _given(field: str, *types: str) -> Schema:
    """The field is there, and not null, which counts as left out."""
    return {"required": [field], "properties": {field: {"type": list(types)}}}


_NOT_NULL = ("string", "number", "boolean", "array", "object")


def one_of(**fields: str) -> Schema:
    """Exactly one of these fields is given; each with its type, for the editor's message."""
    return {"oneOf": [_given(name, *types.split("_or_")) for name, types in fields.items()]}


def not_both(first: str, second: str) -> Schema:
    """At most one of the two."""
    return {"not": {"allOf": [_given(first, *_NOT_NULL), _given(second, *_NOT_NULL)]}}


def needs(field: str, other: str, *types: str) -> Schema:
    """When `field` is given, so is `other`."""
    return {"if": _given(field, *_NOT_NULL), "then": _given(other, *types)}


RULES: Mapping[str, Schema] = {
    "ProcessRun": {**one_of(command="array", script="string"), "allOf": [needs("interpreter", "script", "string")]},
    "ScheduleParts": {
        **one_of(cron="string", every="string_or_number", once="string", continuous="boolean"),
        "allOf": [
            needs("anchor", "every", "string", "number"),
            needs("from", "every", "string", "number"),
            needs("delay", "continuous", "boolean"),
            not_both("anchor", "from"),
        ],
    },
    "Jitter": {"anyOf": [_given("spread", "string", "number"), _given("random", "string", "number")]},
}
"""By definition."""


def _form(form: tuple[str, str]) -> Schema:
    return {"pattern": form[0], "patternErrorMessage": form[1]}


PATTERNS: Mapping[tuple[str, str], Schema] = {
    ("ScheduleParts", "once"): _form(_INSTANT),
    ("ScheduleParts", "anchor"): _form(_INSTANT),
    ("Job", "start_at"): _form(_INSTANT),
    ("Job", "end_at"): _form(_INSTANT),
    ("Window", "from"): _form(_TIME),
    ("Window", "to"): _form(_TIME),
    ("Calendar", "dates"): {"items": {"type": "string", "maxLength": 24, **_form(_DATES)}},
    ("ConfigHttp", "listen"): _form(_LISTEN),
}
"""By definition and field: the form of a text that the model takes as it is, and a later step reads."""
