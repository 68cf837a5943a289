"""Which of the due notifications is sent when, and what is kept of it: a real outbox, a service that can hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import orjson
import pytest

from specs.load import load_bytes
from specs.stored import StoredNotifier
from state.errors import StateError
from state.outbox.records import Delivery, DeliveryKind, DeliveryState, Message, Outcome
from state.outbox.store import Outbox
from status.notify.posting import PATIENT, Postman
from status.notify.sending import Note
from tests.notifying.rig import SECOND, notifier, now


class Service:
    """What sends: answers at once, but for addresses that hang until it is let go."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[str] = []
        self.refusals: list[str] = []
        self.refused: set[str] = set()
        """What it never takes."""
        self.hanging: set[str] = set()
        self.let_go = threading.Event()

    def send(self, url: str, note: Note) -> str | None:
        self.asked.append(url)
        self.bodies.append(note.body)
        if url in self.hanging:
            self.let_go.wait(20)
        if any(note.body.startswith(word) for word in self.refused):
            return "not such a one"
        return self.refusals.pop() if self.refusals else None


class House:
    """An outbox, a postman and one notifier."""

    def __init__(self, path: Path) -> None:
        self.outbox = Outbox.open(path, now=now())
        self.service = Service()
        self.notifiers: Mapping[str, StoredNotifier] = {}
        self.postman = Postman(
            self.outbox,
            lambda: self.notifiers,
            base_dir=lambda: path.parent,
            environ={},
            now=now,
            monotonic=time.monotonic,
            wake=lambda: None,
            send=self.service.send,
        )

    def notifier(self, *urls: str) -> None:
        found = load_bytes(notifier(*urls).encode(), "all.yaml")
        self.notifiers = {each.name: StoredNotifier.of(each.spec) for each in found.documents}

    def add(
        self, id: str, *, address: int = 0, at: int | None = None, jobs: Collection[str] = (), body: str = "b"
    ) -> None:
        at = now() - SECOND if at is None else at
        self.outbox.add_messages(
            Message(
                id=f"{id}/{job}",
                notifier="ops",
                identity=job,
                run_id=None,
                at=at,
                stored_at=at,
                payload=b"{}",
                batch=id,
            )
            for job in jobs
        )
        self.outbox.add_delivery(
            Delivery(
                id=id, kind=DeliveryKind.NOTIFICATION, target="ops", address=address, batch=id, event="failure",
                created_at=at, next_attempt_at=at,
                payload=orjson.dumps({"title": "t", "body": body, "tone": "info"}),
            )
        )  # fmt: skip

    def until(self, condition: Callable[[], object]) -> None:
        """Turns, until it holds."""
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, self.service.asked
            self.postman.take()
            self.postman.start(now())
            time.sleep(0.005)

    def tried(self, id: str) -> int:
        found = self.outbox.delivery(id)
        assert found is not None
        return found.attempts

    def until_tried(self, id: str, times: int) -> None:
        self.until(lambda: self.tried(id) == times)

    def told(self) -> list[str]:
        """The first lines of what the service was asked to send."""
        return [body.partition("\n")[0] for body in self.service.bodies]

    def state(self, id: str) -> DeliveryState:
        found = self.outbox.delivery(id)
        assert found is not None
        return found.state


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "outbox.db")
    yield house
    house.service.let_go.set()
    house.outbox.close()


def test_what_cannot_be_recorded_is_not_sent_again(house: House) -> None:
    """On a full disk for hours: the same message would come every few seconds."""
    house.notifier("json://a")
    house.add("one")
    house.postman.start(now())
    house.outbox._connection.execute("PRAGMA query_only = 1")
    deadline, refused = time.monotonic() + 20, 0
    while refused < 5 and time.monotonic() < deadline:
        try:
            house.postman.take()
        except StateError:
            refused += 1
        house.postman.start(now())
    assert refused == 5
    house.outbox._connection.execute("PRAGMA query_only = 0")
    house.until(lambda: house.state("one") is DeliveryState.DELIVERED)
    assert house.service.asked == ["json://a"]
    assert house.postman.under_way == 0


