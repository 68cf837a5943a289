"""Made-up facts for the stories of `why`: one job, and what is stored about it. Nothing is read from anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from specs.model import Job
from specs.policy import Upstream, policy_of
from specs.schedule import compile_schedule
from specs.zones import find_zone
from state.records import Health, JobRecord, Reason, Run, RunState, Trigger
from status.upstream import UpstreamFacts
from status.why.known import Facts, PoolFacts, SlotFacts
from status.why.words import Local

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NINE = 1_795_248_000_000_000
"""Sat 2026-11-21 09:00 CET: a slot of the job."""
NOW = NINE + 2 * HOUR + 5 * MINUTE
BASE = {"name": "report", "schedule": "daily at 09:00", "timezone": "Europe/Berlin", "run": {"command": ["report"]}}


def run_id(number: int) -> str:
    """A run id that tells which."""
    return f"01m7yjkbshspfz7aw3dyet{number:04}"


def record_of(spec: dict[str, Any], **fields: Any) -> JobRecord:
    """A job that was applied a month ago, with its slots up to today's accounted for."""
    job = Job.model_validate(BASE | spec)
    defaults: dict[str, Any] = {
        "id": 1, "project": job.project, "name": job.name, "spec": orjson.dumps(job.canonical()), "digest": "5a0f",
        "generation": 4, "path": "reports/daily.yaml", "line": 3, "revision": "main@sha1:" + "1a2b3c4d" * 5,
        "created_at": NOW - 30 * DAY, "applied_at": NOW - 5 * DAY, "anchor_at": NOW - 5 * DAY, "cursor_at": NINE,
        "next_at": NINE + DAY,
    }  # fmt: skip
    return JobRecord(**(defaults | fields))


def facts_of(spec: dict[str, Any] | None = None, *, record: dict[str, Any] | None = None, **fields: Any) -> Facts:
    """Facts at NOW, a daemon running."""
    stored = record_of(spec or {}, **(record or {}))
    job = Job.from_canonical(stored.spec)
    schedule = compile_schedule(job)
    defaults: dict[str, Any] = {
        "now": NOW, "record": stored, "policy": policy_of(orjson.loads(stored.spec)), "schedule": schedule,
        "local": Local(find_zone(schedule.timezone), fields.get("now", NOW)), "alive": True,
        "last_beat": NOW - 2 * SECOND,
    }  # fmt: skip
    return Facts(**(defaults | fields))


def run(state: RunState = RunState.SUCCEEDED, *, number: int = 1, slot: int | None = NINE, took: int = 72 * SECOND,
        late: int = 20_000, **fields: Any) -> Run:  # fmt: skip
    """A run of the job: of today's slot, on time."""
    began = (NINE if slot is None else slot) + late
    over = state not in (RunState.RUNNING, RunState.PENDING, RunState.BLOCKED)
    ran = state not in (RunState.PENDING, RunState.BLOCKED)
    defaults: dict[str, Any] = {
        "id": run_id(number), "job_id": 1, "project": "default", "job": "report", "generation": 4, "digest": "5a0f",
        "revision": "main@sha1:" + "1a2b3c4d" * 5, "trigger": Trigger.SCHEDULE, "scheduled_for": slot, "state": state,
        "created_at": began - 10_000, "started_at": began if ran else None,
        "finished_at": began + took if over else None,
        "reason": {RunState.SUCCEEDED: Reason.SUCCEEDED, RunState.FAILED: Reason.EXIT_CODE}.get(state),
        "exit_code": {RunState.SUCCEEDED: 0, RunState.FAILED: 3}.get(state),
        "error": "exit code 3" if state is RunState.FAILED else None,
    }  # fmt: skip
    return Run(**(defaults | fields))


def skipped(reason: Reason, *, first: int = NINE, last: int = NINE, count: int = 1, **fields: Any) -> Run:
    """A record of slots that did not run."""
    made = run(RunState.SKIPPED, slot=last, reason=reason, exit_code=None, started_at=None, number=9)
    return replace(made, finished_at=last, skipped_first=first, skipped_count=count, **fields)


def slot(*rows: Run, at: int = NINE, **fields: Any) -> SlotFacts:
    """What is stored about today's slot."""
    return SlotFacts(slot=at, rows=rows, **fields)


def upstream(name: str, *, ready: bool, max_age: int | None = None, known: bool = True, **fields: Any) -> UpstreamFacts:
    """A job that the job depends on."""
    record = record_of({"name": name}, **({"health": Health.HEALTHY} | fields)) if known else None
    return UpstreamFacts(upstream=Upstream(f"default/{name}", max_age), record=record, ready=ready)


def pool(slots: int | None, *, running: int, waiting: int = 0) -> PoolFacts:
    """Pool `db`, with so many runs of other jobs."""
    others = [run(RunState.RUNNING, number=100 + n, job=f"import-{n}") for n in range(running)]
    line = [run(RunState.BLOCKED, number=200 + n, job=f"late-{n}", reason=Reason.POOL) for n in range(waiting)]
    return PoolFacts(name="db", slots=slots, running=others, waiting=line)
