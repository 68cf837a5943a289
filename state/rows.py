"""Between rows and records: the column lists of every SELECT, and the functions that turn one row into a record.

Rows of runs and jobs come as JSON, made by SQLite: sqlite3 takes 0.1 us for each column, and gives the interpreter
lock away for each row, which costs far more where other threads want it. A REAL keeps 15 digits that way: microseconds
of a thousand million seconds.

Used by `state.store*` and `state.reads`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, fields, make_dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any

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

JOB_DEFINITION = (
    "project", "name", "digest", "generation", "path", "line", "revision", "created_at", "applied_at", "archived_at",
    "missing_since", "problem", "problem_since", "schedule_digest", "anchor_at", "cursor_at", "next_at", "boot_id",
    "suspended_at", "suspended_by", "suspended_reason", "resumed_at", "completed_at", "repeat_done",
    "completion_digest", "consumed", "stalled",
)  # fmt: skip
"""What `put_job` writes."""

COUNTED_STATES = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.EXPIRED, RunState.SKIPPED)
_RARE_OF_JOB = {
    "archived_at": None, "missing_since": None, "problem": (), "problem_since": None,
    "suspended_at": None, "suspended_by": None, "suspended_reason": None, "resumed_at": None, "completed_at": None,
    "repeat_done": 0, "completion_digest": "", "consumed": MappingProxyType[str, int]({}), "stalled": None,
}  # fmt: skip
"""What few jobs have, and what the others have in its place."""
_RARE_OF_RUN = (
    "requested_by", "request_id", "cancel_requested_at", "cancel_requested_by", "skipped_first", "skipped_count",
    "not_before", "params", "upstream", "filed_under",
)  # fmt: skip
"""What is None in most runs."""


def _rare(columns: Iterable[str]) -> str:
    """SQL of these columns as one JSON array, null when all are."""
    text = ", ".join(columns)
    return f"json(CASE WHEN coalesce({text}) IS NULL THEN NULL ELSE json_array({text}) END)"


_JOB_FIELDS = [field.name for field in fields(JobRecord) if field.name not in _RARE_OF_JOB] + [*_RARE_OF_JOB]
_JOB_WIDTH = len(_JOB_FIELDS) - len(_RARE_OF_JOB)
_JOB_PLACES = {
    "spec": "NULL",  # bytes: a column of its own
    "counts": f"json_array({', '.join(f'job.{state}' for state in COUNTED_STATES)})",
    "skips": f"json(CASE job.skipped WHEN 0 THEN NULL ELSE json_array("
    f"{', '.join(f'job.skipped_{reason}' for reason in SKIP_REASONS)}) END)",
    "problem": "json(nullif(job.problem, '[]'))", "consumed": "json(job.consumed)",
    "repeat_done": "nullif(job.repeat_done, 0)", "completion_digest": "nullif(job.completion_digest, '')",
}  # fmt: skip
_JOB_COLUMNS = [_JOB_PLACES.get(name, f"job.{name}") for name in _JOB_FIELDS]
SELECT_JOB = (
    f"SELECT json_array({', '.join(_JOB_COLUMNS[:_JOB_WIDTH])}, {_rare(_JOB_COLUMNS[_JOB_WIDTH:])}), spec.canonical "
    "FROM job CROSS JOIN spec ON spec.job_id = job.id"
)
"""For `job_of`."""

_MOVING = (
    "state", "started_at", "pid", "pid_start",
    "reason", "error", "finished_at", "exit_code", "signal", "cpu_seconds", "peak_memory", "output_bytes", "progress",
    "result",
)  # fmt: skip
"""What a start changes, and behind it what an end changes besides."""
_STARTED = 4
_RUN_FIELDS = [
    *(field.name for field in fields(Run) if field.name not in (*_MOVING, *_RARE_OF_RUN)), *_MOVING, *_RARE_OF_RUN
]  # fmt: skip
_RUN_WIDTH = len(_RUN_FIELDS) - len(_RARE_OF_RUN)
RUN_COLUMNS = tuple(name for name in _RUN_FIELDS if name not in ("project", "job"))
_RUN_PLACES = {
    "project": "job.project", "job": "job.name", "params": "json(run.params)", "upstream": "json(run.upstream)"
}  # fmt: skip
_READ_COLUMNS = [_RUN_PLACES.get(name, f"run.{name}") for name in _RUN_FIELDS]
SELECT_RUN = (
    f"SELECT json_array({', '.join(_READ_COLUMNS[:_RUN_WIDTH])}, {_rare(_READ_COLUMNS[_RUN_WIDTH:])}) AS row "
    "FROM run CROSS JOIN job ON job.id = run.job_id"
)
"""For `run_of`, and inside `one_row` for `runs_of`."""
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


def _open(record: type[JobRecord | Run], names: list[str], usual: Mapping[str, Any]) -> Any:
    """A class that is not frozen, with a record's fields in the order of `names`; those of `usual` may be left out.

    A frozen dataclass sets each field by a call: 5 us for the 33 of a run, more than reading its row. One of these is
    made and then declared to be the record: 0.5 us.
    """
    defaults = [(name, Any, field(default=usual[name])) if name in usual else name for name in names]
    return make_dataclass(record.__name__, defaults, slots=True, repr=False, eq=False)


_open_job = _open(JobRecord, _JOB_FIELDS, {})
_open_run = _open(Run, _RUN_FIELDS, dict.fromkeys(_RARE_OF_RUN))


def _make_job(*values: Any) -> JobRecord:
    made = _open_job(*values)
    made.__class__ = JobRecord
    return made  # type: ignore[no-any-return]


def _make_run(*values: Any) -> Run:
    made = _open_run(*values)
    made.__class__ = Run
    return made  # type: ignore[no-any-return]


_TRIGGERS: dict[str, Trigger] = {word.value: word for word in Trigger}
_STATES: dict[str | None, RunState | None] = {None: None, **{word.value: word for word in RunState}}
_REASONS: dict[str | None, Reason | None] = {None: None, **{word.value: word for word in Reason}}
_HEALTHS: dict[str, Health] = {word.value: word for word in Health}
_SPEC, _COUNTS, _SKIPS = (_JOB_FIELDS.index(name) for name in ("spec", "counts", "skips"))
_NO_SKIPS: Mapping[Reason, int] = MappingProxyType(dict.fromkeys(SKIP_REASONS, 0))
"""Most jobs never skip: 10,000 records share it."""
_LAST_STATE, _HEALTH = _JOB_FIELDS.index("last_run_state"), _JOB_FIELDS.index("health")
_USUAL = tuple(_RARE_OF_JOB.values())
_TRIGGER, _STATE, _REASON = (_RUN_FIELDS.index(name) for name in ("trigger", "state", "reason"))
_PROGRESS, _RESULT = _RUN_FIELDS.index("progress"), _RUN_FIELDS.index("result")


def job_of(row: Sequence[Any]) -> JobRecord:
    """A `SELECT_JOB` row."""
    values = orjson.loads(row[0])
    rare = values.pop()
    values[_SPEC] = row[1]
    values[_COUNTS] = dict(zip(COUNTED_STATES, values[_COUNTS], strict=True))
    skips = values[_SKIPS]
    values[_SKIPS] = _NO_SKIPS if skips is None else dict(zip(SKIP_REASONS, skips, strict=True))
    values[_LAST_STATE] = _STATES[values[_LAST_STATE]]
    values[_HEALTH] = _HEALTHS[values[_HEALTH]]
    values += _USUAL if rare is None else _rare_of_job(rare)
    made = _open_job(*values)
    made.__class__ = JobRecord
    return made  # type: ignore[no-any-return]


def _rare_of_job(values: list[Any]) -> list[Any]:
    found: list[Any] = [usual if value is None else value for value, usual in zip(values, _USUAL, strict=True)]
    found[_PROBLEM] = tuple(found[_PROBLEM])
    return found


_PROBLEM = [*_RARE_OF_JOB].index("problem")
_job_values_of = attrgetter(*_JOB_FIELDS)
_ID, _SEQ = _JOB_FIELDS.index("id"), _JOB_FIELDS.index("seq")


def as_stored(job: JobRecord, job_id: int, seq: int) -> JobRecord:
    """A job that never ran, as its row reads after it was inserted; `dataclasses.replace` takes 20 us."""
    values = list(_job_values_of(job))
    values[_ID], values[_SEQ], values[_COUNTS] = job_id, seq, dict.fromkeys(COUNTED_STATES, 0)
    values[_SKIPS] = _NO_SKIPS
    return _make_job(*values)


_STATISTICS = [
    place for place, name in enumerate(_JOB_FIELDS) if name not in JOB_DEFINITION and name not in ("id", "spec", "seq")
]
"""Where the values are that runs write."""


def as_updated(job: JobRecord, before: JobRecord, seq: int) -> JobRecord:
    """A job as its row reads after it took the place of `before`, whose statistics stay."""
    values, known = list(_job_values_of(job)), _job_values_of(before)
    for place in _STATISTICS:
        values[place] = known[place]
    values[_SEQ] = seq
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


def one_row(sql: str) -> str:
    """A selection of `SELECT_RUN` rows as one row, for `runs_of`."""
    return f"SELECT '[' || group_concat(row) || ']' FROM ({sql})"


def runs_of(row: Sequence[Any]) -> list[Run]:
    """The row of `one_row`."""
    return [] if row[0] is None else [_run_of(values) for values in orjson.loads(row[0])]


def run_of(row: Sequence[Any]) -> Run:
    """A `SELECT_RUN` row."""
    return _run_of(orjson.loads(row[0]))


def _run_of(values: list[Any]) -> Run:
    rare = values.pop()
    values[_TRIGGER] = _TRIGGERS[values[_TRIGGER]]
    values[_STATE] = _STATES[values[_STATE]]
    values[_REASON] = _REASONS[values[_REASON]]
    if values[_PROGRESS] is not None:
        values[_PROGRESS] = orjson.loads(values[_PROGRESS])
    if values[_RESULT] is not None:
        values[_RESULT] = orjson.loads(values[_RESULT])
    if rare is not None:
        values += rare
    made = _open_run(*values)
    made.__class__ = Run
    return made  # type: ignore[no-any-return]


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


_MOVES = _RUN_FIELDS.index("state")
_before = attrgetter(*_RUN_FIELDS[:_MOVES])
_behind_start = attrgetter(*_RUN_FIELDS[_MOVES + _STARTED :])
_behind_end = attrgetter(*_RUN_FIELDS[_MOVES + len(_MOVING) :])


def with_start(run: Run, at: int, pid: int | None, pid_start: int | None) -> Run:
    """The run as it is running; as `with_changes`, in half its time."""
    return _make_run(*_before(run), RunState.RUNNING, at, pid, pid_start, *_behind_start(run))


def with_end(run: Run, *values: Any) -> Run:
    """The run with other values of state, started_at, pid, pid_start, reason, error, finished_at, exit_code, signal,
    cpu_seconds, peak_memory, output_bytes, progress and result."""
    return _make_run(*_before(run), *values, *_behind_end(run))


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


def spec_meaning(spec: bytes, project: str) -> tuple[int, int, str | None]:
    """The columns `suspends`, `scheduled` and `follows` of a canonical spec.

    Canonical JSON has no blanks and escapes quotes inside a text, so these bytes are the fields: of nearly every job
    nothing is parsed. A damaged spec follows nobody.
    """
    suspends, scheduled = b'"suspend":false' not in spec, b'"schedule":null' not in spec
    if b'"depends_on":' not in spec:
        return suspends, scheduled, None
    try:
        names = [each if isinstance(each, str) else each["job"] for each in orjson.loads(spec).get("depends_on", ())]
    except (orjson.JSONDecodeError, AttributeError, TypeError, KeyError):
        return suspends, scheduled, None
    return suspends, scheduled, to_json([name if "/" in name else f"{project}/{name}" for name in names])
