"""The homes that transcripts are typed in. Everything in them is as the daemon writes it; the clock stands at NOW.

nowhere   an empty directory
new       what `jobsctl init` makes; no daemon ever ran
empty     a running daemon, and no jobs
well      a running daemon, three jobs, nothing wrong
night     a running daemon at 3 a.m. on a bad night: failures, waiting, a pause, an invalid file, an archived job
down      as night, and the daemon is dead
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cli.main import run as jobsctl
from cli.options import Settings
from state.home import Home
from state.ids import first_id
from state.records import DocumentRecord, Event, JobRecord, Reason, Run, RunState
from tests.commands.conftest import HELLO, HOUR, MINUTE, NOW, Known, StoppedClock

SECOND = 1_000_000
DAY = 24 * HOUR
REVISION = "main@sha1:" + "1a2b3c4d" * 5

BACKUP = """\
name: backup
project: db
description: Dumps the shop's database and checks that the dump can be read.
labels: {team: ops, tier: gold}
tags: [nightly]
annotations: {runbook: https://wiki.example/backup}
schedule: daily at 02:30
timezone: Europe/Berlin
timeout: 1h
retry: {attempts: 3, backoff: exponential, delay: 1m}
pool: disk
env:
  PGDATABASE: shop
  PGPASSWORD: {from_file: /run/secrets/shop}
run: {command: [backup, --database, shop]}
"""
REPORT = """\
name: report
description: 売上 - the sales of yesterday, for the office in Tokyo
labels: {team: sales}
schedule: "H 6 * * 1-5"
timezone: Asia/Tokyo
depends_on: [{job: db/backup, max_age: 20h}]
params:
  day: {default: yesterday, allowed: [yesterday, today], description: which day}
run: {script: "make report DAY=$JOBSCTL_PARAM_DAY\\n"}
"""
POLL = """\
name: poll
labels: {team: sales}
schedule: every 30s
overlap: skip
run: {command: [poll, https://shop.example/orders]}
"""
CLEAN = """\
name: clean
labels: {team: ops}
schedule: weekly on sunday at 4am
pool: disk
run: {command: [find, /srv/cache, -mtime, "+7", -delete]}
"""
ONCE = """\
name: migrate
schedule: {once: 2026-11-20T22:00:00Z}
run: {command: [migrate]}
"""
OLD = "name: old\nschedule: '@daily'\nrun: {command: [old]}\n"


class Pen(Known):
    """`Known` with run ids that are the same every time."""

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.made = 0

    def new_run(self, job: JobRecord, **fields: Any) -> Run:
        run = super().new_run(job, **fields)
        self.made += 1
        return replace(run, id=f"{first_id(run.created_at)[:10]}{self.made:016d}")

    def skip(self, job: JobRecord, *, reason: Reason, count: int = 1) -> None:
        self.made += 1
        number = self.made
        with patch("state.store_skips.new_id", lambda at: f"{first_id(at)[:10]}{number:016d}"):
            super().skip(job, reason=reason, count=count)

    def job(self, text: str = HELLO, *, path: str = "hello.yaml", **fields: Any) -> JobRecord:
        (self.home.specs / path).parent.mkdir(exist_ok=True)
        return super().job(text, path=path, **fields)

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

    def output(self, run: Run, text: str, *, kept: dict[str, bytes] | None = None) -> None:
        """What a run wrote, the files it keeps, and two minutes of CPU and memory."""
        place = self.home.run_dir(run.project, run.job, run.id)
        (place / "outputs").mkdir(parents=True)
        (place / "output.log").write_text(text, encoding="utf-8")
        for name, data in (kept or {}).items():
            (place / "outputs" / name).write_bytes(data)
        start = run.created_at
        samples = ((start + n * 10 * SECOND, n * n * 100_000, (n % 5 + 1) << 22) for n in range(12))
        (place / "series.bin").write_bytes(b"".join(struct.pack("<qQQ", *sample) for sample in samples))


@contextmanager
def house(name: str, place: Path) -> Iterator[Path]:
    """The root of a house, made new below `place`; with its daemon, as far as the command line can tell."""
    root = place / "home"
    root.mkdir()
    home = Home(root)
    if name == "nowhere":
        yield root
        return
    jobsctl_quietly("init", root)
    if name == "new":
        yield root
        return
    pen = Pen(home)
    {"empty": _empty, "well": _well, "night": _night, "down": _night}[name](pen)
    pen.store.close()
    _heartbeat(home)
    if name == "down":
        yield root
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(str(home.doorbell))
        yield root


def jobsctl_quietly(*words: object) -> None:
    """What it says is nobody's."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        assert jobsctl([str(word) for word in words], Settings(clock=StoppedClock())) == 0


def _heartbeat(home: Home) -> None:
    beat = {
        "pid": 4242, "version": "0.1.0", "started_at": NOW - 3 * DAY, "at": NOW - 2 * SECOND, "state": "ready",
        "last_pass_at": NOW - 3 * SECOND, "timezone": "UTC", "root": str(home.specs), "revision": REVISION,
        "listen": "127.0.0.1:8787", "runs": {"active": 2, "unlaunched": 0}, "queue": {"depth": 4, "retrying": 0},
    }  # fmt: skip
    home.heartbeat.write_text(json.dumps(beat))


def _empty(pen: Pen) -> None:
    (pen.home.specs / "hello.yaml").unlink()
    pen.source(revision=REVISION, files=0, jobs=0)


def _well(pen: Pen) -> None:
    hello = pen.job(revision=REVISION, next_at=NOW + 5 * MINUTE)
    pen.output(pen.run(hello, ago=5 * MINUTE), "hello from jobsctl\n")
    poll = pen.job(POLL, path="poll.yaml", revision=REVISION, next_at=NOW + 30 * SECOND)
    pen.run(poll, ago=10 * SECOND)
    clean = pen.job(CLEAN, path="ops/clean.yaml", revision=REVISION, next_at=NOW + 20 * HOUR)
    pen.run(clean, ago=6 * DAY)
    pen.source(revision=REVISION, files=3, jobs=3)


def _night(pen: Pen) -> None:
    store = pen.store
    spec = b'{"apiVersion":"jobsctl/v1","description":"","kind":"Pool","name":"disk","slots":1}'
    disk = DocumentRecord(
        kind="Pool", name="disk", spec=spec, digest="d" * 64, path="pools.yaml", line=1, applied_at=NOW - 9 * DAY
    )
    store.put_documents([disk], [])
    backup = pen.job(
        BACKUP, path="db/backup.yaml", generation=3, revision=REVISION, next_at=NOW + 17 * HOUR + 30 * MINUTE
    )
    pen.run(backup, ago=30 * HOUR, took=95 * SECOND)
    first = pen.run(
        backup, ago=6 * HOUR + 30 * MINUTE, state=RunState.FAILED, took=12 * SECOND, exit_code=2, error="exit code 2"
    )
    pen.output(
        first,
        "connecting to shop\nFATAL: no space left on device\n",
        kept={"partial.dump": b"x" * 2048, "tables.txt": b"orders\nitems\n"},
    )
    pen.event(backup, "run_failed", "exit code 2", ago=6 * HOUR + 29 * MINUTE, run=first, type="Warning")
    report = pen.job(REPORT, path="sales/report.yaml", revision=REVISION, next_at=NOW + 38 * HOUR - MINUTE)
    pen.waiting(report, Reason.DEPENDENCY, ago=2 * HOUR)
    poll = pen.job(POLL, path="poll.yaml", revision=REVISION, next_at=NOW + 30 * SECOND)
    pen.run(poll, ago=45 * SECOND)
    pen.output(pen.run(poll, ago=15 * SECOND, state=RunState.RUNNING), "asking for orders\n")
    pen.skip(poll, reason=Reason.OVERLAP, count=3)
    clean = pen.job(CLEAN, path="ops/clean.yaml", revision=REVISION, next_at=NOW + 20 * HOUR)
    pen.update(
        clean, suspended_at=NOW - 3 * DAY, suspended_by="ann@desk", suspended_reason="the disk is being replaced"
    )
    migrate = pen.job(ONCE, path="migrate.yaml", revision=REVISION, next_at=None, completed_at=NOW - 10 * HOUR)
    pen.run(migrate, ago=10 * HOUR, took=4 * SECOND)
    old = pen.job(OLD, path="old.yaml", next_at=None, archived_at=NOW - 2 * DAY)
    pen.run(old, ago=3 * DAY)
    (pen.home.specs / "old.yaml").unlink()
    (pen.home.specs / "pools.yaml").write_text("kind: Pool\nname: disk\nslots: 1\n")
    (pen.home.specs / "mail.yaml").write_text("name: mail\nschedule: every 10 m\nrun: {comand: [mail]}\n")
    finding = {
        "code": "JOB031", "severity": "error", "message": "unknown key `comand`", "path": "mail.yaml", "line": 3,
        "column": 7, "help": "did you mean `command`?", "identity": "default/mail",
    }  # fmt: skip
    pen.source(revision=REVISION, files=7, jobs=5, invalid=1, diagnostics=[finding])
