"""Between rows and records: the column lists of every SELECT, and the functions that turn one row into a record.

Used by `state.store*` and `state.reads`. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, make_dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar

import orjson

from state.records import (
    SKIP_REASONS,
    DocumentRecord,
    Event,
    Health,
    JobRecord,
    Reason,
    RequestRecord,
    Run,
    RunState,
    SourceState,
    Trigger,
)

Record = TypeVar("Record", JobRecord, Run)

JOB_DEFINITION = (
    "project", "name", "digest", "generation", "path", "line", "revision", "created_at", "applied_at", "archived_at",
    "missing_since", "problem", "problem_since", "schedule_digest", "anchor_at", "cursor_at", "next_at", "boot_id",
    "suspended_at", "suspended_by", "suspended_reason", "resumed_at", "completed_at", "repeat_done",
    "completion_digest", "consumed", "stalled",
)  # fmt: skip
"""What `put_job` writes."""

COUNTED_STATES = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.EXPIRED, RunState.SKIPPED)
_JOB_FIELDS = [field.name for field in fields(JobRecord)]
_JOB_PLACES = {"spec": "spec.canonical", "counts": "job.succeeded", "skips": "job.skipped"}
_JOB_COLUMNS = [
    *(_JOB_PLACES.get(name, f"job.{name}") for name in _JOB_FIELDS),
    "job.failed", "job.cancelled", "job.expired", *(f"job.skipped_{reason}" for reason in SKIP_REASONS),
]  # fmt: skip
SELECT_JOB = f"SELECT {', '.join(_JOB_COLUMNS)} FROM job CROSS JOIN spec ON spec.job_id = job.id"
"""Columns in the order of `JobRecord`'s fields; of `counts` and `skips` the first is there, the others behind all."""

_RUN_FIELDS = [field.name for field in fields(Run)]
RUN_COLUMNS = tuple(name for name in _RUN_FIELDS if name not in ("project", "job"))
_RUN_PLACES = {"project": "job.project", "job": "job.name"}
SELECT_RUN = (
    f"SELECT {', '.join(_RUN_PLACES.get(name, f'run.{name}') for name in _RUN_FIELDS)} "
    "FROM run CROSS JOIN job ON job.id = run.job_id"
)
"""Columns in the order of `Run`'s fields."""
SELECT_EVENT = "SELECT id, at, job_id, run_id, type, reason, message, data FROM event"
SELECT_REQUEST = (
    "SELECT id, kind, identity, run_id, requested_by, requested_at, handled_at, outcome, message, data FROM request"
)
SELECT_DOCUMENT = "SELECT kind, name, canonical, digest, path, line, revision, applied_at FROM document"
SELECT_SOURCE = (
    "SELECT root, revision, scanned_at, files, jobs, invalid, problem, prune_blocked, diagnostics "
    "FROM source WHERE id = 1"
)


def to_json(value: object) -> str:
    """Compact JSON, keys sorted."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def json_or_none(value: object) -> str | None:
    """None stays NULL."""
    return None if value is None else to_json(value)


def printable(text: str) -> str:
    """The text with lone surrogates written out: file names and output may hold bytes that are no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _maker(record: type[Record]) -> Callable[..., Record]:
    """A function that makes a record of all its values, in the order of its fields.

    A frozen dataclass sets each field by a call: 5 us for the 33 of a run, more than reading its row. This makes an
    open one with the same fields and then declares it to be the record: 0.5 us.
    """
    thawed: Any = make_dataclass(record.__name__, [field.name for field in fields(record)], slots=True)

    def make(*values: Any) -> Record:
        made = thawed(*values)
        made.__class__ = record
        return made  # type: ignore[no-any-return]

    return make


