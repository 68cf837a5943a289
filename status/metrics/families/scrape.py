"""What one scrape tells of, taken in once and handed to every part of `status.metrics.families`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from state.database import own_errors
from state.home import Home
from status.heartbeat import Heartbeat
from status.picture.board import Picture


@dataclass(frozen=True, slots=True)
class Ledger:
    """The database, open for reading, for the time of a scrape."""

    home: Home
    connection: sqlite3.Connection

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows. Raises StateError."""
        with own_errors(self.home.database):
            return self.connection.execute(sql, values).fetchall()


@dataclass(frozen=True, slots=True)
class Scrape:
    """Everything the parts tell of."""

    home: Home
    now: int
    """Microseconds UTC."""
    version: str
    beat: Heartbeat | None
    alive: bool
    """Whether the heartbeat is fresh."""
    picture: Picture
    truncated: bool
    """Whether there are more jobs than get series of their own."""
    max_jobs: int
    ledger: Ledger | None
    """None when there is no database, or it cannot be read now."""
    requests: Mapping[tuple[str, int], int]
    """HTTP answers by route and status code."""
    streams: int
    """Event streams that are open."""
    files_written: int
    files_up: bool
