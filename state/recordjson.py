"""Records as JSON and back, exactly: how a database's records travel to a command line on another machine.

Written by `status.lists.records`, read by `cli.remote`. Not the shapes for people and scripts (`status.views`): those
round instants to milliseconds, these are the fields of `state.records` under their own names, in microseconds. A field
that has its default is left out, and one that is not known is passed over, so both sides may be of different versions
as long as no word is new. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from enum import Enum
from typing import Any, TypeVar

from state.records import (
    DocumentRecord,
    Event,
    Health,
    JobRecord,
    Reason,
    Run,
    RunState,
    SilenceRecord,
    SourceState,
    Trigger,
)

Record = JobRecord | Run | Event | DocumentRecord | SourceState | SilenceRecord
R = TypeVar("R", JobRecord, Run, Event, DocumentRecord, SourceState, SilenceRecord)

VERSION = 1
"""Of this way of writing records. It goes up when an older reader would misread what it is sent."""


class UnreadableRecord(ValueError):
    """Raised when a text does not hold the record it should: another version's, or something else altogether."""


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


_KINDS: tuple[type[Record], ...] = (JobRecord, Run, Event, DocumentRecord, SourceState, SilenceRecord)
_FIELDS = {kind: [(field.name, _default(field)) for field in fields(kind)] for kind in _KINDS}
_NEEDED = {kind: [name for name, usual in places if usual is MISSING] for kind, places in _FIELDS.items()}


def to_plain(record: Record) -> dict[str, Any]:
    """The record as JSON types, for any JSON writer."""
    found = {}
    for name, usual in _FIELDS[type(record)]:
        value = getattr(record, name)
        if usual is MISSING or value != usual:
            found[name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key.value if isinstance(key, Enum) else key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value


def _counts(value: Mapping[str, int]) -> dict[RunState, int]:
    return {RunState(state): count for state, count in value.items()}


def _skips(value: Mapping[str, int]) -> dict[Reason, int]:
    return {Reason(reason): count for reason, count in value.items()}


_READ: dict[type[Record], dict[str, Callable[[Any], Any]]] = {
    JobRecord: {
        "spec": str.encode, "problem": tuple, "last_run_state": RunState, "health": Health, "counts": _counts,
        "skips": _skips,
    },
    Run: {"trigger": Trigger, "state": RunState, "reason": Reason},
    Event: {},
    DocumentRecord: {"spec": str.encode},
    SilenceRecord: {},
    SourceState: {"prune_blocked": tuple, "diagnostics": tuple},
}  # fmt: skip
"""What JSON does not tell from a text or a list. None stays None."""


def record_of(kind: type[R], plain: object) -> R:
    """The record that `to_plain` wrote.

    Raises:
        UnreadableRecord: a field is missing, or a word in it is not known to this version.
    """
    if not isinstance(plain, dict):
        raise UnreadableRecord(f"not a {kind.__name__}")
    if missing := [name for name in _NEEDED[kind] if name not in plain]:
        raise UnreadableRecord(f"a {kind.__name__} without {', '.join(missing)}")
    given = {name: plain[name] for name, _ in _FIELDS[kind] if name in plain}
    try:
        for name, read in _READ[kind].items():
            if given.get(name) is not None:
                given[name] = read(given[name])
        return kind(**given)
    except (TypeError, ValueError, AttributeError) as error:
        raise UnreadableRecord(f"a {kind.__name__} of another version: {error}") from None
