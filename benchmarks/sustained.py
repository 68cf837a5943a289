"""Runs per second over seconds, every one with its rows, events, output file and journal entry."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import processes
from benchmarks.figures import Figure, Target, compared
from benchmarks.house import grid, house, next_on_grid, sleep_until
from benchmarks.workshop import Bench, program

WIDTH = 64


def on_disk(bench: Bench) -> Iterator[Figure]:
    """runs per second, home on the disk"""
    yield from _sustained(bench, bench.folder("sustained"), "disk", Target(0.6, least=True))


def on_tmpfs(bench: Bench) -> Iterator[Figure]:
    """runs per second, home on a tmpfs"""
    if bench.quick:
        return
    yield from _sustained(bench, bench.memory_folder("sustained"), "tmpfs", Target(0.8, least=True))


def overload(bench: Bench) -> Iterator[Figure]:
    """more due than the machine can do"""
    jobs, seconds = 4000, 15
    if bench.quick:
        return
    with house(bench.folder("overload")) as there:
        for number in range(jobs):
            there.write_job(f"job-{number:05d}", grid(1), [str(program("nothing"))])
        there.start(jobs, timeout=90)
        time.sleep(3)
        with there.reader() as reader:
            before, began = reader.totals(), time.monotonic()
            time.sleep(seconds)
            after, took = reader.totals(), time.monotonic() - began
            memory = sum(there.memory().values())
    done = sum(after.runs[state] - before.runs[state] for state in after.runs if state in ("succeeded", "failed"))
    skipped = after.runs["skipped"] - before.runs["skipped"]
    yield compared(
        f"{jobs:,} jobs due every second, for {seconds} s: runs per second",
        [done / took],
        [_c_rate(WIDTH, 2000)],
        unit="/s",
        beside="C posix_spawn loop",
        note=f"the other slots are accounted for: {skipped / took:,.0f} per second recorded as skipped; "
        f"memory afterwards {memory / 1e6:.0f} MB",
    )


def _sustained(bench: Bench, folder: Path, disk: str, target: Target) -> Iterator[Figure]:
    count, period = bench.size(4000, 2000), bench.size(20, 10)
    nothing = str(program("nothing"))
    rates, floor, cpu = [], [], []
    with house(folder) as there:
        for number in range(count):
            there.write_job(f"job-{number:05d}", grid(period), [nothing])
        there.start(count, timeout=90)
        there.settle()
        for _ in range(bench.size(2, 1)):
            slot = next_on_grid(period, 1)
            sleep_until(slot - 200_000_000)
            used = processes.cpu(there.crew().values())
            sleep_until(slot + 1_000_000_000)
            there.idle(timeout=120)
            used = processes.cpu(there.crew().values()) - used
            with there.reader() as reader:
                runs = reader.runs(since=slot // 1000, limit=10_000)
            ends = [run.finished_at for run in runs if run.finished_at is not None and run.state == "succeeded"]
            if len(ends) != count:
                raise RuntimeError(f"{len(ends)} of {count} runs succeeded")
            rates.append(count / ((max(ends) - slot // 1000) / 1e6))
            cpu.append(used / count)
            floor.append(_c_rate(WIDTH, count))
    yield compared(
        f"{count:,} runs in a row: per second, home on {disk}",
        rates,
        floor,
        unit="/s",
        beside=f"C posix_spawn loop, {WIDTH} at a time",
        target=target,
        note=f"{cpu[0] * 1e3:.2f} ms of processor time per run, all of ours",
    )


def _c_rate(width: int, count: int) -> float:
    command = [str(program("spawnloop")), "0", str(count), str(width), str(program("nothing"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return count / float(done.stdout.split()[0])


PARTS = (on_disk, on_tmpfs, overload)
