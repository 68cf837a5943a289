"""Asking on the command line: what each reader takes at 10,000 jobs, from the start of the process to its end.

Measured is processor time (user and system, of the process and what it waited for), the least of several calls: on a
shared machine it is the part that is ours. Beside each stands a Python that only loads click.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import orjson

from benchmarks import corpus, history
from benchmarks.figures import Figure, Target, compared
from benchmarks.workshop import CHECKOUT, Bench
from state.home import Home
from state.reads import Reader

LIMIT = 0.150
"""Seconds, of whoever answers a person."""
JOB = "team-05/report-00005"
RUN = "RUN"
"""Stands for the id of the newest run."""
CLICK = [sys.executable, "-c", "import click"]

PROMPT: tuple[tuple[str, ...], ...] = (
    ("--help",), ("version",), ("status",), ("status", JOB), ("search", "report-00005"), ("search", "report"),
    ("describe", JOB), ("describe", RUN), ("runs",), ("runs", JOB), ("runs", "-l", "tier=gold"), ("run", RUN),
    ("events",), ("events", JOB), ("why", JOB), ("graph",), ("graph", JOB), ("next", JOB), ("timers",),
    ("outputs",), ("outputs", JOB), ("metrics", JOB), ("top", "--once"), ("list", "--phase", "failed"),
    ("list", "-p", "team-05", "-l", "tier=gold"), ("list", "-o", "name"), ("logs", JOB), ("explain", "job.retry"),
    ("explain", "JOB012"),
)  # fmt: skip
"""Answered within `LIMIT`."""
PLAIN = ("--help", "version", "logs", "explain")
"""Those without `-o json`, or of which it is another thing."""
LONG: tuple[tuple[str, ...], ...] = (
    ("list",), ("list", "-o", "jsonl"), ("list", "--sort-by", "next"),
    ("list", "--sort-by", "phase"),
)  # fmt: skip
"""Ten thousand lines: the first of them within `LIMIT`."""
THOROUGH: tuple[tuple[str, ...], ...] = (
    ("list", "-o", "json"), ("doctor",), ("explain", "JOB040"), ("validate", "a.yaml"), ("diff", "a.yaml"),
    ("plan", "a.yaml"),
)  # fmt: skip
"""They print or check everything, or load the model of a spec: no limit."""
TABS = ("list --ph", "describe rep", "logs team-05/rep", "runs -l ti")


def readers(bench: Bench) -> Iterator[Figure]:
    """every command that reads"""
    jobs, runs, rounds = bench.size(10_000, 1_000), bench.size(100_000, 5_000), bench.size(5, 2)
    home = Home(bench.folder("commands"))
    newest = fill(home, jobs, runs)
    (home.root / "a.yaml").write_bytes(corpus.spec(5, edited=True))
    with listening(home):
        asks: list[tuple[str, ...]] = []
        for each in PROMPT:
            asks += [each] if each[0] in PLAIN or "-o" in each else [each, (*each, "-o", "json")]
        for words in asks:
            called = [newest if word == RUN else word for word in words]
            yield _figure(" ".join(words), called, home, rounds, Target(LIMIT, "value"))
        for line in TABS:
            yield _figure(f"TAB behind `{line}`", [], home, rounds, Target(LIMIT, "value"), tab=line)
        for words in LONG:
            what = " ".join(words)
            yield _figure(f"{what}: the first of {jobs:,}", words, home, rounds, Target(LIMIT, "value"), first=True)
            yield _figure(f"{what}: all {jobs:,}", words, home, rounds, None)
        for words in THOROUGH:
            yield _figure(" ".join(words), words, home, rounds, None)


def _figure(
    what: str, words: Sequence[str], home: Home, rounds: int, target: Target | None, *, tab: str = "",
    first: bool = False,
) -> Figure:  # fmt: skip
    command = [sys.executable, "-m", "jobsctl", *words]
    variables = {"JOBSCTL_HOME": str(home.root), "PYTHONPATH": str(CHECKOUT)}
    if tab:
        variables |= {"_JOBSCTL_COMPLETE": "bash_complete", "COMP_WORDS": f"jobsctl {tab}",
                      "COMP_CWORD": str(len(tab.split()))}  # fmt: skip
    processor_seconds(command, variables, home.root)  # writes what Python compiles: an installed program is compiled
    ours, floor = [], []
    for _ in range(rounds):
        floor.append(processor_seconds(CLICK, {}, home.root))
        ours.append(processor_seconds(command, variables, home.root, first=first))
    return compared(f"jobsctl {what}" if not tab else what, [min(ours)], [min(floor)], beside="import click",
                    target=target, note=f"least of {rounds}")  # fmt: skip


def processor_seconds(command: Sequence[str], variables: dict[str, str], folder: Path, *, first: bool = False) -> float:
    """What a process used, and what it waited for. `first`: it is stopped at its first bytes."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        command, cwd=folder, env={**inherited, **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    while os.read(process.stdout.fileno(), 1 << 20) and not first:
        pass
    if first:
        process.kill()
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode in (2, 130) or (process.returncode < 0 and not first):
        raise RuntimeError(f"{' '.join(command[2:])}: ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def fill(home: Home, jobs: int, runs: int) -> str:
    """A home in which not all is well: a tenth depends on others, some fail, wait, run or are suspended. The newest
    run's id."""
    home.specs.mkdir(parents=True)
    home.state.mkdir(mode=0o700)
    history.make_jobs(home.database, jobs, more=_more)
    history.add_runs(home.database, runs)
    now = time.time_ns() // 1000
    with closing(sqlite3.connect(home.database)) as database, database:
        for share, said in (
            ("% 20 = 7", "health = 'failing', consecutive_failures = 3, last_run_state = 'failed', failed = 3"),
            ("% 50 = 9", f"suspended_at = {now}, suspended_by = 'ada', suspended_reason = 'moving'"),
            ("% 90 = 11", "active_runs = 1, last_run_state = 'running'"),
            ("% 90 = 13", "active_runs = 1, last_run_state = 'blocked'"),
            ("% 400 = 15", """problem = '[{"message": "wrong", "line": 3}]'"""),
        ):
            database.execute(f"UPDATE job SET {said} WHERE id {share}")
        for state, reason in (("running", "NULL"), ("blocked", "'dependency'")):
            database.execute(
                f"UPDATE run SET state = '{state}', reason = {reason}, finished_at = NULL "
                f"WHERE id IN (SELECT last_run_id FROM job WHERE active_runs = 1 AND last_run_state = '{state}')"
            )
    beat = {"at": now, "state": "ready", "pid": os.getpid(), "started_at": now, "last_pass_at": now, "timezone": "UTC"}
    home.heartbeat.write_bytes(orjson.dumps(beat))
    with Reader(home.database) as reader:
        return reader.runs(limit=1)[0].id


def _more(number: int) -> bytes:
    above = f"report-{number - 20:05d}"
    return f"depends_on: [{above}]\n".encode() if number % 200 >= 180 else b""


@contextmanager
def listening(home: Home) -> Iterator[None]:
    """To readers there is a daemon: somebody listens at its doorbell."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        descriptor = os.open(home.state, os.O_PATH)
        try:
            bell.bind(f"/proc/self/fd/{descriptor}/{home.doorbell.name}")
        finally:
            os.close(descriptor)
        yield


PARTS = (readers,)
