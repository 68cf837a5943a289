"""The homes that transcripts are typed in. Everything in them is as the daemon writes it; the clock stands at NOW.

nowhere   an empty directory
new       what `jobsctl init` makes; no daemon ever ran
empty     a running daemon, and no jobs
well      a running daemon, three jobs, nothing wrong
night     a running daemon at 3 a.m. on a bad night: failures, waiting, a pause, an invalid file, an archived job
down      as night, and the daemon is dead
served    as night, and the daemon answers requests
changed   as well, with a daemon that answers; somebody edited the files, and has others beside them
broken    as new; one file per kind of mistake
misset    as new; its jobsctl.yaml is wrong
locked    as well, and the daemon holds its lock
saved     as down, with saved.tar.gz, a backup of it
told      a running daemon that answers; people and programs are told of its jobs, one job is silenced
deaf      as told, and the daemon is dead
bare      as told, and apprise is not installed
heard     as told, and somebody listens where its notifiers point
mistold   as new; one file per kind of mistake about telling
guarded   as well; its readers need tokens
open      as new; its jobsctl.yaml serves everybody
moved     as new; beside it the crontabs, timers and manifests of before
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import sqlite3
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cli.main import run as jobsctl
from cli.options import Settings
from reconciler.lock import take_lock
from specs.load import load_bytes
from state.home import Home
from state.ids import first_id
from state.records import DocumentRecord, Event, JobRecord, Reason, Run
from state.store import RunEnd, Skip
from tests.commands.conftest import HELLO, HOUR, MINUTE, NOW, Known, StoppedClock
from tests.goldens.answers import answering
from tests.goldens.foreign import FOREIGN
from tests.goldens.mistakes import BROKEN, EDITED, GIVEN
from tests.goldens.night import CLEAN, DAY, POLL, REVISION, SECOND, bad_night
from tests.goldens.told import MISTOLD, TOKENS, addresses, people_told
from tests.notifying.receivers import http_receiver

MISSET = {"jobsctl.yaml": "timezone: Mars/Olympus\nresync: soon\n"}
_GUARDED = {"jobsctl.yaml": "timezone: UTC\nhttp: {tokens: tokens}\n", "tokens": TOKENS}
_OPEN = {"jobsctl.yaml": "timezone: UTC\nhttp: {listen: '0.0.0.0:8787'}\n"}
_FILES = {
    "broken": BROKEN, "misset": MISSET, "moved": FOREIGN, "guarded": _GUARDED, "open": _OPEN,
    "mistold": {f"jobs/{path}": text for path, text in MISTOLD.items()},
}  # fmt: skip


class Pen(Known):
    """`Known` with run ids that are the same every time."""

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.made = 0
        self.jobs: dict[str, JobRecord] = {}

    def new_run(self, job: JobRecord, **fields: Any) -> Run:
        run = super().new_run(job, **fields)
        self.made += 1
        return replace(run, id=f"{first_id(run.created_at)[:10]}{self.made:016d}")

    def skip(
        self, job: JobRecord, *, reason: Reason, count: int = 1, ago: int = 5 * MINUTE, apart: int = MINUTE
    ) -> None:
        """Slots that did not run: the last was `ago`, those before `apart` from each other."""
        self.made += 1
        number, last = self.made, NOW - ago
        skip = Skip(
            job_id=job.id, first=last - (count - 1) * apart, last=last, count=count, reason=reason, at=last,
            generation=job.generation,
        )  # fmt: skip
        with patch("state.store_skips.new_id", lambda at: f"{first_id(at)[:10]}{number:016d}"):
            self.store.skip([skip])

    def job(self, text: str = HELLO, *, path: str = "hello.yaml", **fields: Any) -> JobRecord:
        (self.home.specs / path).parent.mkdir(exist_ok=True)
        job = super().job(text, path=path, **fields)
        self.jobs[job.identity] = job
        return job

    def end(self, run: Run, *, ago: int, **fields: Any) -> None:
        """A run that runs is over."""
        self.store.finished([RunEnd(run_id=run.id, at=NOW - ago, **fields)])

    def event(
        self, job: JobRecord, reason: str, message: str, *, ago: int, run: Run | None = None, **fields: Any
    ) -> None:
        """Something that happened to a job."""
        event = Event(
            job_id=job.id,
            run_id=run.id if run else None,
            at=NOW - ago,
            reason=reason,
            message=message,
            **({"type": "Normal"} | fields),
        )
        self.store.add_events([event])

    def output(self, run: Run, text: str, *, stream: str = "output", kept: dict[str, bytes] | None = None) -> None:
        """What a run wrote, the files it keeps, and two minutes of CPU and memory."""
        place = self.home.run_dir(run.project, run.job, run.id)
        (place / "outputs").mkdir(parents=True, exist_ok=True)
        (place / f"{stream}.log").write_text(text, encoding="utf-8", newline="")
        for name, data in (kept or {}).items():
            (place / "outputs" / name).write_bytes(data)
            at = run.created_at // SECOND + 10
            os.utime(place / "outputs" / name, (at, at))
        start = run.created_at
        samples = ((start + n * 10 * SECOND, n * n * 100_000, (n % 5 + 1) << 22) for n in range(12))
        (place / "series.bin").write_bytes(b"".join(struct.pack("<qQQ", *sample) for sample in samples))


@contextmanager
def house(name: str, place: Path) -> Iterator[Path]:
    """The root of a house, made new below `place`; with its daemon, as far as the command line can tell."""
    root = place / "home"
    shutil.copytree(_model(name), root)
    home = Home(root)
    if not home.database.exists():
        yield root
        return
    with closing(sqlite3.connect(home.database)) as database, database:
        database.execute("UPDATE source SET root = ?", (str(home.specs),))
    _heartbeat(home)
    if name == "saved":
        jobsctl_quietly("--home", root, "backup", root / "saved.tar.gz")
    if name in ("down", "saved", "deaf"):
        yield root
        return
    if name in ("served", "changed", "told", "bare", "heard"):
        with answering(Home(root)), _listening(name, root):
            yield root
        return
    if name == "locked":
        lock = take_lock(home.lock)
        os.pwrite(lock, b"4242\n", 0)
        os.truncate(lock, 5)
        try:
            yield root
        finally:
            os.close(lock)
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(str(home.doorbell))
        yield root


@contextmanager
def _listening(name: str, root: Path) -> Iterator[None]:
    """As far as the house's people can be reached."""
    if name == "bare":
        with patch("cli.notifytest.available", lambda: False):
            yield
    elif name == "heard":
        with http_receiver() as received:
            addresses(root, received.url)
            yield
    else:
        yield


