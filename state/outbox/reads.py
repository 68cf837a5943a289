"""Reading the outbox without being able to change it: for the command line, the status process, metrics.

A home without an outbox (nothing ever had to be told) has no deliveries: that is no error.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import orjson

from state.database import open_reader, own_errors
from state.errors import Ambiguous, InvalidQuery, NoDatabase, NotFound
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Message
from state.outbox.rows import SELECT_ATTEMPT, SELECT_DELIVERY, SELECT_MESSAGE, attempt_of, delivery_of, message_of
from state.outbox.schema import APPLICATION_ID, VERSION, refuse_folder

MOST = 10_001
_OF_PROJECT = (
    "(substr(identity, 1, length(?1)) = ?1 OR (identity IS NULL AND EXISTS (SELECT 1 FROM message "
    "WHERE batch = delivery.batch) AND NOT EXISTS (SELECT 1 FROM message WHERE batch = delivery.batch "
    "AND (message.identity IS NULL OR substr(message.identity, 1, length(?1)) <> ?1))))"
)
"""All that it tells is about jobs of the project `?1`, which ends with a slash."""


def outbox_version(path: Path) -> str:
    """Another one after anything was written. Costs no reading: what its files are like, the log of SQLite's too."""
    found = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            there = file.stat()
            found.append(f"{there.st_ino:x}.{there.st_size:x}.{there.st_mtime_ns:x}")
    return "-".join(found)


class OutboxReader:
    """Questions to one outbox. Any thread may ask: they take turns. Raises the errors of `state.errors`."""

    def __init__(self, path: Path, *, timeout: float = 0.5) -> None:
        self.path = path
        self._lock = threading.Lock()
        refuse_folder(path)
        try:
            self._connection = open_reader(path, timeout=timeout, newest=VERSION, application_id=APPLICATION_ID)
            self._empty = False
        except NoDatabase:
            self._empty = True

    def close(self) -> None:
        """Close the connection."""
        if not self._empty:
            with self._lock:
                self._connection.close()

    def __enter__(self) -> OutboxReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def deliveries(
        self,
        *,
        job: str | None = None,
        project: str | None = None,
        run_id: str | None = None,
        target: str | None = None,
        kind: DeliveryKind | None = None,
        states: Collection[DeliveryState] | None = None,
        since: int | None = None,
        until: int | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
        order: Literal["asc", "desc"] = "desc",
    ) -> list[Delivery]:
        """In the order they were made.

        Args:
            job: `project/name`; also groups that tell of this job.
            project: of which everything told is about jobs of this project alone.
            since, until: µs, when they were made; the first inclusive, the second not.
            before, after: `Delivery.number`, exclusive.
        """
        if not 1 <= limit <= MOST:
            raise InvalidQuery(f"limit {limit} is not between 1 and {MOST}")
        words = None if states is None else orjson.dumps([state.value for state in states]).decode()
        prefix = None if project is None else f"{project}/"
        given: list[tuple[str, Any]] = [
            ("(identity = ?1 OR batch IN (SELECT batch FROM message WHERE identity = ?1))", job),
            (_OF_PROJECT, prefix),
            ("(run_id = ?1 OR batch IN (SELECT batch FROM message WHERE run_id = ?1))", run_id),
            ("target = ?1", target),
            ("kind = ?1", None if kind is None else kind.value),
            ("state IN (SELECT value FROM json_each(?1))", words),
            ("created_at >= ?1", since),
            ("created_at < ?1", until),
            ("number < ?1", before),
            ("number > ?1", after),
        ]  # fmt: skip
        where, values = ["1"], []
        for condition, value in given:
            if value is not None:
                values.append(value)
                where.append(condition.replace("?1", f"?{len(values)}"))
        direction = "DESC" if order == "desc" else "ASC"
        sql = f"{SELECT_DELIVERY} WHERE {' AND '.join(where)} ORDER BY number {direction} LIMIT {limit}"
        return [delivery_of(row) for row in self._rows(sql, values)]

    def delivery(self, id: str, *, project: str | None = None) -> Delivery:
        """By its id, or the beginning of one that no other has; `project` as of `deliveries`: all others are not there.

        Of what goes to several addresses of a notifier the beginning means the first: the others' ids are longer.

        Raises NotFound, Ambiguous with the candidates.
        """
        values = id, None if project is None else f"{project}/"
        among = f"(?2 IS NULL OR {_OF_PROJECT.replace('?1', '?2')})"
        exact = self._rows(f"{SELECT_DELIVERY} WHERE id = ?1 AND {among}", values)
        if exact:
            return delivery_of(exact[0])
        begun = f"substr(id, 1, length(?1)) = ?1 AND COALESCE(address, 0) = 0 AND {among}"
        found = self._rows(f"{SELECT_DELIVERY} WHERE {begun} ORDER BY id LIMIT 11", values) if id else []
        if not found:
            raise NotFound(f"no delivery {id}", hint="`jobsctl deliveries -o wide` shows their ids")
        if len(found) > 1:
            candidates = [delivery_of(row).id for row in found[:10]]
            raise Ambiguous(f"several deliveries begin with {id}", candidates, hint="give more characters")
        return delivery_of(found[0])

    def attempts(self, delivery: Delivery) -> list[Attempt]:
        """Its tries, in order."""
        rows = self._rows(f"{SELECT_ATTEMPT} WHERE delivery = ? ORDER BY number", (delivery.number,))
        return [attempt_of(row) for row in rows]

    def messages(self, delivery: Delivery) -> list[Message]:
        """What a notification tells, in order of time."""
        rows = self._rows(f"{SELECT_MESSAGE} WHERE batch = ? ORDER BY at, id", (delivery.batch,))
        return [message_of(row) for row in rows]

    def note(self, key: str) -> dict[str, Any] | None:
        """A small document the process keeps: `ping` (`at`, `error`); None when it was never written."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return orjson.loads(rows[0][0]) if rows else None

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Numbers that only grow, by kind, target and result."""
        return {(kind, target, result): value for kind, target, result, value in self._rows("SELECT * FROM counter")}

    def pending(self) -> int:
        """How many deliveries wait for an attempt."""
        rows = self._rows("SELECT count(*) FROM delivery WHERE state = 'pending'")
        return int(rows[0][0]) if rows else 0

    def retrying(self) -> dict[tuple[str, str], int]:
        """How many deliveries were tried in vain and are tried again, by kind and target."""
        sql = "SELECT kind, target, count(*) FROM delivery WHERE state = 'pending' AND attempts > 0 GROUP BY 1, 2"
        return {(kind, target): count for kind, target, count in self._rows(sql)}

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self._empty:
            return []
        with self._lock, own_errors(self.path):
            return self._connection.execute(sql, values).fetchall()
