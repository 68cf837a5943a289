"""A bad night, for the houses `night` and `down`: what is applied, and what happened until NOW, in the order of time.

Used by `tests.goldens.houses`. Slots, attempts and waits are where the specs put them: a reader computes the next ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from state.records import DocumentRecord, Reason, RunState, Trigger
from tests.commands.conftest import HOUR, MINUTE, NOW

if TYPE_CHECKING:
    from tests.goldens.houses import Pen

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
schedule: "H 15 * * 1-6"
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
EXTRACT = """\
name: extract
project: etl
description: Fetches the orders of the day.
labels: {team: data}
schedule: "0 1 * * *"
run: {command: [etl, extract]}
"""
TRANSFORM = """\
name: transform
project: etl
labels: {team: data}
depends_on: [extract]
capture: {streams: separate}
run: {command: [etl, transform]}
"""
LOAD = """\
name: load
project: etl
labels: {team: data}
depends_on: [transform]
run: {command: [etl, load]}
"""
ROTATE = """\
name: rotate
project: ops
schedule: "30 */4 * * *"
timeout: 10m
run: {command: [rotate, /srv/log]}
"""
MIRROR = """\
name: mirror
project: ops
schedule: "15 */6 * * *"
run: {command: [rsync, -a, "mirror.example::all", /srv/mirror]}
"""
REINDEX = "name: reindex\nproject: ops\nrun: {command: [reindex, --all]}\n"
VACUUM = "name: vacuum\nproject: ops\npool: disk\nrun: {command: [vacuum]}\n"
CHECK = 'name: check\nproject: ops\nschedule: "0 7 * * *"\npool: disk\nrun: {command: [check, /srv]}\n'
SYNC = """\
name: sync
project: shop
schedule: "45 * * * *"
retry: {attempts: 4, backoff: exponential, delay: 4m, max_delay: 10m}
run: {command: [sync, --to, warehouse]}
"""
PAYROLL = """\
name: payroll
project: hr
schedule: "0 6 * * *"
calendar: freeze
run: {command: [payroll]}
"""
PROBE = """\
name: probe
project: net
description: "\\e[31mred\\e[0m \\e]0;title\\a and a \\ttab"
schedule: "50 * * * *"
run: {command: [probe]}
"""


def bad_night(pen: Pen) -> None:
    """Write all of it."""
    (pen.home.specs / "hello.yaml").unlink()
    _documents(pen)
    clean = pen.job(CLEAN, path="ops/clean.yaml", revision=REVISION, next_at=NOW + 20 * HOUR)
    pen.update(
        clean, suspended_at=NOW - 3 * DAY, suspended_by="ann@desk", suspended_reason="the disk is being replaced"
    )
    pen.event(clean, "suspended", "Suspended by ann@desk: the disk is being replaced", ago=3 * DAY)
    old = pen.job(OLD, path="old.yaml", next_at=None, archived_at=NOW - 2 * DAY)
    pen.run(old, ago=2 * DAY + 8 * HOUR)
    (pen.home.specs / "old.yaml").unlink()
    _nights_before(pen)
    _after_midnight(pen)
    _morning(pen)
    (pen.home.specs / "mail.yaml").write_text("name: mail\nschedule: every 10 m\nrun: {comand: [mail]}\n")
    finding = {
        "code": "JOB031", "severity": "error", "message": "unknown key `comand`", "path": "mail.yaml", "line": 3,
        "column": 7, "help": "did you mean `command`?", "identity": "default/mail",
    }  # fmt: skip
    pen.source(revision=REVISION, files=18, jobs=16, invalid=1, diagnostics=[finding])


def _documents(pen: Pen) -> None:
    pool = b'{"apiVersion":"jobsctl/v1","description":"","kind":"Pool","name":"disk","slots":1}'
    freeze = (
        b'{"apiVersion":"jobsctl/v1","kind":"Calendar","name":"freeze","description":"","mode":"block",'
        b'"action":"skip","dates":["2026-11-20..2026-11-22"]}'
    )
    pen.store.put_documents(
        [
            DocumentRecord(kind=kind, name=name, spec=spec, digest=name[0] * 64, path=path, line=1,
                           applied_at=NOW - 9 * DAY)
            for kind, name, spec, path in (("Pool", "disk", pool, "pools.yaml"),
                                           ("Calendar", "freeze", freeze, "calendars.yaml"))
        ],
        [],
    )  # fmt: skip
    (pen.home.specs / "pools.yaml").write_text("kind: Pool\nname: disk\nslots: 1\n")
    (pen.home.specs / "calendars.yaml").write_text(
        "kind: Calendar\nname: freeze\nmode: block\ndates: [2026-11-20..2026-11-22]\n"
    )


def _nights_before(pen: Pen) -> None:
    """A success of those that fail tonight, and what was over before midnight."""
    load = pen.job(LOAD, path="etl/load.yaml", revision=REVISION, next_at=None)
    transform = pen.job(TRANSFORM, path="etl/transform.yaml", revision=REVISION, next_at=None)
    before = pen.run(transform, ago=31 * HOUR, took=6 * MINUTE, trigger=Trigger.DEPENDENCY, scheduled_for=None)
    loaded = pen.run(
        load, ago=30 * HOUR + 54 * MINUTE, took=MINUTE, trigger=Trigger.DEPENDENCY, scheduled_for=None,
        upstream={"etl/transform": before.id},
    )  # fmt: skip
    pen.update(load, consumed={"etl/transform": loaded.created_at})
    backup = pen.job(
        BACKUP, path="db/backup.yaml", generation=3, revision=REVISION, next_at=NOW + 17 * HOUR + 30 * MINUTE
    )
    dumped = pen.run(backup, ago=30 * HOUR + 30 * MINUTE, took=95 * SECOND)
    report = pen.job(REPORT, path="sales/report.yaml", revision=REVISION, next_at=NOW + 47 * HOUR - MINUTE)
    pen.run(report, ago=25 * HOUR + MINUTE, took=40 * SECOND, upstream={"db/backup": dumped.id})
    pen.update(report, consumed={"db/backup": NOW - 30 * HOUR - 30 * MINUTE + 95 * SECOND + 20_000})
    migrate = pen.job(ONCE, path="migrate.yaml", revision=REVISION, next_at=None, completed_at=NOW - 10 * HOUR)
    pen.run(migrate, ago=10 * HOUR, took=4 * SECOND)


def _after_midnight(pen: Pen) -> None:
    extract = pen.job(EXTRACT, path="etl/extract.yaml", revision=REVISION, next_at=NOW + 17 * HOUR)
    fetched = pen.run(extract, ago=7 * HOUR, took=250 * SECOND)
    transform = pen.jobs["etl/transform"]
    failed = pen.run(
        transform, ago=7 * HOUR - 251 * SECOND, took=17 * MINUTE, state=RunState.FAILED, trigger=Trigger.DEPENDENCY,
        scheduled_for=None, upstream={"etl/extract": fetched.id},
    )  # fmt: skip
    pen.update(transform, consumed={"etl/extract": NOW - 7 * HOUR + 251 * SECOND})
    rows = "".join(f"row {number}: order {number * 7:05d} taken\n" for number in range(1, 301))
    pen.output(failed, rows, stream="stdout")
    pen.output(failed, "row 301: ERROR: no such customer: 4711\n1 of 301 rows failed\n", stream="stderr")

    backup = pen.jobs["db/backup"]
    slot = NOW - 6 * HOUR - 30 * MINUTE
    for attempt, ago in ((1, 0), (2, 72 * SECOND), (3, 205 * SECOND)):
        again = {"trigger": Trigger.RETRY, "attempt": attempt} if attempt > 1 else {}
        run = pen.run(
            backup, ago=NOW - slot - ago, state=RunState.FAILED, took=12 * SECOND, exit_code=2, error="exit code 2",
            scheduled_for=slot, **again,
        )  # fmt: skip
        pen.output(
            run,
            "connecting to shop\nFATAL: no space left on device\n",
            kept={"partial.dump": b"x" * 2048, "tables.txt": b"orders\nitems\n"},
        )

    reindex = pen.job(REINDEX, path="ops/reindex.yaml", revision=REVISION, next_at=None)
    run = pen.run(reindex, ago=5 * HOUR, state=RunState.RUNNING, trigger=Trigger.MANUAL, scheduled_for=None,
                  requested_by="bob@laptop")  # fmt: skip
    pen.store.request_cancel(run.id, "ann@desk", NOW - 4 * HOUR)
    pen.end(run, ago=4 * HOUR - 2 * SECOND, state=RunState.CANCELLED, reason=Reason.CANCELLED,
            error="cancelled by ann@desk")  # fmt: skip


def _morning(pen: Pen) -> None:
    rotate = pen.job(ROTATE, path="ops/rotate.yaml", revision=REVISION, next_at=NOW + 30 * MINUTE)
    pen.run(rotate, ago=3 * HOUR + 30 * MINUTE, took=10 * MINUTE, state=RunState.EXPIRED, reason=Reason.TIMEOUT,
            exit_code=None, error="ran longer than its timeout")  # fmt: skip
    payroll = pen.job(PAYROLL, path="hr/payroll.yaml", revision=REVISION, next_at=NOW + 46 * HOUR)
    pen.skip(payroll, reason=Reason.CALENDAR, count=2, ago=2 * HOUR, apart=DAY)
    vacuum = pen.job(VACUUM, path="ops/vacuum.yaml", revision=REVISION, next_at=None)
    pen.run(vacuum, ago=2 * HOUR, state=RunState.RUNNING, trigger=Trigger.MANUAL, scheduled_for=None,
            requested_by="bob@laptop")  # fmt: skip
    mirror = pen.job(MIRROR, path="ops/mirror.yaml", revision=REVISION, next_at=NOW + 4 * HOUR + 15 * MINUTE)
    pen.run(mirror, ago=105 * MINUTE, took=20 * MINUTE, state=RunState.FAILED, reason=Reason.LOST, exit_code=None,
            error="the machine was restarted while it was active; how it ended cannot be known")  # fmt: skip
    pen.waiting(pen.jobs["default/report"], Reason.DEPENDENCY, ago=HOUR + MINUTE)
    check = pen.job(CHECK, path="ops/check.yaml", revision=REVISION, next_at=NOW + 23 * HOUR)
    pen.waiting(check, Reason.POOL, ago=HOUR)

    sync = pen.job(SYNC, path="shop/sync.yaml", revision=REVISION, next_at=NOW + 45 * MINUTE)
    slot = NOW - 15 * MINUTE
    failure = {"state": RunState.FAILED, "exit_code": 75, "error": "exit code 75", "scheduled_for": slot}
    pen.output(pen.run(sync, ago=15 * MINUTE, took=30 * SECOND, **failure), "warehouse: busy, try again\n")
    pen.run(sync, ago=630 * SECOND, took=184 * SECOND, trigger=Trigger.RETRY, attempt=2, **failure)
    probe = pen.job(PROBE, path="net/probe.yaml", revision=REVISION, next_at=NOW + 50 * MINUTE)
    pen.output(pen.run(probe, ago=10 * MINUTE), "\x1b[32mok\x1b[0m \x1b]0;pwned\x07 10.0.0.1\r\nbell\a \x9b31m end\n")
    pen.waiting(sync, Reason.BACKOFF, ago=446 * SECOND - 21_000, trigger=Trigger.RETRY, attempt=3, scheduled_for=slot,
                not_before=NOW + 34 * SECOND + 20_000)  # fmt: skip

    poll = pen.job(
        POLL, path="poll.yaml", revision=REVISION, anchor_at=NOW - DAY - 15 * SECOND, cursor_at=NOW - 15 * SECOND,
        next_at=NOW + 15 * SECOND,
    )  # fmt: skip
    slow = pen.run(poll, ago=405 * SECOND, state=RunState.RUNNING)
    pen.skip(poll, reason=Reason.OVERLAP, count=3, ago=315 * SECOND, apart=30 * SECOND)
    pen.end(slow, ago=305 * SECOND, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED, exit_code=0)
    pen.run(poll, ago=45 * SECOND)
    pen.output(pen.run(poll, ago=15 * SECOND, state=RunState.RUNNING), "asking for orders\n")