_make_job = _maker(JobRecord)
_make_run = _maker(Run)
_TRIGGERS: dict[str, Trigger] = {word.value: word for word in Trigger}
_STATES: dict[str | None, RunState | None] = {None: None, **{word.value: word for word in RunState}}
_REASONS: dict[str | None, Reason | None] = {None: None, **{word.value: word for word in Reason}}
_HEALTHS: dict[str, Health] = {word.value: word for word in Health}
_COUNTS, _SKIPS, _PROBLEM = (_JOB_FIELDS.index(name) for name in ("counts", "skips", "problem"))
_NO_SKIPS: Mapping[Reason, int] = MappingProxyType(dict.fromkeys(SKIP_REASONS, 0))
"""Most jobs never skip: 10,000 records share it."""
_NOTHING: Mapping[str, int] = MappingProxyType({})
_LAST_STATE, _HEALTH = _JOB_FIELDS.index("last_run_state"), _JOB_FIELDS.index("health")
_CONSUMED = _JOB_FIELDS.index("consumed")
_JOB_WIDTH = len(_JOB_FIELDS)
_JOB_SKIPS = _JOB_WIDTH + 3
"""Where the counts of skips begin in a row: behind the fields and three of the counts of states."""
_TRIGGER, _STATE, _REASON = (_RUN_FIELDS.index(name) for name in ("trigger", "state", "reason"))
_PROGRESS, _RESULT = _RUN_FIELDS.index("progress"), _RUN_FIELDS.index("result")
_PARAMS, _UPSTREAM = _RUN_FIELDS.index("params"), _RUN_FIELDS.index("upstream")


def job_of(row: Sequence[Any]) -> JobRecord:
    """A `SELECT_JOB` row."""
    values = list(row[:_JOB_WIDTH])
    failed, cancelled, expired = row[_JOB_WIDTH:_JOB_SKIPS]
    skipped = values[_SKIPS]
    values[_COUNTS] = {
        RunState.SUCCEEDED: values[_COUNTS],
        RunState.FAILED: failed,
        RunState.CANCELLED: cancelled,
        RunState.EXPIRED: expired,
        RunState.SKIPPED: skipped,
    }
    values[_SKIPS] = dict(zip(SKIP_REASONS, row[_JOB_SKIPS:], strict=True)) if skipped else _NO_SKIPS
    values[_PROBLEM] = () if values[_PROBLEM] == "[]" else tuple(orjson.loads(values[_PROBLEM]))
    values[_CONSUMED] = _NOTHING if values[_CONSUMED] is None else orjson.loads(values[_CONSUMED])
    values[_LAST_STATE] = _STATES[values[_LAST_STATE]]
    values[_HEALTH] = _HEALTHS[values[_HEALTH]]
    return _make_job(*values)


_job_values_of = attrgetter(*_JOB_FIELDS)
_ID, _SEQ = _JOB_FIELDS.index("id"), _JOB_FIELDS.index("seq")


def as_stored(job: JobRecord, job_id: int, seq: int) -> JobRecord:
    """A job that never ran, as its row reads after it was inserted; `dataclasses.replace` takes 20 us."""
    values = list(_job_values_of(job))
    values[_ID], values[_SEQ], values[_COUNTS] = job_id, seq, dict.fromkeys(COUNTED_STATES, 0)
    values[_SKIPS] = _NO_SKIPS
    return _make_job(*values)


def job_definition(job: JobRecord) -> tuple[Any, ...]:
    """The values of `JOB_DEFINITION`, in its order."""
    return (
        job.project, job.name, job.digest, job.generation, printable(job.path), job.line, job.revision, job.created_at,
        job.applied_at, job.archived_at, job.missing_since, to_json([dict(found) for found in job.problem]),
        job.problem_since, job.schedule_digest, job.anchor_at, job.cursor_at, job.next_at, job.boot_id,
        job.suspended_at, job.suspended_by, job.suspended_reason, job.resumed_at, job.completed_at, job.repeat_done,
        job.completion_digest, to_json(dict(job.consumed)) if job.consumed else None, job.stalled,
    )  # fmt: skip


