"""What a callback says: the run, thin, in the same bytes for ever; and which events are ends."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.stored import StoredCallback, StoredJob
from state.outbox.records import DeliveryKind, DeliveryState
from state.records import TERMINAL_STATES, Event, Reason, Run, RunState, Trigger
from status.notify.callbacks.payload import body_of, delivery_of, is_end
from status.views import run_view

AT = 1_795_000_000_000_000
URL = "https://example.com/hook"
DOCS = Path(__file__).parents[2] / "docs" / "callbacks.md"


def run(state: RunState = RunState.FAILED, reason: Reason | None = Reason.EXIT_CODE, **more: Any) -> Run:
    said = {
        "id": "01m7yhz29aer7whczpkpf7957w", "job_id": 1, "project": "shop", "job": "report", "generation": 3,
        "digest": "5a0f", "revision": None, "trigger": Trigger.SCHEDULE, "scheduled_for": AT, "attempt": 2,
        "created_at": AT, "started_at": AT, "finished_at": AT + 2_000_000, "exit_code": 3, "state": state,
        "reason": reason,
    }  # fmt: skip
    return Run(**{**said, **more})


def job(callback: object = None, **more: Any) -> StoredJob:
    said: dict[str, Any] = {"project": "shop", "name": "report", "schedule": None, "dst": {}, **more}
    if isinstance(callback, dict):
        said["callback"] = {"on": [state.value for state in TERMINAL_STATES], **callback}
    return StoredJob.of(orjson.dumps(said))


def event(reason: str, type: str = "Warning", **more: Any) -> Event:
    return Event(**{"id": 7, "at": AT + 2_000_000, "job_id": 1, "run_id": run().id, "type": type, "reason": reason,
                    "message": "", **more})  # fmt: skip


def told(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(body)
    return found


def test_the_body_is_what_the_standard_asks_for() -> None:
    body = told(body_of(run(), labels={"team": "data"}))
    assert list(body) == ["type", "timestamp", "data"]
    assert (body["type"], body["timestamp"]) == ("job.run.failed", "2026-11-18T11:06:42.000Z")
    data = body["data"]
    assert data["run"] == run_view(run())
    assert (data["job"], data["labels"], data["attempt"], data["cut"]) == ("shop/report", {"team": "data"}, 2, [])
    assert data["links"]["logs"] == f"/api/v1/runs/{run().id}/logs"


def test_the_body_is_documented_key_by_key() -> None:
    said = DOCS.read_text(encoding="utf-8")
    example = told(said.split("```json\n", 1)[1].split("```", 1)[0].encode())
    body = told(body_of(run(), labels={}))
    assert list(example) == list(body)
    assert list(example["data"]) == list(body["data"])
    assert list(example["data"]["run"]) == list(body["data"]["run"])
    assert list(example["data"]["links"]) == list(body["data"]["links"])


def test_a_record_of_skipped_slots_says_which() -> None:
    skip = run(RunState.SKIPPED, Reason.MISSED, skipped_first=AT, skipped_count=4, scheduled_for=AT + 3_000_000)
    assert told(body_of(skip, labels={}))["data"]["run"]["skipped"] == {
        "first": "2026-11-18T11:06:40.000Z", "last": "2026-11-18T11:06:43.000Z", "count": 4,
    }  # fmt: skip


def test_a_long_error_is_cut_visibly() -> None:
    body = told(body_of(run(error="é" * 5000), labels={}))
    error = body["data"]["run"]["error"]
    assert error.startswith("ééé") and error.endswith(" more characters)") and 900 < len(error) < 1100
    assert int(error.split("(")[1].split()[0]) + error.count("é") == 5000
    assert body["data"]["cut"] == ["run.error"]


def test_a_large_result_is_left_out_visibly() -> None:
    body = told(body_of(run(result={"rows": ["x" * 100] * 50}, progress={"done": 5}), labels={}))
    assert (body["data"]["run"]["result"], body["data"]["cut"]) == (None, ["run.result"])
    assert body["data"]["run"]["progress"] == {"done": 5}


TEXT = st.one_of(st.text(max_size=30), st.text(min_size=1).map(lambda text: (text * 9000)[:9000])).map(
    lambda text: text.encode(errors="ignore").decode()
)
DATA = st.one_of(st.none(), st.dictionaries(TEXT, TEXT, max_size=3))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(error=st.none() | TEXT, who=st.none() | TEXT, revision=TEXT, data=DATA, more=DATA, labels=DATA)
def test_no_body_is_longer_than_the_standard_allows(error: Any, who: Any, revision: str, data: Any, more: Any,
                                                    labels: Any) -> None:  # fmt: skip
    full = run(error=error, requested_by=who, request_id=who, cancel_requested_by=who, revision=revision,
               digest=revision, result=data, progress=more, params=data, upstream=more)  # fmt: skip
    body = body_of(full, labels=labels or {})
    assert len(body) < 20_000
    assert body == body_of(dataclasses.replace(full), labels=dict(labels or {}))
    cut = told(body)["data"]["cut"]
    for name, value in run_view(full).items():
        assert told(body)["data"]["run"][name] == value or f"run.{name}" in cut


ENDS = [
    pytest.param(RunState.SUCCEEDED, Reason.SUCCEEDED, "Normal", id="succeeded"),
    pytest.param(RunState.FAILED, Reason.EXIT_CODE, "Warning", id="failed"),
    pytest.param(RunState.FAILED, Reason.DEPENDENCY, "Warning", id="failed with its dependency"),
    pytest.param(RunState.EXPIRED, Reason.TIMEOUT, "Warning", id="expired"),
    pytest.param(RunState.CANCELLED, Reason.SUPERSEDED, "Normal", id="cancelled"),
    pytest.param(RunState.SKIPPED, Reason.OVERLAP, "Warning", id="skipped"),
]


@pytest.mark.parametrize(("state", "reason", "type"), ENDS)
def test_each_end_is_sent_once_under_the_id_of_its_run(state: RunState, reason: Reason, type: str) -> None:
    ended = run(state, reason, skipped_first=AT, skipped_count=1)
    delivery = delivery_of(event(reason.value, type), ended, job({"url": URL, "secret": "x"}))
    assert delivery is not None
    assert delivery.id == "run_01m7yhz29aer7whczpkpf7957w"
    assert (delivery.kind, delivery.state) == (DeliveryKind.CALLBACK, DeliveryState.PENDING)
    assert (delivery.target, delivery.identity, delivery.event) == ("example.com", "shop/report", state.value)
    assert delivery.next_attempt_at == delivery.created_at == AT + 2_000_000


@pytest.mark.parametrize(("state", "reason", "type"), ENDS)
def test_what_is_not_asked_for_is_not_sent(state: RunState, reason: Reason, type: str) -> None:
    ended = run(state, reason, skipped_first=AT, skipped_count=1)
    others = [each.value for each in RunState if each is not state]
    assert delivery_of(event(reason.value, type), ended, job({"url": URL, "secret": "x", "on": others})) is None
    assert delivery_of(event(reason.value, type), ended, job({"url": URL, "secret": "x", "on": [state.value]}))
    assert delivery_of(event(reason.value, type), ended, job()) is None


@pytest.mark.parametrize(
    ("happened", "state", "reason"),
    [
        pytest.param(event("started", "Normal"), RunState.FAILED, Reason.EXIT_CODE, id="it started"),
        pytest.param(event("created", "Normal"), RunState.FAILED, Reason.EXIT_CODE, id="it was made"),
        pytest.param(event("remarks", "Normal"), RunState.FAILED, Reason.EXIT_CODE, id="a remark"),
        pytest.param(
            event("overlap", "Normal"), RunState.SKIPPED, Reason.OVERLAP, id="it waited, before it was skipped"
        ),
        pytest.param(
            event("dependency", "Normal"), RunState.FAILED, Reason.DEPENDENCY, id="it waited, before it failed"
        ),
        pytest.param(event("exit_code", run_id="another"), RunState.FAILED, Reason.EXIT_CODE, id="another run"),
        pytest.param(event("exit_code"), RunState.RUNNING, None, id="it is not over"),
    ],
)
def test_what_is_no_end_sends_nothing(happened: Event, state: RunState, reason: Reason | None) -> None:
    assert not is_end(happened, run(state, reason))


def test_an_endpoint_is_another_one_when_its_file_says_anything_else() -> None:
    said = {"url": URL, "secret": [{"from_file": "a"}], "on": ["failed"]}
    first = job(said).callback
    assert first is not None
    assert first.digest == StoredCallback(URL, ({"from_file": "a"},), frozenset(["failed"])).digest
    for other in ({"url": URL + "2"}, {"secret": "b"}, {"on": ["failed", "expired"]}):
        changed = job({**said, **other}).callback
        assert changed is not None and changed.digest != first.digest


@pytest.mark.parametrize(
    ("url", "target"),
    [
        pytest.param("https://Hooks.example.com./services/T0/B0/token", "hooks.example.com", id="its host only"),
        pytest.param({"from_file": "/etc/hook"}, "(hidden address)", id="from a file"),
        pytest.param("https://user:word@example.com/", "(hidden address)", id="an address nothing is sent to"),
    ],
)
def test_the_target_never_holds_a_secret(url: object, target: str) -> None:
    delivery = delivery_of(event("exit_code"), run(), job({"url": url, "secret": "x"}))
    assert delivery is not None and delivery.target == target
    assert b"token" not in delivery.payload
