"""A run's directory on the daemon's machine, as `cli.rundir` has one here. Used by `cli.remote.house`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import DaemonDown, TimedOut
from cli.remote.client import Answer, Client, Param
from cli.remote.streaming import EventStream
from cli.rundir import Growing, RunDirectory
from cli.streams import rest
from state.errors import NotFound
from state.logs import Log
from state.records import Run
from state.runfiles import OutputFile, Sample, samples_of

if TYPE_CHECKING:
    from status.outputs import KeptFile


AWAY = 1.0
"""Seconds until a server that did not answer is asked again."""


class RemoteDirectory(RunDirectory):
    """What is in it is asked for once; which streams there are, each time."""

    def __init__(self, client: Client, run: Run) -> None:
        self._client = client
        self._run = run

    def _ask(self) -> dict[str, Any]:
        needs = ("directory", "there", "streams", "progress", "outputs")
        return self._client.ask(f"/api/v1/records/files/{self._run.id}", needs=needs)

    @cached_property
    def _known(self) -> dict[str, Any]:
        return self._ask()

    @property
    def path(self) -> Path:
        return Path(self._known["directory"])

    @property
    def there(self) -> bool:
        return bool(self._known["there"])

    def streams(self) -> tuple[str, ...]:
        return tuple(self._ask()["streams"])

    def log(self, stream: str) -> Log:
        return RemoteLog(self._client, self._run, stream)

    def growing(self, stream: str, *, start: int = 0) -> Growing:
        return RemoteGrowing(self._client, self._run, stream, start)

    def progress(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._known["progress"]
        return found

    def outputs(self) -> list[OutputFile]:
        return [OutputFile(each["path"], each["size"], each["modified_at"]) for each in self._known["outputs"]]

    def output(self, name: str) -> KeptFile | None:
        try:
            return RemoteFile(self._client, self._run, name)
        except NotFound:
            return None

    def series(self) -> list[Sample]:
        answer = self._client.get(f"/api/v1/records/series/{self._run.id}")
        return samples_of(answer.body)

    def usage(self) -> list[Sample]:
        return [Sample(at, cpu, memory) for at, cpu, memory in self._known["usage"]]


class RemoteGrowing(Growing):
    """`cli.rundir.Growing` as the server tells it, without asking again and again."""

    def __init__(self, client: Client, run: Run, stream: str, start: int) -> None:
        self._client = client
        self._run = run
        self._stream = stream
        self._log: Log | None = None
        path, params = f"/api/v1/runs/{run.id}/logs", [("stream", stream)]
        self._events = EventStream(client, path, params, last=str(start)).__enter__()

    @property
    def bell(self) -> int:
        return self._events.bell

    @property
    def over(self) -> bool:
        return self._events.over

    def poll(self) -> bytes:
        return b"".join(self._bytes(each.data) for each in self._events.take() if each.kind == "message")

    def _bytes(self, told: Mapping[str, Any]) -> bytes:
        """What was written, byte for byte: told is text, in which other bytes are U+FFFD."""
        text: str = told["text"]
        if "\ufffd" not in text:
            return text.encode()
        while True:
            try:
                self._log = self._log or RemoteLog(self._client, self._run, self._stream)
                return b"".join(self._log.read(told["start"], told["end"]))
            except (DaemonDown, TimedOut):
                rest(AWAY)

    def close(self) -> None:
        self._events.__exit__(None, None, None)


class RemoteFile:
    """`status.outputs.KeptFile` over HTTP, a piece at a time. Raises `state.errors.NotFound` when there is none."""

    def __init__(self, client: Client, run: Run, name: str) -> None:
        self._client = client
        self._place = f"/api/v1/records/output/{run.id}"
        self._name = name
        self._size = client.number(self._get(0, 0), "x-output-size")

    def _get(self, start: int, end: int) -> Answer:
        return self._client.get(self._place, [("path", self._name), ("start", start), ("end", end)])

    @property
    def size(self) -> int:
        return self._size

    def read(self, count: int, start: int) -> bytes:
        return self._get(start, start + count).body

    def close(self) -> None:
        """Nothing is held open."""


class RemoteLog(Log):
    """`state.logs.Log` over HTTP, a piece at a time."""

    def __init__(self, client: Client, run: Run, stream: str) -> None:
        self._client = client
        self._place = f"/api/v1/records/log/{run.id}"
        self._stream = stream
        self._bound()  # raises NotFound as opening the file does

    def close(self) -> None:
        """Nothing is held open."""

    def _bound(self, **given: int) -> dict[str, int]:
        params: list[tuple[str, Param]] = [("stream", self._stream), *given.items()]
        return self._client.ask(f"{self._place}/bounds", params, needs=("size", "since", "until", "tail"))

    @property
    def size(self) -> int:
        return self._bound()["size"]

    def offset_since(self, time: int) -> int:
        return self._bound(since=time)["since"]

    def offset_until(self, time: int) -> int:
        return self._bound(until=time)["until"]

    def tail_offset(self, lines: int, *, floor: int = 0) -> int:
        return max(self._bound(tail=lines)["tail"], floor)

    def piece(self, start: int, end: int | None = None) -> tuple[bytes, int]:
        answer = self._client.get(self._place, [("stream", self._stream), ("start", start), ("end", end)])
        return answer.body, self._client.number(answer, "x-log-next")

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        end = self.size if end is None else end
        position = max(start, 0)
        while position < end:
            data, following = self.piece(position, end)
            if following <= position:
                return
            yield data
            position = following
