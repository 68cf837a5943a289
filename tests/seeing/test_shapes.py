"""The shapes of docs/http.md, whole, and every key of them in the docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from specs.jitter import stable_offset
from state.records import Event, Health, Reason, RunState, SilenceRecord
from status.health import Facts, health_view, ready_view
from status.heartbeat import Heartbeat
from status.phase import Phase
from status.views import event_view, job_view, run_view, source_view
from status.words.instants import rfc3339
from tests.seeing.building import HOUR, MINUTE, NINE, SECOND, record_of, run_of, source_state

DOCS = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
RUN_ID = "01m7yhz29aer7whczpkpf7957w"
FAILED: dict[str, Any] = {
    "spec": {"schedule": "daily at 09:00", "timezone": "Europe/Berlin", "labels": {"team": "ops"}, "tags": ["nightly"],
             "description": "Says hello"},
    "id": 7,
    "last_run_id": RUN_ID,
    "last_run_state": RunState.FAILED,
    "last_scheduled_for": NINE,
    "last_started_at": NINE + 4000,
    "last_finished_at": NINE + 2 * SECOND,
    "health": Health.FAILING,
    "health_since": NINE + 2 * SECOND,
    "consecutive_failures": 1,
    "counts": {RunState.SUCCEEDED: 41, RunState.FAILED: 1, RunState.SKIPPED: 3},
    "skips": {Reason.OVERLAP: 3, Reason.MISSED: 0},
    "suspended_at": NINE + HOUR,
    "suspended_by": "ada",
    "suspended_reason": "disk is full",
    "problem": ({"code": "JOB012", "message": "unknown field", "path": "hello.yaml", "line": 7, "column": 13,
                 "severity": "error", "help": "did you mean `schedule`?", "source_line": "scheduel: x"},),
    "problem_since": NINE + MINUTE,
}  # fmt: skip


def _failed() -> dict[str, Any]:
    record = record_of(**FAILED)
    run = run_of(record, id=RUN_ID, state=RunState.FAILED, reason=Reason.EXIT_CODE, started_at=NINE + 4000,
                 finished_at=NINE + 2 * SECOND, exit_code=3)  # fmt: skip
    return job_view(record, last_run=run)


def test_a_job_looks_like_this() -> None:
    view = _failed()
    assert view.pop("metadata").pop("digest")
    assert [condition["type"] for condition in view.pop("conditions")] == [
        "Ready", "Reconciling", "Stalled", "Healthy", "Complete"
    ]  # fmt: skip
    assert view == {
        "apiVersion": "jobsctl/v1",
        "kind": "JobStatus",
        "schedule": {"kind": "cron", "expression": "0 9 * * *", "timezone": "Europe/Berlin",
                     "words": "Daily at 09:00, Europe/Berlin"},
        "phase": "suspended",
        "suspended": {"declared": False, "override": True, "reason": "disk is full", "by": "ada",
                      "at": "2026-11-21T10:00:00.000Z"},
        "sync": "OutOfSync",
        "lastRun": {"id": RUN_ID, "state": "failed", "reason": "exit_code", "error": None, "trigger": "schedule",
                    "scheduledFor": "2026-11-21T09:00:00.000Z", "startedAt": "2026-11-21T09:00:00.004Z",
                    "finishedAt": "2026-11-21T09:00:02.000Z", "durationSeconds": 1.996, "exitCode": 3, "signal": None},
        "lastSuccessAt": None,
        "nextRun": None,
        "blocked": None,
        "completedAt": None,
        "repeat": None,
        "dependsOn": [],
        "pool": None,
        "priority": 0,
        "calendars": [],
        "params": {},
        "notify": [],
        "callback": None,
        "silence": None,
        "successDeadline": None,
        "timeoutSeconds": None,
        "activeRuns": 0,
        "consecutiveFailures": 1,
        "counts": {"succeeded": 41, "failed": 1, "cancelled": 0, "expired": 0, "skipped": 3},
        "skips": {"overlap": 3},
        "problems": [{"code": "JOB012", "severity": "error", "message": "unknown field", "path": "hello.yaml",
                      "line": 7, "column": 13, "help": "did you mean `schedule`?"}],
    }  # fmt: skip


def test_a_condition_and_the_metadata_look_like_this() -> None:
    view = _failed()
    assert view["conditions"][3] == {
        "type": "Healthy",
        "status": "False",
        "reason": "RunFailed",
        "message": "The last run failed.",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-21T09:00:02.000Z",
    }
    assert {**view["metadata"], "digest": "..."} == {
        "project": "default", "name": "hello", "identity": "default/hello", "description": "Says hello",
        "labels": {"team": "ops"}, "tags": ["nightly"], "annotations": {}, "generation": 1, "digest": "...",
        "file": "hello.yaml", "line": 1, "revision": "main@sha1:" + "a" * 40,
        "createdAt": "2026-11-21T09:00:00.000Z", "appliedAt": "2026-11-21T09:00:00.000Z", "archivedAt": None,
    }  # fmt: skip


def test_the_next_run_is_told_where_one_is_due_and_may_start() -> None:
    hourly: dict[str, Any] = {"spec": {"schedule": "@hourly"}}
    assert job_view(record_of(**hourly))["nextRun"] == {
        "scheduledFor": "2026-11-21T10:00:00.000Z", "startsAt": "2026-11-21T10:00:00.000Z"
    }  # fmt: skip
    assert job_view(record_of(**hourly, suspended_at=NINE))["nextRun"] is None
    assert job_view(record_of(**hourly, archived_at=NINE))["nextRun"] is None
    assert job_view(record_of())["nextRun"] is None


def test_a_job_with_policies_shows_them() -> None:
    spec = {"schedule": "@hourly", "jitter": "30m", "repeat": 10, "pool": "db", "priority": 5, "calendar": "holidays",
            "depends_on": ["extract", {"job": "other/load", "max_age": "6h"}],
            "params": {"day": {"default": "today", "allowed": ["today", "monday"]}}}  # fmt: skip
    start = NINE + HOUR + stable_offset("default/hello", 30 * MINUTE)
    view = job_view(record_of(spec=spec, repeat_done=4, next_at=start))
    assert {key: view[key] for key in ("repeat", "pool", "priority", "calendars", "dependsOn", "params")} == {
        "repeat": {"done": 4, "of": 10}, "pool": "db", "priority": 5, "calendars": ["holidays"],
        "dependsOn": [{"job": "default/extract", "maxAgeSeconds": None},
                      {"job": "other/load", "maxAgeSeconds": 21600.0}],
        "params": {"day": {"default": "today", "allowed": ["today", "monday"], "pattern": None, "description": ""}},
    }  # fmt: skip
    assert view["nextRun"] == {"scheduledFor": "2026-11-21T10:00:00.000Z", "startsAt": rfc3339(start)}


def test_a_job_that_only_follows_others_says_whom() -> None:
    view = job_view(record_of(spec={"depends_on": ["extract", "load"]}))
    assert view["schedule"]["words"] == "After default/extract and default/load"
    assert (view["nextRun"], view["successDeadline"]) == (None, None)


def test_without_its_row_the_last_run_is_told_from_the_job() -> None:
    view = job_view(record_of(**FAILED))["lastRun"]
    assert (view["state"], view["durationSeconds"], view["exitCode"]) == ("failed", 1.996, None)
    running = FAILED | {"last_run_state": RunState.RUNNING, "last_started_at": NINE + HOUR, "active_runs": 1}
    view = job_view(record_of(**running))["lastRun"]
    assert (view["startedAt"], view["finishedAt"]) == ("2026-11-21T10:00:00.000Z", None)


def test_a_run_and_a_record_of_skipped_slots_look_like_this() -> None:
    run = run_of(record_of(id=7), id=RUN_ID)
    view = run_view(run)
    assert (view["state"], view["scheduledFor"], view["skipped"]) == ("pending", "2026-11-21T09:00:00.000Z", None)
    skipped = run_of(record_of(id=7), state=RunState.SKIPPED, reason=Reason.MISSED, skipped_first=NINE - HOUR,
                     skipped_count=2)  # fmt: skip
    assert run_view(skipped)["skipped"] == {
        "first": "2026-11-21T08:00:00.000Z", "last": "2026-11-21T09:00:00.000Z", "count": 2
    }  # fmt: skip


def test_slots_in_the_data_of_an_event_are_instants() -> None:
    event = Event(at=NINE, job_id=1, run_id=RUN_ID, type="Normal", reason="created", message="Created",
                  data={"scheduledFor": NINE, "attempt": 1})  # fmt: skip
    assert event_view(event)["data"] == {"scheduledFor": "2026-11-21T09:00:00.000Z", "attempt": 1}


def _keys(view: Any) -> Iterator[str]:
    if isinstance(view, dict):
        for key, value in view.items():
            yield key
            yield from _keys(value)
    elif isinstance(view, list):
        for item in view:
            yield from _keys(item)


def test_every_key_and_phase_is_in_the_docs() -> None:
    beat = Heartbeat(at=NINE, last_error="disk full", last_error_at=NINE)
    facts = Facts(now=NINE, heartbeat=beat, source=source_state(), loaded=True, database_problem=None,
                  files_problem=None)  # fmt: skip
    job = _failed()
    job["metadata"]["labels"] = {}
    event = Event(at=NINE, job_id=1, run_id=None, type="Normal", reason="x", message="x")
    skipped = run_of(record_of(id=7), state=RunState.SKIPPED, skipped_first=NINE, skipped_count=1)
    told = {"schedule": "@hourly", "notify": [{"to": "ops"}],
            "callback": {"url": "https://example.com/hook", "secret": {"from_file": "/etc/hook-key"}}}  # fmt: skip
    silence = SilenceRecord(id="s", identity=None, since=NINE, until=NINE + 1, reason="moves", silenced_by="ada")
    views = [job, job_view(record_of(spec=told), silence=silence), run_view(skipped), event_view(event),
             source_view(source_state()), health_view(facts)[0], ready_view(facts)[0]]  # fmt: skip
    words = set(re.findall(r"[A-Za-z]+", DOCS))
    assert {key for view in views for key in _keys(view)} - words == set()
    assert all(f"| `{phase}` |" in DOCS for phase in Phase)
