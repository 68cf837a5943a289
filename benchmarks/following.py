"""Clients that follow events and logs: what they cost, and what a thousand of them do to starts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import corpus, processes
from benchmarks.figures import Figure, Target, compared, percentile
from benchmarks.house import House, house
from benchmarks.reading import measure, storm, write_pulses
from benchmarks.workshop import CHECKOUT, Bench

EAGER, LAZY = 1000, 50
IDLE_BYTES = 16e3
"""Of the status process, for each client that follows."""


def following(bench: Bench) -> Iterator[Figure]:
    """a thousand clients that follow, beside a storm of readers"""
    jobs = bench.size(2_000, 300)
    with house(bench.folder("following")) as there:
        corpus.write_tree(there.home.specs, jobs)
        there.start(jobs, timeout=120)
        write_pulses(there, jobs)
        log = _giant_log(there, bench.size(512, 64) << 20)
        before = there.memory()["status"]
        with _crowd(there, EAGER, 0, ""):
            time.sleep(2)
            each = (there.memory()["status"] - before) / EAGER
        yield compared(
            f"memory of the status process for each of {EAGER:,} clients that follow",
            [each],
            unit="B",
            target=Target(IDLE_BYTES, "value"),
        )
        yield from _lateness(bench, there, log)
        memory = there.memory()["status"]
        yield compared("memory of the status process after all that", [memory], unit="B", target=Target(80e6, "value"))


def _giant_log(there: House, size: int) -> str:
    """The path of a followed log: that of a run that is over, made large."""
    there.wait(lambda: bool(_over(there)), "a run that is over")
    with there.reader() as reader:
        run = reader.run(_over(there))
    line = b"2026-11-21T09:00:00Z working on it, row %08d\n"
    block = b"".join(line % number for number in range(20_000))
    with (there.home.run_dir_of(run) / "output.log").open("wb") as file:
        for _ in range(size // len(block) + 1):
            file.write(block)
    return f"/api/v1/runs/{run.id}/logs"


def _over(there: House) -> str:
    with there.reader() as reader:
        runs = reader.runs(active=False, limit=1, order="asc")
    return runs[0].id if runs else ""


def _lateness(bench: Bench, there: House, log: str) -> Iterator[Figure]:
    late: dict[str, list[float]] = {"quiet": [], "crowd": [], "all": []}
    floor: dict[str, list[float]] = {"quiet": [], "crowd": [], "all": []}
    seconds = bench.size(10, 3)
    told: list[tuple[float, float, float, float]] = []
    for _ in range(bench.size(3, 1)):
        measure(there, seconds, late["quiet"], floor["quiet"])
        with _crowd(there, EAGER, 0, "") as heard:
            measure(there, seconds, late["crowd"], floor["crowd"])
        told += heard
        with _crowd(there, EAGER, LAZY, log), storm(there, seconds + 4):
            time.sleep(1)
            measure(there, seconds, late["all"], floor["all"])
        time.sleep(2)
    note = f"{told[-1][0]:,.0f} events read in the last turn"
    yield compared(f"an event, from its instant to {EAGER:,} clients: median", [each[1] for each in told], note=note)
    yield compared(f"an event, from its instant to {EAGER:,} clients: p99", [each[2] for each in told])
    yield compared("lateness of a start, nobody follows: median", late["quiet"], note=_beside(floor["quiet"]))
    for name, who in (
        ("crowd", f"{EAGER:,} clients follow"),
        ("all", f"{EAGER:,} clients follow, {LAZY} never read, a giant log, a storm of readers"),
    ):
        yield compared(
            f"lateness of a start, {who}: median", late[name], late["quiet"], beside="nobody follows",
            note=_beside(floor[name]),
        )  # fmt: skip
        yield compared(
            f"lateness of a start, {who}: p99",
            [percentile(late[name], 99)],
            [percentile(late["quiet"], 99)],
            beside="nobody follows",
            target=Target(1.2),
        )
    for name, who in (("quiet", "nobody follows"), ("crowd", "followers"), ("all", "followers, log and storm")):
        # What a machine without a free processor does to anybody's start is in both.
        yield compared(
            f"p99 of ours beside that of a C program which spawns in the same turns: {who}",
            [percentile(late[name], 99)],
            [percentile(floor[name], 99)],
            beside="C",
        )


def _beside(late: list[float]) -> str:
    return f"C beside it: p50 {percentile(late, 50) * 1e3:.2f}, p99 {percentile(late, 99) * 1e3:.2f} ms"


@contextmanager
def _crowd(there: House, eager: int, lazy: int, log: str) -> Iterator[list[tuple[float, float, float, float]]]:
    """While so many follow. Afterwards the list holds what they say (`benchmarks.crowd`)."""
    heard: list[tuple[float, float, float, float]] = []
    command = [sys.executable, "-m", "benchmarks.crowd", str(there.port), str(eager), str(lazy), log]
    crowd = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        if crowd.stdout.readline() != "ready\n":
            raise RuntimeError("the clients were not let in")
        yield heard
        crowd.stdin.close()
        read, median, worst, size = map(float, crowd.stdout.readline().split())
        heard.append((read, median, worst, size))
    finally:
        processes.end([crowd.pid], grace=1.0)
        crowd.wait()


PARTS = (following,)
