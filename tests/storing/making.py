"""Jobs and runs for the tests of the store, and what must be true of any database of ours."""

from __future__ import annotations

from typing import Any

import orjson

from state.ids import new_id
from state.records import ACTIVE_STATES, JobRecord, Run, RunState, Trigger
from state.store import Store

SECOND = 1_000_000
DAY = 86_400 * SECOND
NOON = 1_800_014_400 * SECOND
"""2027-01-15T12:00:00Z."""


def a_job(
    name: str = "report", project: str = "default", labels: dict[str, str] | None = None, **more: Any
) -> JobRecord:
    return JobRecord(
        project=project, name=name, spec=orjson.dumps({"name": name, "labels": labels or {}}), digest="d1",
        path=f"{name}.yaml", line=1, created_at=NOON, applied_at=NOON, anchor_at=NOON, cursor_at=NOON, **more,
    )  # fmt: skip


def a_run(job: JobRecord, slot: int | None = None, at: int = NOON, **more: Any) -> Run:
    assert job.id is not None
    values: dict[str, Any] = {"generation": 1, "digest": "d1", "revision": None, "state": RunState.PENDING} | more
    return Run(
        id=new_id(at), job_id=job.id, project=job.project, job=job.name, created_at=at, scheduled_for=slot,
        trigger=Trigger.MANUAL if slot is None else Trigger.SCHEDULE, **values,
    )  # fmt: skip


def check_sums(store: Store) -> None:
    """What jobs repeat of their runs is what the runs say; every run has its events."""
    rows = store._connection.execute("SELECT id, active_runs, kept_runs, newest_row_id FROM job").fetchall()
    for job_id, active, kept, newest in rows:
        states = [
            state
            for (state,) in store._connection.execute("SELECT state FROM run WHERE job_id = ?", (job_id,)).fetchall()
        ]
        assert active == sum(state in list(ACTIVE_STATES) for state in states)
        assert kept == len(states)
        assert not states or newest is not None
    missing = store._connection.execute(
        "SELECT id FROM run WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.run_id = run.id)"
    ).fetchall()
    assert missing == []
    assert store._connection.execute("PRAGMA foreign_key_check").fetchall() == []
