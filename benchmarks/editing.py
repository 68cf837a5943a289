"""From a saved file to an applied job, among 10,000; and what 10,000 jobs cost while nothing happens."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import watchfiles

from benchmarks import corpus, processes
from benchmarks.figures import Figure, Target, compared, percentile
from benchmarks.house import House, house
from benchmarks.workshop import Bench


def applied(bench: Bench) -> Iterator[Figure]:
    """an edit among many jobs"""
    count = bench.size(10_000, 2_000)
    with house(bench.folder("editing")) as there:
        _repository(there, count, changed=count // 2)
        cold = there.start(count, timeout=120)
        yield compared(f"daemon started on {count:,} files never seen: all applied", [cold])
        there.stop()
        time.sleep(2.2)
        warm = [_restart(there, count) for _ in range(bench.size(3, 1))]
        yield compared(
            f"daemon started again, {count:,} files unchanged: ready", warm, note="interpreter and imports included"
        )
        there.settle()
        yield from _idle(bench, there, count)
        floor = _library_default(bench, there)
        yield from _edits(bench, there, floor)
        yield from _checkout(there, count)


def _restart(there: House, count: int) -> float:
    there.stop()
    return there.start(count, timeout=60)


def _idle(bench: Bench, there: House, count: int) -> Iterator[Figure]:
    seconds = bench.size(25, 4)
    crew = there.crew()
    before, began = {name: processes.cpu([pid]) for name, pid in crew.items()}, time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    share = {name: (processes.cpu([pid]) - before[name]) / took * 100 for name, pid in crew.items()}
    parts = ", ".join(f"{name} {value:.2f} %" for name, value in share.items())
    yield compared(
        f"processor, idle with {count:,} jobs", [sum(share.values())], unit="%", target=Target(0.5, "value"), note=parts
    )
    memory = there.memory()
    parts = ", ".join(f"{name} {value / 1e6:.1f}" for name, value in memory.items())
    yield compared(
        f"memory (PSS) with {count:,} jobs",
        [sum(memory.values())],
        unit="B",
        target=Target(80e6, "value"),
        note=f"MB: {parts}",
    )


def _library_default(bench: Bench, there: House) -> list[float]:
    """Seconds from a save until watchfiles tells of it, with its defaults."""
    ended, heard = threading.Event(), threading.Event()

    def listen() -> None:
        for _ in watchfiles.watch(there.home.root / "beside", stop_event=ended):
            heard.set()

    beside = there.home.root / "beside"
    beside.mkdir()
    thread = threading.Thread(target=listen)
    thread.start()
    time.sleep(0.5)
    taken = []
    for number in range(bench.size(10, 5)):
        heard.clear()
        began = time.perf_counter()
        (beside / "file").write_text(str(number), encoding="ascii")
        if heard.wait(5):
            taken.append(time.perf_counter() - began)
        time.sleep(0.2)
    ended.set()
    thread.join()
    return taken


def _edits(bench: Bench, there: House, floor: list[float]) -> Iterator[Figure]:
    taken, renamed = [], []
    database = sqlite3.connect(f"file:{there.home.database}?mode=ro", uri=True, isolation_level=None)
    for number in range(bench.size(40, 15)):
        edited = number * 37 + 1
        path = there.home.specs / corpus.place(edited)
        known = _generation(database, edited)
        data = corpus.spec(edited, edited=True)
        if number % 2:
            began = time.perf_counter()
            path.write_bytes(data)
        else:  # as editors and git do
            temporary = path.with_name(f".{path.name}.new")
            temporary.write_bytes(data)
            began = time.perf_counter()
            temporary.replace(path)
        deadline = began + 10
        while _generation(database, edited) == known:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"an edit of {path.name} was not applied in 10 s; daemon: {there.tail()}")
            time.sleep(0.0003)
        (taken if number % 2 else renamed).append(time.perf_counter() - began)
        time.sleep(0.15)
    database.close()
    for how, seconds in (("saved in place", taken), ("saved by rename", renamed)):
        yield compared(
            f"one file of many {how}: applied and committed",
            seconds,
            target=Target(0.025, "value"),
            note=f"p95 {percentile(seconds, 95) * 1e3:.1f} ms",
        )
    yield compared(
        "the same, beside the mere event of the watching library",
        [*taken, *renamed],
        floor,
        beside="watchfiles with its defaults",
        target=Target(0.25),
    )


def _generation(database: sqlite3.Connection, number: int) -> int:
    row = database.execute("SELECT generation FROM job WHERE name = ?", (f"report-{number:05d}",)).fetchone()
    return int(row[0])


def _repository(there: House, count: int, *, changed: int) -> None:
    """The home as a git repository with branches `main` and `other`, which differ in `changed` files."""
    root = there.home.root
    corpus.write_tree(there.home.specs, count, edited=changed)
    (root / ".gitignore").write_text(".jobsctl/\n*.log\n", encoding="ascii")
    _git(root, "init", "-q", "-b", "other")
    _git(root, "add", ".")
    _git(root, "commit", "-qm", "other")
    _git(root, "checkout", "-q", "-b", "main")
    corpus.write_tree(there.home.specs, count)
    _git(root, "commit", "-qam", "main")


def _checkout(there: House, count: int) -> Iterator[Figure]:
    root = there.home.root
    _git(root, "checkout", "-q", "--", ".")
    time.sleep(3)
    wanted = subprocess.run(
        ["git", "rev-parse", "other"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.strip()
    looks: dict[str | None, float] = {}
    database = sqlite3.connect(f"file:{there.home.database}?mode=ro", uri=True, isolation_level=None)
    began = time.perf_counter()
    checkout = subprocess.Popen(["git", "checkout", "-q", "other"], cwd=root)
    ended = None
    highest = database.execute("SELECT max(applied_at) FROM job").fetchone()[0]
    while time.perf_counter() - began < 60:
        if ended is None and checkout.poll() is not None:
            ended = time.perf_counter()
        revision = database.execute("SELECT revision FROM source WHERE id = 1").fetchone()[0]
        if ended and revision and revision.endswith(wanted):
            looks[revision] = time.perf_counter()
            break
        time.sleep(0.002)
    (commits,) = database.execute(
        "SELECT count(DISTINCT applied_at) FROM job WHERE applied_at > ?", (highest,)
    ).fetchone()
    database_count = database.execute("SELECT count(*) FROM job WHERE generation > 1").fetchone()[0]
    database.close()
    if ended is None or not looks:
        raise TimeoutError(f"the checkout was not applied within 60 s; daemon: {there.tail()}")
    parsing = 100e-6 * (count // 2)
    yield compared(
        f"git checkout of {count // 2:,} changed files: from git's end to applied",
        [next(iter(looks.values())) - ended],
        target=Target(0.1 + parsing, "value"),
        note=f"target: 100 ms, and 100 us for each file to parse; git took {ended - began:.2f} s; "
        f"{database_count:,} jobs have a new generation",
    )
    yield compared("commits it was applied in", [float(commits)], unit="", target=Target(1, "value"))


def _git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, timeout=60)


PARTS = (applied,)
