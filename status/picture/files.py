"""Status files: `status/<project>/<job>.yaml`, the view of every job, for people, scripts and `git diff`.

Written by the status process's refresher thread (`status.picture.refresh`), read by anybody. One writer. A file is
replaced whole, so a reader sees the old or the new text, never half of one. Nothing is forced to the disk: a status
file can be made again at any time, from the database.

An unchanged view costs no system call: the digest of what was written is kept in memory. A changed one is written at
most once a second per job; what changes faster is written once, a second later.

Replacing by rename frees an inode and makes a new one, and ext4 then searches long for it: 10,000 files are 5 to 9 s.
So every job has a spare file below `.spare`: the new text goes into it, and the two change places, 20 us each. A reader
that takes longer than a second over an open file may find a later text of the same job in it. Where the file system
cannot exchange, it is write and rename.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from specs.notation import NAME_PATTERN
from state.exchange import exchange, fill

SPACING = 1.0
"""Seconds between two writes of one job's file."""

SPARES = ".spare"
_IDENTITY = re.compile(f"(?:{NAME_PATTERN})/(?:{NAME_PATTERN})")
HEADER = "# Written by jobsctl; edits are lost. The job is defined in the file named below.\n"


@dataclass(slots=True)
class StatusFiles:
    """The files below `root`. Times are monotonic seconds, given by the caller."""

    root: Path
    written: dict[str, bytes] = field(default_factory=dict)
    """Digest of what each file says, by identity."""
    recent: dict[str, float] = field(default_factory=dict)
    """When those files were written that may be too young to be written again."""
    waiting: dict[str, str] = field(default_factory=dict)
    """Texts that came less than a second after the last one, by identity."""
    writes: int = 0
    """Files written since the start."""

    def open(self) -> None:
        """Learn what is there, so that what is unchanged is not written again.

        Raises:
            OSError: the directory cannot be made or read.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in self._present():
            if file.suffix == ".yaml":
                self.written[f"{file.parent.name}/{file.stem}"] = _digest(file.read_bytes())

    def keep_only(self, identities: Container[str]) -> None:
        """Remove the files of jobs that are not there any more; others' files, whatever they are, stay.

        Raises:
            OSError: a file cannot be removed.
        """
        for identity in [identity for identity in self.written if identity not in identities]:
            if _IDENTITY.fullmatch(identity):
                self.remove(identity)

    def _present(self) -> Iterator[Path]:
        for folder in self.root.iterdir():
            if folder.name != SPARES and folder.is_dir() and not folder.is_symlink():
                yield from (file for file in folder.iterdir() if file.is_file() and not file.is_symlink())

    def put(self, identity: str, text: str, now: float) -> None:
        """Have the file of `identity` say `text`: at once, or a second after its last write.

        Raises:
            ValueError: the identity is not `project/name`.
            OSError: the disk is full, or the directory is not ours; the text is kept for the next `flush`.
        """
        self.waiting[identity] = text  # stays there when it is too early, and when the write fails
        if self._wait(identity, now) <= 0:
            self._write(identity, text, now)
            del self.waiting[identity]

    def flush(self, now: float) -> float | None:
        """Write what has waited long enough. Seconds until the next is due; None when nothing waits.

        Raises:
            OSError: as `put`.
        """
        soonest: float | None = None
        for identity in list(self.waiting):
            left = self._wait(identity, now)
            if left <= 0:
                self._write(identity, self.waiting[identity], now)
                del self.waiting[identity]
            else:
                soonest = left if soonest is None else min(soonest, left)
        self.recent = {identity: at for identity, at in self.recent.items() if now - at < SPACING}
        return soonest

    def remove(self, identity: str) -> None:
        """The job was purged: its file goes, and an empty folder with it."""
        self.waiting.pop(identity, None)
        self.written.pop(identity, None)
        self.recent.pop(identity, None)
        for path in map(Path, self._places(identity)):
            path.unlink(missing_ok=True)
            try:
                path.parent.rmdir()
            except OSError:
                pass  # other jobs of the project are still there

    def path(self, identity: str) -> Path:
        """Where the file of `project/name` is.

        Raises:
            ValueError: a part is not a name: it could lead out of `root`.
        """
        return Path(self._places(identity)[0])

    def _places(self, identity: str) -> tuple[str, str]:
        """Of the file and its spare. Texts: with Path objects this would be a third of writing a file."""
        if not _IDENTITY.fullmatch(identity):
            raise ValueError(f"{identity!r} is not project/name")
        root = os.fspath(self.root)
        return f"{root}/{identity}.yaml", f"{root}/{SPARES}/{identity}.yaml"

    def _wait(self, identity: str, now: float) -> float:
        """Seconds until the file may be written again."""
        at = self.recent.get(identity)
        return 0.0 if at is None else at + SPACING - now

    def _write(self, identity: str, text: str, now: float) -> None:
        data = (HEADER + text).encode()
        digest, last = _digest(data), self.written.get(identity)
        if last == digest:
            return
        path, spare = self._places(identity)
        try:
            fill(spare, data)
        except FileNotFoundError:
            for file in (path, spare):
                Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fill(spare, data)
        if last is None or not exchange(spare, path):
            os.replace(spare, path)  # noqa: PTH105
        self.written[identity], self.recent[identity] = digest, now
        self.writes += 1


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
