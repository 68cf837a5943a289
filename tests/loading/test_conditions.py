"""`until`: what can never work is told at its place; what works answers; nothing hangs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from specs.conditions import FUNCTIONS, JOB_FIELDS, RUN_FIELDS, ConditionError, compile_condition
from specs.load import load_bytes

HOUR = 3_600_000_000
RUN: dict[str, Any] = {
    "id": "1", "state": "failed", "reason": "exit_code", "exit_code": 3, "attempt": 2, "trigger": "schedule",
    "scheduled_for": 10 * HOUR, "started_at": 10 * HOUR, "finished_at": 11 * HOUR, "duration": 3600.0,
    "cpu_seconds": 1.5, "peak_memory": 2048,
}  # fmt: skip
JOB: dict[str, Any] = {
    "name": "a", "project": "default", "runs": 3, "successes": 1, "failures": 2, "consecutive_failures": 2,
}  # fmt: skip


def told(text: str, result: Any = None, **run: Any) -> bool:
    return compile_condition(text).evaluate(run=RUN | run, job=JOB, result=result, now=12 * HOUR)


@pytest.mark.parametrize(
    ("text", "under", "message"),
    [
        pytest.param("job.runs >=", "=", "ends too early", id="unfinished"),
        pytest.param("job.runs >= 3 job", "job", "does not expect", id="two-expressions"),
        pytest.param("'a", "'", "does not expect", id="an-open-text"),
        pytest.param("jobs.runs > 3", "jobs", "there is no `jobs`", id="an-unknown-variable"),
        pytest.param("run.status == 'x'", "status", "`run` has no `status`", id="an-unknown-field-of-run"),
        pytest.param("false && job.run > 3", "run", "`job` has no `run`", id="an-unknown-field-that-is-never-reached"),
        pytest.param("'run.status' == run . status", "status", "has no `status`", id="a-text-is-no-field"),
        pytest.param("lower(run.state) == 'x'", "lower", "no function `lower`", id="an-unknown-function"),
        pytest.param("job.runs", None, "not true or false, but int", id="a-number"),
        pytest.param("run.duration + 1 > 2", None, "float + int", id="two-kinds-of-numbers"),
        pytest.param("job.runs / 0 > 1", None, "division by zero", id="a-division-by-zero"),
        pytest.param("run.state.matches('(')", None, "regex", id="an-expression-that-is-none"),
        pytest.param(
            "result.a.all(x, result.b.exists(y, y == x))", ".exists(y,", "inside another", id="a-loop-in-a-loop"
        ),
        pytest.param(
            "&& ".join(f"result.{name}.all(x, x > 1)" for name in "abcde"), ".all(x,", "at most 4", id="many-loops"
        ),
    ],
)
def test_what_cannot_work_is_told_at_its_place(text: str, under: str | None, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text)
    assert message in caught.value.message
    if under is None:
        assert caught.value.span is None
    else:
        assert caught.value.span is not None
        start, end = caught.value.span
        assert text[start:end].startswith(under) or text[start:end] == under[0]


def test_is_an_error_of_the_job_with_a_caret() -> None:
    text = 'name: a\nschedule: every 5m\nuntil: "run.status == 1"\nrun: {script: x}\n'
    (finding,) = load_bytes(text.encode(), "a.yaml").diagnostics
    assert (finding.code, finding.line, finding.column, finding.end_column) == ("JOB046", 3, 13, 19)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("job.runs >= 3 && job.consecutive_failures == 2", True, id="counts"),
        pytest.param("run.state == 'succeeded'", False, id="state"),
        pytest.param("run.exit_code in [3, 4]", True, id="exit-code"),
        pytest.param("now - run.started_at > duration('1h')", True, id="time-since-the-start"),
        pytest.param("run.finished_at == timestamp('1970-01-01T11:00:00Z')", True, id="an-instant"),
        pytest.param("run.scheduled_for.getHours() == 10", True, id="an-hour"),
        pytest.param("run.duration > 60", True, id="seconds"),
        pytest.param("result == null", True, id="no-result"),
        pytest.param("has(result.done) && result.done || job.runs > 2 // a comment", True, id="a-comment"),
    ],
)
def test_answers(text: str, expected: bool) -> None:
    assert told(text, result=None if "null" in text else {}) is expected


def test_null_stands_for_what_a_run_does_not_have() -> None:
    assert told("run.exit_code == null && run.started_at == null", exit_code=None, started_at=None)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        pytest.param("result.remaining == 0", {}, id="a-field-that-is-missing"),
        pytest.param("result.remaining == 0", None, id="no-result"),
        pytest.param("result.remaining > 0", {"remaining": "many"}, id="another-type"),
        pytest.param("result.items[3] == 0", {"items": []}, id="an-item-that-is-missing"),
        pytest.param("result.done", {"done": 1}, id="a-number-for-a-truth"),
        pytest.param("result == 1", ["x" * 70_000], id="too-large"),
        pytest.param("result == 1", [0] * 2_000, id="too-many"),
    ],
)
def test_what_cannot_be_told_is_an_error_with_words_and_no_crash(text: str, result: Any) -> None:
    with pytest.raises(ConditionError) as caught:
        told(text, result=result)
    assert 5 < len(caught.value.message) < 250


@pytest.mark.parametrize("text", ["result.left == 0", "has(result.left) && result.left == 0"])
def test_of_a_run_without_a_result_it_says_so(text: str) -> None:
    with pytest.raises(ConditionError, match=r"`result` is null: the run wrote none$"):
        told(text, result=None)
    assert not told(f"result != null && {text}", result=None)


@pytest.mark.parametrize("name", sorted(RUN_FIELDS))
def test_every_field_of_a_run_that_is_documented_is_known(name: str) -> None:
    assert name in RUN
    assert told(f"has(run.{name}) && run.{name} == run.{name}")


@pytest.mark.parametrize("name", sorted(JOB_FIELDS))
def test_every_field_of_a_job_that_is_documented_is_known(name: str) -> None:
    assert name in JOB
    assert told(f"has(job.{name}) && job.{name} == job.{name}")


CALLS = {
    "bytes": "bytes('a') == b'a'", "contains": "'ab'.contains('a')", "double": "double(1) == 1.0",
    "duration": "duration('1h') == duration('60m')", "dyn": "dyn(1) == 1", "endsWith": "'ab'.endsWith('b')",
    "has": "has(run.id)", "int": "int('1') == 1", "matches": "'ab'.matches('^a')", "size": "size('ab') == 2",
    "startsWith": "'ab'.startsWith('a')", "string": "string(1) == '1'",
    "timestamp": "timestamp('1970-01-01T12:00:00Z') == now", "uint": "uint(1) == 1u",
} | {name: f"now.{name}() >= 0" for name in FUNCTIONS if name.startswith("get")}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_that_is_documented_works(name: str) -> None:
    assert told(CALLS[name])


def test_the_largest_result_is_asked_within_a_second_or_two() -> None:
    step = ".filter(x, size(result) > 0 && result == result)"
    before = time.process_time()
    assert told(f"result{step}{step}{step}{step} == result", result=[1] * 999)
    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 1000, id="open"),
        pytest.param("!" * 1000 + "true", id="not"),
        pytest.param("[" * 500 + "]" * 500, id="lists"),
        pytest.param("1" + "+1" * 500, id="sums"),
        pytest.param("true" + "?true:false" * 90, id="choices"),
        pytest.param("\0", id="nul"),
        pytest.param("true\n" * 200, id="lines"),
        pytest.param("x" * 1025, id="too-long"),
    ],
)
def test_no_text_ends_the_process(text: str) -> None:
    try:
        compile_condition(text)
    except ConditionError as error:
        assert error.message


def test_the_engine_is_loaded_with_the_first_condition_and_without_its_terminal_program() -> None:
    code = """
import sys
from specs.load import load_bytes
def loaded():
    return any("/cel." in line for line in open("/proc/self/maps"))
load_bytes(b"name: a\\nrun: {script: x}\\n", "a.yaml")
assert not loaded()
assert not load_bytes(b"name: a\\nschedule: every 5m\\nuntil: job.runs > 3\\nrun: {script: x}\\n", "a.yaml").diagnostics
assert loaded()
assert not {"typer", "prompt_toolkit"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
