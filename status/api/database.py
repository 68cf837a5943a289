"""The database, asked in a few threads, so that a slow disk never holds up other requests. Used by every route."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from state import errors as state_errors
from state.home import Home
from state.reads import Reader
from status.server import errors

T = TypeVar("T")

READERS = 4
"""Threads that read the disk."""


class Database:
    """One per process. It may be missing at first: it is opened with the first question."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="maker")
        self._reader: Reader | None = None
        self._opening = threading.Lock()

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """The answer to a question, asked in a thread.

        Raises:
            NotFound, Ambiguous, BadRequest, Unavailable: as the database says.
        """
        return await self.aside(lambda: self.answer(question))

    def aside(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Work done in a thread: what reads a file, or takes a while."""
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def from_memory(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Work of milliseconds that reads nothing: in a thread of its own, which never waits for a disk."""
        return asyncio.get_running_loop().run_in_executor(self._maker, work)

    def answer(self, question: Callable[[Reader], T]) -> T:
        """As `ask`, here and now: for what is in a thread already."""
        try:
            with self._opening:
                # One for all threads: the number that tags answers is only comparable within one connection.
                reader = self._reader = self._reader or Reader(self._home.database)
            return question(reader)
        except state_errors.NotFound as error:
            raise errors.NotFound(error.message, hint=error.hint) from None
        except state_errors.Ambiguous as error:
            raise errors.Ambiguous(error.message, candidates=list(error.candidates), hint=error.hint) from None
        except state_errors.InvalidQuery as error:
            raise errors.BadRequest(error.message, hint=error.hint) from None
        except state_errors.StateError as error:
            raise errors.Unavailable(error.message, hint=error.hint) from None
