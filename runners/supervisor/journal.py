"""The journal: what a supervisor started and how it ended, readable after its death.

Written by the supervisor; read, and then continued, by the daemon that takes over from a dead one. Its owner holds a
lock on it for life. Not synced: it must outlive processes, and after a power cut no run it tells of is alive.
"""

from __future__ import annotations

import fcntl
import os

from runners.supervisor.wire import BrokenFrame, pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INTENT, STARTED, STOP, EXIT, ENDED, ACKNOWLEDGED = "intent", "started", "stop", "exit", "ended", "acknowledged"
"""Records, in this order for one run:
(intent, id, dir, cgroups, output_max, separate)    about to be started
(started, id, pid, pid_start, at)
(stop, id, reason, at)              TERM was sent because of `timeout` or `cancel`
(exit, id, status, at)              its main process ended with wait status `status`; its tree may live
(ended, id, end)                    all over: `end` has the fields of `runners.base.Exited`
(acknowledged, [id, ...])"""


class Entry:
    """What a journal says of one run."""

    __slots__ = (
        "cgroups", "dir", "end", "exit", "id", "output_max", "pid", "pid_start", "separate", "started_at", "stop",
    )  # fmt: skip

    def __init__(self, id: str, dir: bytes, cgroups: list[bytes], output_max: int, separate: bool) -> None:
        self.id = id
        self.dir = dir
        self.cgroups = cgroups
        self.output_max = output_max
        self.separate = separate
        self.pid: int | None = None
        self.pid_start: int | None = None
        self.started_at: int | None = None
        self.stop: str | None = None
        self.exit: tuple[int, int] | None = None
        """Wait status and instant (microseconds) of the main process."""
        self.end: dict[str, Any] | None = None


class Journal:
    """An append-only file. `entries`, of one that was opened: the runs that are not acknowledged."""

    __slots__ = ("_fd", "_good", "_owed", "_remembers", "_unacknowledged", "entries", "path")

    def __init__(self, path: str, *, create: bool = False) -> None:
        """Open, or create, and lock. Raises BlockingIOError while its owner lives, FileNotFoundError, OSError."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if create else 0)
        self.path = path
        self.entries: dict[str, Entry] = {}
        self._unacknowledged: set[str] = set()
        self._remembers = not create
        """Its writer knows its runs itself and needs no second copy; whoever takes over does."""
        self._owed: list[tuple[Any, ...]] = []
        self._fd = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._good = self._read()
        except BaseException:
            os.close(self._fd)
            raise

    def _read(self) -> int:
        size = os.fstat(self._fd).st_size
        data = bytearray()
        while len(data) < size and (piece := os.pread(self._fd, 1 << 20, len(data))):
            data += piece
        end = 0
        try:
            for record, end in unpack(data):  # noqa: B007
                self._apply(record)
        except BrokenFrame:
            pass  # nothing behind a damaged record can be trusted; the runs in it are looked for by their processes
        if end < size:
            os.ftruncate(self._fd, end)
        return end

    def _apply(self, record: tuple[Any, ...]) -> None:
        kind, subject = record[0], record[1]
        if kind == INTENT:
            self._unacknowledged.add(subject)
            if self._remembers:
                self.entries[subject] = Entry(*record[1:])
            return
        if kind == ACKNOWLEDGED:
            self._unacknowledged.difference_update(subject)
            for run_id in subject:
                self.entries.pop(run_id, None)
            return
        entry = self.entries.get(subject)
        if entry is None:
            return
        if kind == STARTED:
            entry.pid, entry.pid_start, entry.started_at = record[2:]
        elif kind == STOP:
            entry.stop = record[2]
        elif kind == EXIT:
            entry.exit = record[2], record[3]
        elif kind == ENDED:
            entry.end = record[2]

    def _write(self, data: bytes) -> None:
        """All of it, or none of it: a torn record would hide what comes behind it. Raises OSError."""
        try:
            written = os.write(self._fd, data)
            if written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError:
            os.ftruncate(self._fd, self._good)
            raise
        self._good += len(data)

    def intend(self, intents: list[tuple[str, bytes, list[bytes], int, bool]]) -> None:
        """Before anything of these runs is done. Raises OSError (full disk): then they must not be started."""
        records = [(INTENT, *intent) for intent in intents]
        self._write(b"".join(map(pack, self._owed)) + b"".join(map(pack, records)))
        self._owed.clear()
        for record in records:
            self._apply(record)

    def record(self, records: list[tuple[Any, ...]]) -> None:
        """Facts that are so already. What the disk does not take is kept, and written with the next or by `retry`."""
        for record in records:
            self._apply(record)
        self._owed += records
        self.retry()

    def retry(self) -> bool:
        """Write what is owed. False when the disk still refuses."""
        if self._owed:
            try:
                self._write(b"".join(map(pack, self._owed)))
            except OSError:
                return False
            self._owed.clear()
        return True

    @property
    def owes(self) -> bool:
        return bool(self._owed)

    def acknowledge(self, run_ids: list[str]) -> None:
        """Forget these runs. When none is left the file is emptied."""
        self._apply((ACKNOWLEDGED, run_ids))
        if self._unacknowledged:
            self._owed.append((ACKNOWLEDGED, run_ids))
            self.retry()
            return
        self._owed.clear()
        os.ftruncate(self._fd, 0)
        self._good = 0

    def close(self) -> None:
        """Let go of the lock. An empty journal is deleted."""
        if not self._unacknowledged and self._good == 0 and not self._owed:
            os.unlink(self.path)
        os.close(self._fd)
