"""The one writer of the outbox: the notify process, one thread.

What follows from events is stored with the cursor in one transaction, under ids made from what it is about: a crash
anywhere repeats work, and stores nothing twice. Plain sqlite3 in WAL mode, synchronous=FULL.
A damaged file is set aside and a new one begun: to forget what was told is better than to tell nothing any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from state.database import JOURNAL_LIMIT, examine, journal_mode, own_errors, prepare
from state.errors import CorruptDatabase, NotADatabase, from_os
from state.migrations import migrate
from state.outbox.records import (
    Attempt,
    Delivery,
    DeliveryKind,
    DeliveryState,
    DisabledEndpoint,
    Message,
    Outcome,
)
from state.outbox.rows import DELIVERY_VALUES, SELECT_DELIVERY, SELECT_MESSAGE, delivery_of, delivery_values, message_of
from state.outbox.schema import APPLICATION_ID, STEPS, VERSION, refuse_folder
from state.rows import printable

BUSY_SECONDS = 5.0
LONGEST_TEXT = 500
"""Characters of an error or a reason."""
_ADD_COUNTER = (
    "INSERT INTO counter VALUES (?, ?, ?, ?) "
    "ON CONFLICT (kind, target, result) DO UPDATE SET value = value + excluded.value"
)


class Outbox:
    """The writer. Every method is one transaction, or part of the one that `transaction()` opened.

    Raises the errors of `state.errors`: DiskFull and Busy are worth a retry, nothing of the transaction is stored then.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, *, warning: str | None = None) -> None:
        self.path = path
        self.warning = warning
        """What was wrong with the file found at the start; None when nothing was."""
        self._connection = connection
        self._depth = 0
        self._file = _identity(path)

    @classmethod
    def open(cls, path: Path, *, now: int) -> Outbox:
        """Open, make or migrate the file. `now` in microseconds.

        Raises NewerSchema (the file is left as it is), Unwritable, DiskFull, Busy.
        """
        warning = None
        try:
            refuse_folder(path)
            examine(path, newest=VERSION, application_id=APPLICATION_ID)
        except (CorruptDatabase, NotADatabase) as error:
            kept = _set_aside(path, now)
            warning = f"{error.message}; it was moved to {kept.name} and a new outbox begun: what was pending is lost"
        prepare(path)
        with own_errors(path):
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                connection.execute(f"PRAGMA journal_mode = {journal_mode(path)}")
                connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT}")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = 1")
                connection.execute("PRAGMA cache_size = -2000")
                migrate(connection, path, steps=STEPS, application_id=APPLICATION_ID)
                connection.execute("UPDATE meta SET value = 0 WHERE key = 'clean'")
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, warning=warning)

    def check(self) -> None:
        """Raises CorruptDatabase when the file is not the one that was opened: what is written would be lost unseen."""
        if _identity(self.path) != self._file:
            raise CorruptDatabase(self.path, "was deleted, replaced or emptied while it was in use")

    def close(self) -> None:
        """Mark the end as clean and close."""
        with own_errors(self.path):
            try:
                self._connection.execute("UPDATE meta SET value = 1 WHERE key = 'clean'")
            finally:
                self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE ... COMMIT; nothing of the block is stored when it raises. Inside another one it joins it."""
        with own_errors(self.path):
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite rolls back by itself on a full disk.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth = 0

    # What was read, and what must be remembered

    def number(self, key: str) -> int | None:
        """A number of the process's own, as its cursor; None when it was never set."""
        found = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return int(found[0][0]) if found else None

    def set_number(self, key: str, value: int) -> None:
        """Keep a number."""
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def note(self, key: str, value: Mapping[str, object]) -> None:
        """Keep a small document for readers: how the last ping went."""
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, orjson.dumps(value)))

    def memories(self) -> dict[str, bytes]:
        """All that is remembered, as JSON by key."""
        return dict(self._rows("SELECT key, value FROM memory"))

    def remember(self, memories: Mapping[str, bytes | None]) -> None:
        """Replace what is remembered under these keys; None forgets."""
        with self.transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO memory VALUES (?, ?)",
                [(key, value) for key, value in memories.items() if value is not None],
            )
            self._connection.executemany(
                "DELETE FROM memory WHERE key = ?", [(key,) for key, value in memories.items() if value is None]
            )

    # Messages

    def add_messages(self, messages: Iterable[Message]) -> int:
        """Store messages; one whose id is there already is passed over. How many were new."""
        with self.transaction():
            before = self._connection.total_changes
            self._connection.executemany(
                "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(m.id, m.notifier, m.identity, m.run_id, m.at, m.stored_at, m.payload, m.batch) for m in messages],
            )
            return self._connection.total_changes - before

    def waiting_messages(self, notifier: str | None = None, *, limit: int = -1) -> list[Message]:
        """Those in no delivery yet, the oldest first."""
        where, values = ("AND notifier = ?", [notifier]) if notifier is not None else ("", [])
        sql = f"{SELECT_MESSAGE} WHERE batch IS NULL {where} ORDER BY at, id LIMIT ?"
        return [message_of(row) for row in self._rows(sql, (*values, limit))]

    def waiting_notifiers(self) -> set[str]:
        """Whose messages are in no delivery yet."""
        return {name for (name,) in self._rows("SELECT DISTINCT notifier FROM message WHERE batch IS NULL")}

    def gather(self, batch: str, message_ids: Iterable[str]) -> None:
        """These messages go out together."""
        with self.transaction():
            self._connection.executemany(
                "UPDATE message SET batch = ? WHERE id = ?", [(batch, id) for id in message_ids]
            )

    def gathered(self) -> int:
        """How many messages are kept that are in deliveries."""
        return int(self._rows("SELECT count(*) FROM message WHERE batch IS NOT NULL")[0][0])

    # Deliveries

    def add_delivery(self, delivery: Delivery) -> bool:
        """Store one; False when one with its id is there already (that one is left as it is).

        One that is over already (`dropped`) is counted with it.
        """
        with self.transaction():
            marks = ", ".join("?" * len(DELIVERY_VALUES))
            made = self._connection.execute(
                f"INSERT OR IGNORE INTO delivery ({', '.join(DELIVERY_VALUES)}) VALUES ({marks})",
                delivery_values(delivery),
            ).rowcount
            if made and delivery.state is not DeliveryState.PENDING:
                self.count(delivery.kind, delivery.target, delivery.state)
        return bool(made)

    def delivery(self, id: str) -> Delivery | None:
        """By id."""
        found = self._rows(f"{SELECT_DELIVERY} WHERE id = ?", (id,))
        return delivery_of(found[0]) if found else None

    def due(
        self, now: int, *, kind: DeliveryKind | None = None, limit: int = 100, each: int | None = None
    ) -> list[Delivery]:
        """Pending ones whose next attempt is due, the longest due first.

        Args:
            each: at most so many of one target and address, so that those of one that hangs do not hide the others'.
                A target in brackets is not known by name: there each job's is another.
        """
        where, values = ("AND kind = ?", [kind]) if kind is not None else ("", [])
        pending = f"state = 'pending' AND next_attempt_at <= ? {where}"
        bound: list[object] = [now, *values]
        if each is not None:
            apart = "target, address, CASE WHEN substr(target, 1, 1) = '(' THEN identity END"
            pending = (
                f"number IN (SELECT number FROM (SELECT number, row_number() OVER (PARTITION BY {apart} "
                f"ORDER BY next_attempt_at, number) AS place FROM delivery WHERE {pending}) WHERE place <= ?)"
            )
            bound.append(each)
        sql = f"{SELECT_DELIVERY} WHERE {pending} ORDER BY next_attempt_at, number LIMIT ?"
        return [delivery_of(row) for row in self._rows(sql, (*bound, limit))]

    def before(self, delivery: Delivery) -> list[Delivery]:
        """Pending ones to the same address, made before it, that tell of a job it tells of too; the oldest first."""
        jobs = "SELECT identity FROM message WHERE batch = ?"
        sql = (
            f"{SELECT_DELIVERY} WHERE state = 'pending' AND number < ? AND +kind = ? AND +target = ? AND +address IS ? "
            f"AND EXISTS (SELECT 1 FROM message WHERE batch = delivery.batch AND +identity IN ({jobs})) "
            "ORDER BY number"
        )
        place = delivery.number, delivery.kind, delivery.target, delivery.address
        return [delivery_of(row) for row in self._rows(sql, (*place, delivery.batch))]

    def sent_since(self, notifier: str, at: int) -> list[int]:
        """When batches were made for this notifier after `at`, whatever became of them."""
        sql = (
            "SELECT min(created_at) FROM delivery WHERE target = ? AND kind = 'notification' AND batch IS NOT NULL "
            "AND created_at > ? GROUP BY batch"
        )
        return [row[0] for row in self._rows(sql, (notifier, at))]

    def overfull(self, kind: DeliveryKind, keep: int, *, limit: int = 500) -> list[str]:
        """Ids of pending ones that are older than the newest `keep` of their job, the oldest first."""
        sql = (
            "SELECT id FROM (SELECT id, number, row_number() OVER (PARTITION BY identity ORDER BY number DESC) AS place"
            " FROM delivery WHERE state = 'pending' AND kind = ?) WHERE place > ? ORDER BY number LIMIT ?"
        )
        return [id for (id,) in self._rows(sql, (kind, keep, limit))]

    def next_due(self, *, after: int = -1) -> int | None:
        """When the next pending attempt is due that is not due at `after` already; None when none is."""
        sql = "SELECT min(next_attempt_at) FROM delivery WHERE state = 'pending' AND next_attempt_at > ?"
        found: int | None = self._rows(sql, (after,))[0][0]
        return found

    def record_attempt(self, id: str, attempt: Attempt, outcome: Outcome) -> None:
        """Store what an attempt came to. A delivery that has ended meanwhile is left as it is."""
        delivery = self.delivery(id)
        if delivery is None or delivery.state is not DeliveryState.PENDING:
            return
        error = None if attempt.error is None else _shown(attempt.error)
        with self.transaction():
            self._connection.execute(
                "INSERT OR IGNORE INTO attempt VALUES (?, ?, ?, ?, ?, ?)",
                (delivery.number, attempt.number, attempt.sent_at, attempt.seconds, attempt.status_code, error),
            )
            self._settle(delivery, outcome, attempt.sent_at + round(attempt.seconds * 1e6), attempt.number)

    def end(self, id: str, outcome: Outcome, *, now: int) -> None:
        """End (or put off) a delivery without an attempt. One that has ended is left as it is."""
        delivery = self.delivery(id)
        if delivery is not None and delivery.state is DeliveryState.PENDING:
            with self.transaction():
                self._settle(delivery, outcome, now, delivery.attempts)

    def _settle(self, delivery: Delivery, outcome: Outcome, at: int, attempts: int) -> None:
        pending = outcome.state is DeliveryState.PENDING
        self._connection.execute(
            "UPDATE delivery SET state = ?, reason = ?, attempts = ?, next_attempt_at = ?, ended_at = ? "
            "WHERE number = ?",
            (
                outcome.state.value,
                None if outcome.reason is None else _shown(outcome.reason),
                attempts,
                outcome.next_attempt_at if pending else None,
                None if pending else at,
                delivery.number,
            ),
        )
        if not pending:
            self.count(delivery.kind, delivery.target, outcome.state)

    def set_back(self, by: int, *, now: int, longest: int) -> None:
        """The clock was set back `by` µs, or may have been while nobody looked (0): nothing waits longer for that.

        Args:
            longest: the longest wait there is between two attempts, µs.
        """
        with self.transaction():
            self._connection.execute(
                "UPDATE delivery SET next_attempt_at = CASE attempts WHEN 0 THEN ?1 "
                "ELSE max(?1, min(next_attempt_at - ?2, ?1 + ?3)) END WHERE state = 'pending' AND next_attempt_at > ?1",
                (now, by, longest),
            )
            self._connection.execute(
                "UPDATE meta SET value = ?1 WHERE (substr(key, 1, 7) = 'digest/' OR key = 'watched_since') "
                "AND value > ?1",
                (now,),
            )

    # Callbacks that are not wanted any more

    def disable_endpoint(self, identity: str, digest: str, *, now: int, reason: str) -> None:
        """Send nothing more to what this job's callback (by the digest of what its spec says) points to."""
        with self.transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO endpoint VALUES (?, ?, ?, ?)", (identity, digest, now, _shown(reason))
            )

    def disabled_endpoint(self, identity: str, digest: str) -> DisabledEndpoint | None:
        """Whether, and why, it is disabled."""
        sql = "SELECT disabled_at, reason FROM endpoint WHERE identity = ? AND digest = ?"
        found = self._rows(sql, (identity, digest))
        return DisabledEndpoint(*found[0]) if found else None

    # Numbers that only grow, and housekeeping

    def count(self, kind: str, target: str, result: str, by: int = 1) -> None:
        """Add to a counter that outlives restarts and pruning."""
        with self.transaction():
            self._connection.execute(_ADD_COUNTER, (kind, target, result, by))

    def prune(self, *, before: int, keep: int, limit: int = 500) -> int:
        """Delete ended deliveries (with attempts and messages) made before `before` (µs) or beyond the newest `keep`.

        At most `limit` at once, the oldest first; pending ones never. How many went.
        """
        sql = (
            "SELECT number, batch FROM delivery WHERE state <> 'pending' AND (created_at < ? OR number <= "
            "(SELECT coalesce(max(number), 0) FROM delivery) - ?) ORDER BY number LIMIT ?"
        )
        gone = self._rows(sql, (before, keep, limit))
        if gone:
            with self.transaction():
                self._connection.executemany("DELETE FROM delivery WHERE number = ?", [(number,) for number, _ in gone])
                self._connection.executemany(
                    "DELETE FROM message WHERE batch = ?1 AND NOT EXISTS (SELECT 1 FROM delivery WHERE batch = ?1)",
                    {(batch,) for _, batch in gone if batch is not None},
                )
        return len(gone)

    def _rows(self, sql: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        with own_errors(self.path):
            return self._connection.execute(sql, tuple(values)).fetchall()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size else None


def _shown(text: str) -> str:
    return printable(text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}...")


def _set_aside(path: Path, now: int) -> Path:
    """Move the file and what SQLite keeps beside it out of the way. Raises Unwritable."""
    kept = path.with_name(f"{path.name}.damaged-{now}")
    try:
        path.rename(kept)
        for ending in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(kept.with_name(kept.name + ending))
    except OSError as error:
        raise from_os(error, path) from error
    return kept
