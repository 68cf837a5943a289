"""The real notify process sends callbacks: the same id and body after a death anywhere, and each end once."""

from __future__ import annotations

import base64
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from state.changes import Skip
from state.outbox.records import DeliveryState
from state.records import JobRecord, Reason, RunState, Trigger
from tests.callbacks.receiver import Receiver, answer
from tests.notifying.rig import SECOND, Rig, now

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
CRASHES = (
    "notify-judged", "notify-storing", "notify-stored", "notify-calling", "notify-called", "notify-call-recorded",
)  # fmt: skip


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "home")
    (rig.home.root / "key").write_text(f"{KEY}\n")
    yield rig
    rig.close()


def apply(rig: Rig, receiver: Receiver, *, on: str = "") -> JobRecord:
    rig.settings(f"callbacks: {{private: [127.0.0.1], ports: [{receiver.port}]}}\n")
    (job,) = rig.apply(
        f"name: report\nrun: {{command: ['true']}}\n"
        f"callback:\n  url: {receiver.url()}\n  secret: {{from_file: key}}\n{on}"
    )
    return job


def ids(receiver: Receiver) -> list[str]:
    """Of what came, once the official verifier took it."""
    for request in receiver.requests:
        Webhook(KEY).verify(request.body, request.headers)
    return [request.headers["webhook-id"] for request in receiver.requests]


@pytest.mark.parametrize("point", CRASHES)
def test_a_death_anywhere_costs_at_most_a_repetition_under_the_same_id(rig: Rig, point: str) -> None:
    with Receiver(answer(204)) as receiver:
        job = apply(rig, receiver)
        rig.begin()
        run = rig.run(job)
        rig.start(JOBSCTL_CRASH_AT=point)
        assert rig.died() == -signal.SIGKILL
        rig.start()
        rig.wait(lambda: rig.deliveries(states=[DeliveryState.DELIVERED]))
        rig.stop()
    (told,) = rig.deliveries()
    assert (told.id, told.attempts) == (f"run_{run.id}", 1)
    assert ids(receiver) == [told.id] * (2 if point == "notify-called" else 1)
    assert {request.body for request in receiver.requests} == {told.payload}


def test_a_row_of_skipped_slots_is_told_once_when_it_begins(rig: Rig) -> None:
    with Receiver(answer(204)) as receiver:
        job = apply(rig, receiver)
        assert job.id is not None
        rig.begin()
        at = now()
        skip = Skip(
            job_id=job.id, reason=Reason.OVERLAP, first=at - 3 * SECOND, last=at - 2 * SECOND, count=2, at=at,
            generation=1, digest=job.digest, revision=None, trigger=Trigger.SCHEDULE,
        )  # fmt: skip
        rig.store.skip([skip])
        rig.start()
        rig.wait(lambda: rig.deliveries(states=[DeliveryState.DELIVERED]))
        rig.store.skip([replace(skip, first=at, last=at, count=1)])
        later = rig.run(job, RunState.SUCCEEDED)  # its delivery tells that everything before was read
        rig.wait(lambda: len(rig.deliveries(states=[DeliveryState.DELIVERED])) == 2)
        rig.stop()
    skipped, succeeded = rig.deliveries()
    assert (skipped.event, succeeded.event, succeeded.run_id) == ("skipped", "succeeded", later.id)
    assert len(receiver.requests) == 2


def test_only_what_is_asked_for_is_sent(rig: Rig) -> None:
    with Receiver(answer(204)) as receiver:
        job = apply(rig, receiver, on="  on: [succeeded]\n")
        rig.begin()
        rig.run(job)
        wanted = rig.run(job, RunState.SUCCEEDED)
        rig.start()
        rig.wait(lambda: rig.deliveries(states=[DeliveryState.DELIVERED]))
        rig.stop()
    assert ids(receiver) == [f"run_{wanted.id}"]


def test_a_key_that_cannot_be_read_is_a_recorded_failure_that_is_tried_again(rig: Rig) -> None:
    with Receiver(answer(204)) as receiver:
        job = apply(rig, receiver)
        (rig.home.root / "key").unlink()
        rig.begin()
        rig.run(job)
        rig.start()
        rig.wait(lambda: rig.deliveries() and rig.deliveries()[0].attempts == 1)
        rig.stop()
    (told,) = rig.deliveries()
    assert "callback.secret: cannot read" in (told.reason or "")
    assert told.state is DeliveryState.PENDING and told.next_attempt_at is not None


def test_settings_that_cannot_be_used_allow_nothing(rig: Rig) -> None:
    with Receiver(answer(204)) as receiver:
        job = apply(rig, receiver)
        rig.settings("callbacks: {}\n")
        rig.begin()
        rig.run(job)
        rig.start()
        rig.wait(lambda: rig.deliveries() and rig.deliveries()[0].attempts == 1)
        rig.stop()
    assert "callbacks.ports" in (rig.deliveries()[0].reason or "")
    assert receiver.connections == 0