def run_of(row: Sequence[Any]) -> Run:
    """A `SELECT_RUN` row."""
    values = list(row)
    values[_TRIGGER] = _TRIGGERS[values[_TRIGGER]]
    values[_STATE] = _STATES[values[_STATE]]
    values[_REASON] = _REASONS[values[_REASON]]
    if values[_PROGRESS] is not None:
        values[_PROGRESS] = orjson.loads(values[_PROGRESS])
    if values[_RESULT] is not None:
        values[_RESULT] = orjson.loads(values[_RESULT])
    if values[_PARAMS] is not None:
        values[_PARAMS] = orjson.loads(values[_PARAMS])
    if values[_UPSTREAM] is not None:
        values[_UPSTREAM] = orjson.loads(values[_UPSTREAM])
    return _make_run(*values)


_values_of = attrgetter(*_RUN_FIELDS)
# The words themselves: sqlite3 asks its adapters about every value that is not exactly a str, 1 us each.
_stored_values_of = attrgetter(
    *({"trigger": "trigger._value_", "state": "state._value_"}.get(c, c) for c in RUN_COLUMNS)
)
_ERROR, _STORED_REASON = RUN_COLUMNS.index("error"), RUN_COLUMNS.index("reason")
_STORED_DOCUMENTS = [RUN_COLUMNS.index(name) for name in ("progress", "result", "params", "upstream")]
_plain = attrgetter("reason", "error", "progress", "result", "params", "upstream")
_ALL_NONE = (None,) * 6


def with_changes(run: Run, changes: Iterable[tuple[int, Any]]) -> Run:
    """The run with other values at these places (`RUN_PLACE`); `dataclasses.replace` takes 20 us."""
    values = list(_values_of(run))
    for place, value in changes:
        values[place] = value
    return _make_run(*values)


RUN_PLACE = {name: place for place, name in enumerate(_RUN_FIELDS)}


def word(reason: Reason | None) -> str | None:
    """The reason as a plain string."""
    return None if reason is None else reason._value_


def run_values(run: Run) -> tuple[Any, ...]:
    """The values of `RUN_COLUMNS`, in its order."""
    values: tuple[Any, ...] = _stored_values_of(run)
    if _plain(run) == _ALL_NONE:
        return values
    texts = list(values)
    texts[_STORED_REASON] = word(run.reason)
    texts[_ERROR] = None if run.error is None else printable(run.error)
    for place in _STORED_DOCUMENTS:
        texts[place] = json_or_none(texts[place])
    return tuple(texts)


def event_of(row: Sequence[Any]) -> Event:
    """A `SELECT_EVENT` row."""
    return Event(
        id=row[0], at=row[1], job_id=row[2], run_id=row[3], type=row[4], reason=row[5], message=row[6],
        data={} if row[7] is None else orjson.loads(row[7]),
    )  # fmt: skip


def event_values(
    at: int, job_id: int | None, run_id: str | None, type: str, reason: str, message: str, data: Mapping[str, Any] = {}
) -> tuple[Any, ...]:
    """The values of an event row, the id left out."""
    return (at, job_id, run_id, type, reason, printable(message), to_json(dict(data)) if data else None)


def request_of(row: Sequence[Any]) -> RequestRecord:
    """A `SELECT_REQUEST` row."""
    return RequestRecord(
        id=row[0], kind=row[1], identity=row[2], run_id=row[3], requested_by=row[4], requested_at=row[5],
        handled_at=row[6], outcome=row[7], message=row[8], data=orjson.loads(row[9]),
    )  # fmt: skip


def document_of(row: Sequence[Any]) -> DocumentRecord:
    """A `SELECT_DOCUMENT` row."""
    return DocumentRecord(
        kind=row[0], name=row[1], spec=bytes(row[2]), digest=row[3], path=row[4], line=row[5], revision=row[6],
        applied_at=row[7],
    )  # fmt: skip


def source_of(row: Sequence[Any]) -> SourceState:
    """A `SELECT_SOURCE` row."""
    return SourceState(
        root=row[0], revision=row[1], scanned_at=row[2], files=row[3], jobs=row[4], invalid=row[5], problem=row[6],
        prune_blocked=tuple(orjson.loads(row[7])), diagnostics=tuple(orjson.loads(row[8])),
    )  # fmt: skip
