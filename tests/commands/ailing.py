"""Homes on which one thing is wrong: how it is broken, the check of `doctor` that finds it, how grave it is, its words.

For tests of `doctor`. Each takes the house (`known` of conftest) and the machine: a folder with `proc`, `run`, `etc`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace

from state.home import Home
from state.ids import new_id
from state.outbox.records import Delivery, DeliveryKind, DeliveryState
from state.outbox.store import Outbox
from tests.commands.conftest import HOUR, NOW

SECOND, DAY = 1_000_000, 24 * HOUR
VERSION = "9.9"
"""Of the daemon and of the program."""


def beat(home: Home, **fields: object) -> None:
    document = {"at": NOW - SECOND, "state": "ready", "pid": 77, "version": VERSION, "started_at": NOW - HOUR,
                "last_pass_at": NOW - SECOND, "watch": {"up": True}}  # fmt: skip
    home.heartbeat.write_text(json.dumps(document | fields))


def open_to_all(well, machine):
    (well.home.specs / "hello.yaml").chmod(0o666)


def open_settings(well, machine):
    well.home.config.chmod(0o602)


def replaceable(well, machine):
    well.home.root.parent.chmod(0o777)


def open_state(well, machine):
    well.home.state.chmod(0o755)


def writable_requests(well, machine):
    well.home.requests.mkdir(exist_ok=True)
    well.home.requests.chmod(0o777)


def from_the_future(well, machine):
    beat(well.home, at=NOW + HOUR)


def run_from_the_future(well, machine):
    well.run(well.store.job(1), ago=-HOUR)


def _told(home: Home, **fields: object) -> None:
    outbox = Outbox.open(home.outbox, now=NOW)
    plain = Delivery(
        id="one", kind=DeliveryKind.CALLBACK, target="hooks.example", identity="default/hello", event="failed",
        created_at=NOW - HOUR, next_attempt_at=NOW, payload=b"{}",
    )  # fmt: skip
    outbox.add_delivery(replace(plain, **fields))
    outbox.close()


def undelivered(well, machine):
    _told(well.home, state=DeliveryState.FAILED, reason="answered 500; 10 attempts were made")


def retried(well, machine):
    _told(well.home, attempts=3, reason="answered 503")


def damaged_outbox(well, machine):
    _told(well.home)
    for ending in ("", "-wal", "-shm"):
        well.home.outbox.with_name(f"outbox.db.damaged-1{ending}").write_text("")


def rubbish_outbox(well, machine):
    well.home.outbox.write_bytes(b"rubbish" * 1000)


def jumping(well, machine):
    beat(well.home, clock_jumps=3)


def few_watches(well, machine):
    (machine / "proc/sys/fs/inotify/max_user_watches").write_text("1\n")


def few_instances(well, machine):
    (machine / "proc/sys/fs/inotify/max_user_instances").write_text("2\n")


def deaf(well, machine):
    beat(well.home, watch={"up": False, "error": "no space left on device"})


def few_files(well, machine):
    (machine / "proc/77/limits").write_text("Max open files            128 4096 files\n")


def wrong_settings(well, machine):
    well.home.config.write_text("retention: {max_runs: many}\n")


def newer_settings(well, machine):
    os.utime(well.home.config, ns=(NOW * 1000, NOW * 1000))


def no_specs(well, machine):
    shutil.rmtree(well.home.specs)


def invalid_specs(well, machine):
    well.source(invalid=2)


def source_gone(well, machine):
    well.source(problem="the folder is empty")


def old_daemon(well, machine):
    beat(well.home, version="0.0.1")


def silent(well, machine):
    beat(well.home, at=NOW - HOUR)


def failing_pass(well, machine):
    beat(well.home, last_error="disk full", last_error_at=NOW)


def old_request(well, machine):
    well.home.requests.mkdir(exist_ok=True)
    path = well.home.requests / f"{new_id(NOW - HOUR)}.json"
    path.write_text("{}")
    os.utime(path, ns=((NOW - HOUR) * 1000,) * 2)


def half_request(well, machine):
    well.home.requests.mkdir(exist_ok=True)
    path = well.home.requests / f".{new_id(NOW - DAY)}.tmp"
    path.write_text("{")
    os.utime(path, ns=((NOW - DAY) * 1000,) * 2)


def bad_request(well, machine):
    folder = well.home.requests / "rejected"
    folder.mkdir(parents=True)
    (folder / "x.json").write_text("[]")
    (folder / "x.json.reason").write_text("not a JSON object\n")


def failed_supervisor(well, machine):
    well.home.supervisors.mkdir()
    (well.home.supervisors / "ab-cd.err").write_text("Traceback\nMemoryError\n")


def lost_supervisor(well, machine):
    well.home.supervisors.mkdir()
    (well.home.supervisors / "ab-cd.journal").touch()
    beat(well.home, supervisor="ab-cd")


def open_http(well, machine):
    well.home.config.write_text("http: {listen: '0.0.0.0:0'}\n")
    os.utime(well.home.config, ns=(0, 0))
    well.home.http.write_text('{"listen": "0.0.0.0:1", "pid": 1}')


def no_tokens(well, machine):
    well.home.config.write_text("http: {tokens: tokens}\n")
    os.utime(well.home.config, ns=(0, 0))


def empty_tokens(well, machine):
    no_tokens(well, machine)
    (well.home.root / "tokens").touch(0o600)


def shared_tokens(well, machine):
    _tokens(well, f"sha256:{'ab' * 32} ci\n", 0o660)


def seen_tokens(well, machine):
    _tokens(well, f"sha256:{'ab' * 32} ci\n", 0o644)


def wrong_token(well, machine):
    _tokens(well, f"sha256:{'ab' * 32} ci\nsha256:12 ci\n", 0o600)


def _tokens(well, text, mode):
    no_tokens(well, machine=None)
    path = well.home.root / "tokens"
    path.write_text(text)
    path.chmod(mode)


def suspended(well, machine):
    well.update(well.store.job(1), suspended_at=NOW - 40 * DAY, suspended_by="ann", suspended_reason="")


def past_once(well, machine):
    well.job("name: past\nschedule: {once: '2020-01-01T00:00:00Z'}\nrun: {command: [a]}\n", path="p.yaml", next_at=None)


def never_ran(well, machine):
    fields = dict.fromkeys(("created_at", "applied_at", "anchor_at", "cursor_at"), NOW - 50 * DAY)
    well.job("name: lazy\nschedule: every 10m\nrun: {command: [a]}\n", path="l.yaml", **fields)


def stalled(well, machine):
    well.update(well.store.job(1), stalled="its spec is of no use")


def overdue(well, machine):
    well.job(
        "name: late\nschedule: every 10m\nrun: {command: [a]}\n", path="l.yaml", next_at=None,
        last_success_at=NOW - DAY, created_at=NOW - DAY, anchor_at=NOW - DAY,
    )  # fmt: skip


def unknown_directory(well, machine):
    well.home.run_dir("default", "hello", new_id(NOW - 90 * DAY)).mkdir(parents=True)


def young_directory(well, machine):
    well.home.run_dir("default", "hello", new_id(NOW - DAY)).mkdir(parents=True)


def lost_directory(well, machine):
    shutil.rmtree(well.home.runs)


def escaped(well, machine):
    run = well.store.job(1).last_run_id
    (machine / "proc/4242").mkdir()
    (machine / "proc/4242/environ").write_bytes(f"A=1\0JOBSCTL_RUN_ID={run}\0".encode())


def torn_restore(well, machine):
    folder = well.home.root / ".jobsctl.restoring-x"
    folder.mkdir()
    os.utime(folder, ns=((NOW - DAY) * 1000,) * 2)


def old_backup(well, machine):
    well.home.last_backup.write_text(json.dumps({"at": NOW - 20 * DAY, "file": "/b"}))


def no_backup(well, machine):
    well.home.last_backup.unlink()
    well.run(well.store.job(1), ago=30 * DAY)


def unit(text: str):
    def write(well, machine):
        (machine / "etc/systemd/system/jobsctl.service").write_text(text)

    return write


GOOD_UNIT = f"[Service]\nExecStart={sys.executable} -m jobsctl daemon\nKillMode=process\n"


AILMENTS = [
    (open_to_all, "rights-specs", "problem", "hello.yaml can be written by all"),
    (open_settings, "rights-specs", "problem", "jobsctl.yaml can be written by all"),
    (replaceable, "rights-way", "problem", "another home in the place of this one"),
    (open_state, "rights-state", "warning", ".jobsctl can be read by others (mode 755)"),
    (writable_requests, "rights-state", "problem", "requests can be written by others"),
    (from_the_future, "clock-jumps", "problem", "in the future: the clock was set back"),
    (run_from_the_future, "clock-jumps", "problem", "the newest run is from"),
    (jumping, "clock-jumps", "warning", "the clock jumped 3 times"),
    (few_watches, "watcher", "warning", "this user may have 1, for all programs"),
    (few_instances, "watcher", "warning", "2 inotify instances"),
    (deaf, "watcher", "problem", "hears of no change: no space left on device"),
    (few_files, "limits", "problem", "the daemon (pid 77) may have 128 open files"),
    (wrong_settings, "settings", "problem", "jobsctl.yaml:1:23"),
    (newer_settings, "settings", "warning", "was changed after the daemon started"),
    (no_specs, "specs", "problem", "is not a folder"),
    (invalid_specs, "specs", "problem", "2 of 3 jobs have a mistake"),
    (source_gone, "specs", "problem", "the folder is empty"),
    (old_daemon, "version", "warning", "the daemon is version 0.0.1, this program is 9.9"),
    (silent, "daemon", "problem", "last sign of life is"),
    (failing_pass, "daemon-work", "problem", "last error: disk full"),
    (old_request, "requests", "problem", "unanswered for longer than a minute, though a daemon runs: 1 request"),
    (half_request, "requests", "warning", "1 half-written request"),
    (bad_request, "requests", "warning", "because: not a JSON object"),
    (failed_supervisor, "supervisors", "warning", "a supervisor failed: MemoryError"),
    (lost_supervisor, "supervisors", "problem", "the daemon's supervisor process is gone"),
    (open_http, "http", "warning", "without a token; the daemon refuses to start so"),
    (no_tokens, "tokens", "warning", "is not there: nobody can read over HTTP"),
    (empty_tokens, "tokens", "warning", "has no token: nobody can read over HTTP"),
    (shared_tokens, "tokens", "problem", "can be written by others: they can let themselves in"),
    (seen_tokens, "tokens", "warning", "can be read by others"),
    (wrong_token, "tokens", "warning", "tokens:2 is not a token: it grants nothing"),
    (undelivered, "telling", "warning", "hooks.example: 1 callback did not arrive in the last day: answered 500"),
    (retried, "telling", "warning", "hooks.example: callbacks fail and are tried again: answered 503"),
    (damaged_outbox, "telling", "warning", "outbox.db.damaged-1: an outbox that was damaged"),
    (rubbish_outbox, "telling", "problem", "the outbox cannot be read"),
    (suspended, "jobs", "warning", "1 job suspended for more than a month: default/hello"),
    (past_once, "jobs", "warning", "never ran: default/past"),
    (never_ran, "jobs", "warning", "never ran: default/lazy"),
    (stalled, "jobs", "warning", "stalled"),
    (overdue, "jobs", "warning", "should have succeeded by now and did not: default/late"),
    (unknown_directory, "run-directories", "warning", "1, older than what is kept"),
    (young_directory, "run-directories", "warning", "younger than what is kept"),
    (lost_directory, "run-files", "warning", "have lost their directory, as default/hello"),
    (escaped, "processes", "warning", "that live on after run"),
    (torn_restore, "restores", "warning", "was left by a restore that was ended hard"),
    (old_backup, "backup", "warning", "the last backup was made 20d ago"),
    (no_backup, "backup", "warning", "no backup was ever made"),
    (unit("[Service]\nExecStart=/no/such/jobsctl daemon\nKillMode=process\n"), "unit", "problem", "is not there"),
    (unit(GOOD_UNIT.replace("process", "mixed")), "unit", "problem", "each restart of the service kills"),
    (unit(GOOD_UNIT), "unit", "warning", "not started at boot"),
]  # fmt: skip
