"""Callbacks from the outbox: two at once to one receiver, recorded, ended by 410, kept across a death."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from standardwebhooks import Webhook

from specs.stored import StoredJob
from state.errors import StateError
from state.outbox.reads import OutboxReader
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState
from state.outbox.store import Outbox
from status.notify.callbacks import dispatching
from status.notify.callbacks.dispatching import Dispatcher
from status.notify.callbacks.guard import Allowed
from tests.callbacks.attempts import BODY, KEY, sender
from tests.callbacks.receiver import WAIT, Receiver, Request, answer

SECOND = 1_000_000
NOW = 1_795_000_000 * SECOND
LATER = NOW + 365 * 86_400 * SECOND


class House:
    """An outbox, a dispatcher and the specs of jobs; attempts may go to loopback."""

    def __init__(self, path: Path, **more: Any) -> None:
        self.path = path
        self.outbox = Outbox.open(path, now=NOW)
        self.woken = threading.Semaphore(0)
        self.specs: dict[str, dict[str, Any]] = {}
        self.ports = list(range(1, 65_536))
        self.made = sender(allowed=Allowed(private=["127.0.0.0/8"], ports=self.ports))
        self.dispatcher = Dispatcher(self.outbox, self.made, self.job_of, wake=self.woken.release, **more)

    def job_of(self, delivery: Delivery) -> StoredJob | None:
        said = self.specs.get(delivery.identity or "")
        if said is None:
            return None
        project, _, name = (delivery.identity or "").partition("/")
        return StoredJob.of(orjson.dumps({"project": project, "name": name, "schedule": None, "dst": {}, **said}))

    def add(self, id: str, identity: str = "shop/report", target: str = "127.0.0.1", at: int = NOW) -> None:
        self.outbox.add_delivery(
            Delivery(
                id=f"run_{id}", kind=DeliveryKind.CALLBACK, target=target, identity=identity, run_id=id,
                event="failed", created_at=at, next_attempt_at=at, payload=BODY,
            )
        )  # fmt: skip

    def callback(self, url: object, identity: str = "shop/report", **more: object) -> None:
        self.specs[identity] = {"callback": {"url": url, "secret": KEY, "on": ["failed"], **more}}

    def turn(self, now: int, count: int = 1) -> None:
        """Start what is due, and take in so many results."""
        self.dispatcher.start(now)
        self.finish(count)

    def finish(self, count: int) -> None:
        for _ in range(count):
            assert self.woken.acquire(timeout=WAIT)
        assert self.dispatcher.take() >= count

    def state(self, id: str) -> tuple[DeliveryState, int]:
        found = self.outbox.delivery(f"run_{id}")
        assert found is not None
        return found.state, found.attempts

    def attempts(self, id: str) -> list[Attempt]:
        with OutboxReader(self.path) as reader:
            return reader.attempts(reader.delivery(f"run_{id}"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "outbox.db")
    yield house
    house.outbox.close()


def test_a_delivery_is_made_recorded_and_over(house: House) -> None:
    with Receiver() as receiver:
        house.callback(receiver.url())
        house.add("a")
        house.turn(NOW)
        house.dispatcher.start(LATER)
        assert house.dispatcher.under_way == 0
    assert house.state("a") == (DeliveryState.DELIVERED, 1)
    (attempt,) = house.attempts("a")
    assert (attempt.number, attempt.status_code, attempt.error) == (1, 200, None)
    assert len(receiver.requests) == 1


def test_what_failed_is_tried_again_under_the_same_id(house: House) -> None:
    with Receiver(answer(500), answer(429, "Retry-After: 7200"), answer(200)) as receiver:
        house.callback(receiver.url())
        house.add("a")
        for now in (NOW, LATER, 2 * LATER):
            house.turn(now)
    assert house.state("a") == (DeliveryState.DELIVERED, 3)
    assert [each.status_code for each in house.attempts("a")] == [500, 429, 200]
    assert {request.headers["webhook-id"] for request in receiver.requests} == {"run_a"}
    assert {request.body for request in receiver.requests} == {BODY}
    for request in receiver.requests:
        Webhook(KEY).verify(request.body, request.headers)


def test_it_is_not_tried_again_before_its_time(house: House) -> None:
    with Receiver(answer(500)) as receiver:
        house.callback(receiver.url())
        house.add("a")
        house.turn(house.made.now())
        again = house.outbox.next_due()
        assert again is not None
        house.dispatcher.start(again - 1)
        assert house.dispatcher.under_way == 0
        house.turn(again)
    assert len(receiver.requests) == 2


def test_an_edited_file_counts_at_the_next_attempt(house: House) -> None:
    with Receiver(answer(500)) as old, Receiver() as new:
        house.callback(old.url())
        house.add("a")
        house.turn(NOW)
        house.callback(new.url())
        house.turn(LATER)
    assert house.state("a") == (DeliveryState.DELIVERED, 2)
    assert (len(old.requests), len(new.requests)) == (1, 1)


def test_gone_disables_the_endpoint_until_its_file_says_something_else(house: House) -> None:
    with Receiver(answer(410), answer(200)) as receiver:
        house.callback(receiver.url())
        house.add("a")
        house.turn(NOW)
        house.add("b")
        house.dispatcher.start(LATER)
        assert (house.state("a"), house.state("b")) == ((DeliveryState.FAILED, 1), (DeliveryState.DROPPED, 0))
        dropped = house.outbox.delivery("run_b")
        assert dropped is not None and "wants no more" in (dropped.reason or "")
        assert len(receiver.requests) == 1
        house.add("c", identity="shop/other")  # another job's: it is asked itself
        house.callback(receiver.url(), "shop/other")
        house.turn(LATER)
        house.callback(receiver.url("/new"))
        house.add("d")
        house.turn(LATER)
    assert house.state("c") == house.state("d") == (DeliveryState.DELIVERED, 1)


@pytest.mark.parametrize("said", [pytest.param(None, id="no job"), pytest.param({}, id="no callback")])
def test_what_has_no_receiver_any_more_is_dropped(said: dict[str, Any] | None, house: House) -> None:
    if said is not None:
        house.specs["shop/report"] = said
    house.add("a")
    house.dispatcher.start(NOW)
    assert house.state("a") == (DeliveryState.DROPPED, 0)


class Held:
    """A receiver's behaviour: answers when the test lets it."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, connection: Any, request: Request) -> None:
        self.go.wait(WAIT)
        answer(200)(connection, request)


