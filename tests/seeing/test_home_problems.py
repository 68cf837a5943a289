"""What is wrong in a home besides its daemon, files and jobs: deliveries that fail, status files, an old backup."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from state.home import Home
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from status.problems import home as homeproblems
from status.problems.home import home_problems, status_files_problem
from tests.seeing.building import HOUR, NINE

DAY = 24 * HOUR
NOTIFICATION, CALLBACK = DeliveryKind.NOTIFICATION, DeliveryKind.CALLBACK
PENDING, FAILED, ARRIVED = DeliveryState.PENDING, DeliveryState.FAILED, DeliveryState.DELIVERED
Sent = tuple[DeliveryKind, str, int, DeliveryState, int, int]
"""Kind, target, address, state, attempts, age (µs)."""


@pytest.fixture
def outbox(home: Home) -> Iterator[Outbox]:
    opened = Outbox.open(home.outbox, now=NINE)
    yield opened
    opened.close()


def send(outbox: Outbox, *sent: Sent) -> None:
    for number, (kind, target, address, state, attempts, age) in enumerate(sent):
        made = Delivery(
            id=f"d{number}", kind=kind, target=target, address=address, event="failure", created_at=NINE - age,
            next_attempt_at=NINE, payload=b"{}",
        )  # fmt: skip
        outbox.add_delivery(made)
        for attempt in range(1, attempts + 1):
            last = attempt == attempts
            outcome = Outcome(
                state=state if last else PENDING,
                next_attempt_at=None if last and state is not PENDING else NINE + HOUR,
                reason=None if state is ARRIVED else f"answered 50{number}",
            )
            outbox.record_attempt(made.id, Attempt(number=attempt, sent_at=NINE, seconds=0.1), outcome)


def told(home: Home) -> list[tuple[str, str, str]]:
    return [(each.subject, each.message, each.next) for each in home_problems(home, NINE)]


GIVEN_UP = "{} did not arrive in the last day: {}"
CASES = [
    pytest.param([(NOTIFICATION, "ops", 0, ARRIVED, 1, HOUR)], [], id="all_arrived"),
    pytest.param([(NOTIFICATION, "ops", 0, PENDING, 1, HOUR)], [], id="failed_once_and_not_again_yet"),
    pytest.param([(CALLBACK, "a.example", 0, FAILED, 1, DAY + 1)], [], id="given_up_long_ago"),
    pytest.param(
        [(NOTIFICATION, "ops", 0, FAILED, 2, 2 * HOUR), (NOTIFICATION, "ops", 0, ARRIVED, 1, HOUR)], [],
        id="mended_since",
    ),
    pytest.param(
        [(NOTIFICATION, "ops", 0, FAILED, 2, 2 * HOUR), (NOTIFICATION, "ops", 0, FAILED, 1, HOUR)],
        [("ops", "2 notifications did not arrive in the last day, the newest: answered 501",
          "jobsctl deliveries --failed --target ops")],
        id="given_up_twice",
    ),
    pytest.param(
        [(NOTIFICATION, "ops", 1, FAILED, 2, 2 * HOUR), (NOTIFICATION, "ops", 0, ARRIVED, 1, HOUR)],
        [("ops #2", GIVEN_UP.format("1 notification", "answered 500"),
          "jobsctl deliveries --failed --target ops")],
        id="one_address_of_two",
    ),
    pytest.param(
        [(CALLBACK, "a.example", 0, PENDING, 2, 2 * DAY), (CALLBACK, "b.example", 0, FAILED, 10, HOUR)],
        [("a.example", "callbacks fail and are tried again: answered 500",
          "jobsctl deliveries --pending"),
         ("b.example", GIVEN_UP.format("1 callback", "answered 501"),
          "jobsctl deliveries --failed --kind callback")],
        id="one_tried_again_and_one_given_up",
    ),
    pytest.param(
        [(CALLBACK, "a.example", 0, FAILED, 3, HOUR), (CALLBACK, "a.example", 0, PENDING, 3, HOUR)],
        [("a.example", GIVEN_UP.format("1 callback", "answered 500"),
          "jobsctl deliveries --failed --kind callback")],
        id="told_once_though_the_next_is_tried_already",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "expected"), CASES)
def test_deliveries_that_keep_failing_are_told(
    home: Home, outbox: Outbox, sent: list[Sent], expected: list[tuple[str, str, str]]
) -> None:
    send(outbox, *sent)
    assert told(home) == expected


def test_an_outbox_that_cannot_be_read_is_told(home: Home) -> None:
    home.outbox.write_bytes(b"no database at all, " * 100)
    ((subject, message, _),) = told(home)
    assert subject == "outbox"
    assert message.startswith("the outbox cannot be read: ")


def test_an_old_backup_is_told_where_one_was_ever_made(home: Home) -> None:
    assert told(home) == []
    home.last_backup.write_text(json.dumps({"at": NINE - 7 * DAY, "file": "/b.tar.gz"}))
    assert told(home) == []
    home.last_backup.write_text(json.dumps({"at": NINE - 7 * DAY - 1, "file": "/b.tar.gz"}))
    assert told(home) == [("backup", "the last backup was made 7d ago: /b.tar.gz", "jobsctl backup FILE")]
    home.last_backup.write_text("not JSON")
    assert told(home) == []


def a_file(home: Home) -> None:
    home.status.write_text("")


def a_directory(home: Home) -> None:
    home.status.mkdir()


def a_locked_directory(home: Home) -> None:
    home.status.mkdir(mode=0o500)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(None, None, id="not_there_yet"),
        pytest.param(a_directory, None, id="well"),
        pytest.param(a_file, "is no directory", id="a_file_in_its_place"),
        pytest.param(a_locked_directory, "cannot be written by its owner", id="locked"),
    ],
)
def test_status_files_that_cannot_be_written_are_told(
    home: Home, monkeypatch: pytest.MonkeyPatch, make: Callable[[Home], None] | None, words: str | None
) -> None:
    if make is not None:
        make(home)
    monkeypatch.setattr(homeproblems, "ROOT_USER", -1)  # whoever runs the tests is held to the mode
    found = status_files_problem(home)
    assert (found is None) if words is None else (words in (found or ""))
    assert [each.subject for each in home_problems(home, NINE)] == ([] if words is None else ["status files"])


def test_what_the_process_that_writes_them_says_counts_more(home: Home) -> None:
    (problem,) = home_problems(home, NINE, files_problem="no space left on device")
    assert (problem.subject, problem.message) == ("status files", "no space left on device")
