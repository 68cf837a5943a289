"""What a check is, what it finds, and what it is given to look at. Used by every module of `cli.health`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from cli.reading import Reading
from specs.config import Config, load_config
from specs.diagnostic import InvalidSpec
from specs.frozen import frozen
from state.database import connect_read_only, own_errors
from state.errors import StateError
from state.home import Home
from state.inbox import daemon_alive
from state.reads import Reader
from status.heartbeat import Heartbeat, read_heartbeat

SECOND = 1_000_000
DAY = 86_400 * SECOND


class Level(StrEnum):
    """How bad it is. A problem makes `doctor` end with 1."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@frozen
class Finding:
    """One thing a check has to say."""

    level: Level
    message: str
    """What is so, and where; one line."""
    mend: str = ""
    """What to do about it; "" for what is all right."""
    fix: Callable[[], str] | None = None
    """Does what is safe to do, and says what it did. Raises OSError or StateError."""


def ok(message: str) -> Finding:
    return Finding(Level.OK, message)


def warning(message: str, mend: str, *, fix: Callable[[], str] | None = None) -> Finding:
    return Finding(Level.WARNING, message, mend, fix)


def problem(message: str, mend: str, *, fix: Callable[[], str] | None = None) -> Finding:
    return Finding(Level.PROBLEM, message, mend, fix)


@dataclass
class Patient:
    """The home and its machine. Everything is read once, when it is first asked for."""

    home: Home
    now: int
    """Microseconds UTC."""
    version: str
    """Of this program."""
    proc: Path = Path("/proc")
    """This and the next three are somewhere else in tests."""
    sys: Path = Path("/sys")
    run: Path = Path("/run")
    etc: Path = Path("/etc")
    _reader: Reader | None = None

    @cached_property
    def config_error(self) -> InvalidSpec | None:
        """Why `jobsctl.yaml` cannot be used."""
        try:
            load_config(self.home.root)
        except InvalidSpec as error:
            return error
        return None

    @cached_property
    def config(self) -> Config:
        """The settings; the defaults where they cannot be used."""
        return Config() if self.config_error else load_config(self.home.root)

    @property
    def specs(self) -> Path:
        return self.home.root / self.config.specs

    @cached_property
    def alive(self) -> bool:
        """Whether a daemon listens."""
        return self.home.state.is_dir() and daemon_alive(self.home)

    @cached_property
    def heartbeat(self) -> Heartbeat | None:
        return read_heartbeat(self.home)

    @cached_property
    def daemon_pid(self) -> int | None:
        """Of the daemon that runs."""
        return self.heartbeat.pid if self.alive and self.heartbeat else None

    @cached_property
    def database_error(self) -> StateError | None:
        """Why the database cannot be read; None when it can."""
        try:
            self._reader = Reader(self.home.database, timeout=2.0)
        except StateError as error:
            return error
        return None

    @property
    def reader(self) -> Reader | None:
        """None when the database cannot be read: the check `database` says why."""
        return None if self.database_error else self._reader

    @cached_property
    def reading(self) -> Reading | None:
        """As other commands read."""
        return None if self.reader is None else Reading(self.home, self.reader, self.now)

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """For questions nobody else asks. [] when the database cannot be read."""
        if self.database_error:
            return []
        path = self.home.database
        with own_errors(path), closing(connect_read_only(path, timeout=2.0)) as connection:
            return connection.execute(sql, values).fetchall()

    def text(self, path: Path) -> str:
        """A small file of the machine; "" when it cannot be read."""
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


@frozen
class Check:
    """One subject. Its name is what `--only` takes."""

    name: str
    about: str
    """What it looks at, one line, for the documentation."""
    look: Callable[[Patient], Iterable[Finding]]
    """All findings; none when there is nothing to say about this home."""