def test_a_job_that_cannot_be_read_holds_up_no_other(house: House) -> None:
    with Receiver() as receiver:
        house.callback(receiver.url())
        house.specs["shop/damaged"] = {"callback": {"url": receiver.url()}}
        house.add("a", identity="shop/damaged")
        house.add("b")
        house.turn(NOW)
    assert house.state("a")[0] is DeliveryState.DROPPED
    assert house.state("b")[0] is DeliveryState.DELIVERED


def test_one_receiver_that_hangs_holds_up_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "LOOK", 10)  # what is due for one receiver is more than that
    held = Held()
    with Receiver(held) as slow, Receiver() as quick:
        house.callback(slow.url(), "shop/slow")
        house.callback(quick.url(), "shop/quick")
        for index in range(30):
            house.add(f"s{index}", "shop/slow", target="slow.example")
        house.add("q", "shop/quick", target="quick.example", at=NOW + 1)
        house.dispatcher.start(NOW + 1)
        slow.wait(2)
        house.finish(1)
        assert house.state("q") == (DeliveryState.DELIVERED, 1)
        house.dispatcher.start(NOW + 1)
        assert house.dispatcher.under_way == 2
        held.go.set()
        house.finish(2)
    assert len(slow.requests) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_time_gets_it_from_all_its_deliveries(status: int, house: House) -> None:
    with Receiver(answer(status, "Retry-After: 3600"), answer(200)) as receiver:
        for identity in ("shop/one", "shop/two"):
            house.callback(receiver.url(), identity)
        now = house.made.now()
        house.add("a", "shop/one", target="busy.example", at=now - 2)
        house.turn(now)
        house.add("b", "shop/two", target="busy.example", at=now - 1)
        house.dispatcher.start(now)
        assert house.dispatcher.under_way == 0
        until = house.dispatcher.next_start()
        assert until is not None and abs(until - now - 3600 * SECOND) < 60 * SECOND
        house.turn(until)
        assert house.dispatcher.next_start() is None
    assert house.state("b") == (DeliveryState.DELIVERED, 1)


def test_a_receiver_that_never_takes_anything_does_not_fill_the_disk(tmp_path: Path) -> None:
    house = House(tmp_path / "outbox.db", most_waiting=5)
    for index in range(20):
        house.add(f"s{index}", "shop/slow", at=LATER)
    house.add("q", "shop/quick", at=LATER)
    house.dispatcher.start(NOW)
    kept = [f"s{index}" for index in range(20) if house.state(f"s{index}")[0] is DeliveryState.PENDING]
    assert kept == ["s15", "s16", "s17", "s18", "s19"]
    assert house.state("q")[0] is DeliveryState.PENDING
    dropped = house.outbox.delivery("run_s0")
    assert dropped is not None and dropped.reason == "given up: 5 newer ones of its job wait for the receiver"
    house.outbox.close()


