"""The same work beside others: cronstable, yacron, APScheduler 3, Debian cron and dagu, in the same minutes.

They keep nothing, but for dagu: no rows, no output, no journal. Ours is measured as it always runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import corpus
from benchmarks.bursts import Rounds, measure, period_of
from benchmarks.figures import Figure, Target, compared, not_measured
from benchmarks.house import free_port, grid, house, lateness, next_on_grid, read_starts, sleep_until
from benchmarks.peers import EVERY_MINUTE, NEVER_TODAY, APScheduler, Cronstable, Dagu, DebianCron, Entry, Peer, Yacron
from benchmarks.workshop import Bench, Unavailable, program

MINUTE = 60_000_000_000
_OURS: dict[int, Rounds] = {}
"""Bursts measured once, beside APScheduler, and held against the others, too."""
_BOUNDS = {(APScheduler.name, 1000): 0.95, (Yacron.name, 0): 0.1, (DebianCron.name, 0): 0.1,
           (Dagu.name, 0): 0.03}  # fmt: skip
"""Targets of the last start; for the rest: ahead of everybody."""


def library(bench: Bench) -> Iterator[Figure]:
    """bursts beside APScheduler 3"""
    for count in (500,) if bench.quick else (100, 500, 1000, 2000):
        yield from _beside_library(bench, count)


def _beside_library(bench: Bench, count: int) -> Iterator[Figure]:
    period = period_of(count)
    ours, theirs = Rounds(), {threads: Rounds() for threads in ((10,) if bench.quick else (10, 64))}
    with house(bench.folder("ours")) as there:
        there.write_starts(count, grid(period))
        there.start(count, timeout=90)
        there.settle()
        for _ in range(bench.size(2, 1)):
            measure(there, next_on_grid(period, 1.5), count, ours)
            for threads, rounds in theirs.items():
                folder = bench.folder("apscheduler")
                peer = APScheduler(folder, there.port, threads=threads)
                peer.obtain()
                slot = next_on_grid(period, 2.5 - period / 2) + period * 500_000_000
                peer.at = slot / 1e9
                _burst_of(peer, folder, count, slot, rounds)
    _OURS[count] = ours
    best = min(theirs.values(), key=lambda rounds: sorted(rounds.last)[len(rounds.last) // 2])
    threads = next(threads for threads, rounds in theirs.items() if rounds is best)
    yield from _ahead(
        count, ours, best, APScheduler.name, f"with {threads} threads" + ("" if bench.quick else ", its better setting")
    )


def _burst_of(peer: Peer, folder: Path, count: int, slot: int, into: Rounds) -> None:
    log = folder / "starts.log"
    peer.configure(_entries(log, count), EVERY_MINUTE)
    peer.start()
    try:
        while peer.loaded() is None:
            if time.time_ns() > slot or peer.ended() is not None:
                raise RuntimeError(f"{peer.name} was not ready in time: {peer.ended()}")
            time.sleep(0.1)
        sleep_until(slot)
        time.sleep(0.3 + count / 1000)
        deadline = time.monotonic() + 45
        while len(lateness(read_starts(log), slot, MINUTE)) < count and time.monotonic() < deadline:
            time.sleep(0.3)
        into.add(lateness(read_starts(log), slot, MINUTE)[:count], count)
    finally:
        peer.stop()


def _entries(log: Path, count: int) -> list[Entry]:
    started = str(program("started"))
    return [(f"job-{number:05d}", [started, str(log), f"job-{number:05d}"]) for number in range(count)]


def _ahead(count: int, ours: Rounds, theirs: Rounds, name: str, note: str) -> Iterator[Figure]:
    bound = _BOUNDS.get((name, count), _BOUNDS.get((name, 0), 1.0))
    for what, mine, other, most in (
        ("first", ours.first, theirs.first, 1.0),
        ("median", ours.middle, theirs.middle, 1.0),
        ("last", ours.last, theirs.last, bound),
    ):
        yield compared(
            f"{count:,} due: {what} start",
            mine,
            other,
            beside=name,
            target=Target(most),
            note=note if what == "last" else "",
        )


def minutely(bench: Bench) -> Iterator[Figure]:
    """bursts beside those that know minutes"""
    for kind in (Cronstable, Yacron, DebianCron, Dagu):
        for count in (500, 2000):
            what = f"{count:,} due: last start, beside {kind.name}"
            if bench.quick:
                yield not_measured(what, "left out of a quick run: it waits for a minute to begin")
                continue
            try:
                yield from _beside_minutely(bench, kind, count)
            except (Unavailable, RuntimeError) as reason:
                yield not_measured(what, str(reason))


def _beside_minutely(bench: Bench, kind: type[Peer], count: int) -> Iterator[Figure]:
    folder = bench.folder("peer")
    peer = kind(folder, free_port())
    peer.obtain()
    theirs = Rounds()
    lead = 8.0 if count > 1000 else 5.0
    slot = -(-(time.time_ns() + int(lead * 1e9)) // MINUTE) * MINUTE
    sleep_until(slot - int(lead * 1e9))
    _burst_of(peer, folder, count, slot, theirs)
    ours = _OURS.get(count)
    if ours is None:
        ours = Rounds()
        with house(bench.folder("ours")) as there:
            there.write_starts(count, grid(period_of(count)))
            there.start(count, timeout=90)
            there.settle()
            measure(there, next_on_grid(period_of(count), 1.5), count, ours)
    layout = "a file for each" if kind is Dagu else "all in one file, its quickest"
    yield from _ahead(count, ours, theirs, kind.name, f"{layout}; one burst, from the minute on")


@dataclass(slots=True)
class Loaded:
    """What loading many jobs took."""

    seconds: float
    memory: int
    edit: float | None = None


def load(bench: Bench) -> Iterator[Figure]:
    """loading many jobs, their memory, and a further one"""
    count = bench.size(10_000, 300)
    with house(bench.folder("ours")) as there:
        corpus.write_tree(there.home.specs, count)
        seconds = there.start(count, timeout=120)
        time.sleep(3)
        ours = Loaded(seconds, sum(there.memory().values()))
        began = time.monotonic()
        there.write_job("one-more", None, ["/bin/true"])
        with there.reader() as reader:
            there.wait(lambda: reader.totals().jobs == count + 1, "a further job")
        ours.edit = time.monotonic() - began
    for kind in (Cronstable, Yacron, APScheduler, DebianCron, Dagu):
        try:
            yield from _beside_loaded(bench, kind, count, ours)
        except (Unavailable, RuntimeError, TimeoutError) as reason:
            yield not_measured(f"{count:,} jobs loaded by {kind.name}", str(reason))


def _beside_loaded(bench: Bench, kind: type[Peer], count: int, ours: Loaded) -> Iterator[Figure]:
    folder = bench.folder("peer")
    peer = kind(folder, free_port())
    peer.obtain()
    peer.configure(_entries(folder / "starts.log", count), NEVER_TODAY, files=True)
    try:
        began = time.monotonic()
        peer.start()
        _until(peer, lambda known: known == -1 or known == count, f"{count:,} jobs", 150)
        seconds = time.monotonic() - began
        time.sleep(3)
        theirs = Loaded(seconds, peer.memory())
        files = "one file for each, 31 lines ours, 4 or 5 theirs" if peer.reads_yaml else "theirs not from YAML files"
        if isinstance(peer, DebianCron):
            yield not_measured(f"{count:,} jobs loaded by {peer.name}", "it does not tell when it has read its table")
        else:
            most = Target(1.2 if isinstance(peer, Dagu) else 1.0)
            yield compared(f"{count:,} jobs loaded, from the start on", [ours.seconds], [theirs.seconds],
                           beside=peer.name, target=most, note=files)  # fmt: skip
        yield compared(f"memory (PSS of all processes) with {count:,} jobs", [ours.memory], [theirs.memory], unit="B",
                       beside=peer.name, target=Target(1.0))  # fmt: skip
        if isinstance(peer, Cronstable) and ours.edit is not None and not bench.quick:
            yield _edit(peer, count, ours.edit)
    finally:
        peer.stop()


def _edit(peer: Cronstable, count: int, ours: float) -> Figure:
    began = time.monotonic()
    peer.add_one("one-more")
    what = f"a further file among {count:,}: in force"
    try:
        _until(peer, lambda known: known == count + 1, "a further job", 100)
    except TimeoutError:
        return compared(what, [ours], [100.0], beside=f"{peer.name}: more than", target=Target(1.0))
    return compared(
        what, [ours], [time.monotonic() - began], beside=peer.name, target=Target(1.0), note="it looks once a minute"
    )


def _until(peer: Peer, good: Callable[[int], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        if (end := peer.ended()) is not None:
            raise RuntimeError(f"{peer.name} ended: {end}")
        known = peer.loaded()
        if known is not None and good(known):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{peer.name} did not show {what} within {seconds:.0f} s")
        time.sleep(0.05)


PARTS = (library, load, minutely)
