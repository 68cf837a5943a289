"""Reading spec files: one document, a whole tree never seen before, and a tree that did not change."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import corpus
from benchmarks.figures import Figure, Target, compared
from benchmarks.timing import interleaved
from benchmarks.workshop import Bench, packages
from specs.document import read_documents
from specs.model import Job
from specs.source import Source
from specs.text import decode

CSAFE = "PyYAML CSafeLoader"


def _yaml() -> Any:
    packages("PyYAML")
    import yaml

    if not yaml.__with_libyaml__:
        raise ImportError("PyYAML came without its C parser")
    return yaml


def parse_one(bench: Bench) -> Iterator[Figure]:
    """parse one spec"""
    yaml = _yaml()
    count = bench.size(500, 250)
    texts = [corpus.spec(number) for number in range(count)]

    def ours() -> None:
        for text in texts:
            documents, findings = read_documents(decode(text, "report.yaml"))
            assert documents and not findings

    def reference() -> None:
        for text in texts:
            yaml.load(text, Loader=yaml.CSafeLoader)

    taken = interleaved({"ours": ours, "reference": reference}, bench.size(9, 5))
    yield compared(
        "parse one spec, with the place of every key",
        [seconds / count for seconds in taken["ours"]],
        [seconds / count for seconds in taken["reference"]],
        beside=CSAFE,
        target=Target(0.6),
    )


def trees(bench: Bench) -> Iterator[Figure]:
    """load a tree of spec files"""
    yaml = _yaml()
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # as the daemon does: file leases tell who is still writing
    count = bench.size(10_000, 2_000)
    root = bench.folder("tree")
    corpus.write_tree(root, count)
    time.sleep(2.1)  # younger files are read again in every look: their time stamps prove nothing yet

    def first() -> Source:
        source = Source(root, now=_now)
        source.look()
        return source

    def first_reference() -> list[Job]:
        gc.disable()
        try:
            return [
                Job.model_validate(yaml.load(corpus.read(path), Loader=yaml.CSafeLoader))
                for path in corpus.walk(str(root))
            ]
        finally:
            gc.enable()

    rounds = bench.size(3, 1)
    taken = interleaved({"ours": first, "reference": first_reference}, rounds)
    yield compared(
        f"load {count:,} files never seen: to canonical specs",
        taken["ours"],
        taken["reference"],
        beside=f"{CSAFE} + pydantic",
        target=Target(0.55),
        note="ours with a second process, where there is a second processor",
    )
    yield from _unchanged(bench, root, count)


def _unchanged(bench: Bench, root: Path, count: int) -> Iterator[Figure]:
    found = Source(root, now=_now).look()
    assert len(found.desired.jobs) == count, found.desired.diagnostics[:3]
    rows = found.cache_changed

    def start() -> Source:
        source = Source(root, now=_now, cache=rows)
        look = source.look()
        assert look.desired.parsed == 0 and len(look.desired.jobs) == count
        return source

    running = start()

    def floor() -> int:
        return sum(len(corpus.read(path)) for path in corpus.walk(str(root)))

    taken = interleaved({"start": start, "sweep": running.look, "floor": floor}, bench.size(7, 3))
    beside = "scandir + read of every file"
    yield compared(
        f"start with {count:,} files, none changed",
        taken["start"],
        taken["floor"],
        beside=beside,
        target=Target(1.5),
        note="from cached rows in memory to the whole desired state",
    )
    yield compared(
        f"sweep of {count:,} files while running, none changed",
        taken["sweep"],
        taken["floor"],
        beside=beside,
        target=Target(1.5),
    )
    numbers = range(100)
    edited = [False]

    def hundred() -> None:
        edited[0] = not edited[0]
        for number in numbers:
            (root / corpus.place(number)).write_bytes(corpus.spec(number, edited=edited[0]))

    seconds = []
    for _ in range(bench.size(5, 3)):
        hundred()
        began = time.perf_counter()
        look = running.look([corpus.place(number) for number in numbers])
        seconds.append(time.perf_counter() - began)
        assert len(look.desired.changed) == len(numbers), len(look.desired.changed)
    yield compared(
        "read 100 edited files that the watcher named",
        seconds,
        note=f"of {count:,}; 10 ms are 100 us for each",
        target=Target(0.02, "value"),
    )


def _now() -> int:
    return time.time_ns() // 1000


PARTS = (parse_one, trees)
