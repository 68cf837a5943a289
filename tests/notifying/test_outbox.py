"""The outbox on a real file: what is stored once, what survives, what is never lost."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from state.errors import DiskFull, InvalidQuery, NewerSchema, NotADatabase, NotFound
from state.outbox.reads import OutboxReader
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Message, Outcome
from state.outbox.store import Outbox

NOON = 1_700_000_000_000_000
SECOND = 1_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".jobsctl" / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(path, now=NOON)
    yield outbox
    outbox.close()


def made(id: str = "one", **changes: object) -> Delivery:
    plain = Delivery(
        id=id,
        kind=DeliveryKind.CALLBACK,
        target="hooks.example",
        identity="shop/report",
        run_id="RUN1",
        event="failed",
        created_at=NOON,
        next_attempt_at=NOON,
        payload=b"{}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def about(id: str, identity: str | None = "shop/report", batch: str | None = None) -> Message:
    return Message(
        id=id, notifier="ops", identity=identity, run_id=None, at=NOON, stored_at=NOON, payload=b"{}", batch=batch
    )


FAILED = Outcome(state=DeliveryState.FAILED, reason="gave up")
DELIVERED = Outcome(state=DeliveryState.DELIVERED)


def test_a_delivery_is_stored_once_whatever_is_said_of_it_later(outbox: Outbox) -> None:
    assert outbox.add_delivery(made())
    assert not outbox.add_delivery(made(payload=b"other"))
    assert [(d.id, d.payload) for d in outbox.due(NOON)] == [("one", b"{}")]


def test_a_message_is_stored_once(outbox: Outbox) -> None:
    assert outbox.add_messages([about("a"), about("b")]) == 2
    assert outbox.add_messages([about("b"), about("c")]) == 1
    outbox.gather("one", ["a"])
    assert outbox.add_messages([about("a")]) == 0
    assert [message.id for message in outbox.waiting_messages("ops")] == ["b", "c"]
    assert outbox.waiting_messages("others") == []


def test_nothing_of_a_transaction_that_raises_is_stored_the_cursor_neither(outbox: Outbox) -> None:
    outbox.set_number("cursor", 1)
    with pytest.raises(RuntimeError), outbox.transaction():
        outbox.add_messages([about("a")])
        outbox.add_delivery(made())
        outbox.remember({"shop/report": b"{}"})
        outbox.set_number("cursor", 2)
        raise RuntimeError
    assert (outbox.number("cursor"), outbox.waiting_messages(), outbox.due(NOON), outbox.memories()) == (1, [], [], {})


def test_a_full_disk_loses_nothing(outbox: Outbox) -> None:
    outbox.set_number("cursor", 1)
    pages = outbox._connection.execute("PRAGMA page_count").fetchone()[0]
    outbox._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(DiskFull), outbox.transaction():
        outbox.set_number("cursor", 2)
        for number in range(100):
            outbox.add_delivery(made(str(number), payload=b"x" * 2000))
    assert (outbox.number("cursor"), outbox.due(NOON)) == (1, [])
    outbox._connection.execute("PRAGMA max_page_count = 100000")
    assert outbox.add_delivery(made())


def test_an_attempt_is_stored_with_what_follows_from_it(outbox: Outbox, path: Path) -> None:
    outbox.add_delivery(made())
    again = Outcome(state=DeliveryState.PENDING, next_attempt_at=NOON + 5 * SECOND, reason="answered 500")
    outbox.record_attempt(
        "one", Attempt(number=1, sent_at=NOON, seconds=0.5, status_code=500, error="answered 500"), again
    )
    assert outbox.due(NOON + 5 * SECOND - 1) == []
    assert outbox.next_due() == NOON + 5 * SECOND
    (due,) = outbox.due(NOON + 5 * SECOND)
    assert (due.attempts, due.reason, due.ended_at) == (1, "answered 500", None)
    outbox.record_attempt("one", Attempt(number=2, sent_at=NOON + 6 * SECOND, seconds=0.25, status_code=200), DELIVERED)
    assert outbox.next_due() is None
    with OutboxReader(path) as reader:
        ended = reader.delivery("one")
        assert (ended.state, ended.attempts, ended.ended_at) == (DeliveryState.DELIVERED, 2, NOON + 6_250_000)
        assert [(a.number, a.status_code, a.error) for a in reader.attempts(ended)] == [
            (1, 500, "answered 500"),
            (2, 200, None),
        ]
        assert reader.counts() == {("callback", "hooks.example", "delivered"): 1}


def test_what_has_ended_is_not_ended_again(outbox: Outbox, path: Path) -> None:
    outbox.add_delivery(made())
    outbox.end("one", FAILED, now=NOON)
    outbox.end("one", DELIVERED, now=NOON + 1)
    outbox.record_attempt("one", Attempt(number=1, sent_at=NOON, seconds=1.0), DELIVERED)
    with OutboxReader(path) as reader:
        assert reader.delivery("one").state is DeliveryState.FAILED
        assert reader.counts() == {("callback", "hooks.example", "failed"): 1}


def test_a_clock_that_was_set_back_makes_nothing_wait_longer(outbox: Outbox) -> None:
    year = 365 * 86_400 * SECOND
    again = Outcome(state=DeliveryState.PENDING, next_attempt_at=NOON + 30 * SECOND, reason="answered 500")
    for id in ("tried", "new"):
        outbox.add_delivery(made(id))
    outbox.record_attempt("tried", Attempt(number=1, sent_at=NOON, seconds=0.0, error="answered 500"), again)
    for key in ("digest/ops", "watched_since", "cursor_at"):
        outbox.set_number(key, NOON)
    outbox.set_back(0, now=NOON + 1, longest=year)
    assert outbox.next_due(after=NOON) == NOON + 30 * SECOND, "nothing changes while the clock goes on"
    outbox.set_back(year, now=NOON - year, longest=86_400 * SECOND)
    assert {each.id: each.next_attempt_at for each in outbox.due(NOON)} == {
        "new": NOON - year, "tried": NOON - year + 30 * SECOND,
    }  # fmt: skip
    assert [outbox.number(key) for key in ("digest/ops", "watched_since", "cursor_at")] == [NOON - year] * 2 + [NOON]
    outbox.set_back(0, now=NOON - 2 * year, longest=86_400 * SECOND)  # by how much is not known after a restart
    assert {each.id: each.next_attempt_at for each in outbox.due(NOON)} == {
        "new": NOON - 2 * year, "tried": NOON - 2 * year + 86_400 * SECOND,
    }  # fmt: skip


def test_an_endpoint_is_disabled_for_one_spec_of_one_job(outbox: Outbox) -> None:
    outbox.disable_endpoint("shop/report", "d1", now=NOON, reason="answered 410")
    disabled = outbox.disabled_endpoint("shop/report", "d1")
    assert disabled is not None and disabled.reason == "answered 410"
    assert outbox.disabled_endpoint("shop/report", "d2") is None
    assert outbox.disabled_endpoint("shop/other", "d1") is None


def test_pruning_never_takes_what_is_pending_and_counters_stay(outbox: Outbox, path: Path) -> None:
    for number in range(6):
        outbox.add_delivery(made(str(number), created_at=NOON + number, batch="x" if number < 3 else "y"))
        if number != 1:
            outbox.record_attempt(str(number), Attempt(number=1, sent_at=NOON, seconds=0.1), DELIVERED)
    outbox.add_messages([about("a", batch="x"), about("b", batch="y"), about("c", batch="x")])
    assert outbox.prune(before=NOON + 2, keep=3) == 2  # 0 by age and number, 2 by number
    with OutboxReader(path) as reader:
        assert [each.id for each in reader.deliveries(order="asc")] == ["1", "3", "4", "5"]
        assert reader.counts() == {("callback", "hooks.example", "delivered"): 5}
        assert [message.id for message in reader.messages(reader.delivery("5"))] == ["b"]
    assert (_rows(outbox, "attempt"), _rows(outbox, "message")) == (3, 3)  # what is pending keeps what it tells
    outbox.end("1", FAILED, now=NOON)
    assert outbox.prune(before=NOON + 2, keep=3) == 1
    assert (_rows(outbox, "attempt"), _rows(outbox, "message")) == (3, 1)


def _rows(outbox: Outbox, table: str) -> int:
    count: int = outbox._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


def test_it_is_readable_by_its_owner_only(outbox: Outbox, path: Path) -> None:
    outbox.set_number("cursor", 1)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_what_was_stored_is_there_after_a_stop_that_was_not_clean(path: Path) -> None:
    first = Outbox.open(path, now=NOON)
    first.add_delivery(made())
    first._connection.close()
    second = Outbox.open(path, now=NOON)
    assert (second.warning, len(second.due(NOON))) == (None, 1)
    second.close()


def test_a_directory_in_its_place_is_named_to_readers_and_set_aside_by_the_writer(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(NotADatabase) as refused:
        OutboxReader(path)
    assert "is a directory" in str(refused.value) and refused.value.hint
    outbox = Outbox.open(path, now=NOON)
    outbox.close()
    assert outbox.warning is not None and "is a directory" in outbox.warning
    assert path.is_file() and path.with_name(f"outbox.db.damaged-{NOON}").is_dir()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"not a database at all" * 100), id="no-database"),
        pytest.param(lambda path: _overwrite(path, 4096, b"\xff" * 8192), id="damaged-pages"),
        pytest.param(lambda path: _foreign(path), id="another-program's"),
    ],
)
def test_a_damaged_outbox_is_set_aside_and_a_new_one_begun(path: Path, damage: object) -> None:
    first = Outbox.open(path, now=NOON)
    first.add_delivery(made())
    first._connection.close()
    damage(path)  # type: ignore[operator]
    second = Outbox.open(path, now=NOON + 1)
    assert second.warning is not None and f"outbox.db.damaged-{NOON + 1}" in second.warning
    assert second.add_delivery(made())
    second.close()
    assert path.with_name(f"outbox.db.damaged-{NOON + 1}").is_file()


def _overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def _foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (id)")
    connection.execute("PRAGMA user_version = 1")
    connection.close()


def test_a_newer_outbox_is_refused_and_left_as_it_is(path: Path) -> None:
    Outbox.open(path, now=NOON).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(NewerSchema, match="newer jobsctl"):
        Outbox.open(path, now=NOON)
    assert path.read_bytes() == before


def test_a_home_without_an_outbox_has_no_deliveries(path: Path) -> None:
    with OutboxReader(path) as reader:
        assert (reader.deliveries(), reader.counts(), reader.pending()) == ([], {}, 0)
        with pytest.raises(NotFound):
            reader.delivery("one")
    assert not path.exists()


def test_deliveries_are_found_by_what_they_are_about(outbox: Outbox, path: Path) -> None:
    outbox.add_delivery(made("a"))
    outbox.add_delivery(made("b", identity="ware/sync", run_id="RUN2", created_at=NOON + SECOND))
    group = made(
        "g", kind=DeliveryKind.NOTIFICATION, target="ops", identity=None, run_id=None, event="group", batch="g"
    )
    outbox.add_delivery(replace(group, created_at=NOON + 2 * SECOND))
    outbox.add_messages([about("1", "shop/report", "g"), about("2", "shop/other", "g")])
    outbox.add_delivery(replace(group, id="m", batch="m", created_at=NOON + 3 * SECOND))
    outbox.add_messages([about("3", "shop/report", "m"), about("4", "ware/sync", "m")])
    outbox.end("b", FAILED, now=NOON)
    with OutboxReader(path) as reader:
        asked = {
            "all": reader.deliveries(),
            "job": reader.deliveries(job="shop/report"),
            "project": reader.deliveries(project="shop"),
            "no-such-project": reader.deliveries(project="sho"),
            "run": reader.deliveries(run_id="RUN2"),
            "kind": reader.deliveries(kind=DeliveryKind.NOTIFICATION),
            "target": reader.deliveries(target="ops", order="asc"),
            "failed": reader.deliveries(states=[DeliveryState.FAILED]),
            "since": reader.deliveries(since=NOON + SECOND, until=NOON + 2 * SECOND),
            "page": reader.deliveries(before=3, limit=1),
        }
        assert {name: "".join(each.id for each in found) for name, found in asked.items()} == {
            "all": "mgba",
            "job": "mga",
            "project": "ga",
            "no-such-project": "",
            "run": "b",
            "kind": "mg",
            "target": "gm",
            "failed": "b",
            "since": "b",
            "page": "b",
        }
        assert reader.delivery("m").number == 4
        with pytest.raises(InvalidQuery):
            reader.deliveries(limit=0)


def test_long_errors_are_cut(outbox: Outbox, path: Path) -> None:
    outbox.add_delivery(made())
    outbox.record_attempt("one", Attempt(number=1, sent_at=NOON, seconds=0.1, error="x" * 10_000), FAILED)
    with OutboxReader(path) as reader:
        (attempt,) = reader.attempts(reader.delivery("one"))
    assert attempt.error is not None and len(attempt.error) == 500
