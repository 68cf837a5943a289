"""What JSON Schema can say of fields that go together, and of texts with a form of their own.

Used by `specs.schema.build`. The models keep these rules in code; what is not here (cron fields, expressions of CEL,
what other documents say) an editor cannot check, and `jobsctl validate` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
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


_NOT_NULL = ("string", "number", "boolean", "array", "object")


def _given(field: str, *types: str) -> Schema:
    """The field is there, and not null, which counts as left out."""
    return {"required": [field], "properties": {field: {"type": list(types or _NOT_NULL)}}}


def _any_of(message: str, *fields: str) -> Schema:
    """At least one is given."""
    return {"anyOf": [_given(field) | {"errorMessage": message} for field in fields]}


def not_both(first: str, second: str, message: str) -> Schema:
    """At most one of the two; an editor marks the second."""
    return {"if": _given(first), "then": {"properties": {second: {"type": "null", "errorMessage": message}}}}


def _needs(field: str, other: str, message: str) -> Schema:
    """When `field` is given, so is `other`."""
    return {"if": _given(field), "then": _given(other) | {"errorMessage": message}}


_PROGRAM = "a process has exactly one of `command` and `script`"
_EXPRESSIONS = ("cron", "every", "once", "continuous")
_SCHEDULE = "a schedule has exactly one of `cron`, `every`, `once` and `continuous`"
_ANCHOR = "`anchor` goes with `every`, and not with `from`"

ONE_PROGRAM = not_both("command", "script", _PROGRAM)
RULES: Mapping[str, Schema] = {
    "ProcessRun": {
        **_any_of(_PROGRAM, "command", "script"),
        "allOf": [ONE_PROGRAM, _needs("interpreter", "script", "`interpreter` goes with `script`")],
    },
    "ScheduleParts": {
        **_any_of(_SCHEDULE, *_EXPRESSIONS),
        "allOf": [
            *(not_both(first, second, _SCHEDULE) for first, second in combinations(_EXPRESSIONS, 2)),
            _needs("anchor", "every", _ANCHOR),
            not_both("anchor", "from", _ANCHOR),
            _needs("from", "every", "`from` goes with `every`"),
            _needs("delay", "continuous", "`delay` goes with `continuous`"),
        ],
    },
    "NotifyRule": {
        "if": {"properties": {"on": {"contains": {"const": "slow"}}}, "required": ["on"]},
        "then": _given("slower_than") | {"errorMessage": "`on: [slow]` needs `slower_than`"},
    },
    "Jitter": _any_of("`jitter` has `spread`, `random`, or both", "spread", "random"),
}
"""By definition. `errorMessage` is what editors say; the words are the models'."""


def _form(form: tuple[str, str]) -> Schema:
    return {"pattern": form[0], "patternErrorMessage": form[1]}


PATTERNS: Mapping[tuple[str, str], Schema] = {
    ("ScheduleParts", "once"): _form(_INSTANT),
    ("ScheduleParts", "anchor"): _form(_INSTANT),
    ("Job", "start_at"): _form(_INSTANT),
    ("Job", "end_at"): _form(_INSTANT),
    ("Window", "from"): _form(_TIME),
    ("Window", "to"): _form(_TIME),
    ("QuietHours", "from"): _form(_TIME),
    ("QuietHours", "to"): _form(_TIME),
    ("Calendar", "dates"): {"items": {"type": "string", "maxLength": 24, **_form(_DATES)}},
    ("ConfigHttp", "listen"): _form(_LISTEN),
}
"""By definition and field: the form of a text that the model takes as it is, and a later step reads."""