def test_many_for_an_address_that_hangs_hide_no_other_of_its_notifier(house: House) -> None:
    house.notifier("json://hangs", "json://works")
    house.service.hanging = {"json://hangs"}
    for number in range(50):
        house.add(f"old-{number}", at=now() - 60 * SECOND)
    house.add("new", address=1)
    house.until(lambda: house.state("new") is DeliveryState.DELIVERED)
    assert house.service.asked == ["json://hangs", "json://works"]


def test_what_nobody_takes_any_more_is_dropped_in_one_turn_whatever_its_number(house: House) -> None:
    """No bell tells that more are there: 60 seconds would pass between two helpings."""
    for number in range(40):
        house.add(str(number))
    house.postman.start(now())
    assert {house.state(str(number)) for number in range(40)} == {DeliveryState.DROPPED}


def test_what_waited_for_days_is_sent_for_its_job_counts_as_told_of(house: House) -> None:
    """The machine was off for a weekend, or its clock set forward."""
    house.notifier("json://a")
    house.add("old", at=now() - 3 * 86_400 * SECOND)
    house.until(lambda: house.state("old") is not DeliveryState.PENDING)
    assert (house.state("old"), house.service.asked) == (DeliveryState.DELIVERED, ["json://a"])


def test_what_is_sent_again_says_when_it_was_written(house: House) -> None:
    """The recovery after it may have come before it."""
    house.notifier("json://a")
    house.service.refusals = ["no answer"]
    house.add("one")
    house.until(lambda: (found := house.outbox.delivery("one")) is not None and found.attempts == 1)
    house.outbox.set_back(0, now=0, longest=0)
    house.until(lambda: house.state("one") is DeliveryState.DELIVERED)
    first, second = house.service.bodies
    assert first == "b"
    assert second.startswith("b\nSent late: it was written at 20")


def test_a_recovery_does_not_come_before_its_failure_that_did_not_arrive(house: House) -> None:
    house.notifier("json://a")
    house.service.refusals = ["no answer"]
    house.add("one", jobs=["ops/backup"], body="backup failed")
    house.until(lambda: house.tried("one") == 1)
    house.add("two", jobs=["ops/backup", "ops/report"], body="backup recovered, report failed")
    house.until(lambda: house.state("two") is DeliveryState.DELIVERED)
    assert house.state("one") is DeliveryState.DELIVERED
    assert house.told() == ["backup failed", "backup failed", "backup recovered, report failed"]
    assert (house.tried("one"), house.tried("two")) == (2, 1)


def test_what_cannot_be_sent_again_keeps_back_its_own_job_and_no_other(house: House) -> None:
    house.notifier("json://a", "json://b")
    house.service.refused = {"backup failed"}
    house.add("one", jobs=["ops/backup"], body="backup failed")
    house.until(lambda: house.tried("one") == 1)
    house.add("two", jobs=["ops/backup"], body="backup recovered")
    house.add("other job", jobs=["ops/report"], body="report failed")
    house.add("other address", jobs=["ops/backup"], body="backup recovered", address=1)
    house.add("digest", body="all of it")
    house.until(
        lambda: all(house.state(id) is DeliveryState.DELIVERED for id in ("other job", "other address", "digest"))
    )
    house.until(lambda: house.tried("two") == 1)
    two = house.outbox.delivery("two")
    assert two is not None and two.reason == "after one: not such a one"
    assert house.told().count("backup recovered") == 1
    assert house.tried("one") == 1, "it has its own times, and as many attempts as any"


def test_what_is_refused_for_good_does_not_keep_back_its_job_for_long(house: House) -> None:
    house.notifier("json://a")
    house.service.refused = {"backup failed"}
    house.add("one", jobs=["ops/backup"], body="backup failed")
    house.until(lambda: house.tried("one") == 1)
    house.add("two", jobs=["ops/backup"], body="backup recovered")
    for number in range(1, PATIENT + 1):
        house.until_tried("two", number)
        assert "backup recovered" not in house.told()
        house.outbox.end("two", Outcome(state=DeliveryState.PENDING, next_attempt_at=now() - SECOND), now=now())
    house.until(lambda: house.state("two") is DeliveryState.DELIVERED)
    assert house.state("one") is DeliveryState.PENDING
