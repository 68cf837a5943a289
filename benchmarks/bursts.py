"""Many jobs due in one second: how late the first, the median and the last start is, and one job alone."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Figure, Target, compared, percentile
from benchmarks.house import House, grid, house, lateness, next_on_grid, read_starts, sleep_until
from benchmarks.workshop import Bench, program

C_LOOP = "C posix_spawn loop"


@dataclass(slots=True)
class Rounds:
    """What came of several bursts, in seconds."""

    first: list[float] = field(default_factory=list)
    middle: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Processor seconds per run, the program's own included."""
    shares: list[dict[str, float]] = field(default_factory=list)
    """Of ours: the same by who used it, "programs" for the runs themselves."""
    rate: list[float] = field(default_factory=list)
    """Runs per second until the last end is stored."""

    def add(self, late: list[float], count: int) -> None:
        """One burst. Raises RuntimeError when starts are missing: nothing may be left out of the figures."""
        if len(late) != count:
            raise RuntimeError(f"{len(late)} of {count} jobs started")
        self.first.append(late[0])
        self.middle.append(percentile(late, 50))
        self.last.append(late[-1])

    @property
    def said_shares(self) -> str:
        """Medians, in words."""
        names = self.shares[0] if self.shares else {}
        return ", ".join(
            f"{name} {percentile([each[name] for each in self.shares], 50) * 1e3:.2f} ms" for name in names
        )


def alone(bench: Bench) -> Iterator[Figure]:
    """one job due, idle"""
    yield from _alone(bench, bench.folder("alone"), "disk")
    if not bench.quick:
        yield from _alone(bench, bench.memory_folder("alone"), "tmpfs")


def _alone(bench: Bench, folder: Path, disk: str) -> Iterator[Figure]:
    count, step = bench.size(300, 60), 50_000_000
    with house(folder) as there:
        first = next_on_grid(1, bench.size(6, 5))
        started = str(program("started"))
        for number in range(count):
            at = datetime.fromtimestamp((first + number * step) / 1e9, UTC).isoformat(timespec="milliseconds")
            there.write_job(f"job-{number:05d}", at, [started, str(there.log), f"job-{number:05d}"])
        there.start(count)
        assert time.time_ns() < first, "the daemon took too long to start"
        plain = there.home.root / "plain.log"
        subprocess.run(
            [str(program("spawnat")), str(first + step // 2), str(step), str(count), started, str(plain), "plain"],
            check=True,
        )
        # The last one may be later than those beside us; none may be missing.
        there.wait(lambda: len(there.starts()) == count, f"{count} starts")
        there.idle()
        starts = there.starts()
    ours = [(starts[f"job-{number:05d}"][0] - first - number * step) / 1e9 for number in range(count)]
    floor = [(at - first - step // 2 - k * step) / 1e9 for k, at in enumerate(read_starts(plain)["plain"])]
    beside = "C: sleep, posix_spawn"
    note = f"first instruction of the program after the instant; {count} jobs, one every 50 ms"
    yield compared(
        f"one job due: lateness, median, home on {disk}",
        ours,
        floor,
        beside=beside,
        target=Target(0.001, "excess"),
        note=note,
    )
    yield compared(
        f"one job due: lateness, p99, home on {disk}",
        [percentile(ours, 99)],
        [percentile(floor, 99)],
        beside=beside,
        target=Target(0.005, "excess"),
    )


def at_once(bench: Bench) -> Iterator[Figure]:
    """many jobs due at once"""
    for count in (100, 1000) if bench.quick else (100, 500, 1000, 2000):
        yield from _burst(bench, count)


def period_of(count: int) -> int:
    """Seconds between our bursts: those beside us have their turn in the second half, when ours is long over."""
    return 8 if count <= 1000 else 16


def _burst(bench: Bench, count: int) -> Iterator[Figure]:
    period = period_of(count)
    ours, floor = Rounds(), Rounds()
    with house(bench.folder("burst")) as there:
        there.write_starts(count, grid(period))
        there.start(count, timeout=90)
        there.settle()
        for _ in range(bench.size(3, 1)):
            slot = next_on_grid(period, 1.5)
            measure(there, slot, count, ours)
            turn = slot + period * 500_000_000
            if time.time_ns() > turn - 100_000_000:
                raise RuntimeError(
                    f"a burst of {count} took more than {period / 2:.0f} s: no turn is left for the C loop"
                )
            c_burst(there.home.root, turn, count, floor)
    what = f"{count:,} due"
    yield compared(f"{what}: first start", ours.first, floor.first, beside=C_LOOP)
    yield compared(f"{what}: median start", ours.middle, floor.middle, beside=C_LOOP)
    yield compared(f"{what}: last start", ours.last, floor.last, beside=C_LOOP, target=Target(1.35))
    yield compared(f"{what}: runs per second until all are stored as ended", ours.rate, floor.rate, unit="/s",
                   beside=C_LOOP, target=Target(0.6, least=True))  # fmt: skip
    yield compared(f"{what}: processor time per run, all of ours", ours.cpu, floor.cpu, beside=C_LOOP,
                   target=Target(1.3), note=ours.said_shares)  # fmt: skip


def measure(there: House, slot: int, count: int, into: Rounds) -> None:
    """One burst of a daemon that is running; `slot` in nanoseconds, to come."""
    sleep_until(slot - 300_000_000)
    used = there.shares()
    sleep_until(slot)
    time.sleep(0.3 + count / 1000)  # looking costs, too: not while it matters
    there.wait(lambda: len(lateness(there.starts(), slot)) >= count, f"{count} starts", 40)
    there.idle()
    time.sleep(1.5)  # the status process lets a burst pass before it reads: its work for these runs counts, too
    shares = {name: (seconds - used[name]) / count for name, seconds in there.shares().items()}
    into.add(lateness(there.starts(), slot), count)
    into.cpu.append(sum(shares.values()))
    into.shares.append(shares)
    with there.reader() as reader:
        ends = [run.finished_at for run in reader.runs(since=slot // 1000, limit=10_000) if run.finished_at]
    into.rate.append(count / ((max(ends) - slot // 1000) / 1e6))


def c_burst(folder: Path, slot: int, count: int, into: Rounds) -> None:
    """The same burst by the C loop."""
    log = folder / "c.log"
    log.unlink(missing_ok=True)
    command = [str(program("spawnloop")), str(slot), str(count), "0", str(program("started")), str(log), "c"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, cpu = map(float, done.stdout.split())
    into.add(lateness(read_starts(log), slot), count)
    into.cpu.append(cpu / count)
    into.rate.append(count / seconds)


PARTS = (alone, at_once)
