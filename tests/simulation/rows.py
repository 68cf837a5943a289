"""What became of the rows, in order: temporary triggers write down every change of `run` and `job`.

They live on the daemon's own connection, so a transaction that is rolled back takes its notes with it, and nothing of
them is in the file. The judge reads the notes after each step; once a day it compares the whole tables with what it
made of them.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, fields

RUN = (
    "id", "job_id", "scheduled_for", "attempt", "trigger", "state", "reason", "created_at", "started_at",
    "finished_at", "skipped_first", "skipped_count", "cancel_requested_at", "digest", "exit_code", "supervisor",
    "not_before", "upstream",
)  # fmt: skip
JOB = (
    "id", "project", "name", "digest", "schedule_digest", "anchor_at", "cursor_at", "next_at", "applied_at",
    "archived_at", "suspended_at", "completed_at", "boot_id", "repeat_done", "resumed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunRow:
    """The columns of `run` that are judged."""

    id: str
    job_id: int
    scheduled_for: int | None
    attempt: int
    trigger: str
    state: str
    reason: str | None
    created_at: int
    started_at: int | None
    finished_at: int | None
    skipped_first: int | None
    skipped_count: int | None
    cancel_requested_at: int | None
    digest: str
    exit_code: int | None
    supervisor: str | None
    not_before: int | None
    upstream: str | None
    """JSON: identity to run id."""

    @property
    def order(self) -> tuple[int, int]:
        """The runs of one job start by their slots; an attempt before the slots after its own."""
        return (self.created_at if self.scheduled_for is None else self.scheduled_for, self.attempt)


@dataclass(frozen=True, slots=True)
class JobRow:
    """The columns of `job` that say where its schedule stands."""

    id: int
    project: str
    name: str
    digest: str
    schedule_digest: str
    anchor_at: int
    cursor_at: int
    next_at: int | None
    applied_at: int
    archived_at: int | None
    suspended_at: int | None
    completed_at: int | None
    boot_id: str | None
    repeat_done: int
    resumed_at: int | None


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool as stored."""

    id: str
    slots: int


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A calendar as stored."""

    id: str
    canonical: str


@dataclass(frozen=True, slots=True)
class Noted:
    """One change: `made`, `changed` or `gone`."""

    what: str
    row: RunRow | JobRow | PoolRow | CalendarRow


assert tuple(field.name for field in fields(RunRow)) == RUN
assert tuple(field.name for field in fields(JobRow)) == JOB
_WIDTH = max(len(RUN), len(JOB))
_EVENTS = (("INSERT", "made", "NEW"), ("UPDATE", "changed", "NEW"), ("DELETE", "gone", "OLD"))
_TRIGGER = (
    "CREATE TEMP TRIGGER noted_{table}_{what} AFTER {event} ON main.{table} BEGIN "
    "INSERT INTO noted VALUES (NULL, '{table}', '{what}', {values}); END"
)


class Journal:
    """The notes of one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        connection.execute("PRAGMA synchronous = off")  # we kill our process, never the machine under it
        connection.execute("PRAGMA temp_store = memory")
        columns = ", ".join(f"c{number}" for number in range(_WIDTH))
        connection.execute(f"CREATE TEMP TABLE noted (n INTEGER PRIMARY KEY, tab TEXT, what TEXT, {columns})")
        for table, names in (("run", RUN), ("job", JOB)):
            for event, what, side in _EVENTS:
                values = [f"{side}.{name}" for name in names] + ["NULL"] * (_WIDTH - len(names))
                connection.execute(_TRIGGER.format(table=table, what=what, event=event, values=", ".join(values)))
        for event, what, side in _EVENTS:
            values = [f"{side}.name", f"CAST({side}.canonical AS TEXT)"] + ["NULL"] * (_WIDTH - 2)
            trigger = _TRIGGER.format(table="document", what=what, event=event, values=", ".join(values))
            for kind in ("Pool", "Calendar"):
                one = trigger.replace("noted_document", f"noted_{kind}").replace("'document'", f"'{kind}'")
                connection.execute(one.replace(" BEGIN ", f" WHEN {side}.kind = '{kind}' BEGIN "))
        connection.execute("CREATE TEMP TABLE noted_spec (n INTEGER PRIMARY KEY, canonical BLOB)")
        for event in ("INSERT", "UPDATE"):
            connection.execute(
                f"CREATE TEMP TRIGGER noted_spec_{event} AFTER {event} ON main.spec BEGIN "
                "INSERT INTO noted_spec VALUES (NULL, NEW.canonical); END"
            )

    def begin(self) -> None:
        """A transaction begins."""
        self.connection.execute("INSERT INTO noted (tab) VALUES ('')")

    def take(self) -> list[list[Noted]]:
        """What changed since the last call, in order, by transaction. Only between transactions."""
        rows = self.connection.execute("SELECT * FROM noted ORDER BY n").fetchall()
        if not rows:
            return []
        self.connection.execute("DELETE FROM noted")
        found: list[list[Noted]] = [[]]
        for _, table, what, *values in rows:
            if table == "":
                found.append([])
            elif table == "run":
                found[-1].append(Noted(what, RunRow(*values[: len(RUN)])))
            elif table == "job":
                found[-1].append(Noted(what, JobRow(*values[: len(JOB)])))
            elif table == "Calendar":
                found[-1].append(Noted(what, CalendarRow(values[0], values[1])))
            else:
                found[-1].append(Noted(what, PoolRow(values[0], json.loads(values[1])["slots"])))
        return [notes for notes in found if notes]

    def take_specs(self) -> list[bytes]:
        """The canonical specs that were stored since the last call, those too that were replaced since."""
        rows = self.connection.execute("SELECT canonical FROM noted_spec ORDER BY n").fetchall()
        if rows:
            self.connection.execute("DELETE FROM noted_spec")
        return [bytes(canonical) for (canonical,) in rows]

    def all_runs(self) -> list[RunRow]:
        return [RunRow(*row) for row in self.connection.execute(f"SELECT {', '.join(RUN)} FROM run")]

    def all_jobs(self) -> list[JobRow]:
        return [JobRow(*row) for row in self.connection.execute(f"SELECT {', '.join(JOB)} FROM job")]