def test_no_more_threads_than_agreed(tmp_path: Path) -> None:
    held = Held()
    house = House(tmp_path / "outbox.db", threads=3)
    with Receiver(held) as receiver:
        for index in range(9):
            house.callback(receiver.url(), f"shop/j{index}")
            house.add(str(index), f"shop/j{index}", target="(hidden address)")
        house.dispatcher.start(NOW)
        house.dispatcher.start(NOW)
        assert house.dispatcher.under_way == 3
        receiver.wait(3)
        held.go.set()
        house.finish(3)
        house.turn(NOW, 3)
        house.turn(NOW, 3)
    assert len(receiver.requests) == 9
    house.outbox.close()


def test_an_attempt_is_not_begun_twice_while_it_is_under_way(house: House) -> None:
    held = Held()
    with Receiver(held) as receiver:
        house.callback(receiver.url())
        house.add("a")
        for _ in range(5):
            house.dispatcher.start(LATER)
        receiver.wait(1)
        held.go.set()
        house.finish(1)
    assert len(receiver.requests) == 1


def test_a_death_in_an_attempt_costs_a_repetition_under_the_same_id(tmp_path: Path) -> None:
    first = House(tmp_path / "outbox.db")
    with Receiver() as receiver:
        first.callback(receiver.url())
        first.add("a")
        first.dispatcher.start(NOW)
        receiver.wait(1)
        assert first.woken.acquire(timeout=WAIT)  # it was answered, and the process dies before it is stored
        first.outbox.close()
        second = House(tmp_path / "outbox.db")
        second.callback(receiver.url())
        second.turn(NOW)
        assert second.state("a") == (DeliveryState.DELIVERED, 1)
        second.outbox.close()
    assert [request.headers["webhook-id"] for request in receiver.requests] == ["run_a", "run_a"]
    assert receiver.requests[0].body == receiver.requests[1].body


def test_a_mistake_of_ours_is_recorded_and_holds_no_other(house: House) -> None:
    with Receiver() as receiver:
        house.callback(receiver.url())
        house.add("with.a.dot", at=NOW - 1)  # an id that is not signed
        house.add("a")
        house.turn(NOW, 2)
    assert house.state("a") == (DeliveryState.DELIVERED, 1)
    assert house.attempts("with.a.dot")[0].error == "cannot be sent: ValueError"
    assert house.state("with.a.dot") == (DeliveryState.PENDING, 1)


def test_no_secret_is_in_the_outbox(house: House) -> None:
    with Receiver(answer(500)) as receiver:
        house.callback(receiver.url("/hooks/hunter2"))
        house.add("a")
        house.turn(NOW)
    house.outbox.close()
    kept = b"".join(path.read_bytes() for path in house.path.parent.glob("outbox.db*"))
    assert b"hunter2" not in kept and KEY.encode() not in kept
    house.outbox = Outbox.open(house.path, now=NOW)


def test_what_cannot_be_recorded_stays_under_way_and_is_recorded_when_it_can_be(house: House) -> None:
    """On a full disk: its receiver would be taken for busy for ever."""
    with Receiver(answer(500), answer(200)) as receiver:
        house.callback(receiver.url())
        house.add("a")
        house.dispatcher.start(NOW)
        assert house.woken.acquire(timeout=WAIT)
        house.outbox._connection.execute("PRAGMA query_only = 1")
        for _ in range(3):
            with pytest.raises(StateError):
                house.dispatcher.take()
            house.dispatcher.start(NOW + 1)
        house.outbox._connection.execute("PRAGMA query_only = 0")
        house.finish(0)
        assert house.state("a") == (DeliveryState.PENDING, 1)
        assert len(receiver.requests) == 1
        house.turn(LATER)
    assert house.state("a") == (DeliveryState.DELIVERED, 2)


def test_what_nobody_takes_any_more_is_dropped_in_one_turn_and_hides_no_other(house: House) -> None:
    with Receiver() as receiver:
        house.callback(receiver.url(), "shop/other")
        for number in range(40):
            house.add(str(number))
        house.add("b", "shop/other", at=NOW + 1)
        house.turn(NOW + 1)
    assert {house.state(str(number))[0] for number in range(40)} == {DeliveryState.DROPPED}
    assert house.state("b")[0] is DeliveryState.DELIVERED
