"""The phase, the conditions and the suspension of a job, from its record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from state.records import WAIT_REASONS, Health, Reason, RunState
from status.phase import WAITING, Phase, conditions_of, phase_of, suspension_of, sync_of
from status.views import job_view
from tests.seeing.building import HOUR, NINE, record_of, run_of

RAN = {RunState.SUCCEEDED: 1}
HOURLY = {"schedule": "@hourly"}
PROBLEM = (
    {"code": "JOB012", "message": "unknown field `scheduel`", "path": "jobs/hello.yaml", "line": 7, "column": 13},
)

ROWS: list[tuple[str, dict[str, Any], Phase]] = [
    ("nothing has run yet", {}, Phase.PENDING),
    ("only skipped slots: nothing has run yet", {"counts": {RunState.SKIPPED: 3}}, Phase.PENDING),
    ("it has run and waits", {"counts": RAN, "health": Health.HEALTHY}, Phase.ACTIVE),
    ("a cancelled run of a recurring job: it waits", {"counts": {RunState.CANCELLED: 1},
     "last_run_state": RunState.CANCELLED}, Phase.ACTIVE),
    ("a run is pending", {"active_runs": 1, "last_run_state": RunState.PENDING}, Phase.IN_PROGRESS),
    ("a run is running", {"active_runs": 1, "last_run_state": RunState.RUNNING}, Phase.IN_PROGRESS),
    ("its only run waits", {"active_runs": 1, "last_run_state": RunState.BLOCKED}, Phase.BLOCKED),
    ("one waits beside one that runs", {"active_runs": 2, "last_run_state": RunState.BLOCKED}, Phase.IN_PROGRESS),
    ("suspended by its file", {"spec": {"suspend": True}, "counts": RAN}, Phase.SUSPENDED),
    ("suspended by command", {"suspended_at": NINE, "counts": RAN}, Phase.SUSPENDED),
    ("suspended, and its last run goes on", {"suspended_at": NINE, "active_runs": 1}, Phase.IN_PROGRESS),
    ("suspended wins over failed", {"suspended_at": NINE, "health": Health.FAILING}, Phase.SUSPENDED),
    ("the last run failed", {"counts": {RunState.FAILED: 1}, "health": Health.FAILING}, Phase.FAILED),
    ("it failed, and runs again now", {"health": Health.FAILING, "active_runs": 1}, Phase.IN_PROGRESS),
    ("a one-shot is done", {"completed_at": NINE, "counts": RAN, "health": Health.HEALTHY}, Phase.COMPLETED),
    ("a one-shot failed", {"completed_at": NINE, "health": Health.FAILING}, Phase.FAILED),
    ("a one-shot was cancelled", {"completed_at": NINE, "last_run_state": RunState.CANCELLED}, Phase.CANCELLED),
    ("a one-shot was found too late", {"completed_at": NINE, "counts": {RunState.SKIPPED: 1}}, Phase.COMPLETED),
    ("no file names it", {"archived_at": NINE, "counts": RAN, "health": Health.FAILING}, Phase.ARCHIVED),
    ("no file names it, and its run goes on", {"archived_at": NINE, "active_runs": 1}, Phase.ARCHIVED),
]  # fmt: skip


@pytest.mark.parametrize(("record", "phase"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_phase_says_in_one_word_how_a_job_is(record: dict[str, Any], phase: Phase) -> None:
    assert phase_of(record_of(**record)) is phase


def test_every_phase_has_a_row_and_is_in_the_table_of_the_docstring() -> None:
    assert {row[2] for row in ROWS} == set(Phase)
    lines = (line.split() for line in (phase_of.__doc__ or "").splitlines())
    assert set(Phase) <= {words[0] for words in lines if words}


CONDITIONS: list[tuple[str, dict[str, Any], dict[str, tuple[str, str, int | None]]]] = [
    ("just applied", {}, {
        "Ready": ("True", "Applied", NINE), "Reconciling": ("False", "UpToDate", NINE),
        "Stalled": ("False", "UpToDate", NINE), "Healthy": ("Unknown", "NoRunYet", NINE),
        "Complete": ("False", "InstantsRemain", NINE)}),
    ("its file is wrong", {"problem": PROBLEM, "problem_since": NINE + HOUR}, {
        "Ready": ("False", "InvalidSpec", NINE + HOUR), "Stalled": ("True", "InvalidSpec", NINE + HOUR)}),
    ("deciding fails", {"stalled": "zone Mars/Phobos is gone"}, {
        "Ready": ("False", "DecisionFailing", None), "Stalled": ("True", "DecisionFailing", None)}),
    ("its file is gone, for now", {"missing_since": NINE + HOUR}, {
        "Ready": ("True", "Applied", NINE), "Reconciling": ("True", "FileMissing", NINE + HOUR)}),
    ("its file is gone, and it is kept", {"spec": HOURLY | {"prune": False}, "missing_since": NINE + HOUR}, {
        "Ready": ("True", "Applied", NINE), "Reconciling": ("False", "Kept", NINE + HOUR)}),
    ("archived", {"archived_at": NINE + HOUR}, {"Ready": ("False", "Archived", NINE + HOUR)}),
    ("suspended is ready", {"suspended_at": NINE}, {"Ready": ("True", "Suspended", NINE)}),
    ("healthy", {"health": Health.HEALTHY, "health_since": NINE + HOUR}, {
        "Healthy": ("True", "Succeeded", NINE + HOUR)}),
    ("failing", {"health": Health.FAILING, "health_since": NINE + HOUR, "consecutive_failures": 3}, {
        "Healthy": ("False", "RunFailed", NINE + HOUR)}),
    ("complete", {"completed_at": NINE + HOUR}, {"Complete": ("True", "NoFurtherInstants", NINE + HOUR)}),
    ("all runs are done", {"spec": HOURLY | {"repeat": 3}, "repeat_done": 3, "completed_at": NINE + HOUR}, {
        "Complete": ("True", "RepeatDone", NINE + HOUR)}),
    ("until was true first", {"spec": HOURLY | {"repeat": 3, "until": "run.state == 'succeeded'"}, "repeat_done": 2,
     "completed_at": NINE + HOUR}, {"Complete": ("True", "UntilTrue", NINE + HOUR)}),
    ("end_at has passed", {"spec": HOURLY | {"end_at": "2026-11-21T09:30:00Z"}, "completed_at": NINE + HOUR}, {
        "Complete": ("True", "EndReached", NINE + HOUR)}),
    ("no slot is left before end_at", {"spec": HOURLY | {"end_at": "2026-11-21T10:30:00Z"},
     "completed_at": NINE + HOUR}, {"Complete": ("True", "EndReached", NINE + HOUR)}),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), [row[1:] for row in CONDITIONS], ids=[row[0] for row in CONDITIONS])
def test_conditions_say_what_was_observed_and_since_when(
    record: dict[str, Any], expected: dict[str, tuple[str, str, int | None]]
) -> None:
    found = {condition.type: condition for condition in conditions_of(record_of(**record))}
    assert list(found) == ["Ready", "Reconciling", "Stalled", "Healthy", "Complete"]
    assert {kind: (found[kind].status, found[kind].reason, found[kind].since) for kind in expected} == expected


@pytest.mark.parametrize("reason", WAIT_REASONS)
def test_a_job_whose_only_run_waits_says_what_for(reason: Reason) -> None:
    record = record_of(id=7, active_runs=1, last_run_state=RunState.BLOCKED)
    run = run_of(record, state=RunState.BLOCKED, reason=reason)
    record = replace(record, last_run_id=run.id)
    ready = conditions_of(record, last_run=run)[0]
    assert (ready.status, ready.reason, ready.since) == ("True", WAITING[reason], run.created_at)
    assert ready.message.startswith(f"Run {run.id} waits for ")
    view = job_view(record, last_run=run)
    assert (view["phase"], view["blocked"]["run"], view["blocked"]["reason"]) == ("blocked", run.id, reason.value)
    assert conditions_of(record)[0].reason == "Applied", "without the run it is not told"
    assert job_view(replace(record, active_runs=2), last_run=run)["blocked"] is None


def test_every_reason_of_a_condition_is_in_the_docs() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
    table = conditions_of.__doc__ or ""
    for reason in (*WAITING.values(), "RepeatDone", "EndReached", "UntilTrue", "NoFurtherInstants"):
        assert f"`{reason}`" in docs
        assert reason in table


def test_an_invalid_file_is_quoted_with_its_place_and_what_goes_on() -> None:
    ready = conditions_of(record_of(problem=PROBLEM * 3, generation=4))[0]
    assert ready.message == "jobs/hello.yaml:7:13: unknown field `scheduel` (and 2 more); generation 4 goes on"


def test_a_suspension_names_its_source_and_the_override_speaks() -> None:
    declared = record_of(spec={"suspend": {"reason": "waits for the new disk"}})
    found = suspension_of(declared)
    assert found is not None
    assert (found.declared, found.override, found.reason, found.by) == (True, False, "waits for the new disk", None)
    both = suspension_of(
        record_of(spec={"suspend": True}, suspended_at=NINE, suspended_by="ada", suspended_reason="audit")
    )
    assert both is not None
    assert (both.declared, both.override, both.reason, both.by) == (True, True, "audit", "ada")
    assert suspension_of(record_of(spec={"description": 'says "suspend":true, but only here'})) is None


@pytest.mark.parametrize(
    ("record", "problem", "sync"),
    [
        pytest.param({}, None, "Synced", id="what runs is what the file says"),
        pytest.param({"problem": PROBLEM}, None, "OutOfSync", id="the file is wrong"),
        pytest.param({"missing_since": NINE}, None, "OutOfSync", id="the file is gone"),
        pytest.param({}, "jobs: no such directory", "Unknown", id="the files cannot be read"),
    ],
)
def test_sync_compares_what_runs_with_the_files(record: dict[str, Any], problem: str | None, sync: str) -> None:
    assert sync_of(record_of(**record), source_problem=problem) == sync
