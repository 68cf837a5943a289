"""Server-sent events from a jobsctl server, through breaks of the connection. Used by `cli.eventtail`, `.files`.

A thread reads; who follows waits for it in `cli.streams.rest`, beside the terminal. A few events are held at most: who
is slow is waited for, and the server keeps the rest.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import select
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Any

import orjson

from cli.errors import CliError, DaemonDown, TimedOut
from cli.output import say
from cli.remote.client import Busy, Client, Params
from cli.streams import rest
from state.errors import StateError

SILENCE = 45.0
"""Seconds: three times as long as the server is ever silent. Then the connection is taken as dead."""
FIRST_RETRY, MOST_RETRY = 1.0, 15.0
"""Seconds after a break, until the server has said how many; doubled while nobody answers."""
HELD = 64
"""Events: some MiB."""
LONGEST = 1 << 24
"""Bytes of a line."""
OVER = 204
"""The status that tells a client that came back that it has all."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event. `data` is its JSON; `kind` is `message` where the server names none."""

    id: str
    kind: str
    data: Mapping[str, Any]


class EventStream:
    """Events of one address, from behind `last` on; a context manager.

    Raises from `take`:
        CliError, StateError: the server refuses; a break of the connection is no error, it is tried again.
    """

    def __init__(self, client: Client, path: str, params: Params = (), *, last: str) -> None:
        self._client = client
        self._path, self._params = path, list(params)
        self._last = last
        self._retry = FIRST_RETRY
        self._queue: Queue[Message | Exception | None] = Queue(HELD)
        self._ended = threading.Event()
        self._plug: socket.socket | None = None
        self.bell, self._ring = os.pipe()
        """Can be read while there is something to take."""
        for end in (self.bell, self._ring):
            os.set_blocking(end, False)
        self.over = False
        """Whether the server said that nothing comes any more, and all was taken."""
        self._thread: threading.Thread | None = None

    def __enter__(self) -> EventStream:
        # The first answer is awaited here: what is refused is told as any question that is refused.
        thread = threading.Thread(target=self._run, args=(self._open(),), name="event-stream", daemon=True)
        thread.start()
        self._thread = thread
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        if self._plug is not None:
            with contextlib.suppress(OSError):
                self._plug.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join(1.0)
            if not self._thread.is_alive():
                os.close(self.bell)
                os.close(self._ring)

    def wait(self, seconds: float) -> None:
        """Until there is something to take, or so long. Raises BrokenPipeError as `rest`."""
        if not self.over and self._queue.empty():
            rest(seconds, self.bell)

    def take(self) -> list[Message]:
        """What has come since, without waiting."""
        while select.select([self.bell], [], [], 0)[0] and os.read(self.bell, 4096):
            pass
        found: list[Message] = []
        while True:
            try:
                each = self._queue.get_nowait()
            except Empty:
                return found
            if each is None:
                self.over = True
                return found
            if isinstance(each, Exception):
                raise each
            found.append(each)

    def _open(self) -> http.client.HTTPResponse:
        """Ask, from where it is on. Raises as `Client.stream`."""
        self._plug, answer = self._client.stream(self._path, self._params, last=self._last, silence=SILENCE)
        return answer

    def _run(self, first: http.client.HTTPResponse) -> None:
        answer: http.client.HTTPResponse | None = first
        patience, told = self._retry, False
        while not self._ended.is_set():
            try:
                answer = answer or self._open()
                if answer.status == OVER or self._read(answer):
                    self._put(None)
                    break
                patience, told = self._retry, False  # it hung up in order: it begins anew, or has too many
            except (OSError, http.client.HTTPException) as error:
                patience, told = self._again(str(error) or type(error).__name__, patience, told=told)
            except (DaemonDown, TimedOut, Busy) as error:
                patience, told = self._again(str(error), patience, told=told)
            except (CliError, StateError) as error:
                self._put(error)
                break
            self._close(answer)
            answer = None
            self._ended.wait(patience * (0.75 + random.random() / 2))
        self._close(answer)

    def _close(self, answer: http.client.HTTPResponse | None) -> None:
        if answer is not None:
            answer.close()
        if self._plug is not None:
            self._plug.close()

    def _again(self, why: str, patience: float, *, told: bool) -> tuple[float, bool]:
        if told and not self._ended.is_set():
            return min(patience * 2, MOST_RETRY), True
        if not self._ended.is_set():
            say(f"note: {self._client.url}: {why}; trying again")
        return patience, True

    def _read(self, answer: http.client.HTTPResponse) -> bool:
        """Events up to the end of the answer; whether the last of all was among them."""
        kind, data, place = "message", b"", self._last
        while line := answer.readline(LONGEST):
            name, _, value = line.removesuffix(b"\n").partition(b":")
            value = value.removeprefix(b" ")
            match name:
                case b"id":
                    place = value.decode()
                case b"event":
                    kind = value.decode()
                case b"data":
                    data += value
                case b"retry":
                    self._retry = int(value) / 1000
                case b"" if line == b"\n":
                    # Only now: of an event that was cut off nothing was had.
                    self._last = place
                    if data:
                        self._put(Message(place, kind, orjson.loads(data)))
                    if kind == "end":
                        return True
                    kind, data = "message", b""
                case _:
                    pass
        return False

    def _put(self, each: Message | Exception | None) -> None:
        while not self._ended.is_set():
            try:
                self._queue.put(each, timeout=1.0)
            except Full:
                continue
            with contextlib.suppress(BlockingIOError):
                os.write(self._ring, b".")
            return
