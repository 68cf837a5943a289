"""From term-llm's job definitions to jobs: programs carry over, agents are kept and cannot run yet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.importing.term_llm.cron import BadExpression, gives_up, parse
from tests.importing.foreign import Judged, judge, only, read_text, said

PROGRAM: dict[str, Any] = {
    "name": "x",
    "runner_type": "program",
    "runner_config": {"command": "report"},
    "trigger_type": "cron",
    "trigger_config": {"expression": "30 4 * * *", "timezone": "UTC"},
}


def job(**changes: Any) -> Judged:
    return only(read_text("term-llm", json.dumps({**PROGRAM, **changes})))


def cron(expression: str, zone: str = "UTC") -> dict[str, Any]:
    return {"trigger_config": {"expression": expression, "timezone": zone}}


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({}, "timeout", "5m"),
        ({"timeout_seconds": 900}, "timeout", "15m"),
        ({}, "missed", "skip"),
        ({"misfire_policy": "run"}, "missed", None),
        ({}, "overlap", None),
        ({"concurrency_policy": "allow", "max_concurrent_runs": 1}, "overlap", None),
        ({"concurrency_policy": "allow", "max_concurrent_runs": 3}, "max_concurrent", 3),
        ({"retry_policy": {"max_attempts": 3}}, "retry", {"attempts": 3, "delay": "10s"}),
        ({"retry_policy": {"max_attempts": 3, "initial_delay": "soon", "backoff": "linear", "max_delay": "1h"}},
         "retry", {"attempts": 3, "backoff": "linear", "delay": "10s", "max_delay": "1h"}),
        ({"retry_policy": {"max_attempts": 2, "initial_delay": "1h"}}, "retry", {"attempts": 2, "delay": "5m"}),
        ({"enabled": False}, "suspend", {"reason": "it was disabled in term-llm (enabled: false)"}),
        ({"labels": {"team": "a"}}, "labels", {"team": "a"}),
        ({"schedule_timezone": "Asia/Tokyo"}, "timezone", "Asia/Tokyo"),
        (cron("30 4 * * *", "Europe/Berlin"), "dst", {"gap": "skip", "repeat": "twice"}),
        (cron("0 0 1,2 * 0"), "schedule", "0 0 */31,2 * 0"),
        ({"runner_config": {"command": "a", "args": ["b c"], "cwd": "/srv", "env": ["K=v=w"]}}, "run",
         {"command": ["a", "b c"], "working_dir": "/srv"}),
        ({"runner_config": {"command": "a", "args": ["b c"], "cwd": "/srv", "env": ["K=v=w"]}}, "env", {"K": "v=w"}),
        ({"runner_config": {"command": "a | b", "shell": True}}, "run", {"command": ["/bin/sh", "-c", "a | b"]}),
        ({"runner_config": {"command": "echo $1", "args": ["b"], "shell": True}}, "run",
         {"command": ["/bin/sh", "-c", "echo $1", "--", "b"]}),
        ({"trigger_type": "manual"}, "schedule", None),
        ({"trigger_type": "once", "trigger_config": {"run_at": "2027-02-22T00:00:00-08:00"}}, "schedule",
         "2027-02-22T00:00:00-08:00"),
    ],
)  # fmt: skip
def test_a_field_becomes(changes: dict[str, Any], field: str, value: Any) -> None:
    judged = job(**changes)
    assert judged.job.tree.get(field) == value
    assert judged.checked.state == ("incomparable" if changes.get("trigger_type") == "manual" else "same")


def test_an_agent_is_suspended_and_keeps_what_it_was_told() -> None:
    config = {
        "agent_name": "developer",
        "instructions": "Look at the deploy.\nSay why.",
        "cwd": "/srv",
        "read_dir": ["/a", "/b"],
    }
    made = read_text("term-llm", json.dumps({**PROGRAM, "runner_type": "llm", "runner_config": config}))
    judged = only(made)
    assert judged.spec.description == "Agent developer: Look at the deploy.\nSay why."
    assert judged.spec.annotations == {
        "term-llm/agent_name": "developer",
        "term-llm/cwd": "/srv",
        "term-llm/read_dir": "/a /b",
    }
    assert judged.spec.suspend_reason()
    assert "exit 78" in (judged.spec.run.script or "")
    assert ("lost", "runner_type llm") in said(made)


def test_instructions_that_are_too_long_for_a_description_stand_above_the_job() -> None:
    config = {"agent_name": "a", "instructions": "word " * 2000, "cwd": "/srv"}
    judged = job(runner_type="llm", runner_config=config)
    assert len(judged.spec.description) <= 4096
    assert "# " + ("word " * 2000).strip() in judged.document


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda job: job, id="one"),
        pytest.param(lambda job: [job], id="a list"),
        pytest.param(lambda job: {"object": "list", "data": [job], "total": 1}, id="what the API answers"),
        pytest.param(lambda job: {"jobs": [job]}, id="below jobs"),
        pytest.param(lambda job: {**job, "id": "job_1", "last_run": {"id": "run_1"}}, id="with what the server adds"),
    ],
)
def test_definitions_come_in_several_shapes(wrap: Any) -> None:
    made = read_text("term-llm", json.dumps(wrap(PROGRAM)))
    assert [each.name for each in made.jobs] == ["x"]
    assert all(note.level != "lost" for each in made.jobs for note in each.notes)


def test_characters_beyond_the_first_plane_survive_json() -> None:
    made = read_text("term-llm", json.dumps({**PROGRAM, "runner_config": {"command": "echo", "args": ["\U0001f600"]}}))
    assert only(made).spec.run.command == ["echo", "\U0001f600"]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("* * * *", "4 fields"),
        ("@daily", "1 fields"),
        ("1-10/2 * * * *", "is no number, range"),
        ("5/10 * * * *", "is no number, range"),
        ("* * * * 7", "not within 0-6"),
        ("* * * JAN *", "is no number, range"),
        ("*/0 * * * *", "a step of nothing"),
        ("1,,2 * * * *", "is no number, range"),
    ],
)
def test_what_term_llm_refuses_is_refused(expression: str, why: str) -> None:
    with pytest.raises(BadExpression, match=why):
        parse(expression)


def test_it_is_said_where_term_llm_itself_would_stop_for_ever() -> None:
    assert gives_up(parse("0 0 29 2 *"))
    assert not gives_up(parse("0 0 28 2 *"))
    (found,) = read_text("term-llm", json.dumps({**PROGRAM, **cron("0 0 29 2 *")})).jobs
    judged = judge(found)
    assert judged.checked.state == "different", "it finds nothing within 366 days"
    assert any(note.what == "0 0 29 2 *" for note in judged.job.notes)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        pytest.param({}, "`callback` tells a program", id="from_the_web"),
        pytest.param(
            {"notify_origin": {"origin": "telegram", "telegram_chat_id": 4711}}, "tgram://BotToken/4711", id="telegram"
        ),
    ],
)
def test_who_was_told_of_an_agents_end_is_lost(changes: dict[str, object], hint: str) -> None:
    config = {"agent_name": "developer", "instructions": "x", "cwd": "/srv", "notify_when_done": True, **changes}
    made = read_text("term-llm", json.dumps({**PROGRAM, "runner_type": "llm", "runner_config": config}))
    (note,) = (each for each in made.jobs[0].notes if each.what == "notify_when_done")
    assert note.level == "lost" and hint in (note.hint or "")


def test_nobody_is_missed_where_nobody_was_told() -> None:
    config = {"agent_name": "developer", "instructions": "x", "cwd": "/srv", "notify_when_done": False}
    made = read_text("term-llm", json.dumps({**PROGRAM, "runner_type": "llm", "runner_config": config}))
    assert ("lost", "notify_when_done") not in said(made)