@cache
def _model(name: str) -> Path:
    """A house to copy from: made once, as making one takes ten times as long. It goes when this process ends."""
    place = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, place)
    root = Path(place) / "home"
    root.mkdir()
    if name == "nowhere":
        return root
    jobsctl_quietly("init", root)
    _write_files(root, _FILES.get(name, {}))
    if name in _MAKERS:
        pen = Pen(Home(root))
        _MAKERS[name](pen)
        pen.store.close()
    if name in ("served", "changed"):
        _write_files(root, GIVEN | (EDITED if name == "changed" else {}))
    written = (NOW - 9 * DAY) // SECOND
    for path in (root, root / "jobs"):
        for file in path.iterdir():
            os.utime(file, (written, written))
    return root


def _write_files(root: Path, files: Mapping[str, str | None]) -> None:
    """None: the file is removed."""
    for place, text in files.items():
        path = root / place
        path.parent.mkdir(exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")


def jobsctl_quietly(*words: object) -> None:
    """What it says is nobody's."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        assert jobsctl([str(word) for word in words], Settings(clock=StoppedClock())) == 0


def _heartbeat(home: Home) -> None:
    beat = {
        "pid": 4242, "version": "0.1.0", "started_at": NOW - 3 * DAY, "at": NOW - 2 * SECOND, "state": "ready",
        "last_pass_at": NOW - 3 * SECOND, "timezone": "UTC", "root": str(home.specs), "revision": REVISION,
        "readers": {"listen": "127.0.0.1:8787", "failures": 0}, "runs": {"active": 2, "unlaunched": 0},
        "queue": {"depth": 4, "retrying": 0},
    }  # fmt: skip
    home.heartbeat.write_text(json.dumps(beat))


def _empty(pen: Pen) -> None:
    (pen.home.specs / "hello.yaml").unlink()
    pen.source(revision=REVISION, files=0, jobs=0)


def _well(pen: Pen) -> None:
    hello = pen.job(revision=REVISION, anchor_at=NOW - DAY - 5 * MINUTE, next_at=NOW + 5 * MINUTE)
    pen.output(pen.run(hello, ago=5 * MINUTE), "hello from jobsctl\n")
    poll = pen.job(
        POLL,
        path="poll.yaml",
        revision=REVISION,
        anchor_at=NOW - DAY - 10 * SECOND,
        cursor_at=NOW - 10 * SECOND,
        next_at=NOW + 20 * SECOND,
    )
    pen.run(poll, ago=10 * SECOND)
    clean = pen.job(CLEAN, path="ops/clean.yaml", revision=REVISION, next_at=NOW + 20 * HOUR)
    pen.run(clean, ago=6 * DAY + 4 * HOUR)
    # As the daemon stores it: what the files say is what is applied.
    text = b"kind: Pool\nname: disk\nslots: 1\n"
    (pen.home.specs / "pools.yaml").write_bytes(text)
    (disk,) = load_bytes(text, "pools.yaml").documents
    stored = DocumentRecord(
        kind=disk.kind, name=disk.name, spec=disk.spec, digest=disk.digest, path=disk.path, line=disk.line,
        applied_at=NOW - 9 * DAY,
    )  # fmt: skip
    pen.store.put_documents([stored], [])
    pen.source(revision=REVISION, files=3, jobs=3)


_MAKERS = {
    "empty": _empty,
    "well": _well,
    "night": bad_night,
    "down": bad_night,
    "saved": bad_night,
    "served": bad_night,
    "changed": _well,
    "locked": _well,
    "guarded": _well,
    "told": people_told,
    "deaf": people_told,
    "bare": people_told,
    "heard": people_told,
}
