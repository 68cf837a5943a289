"""Readers: what an answer takes at 10,000 jobs and a million runs, and what a storm of them does to starts."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import corpus, history, processes
from benchmarks.figures import Figure, Target, compared, percentile
from benchmarks.house import House, house, read_starts
from benchmarks.workshop import CHECKOUT, Bench, program

PULSES, STEP = 40, 0.05
"""Jobs that together start every 50 ms, each every two seconds."""
JOB = "team-05/report-00005"
PAGE = "/api/v1/jobs?limit=100"
ROUTES = (
    ("/healthz", "is it alive", 5000),
    (f"/api/v1/jobs/{JOB}", "one job", 5000),
    (PAGE, "page of 100 jobs", 5000),
    (f"/api/v1/jobs/{JOB}/runs?limit=50", "50 runs of a job", None),
    ("/api/v1/jobs?limit=1000", "page of 1,000 jobs", None),
    ("/metrics", "scrape", None),
)


@dataclass(frozen=True, slots=True)
class Load:
    """What `c/httpload.c` saw; latencies in seconds."""

    rate: float
    p50: float
    p99: float
    body: float
    """Bytes per answer, head included."""


def readers(bench: Bench) -> Iterator[Figure]:
    """readers at 10,000 jobs and a million runs"""
    jobs, runs = bench.size(10_000, 2_000), bench.size(1_000_000, 50_000)
    with house(bench.folder("reading")) as there:
        corpus.write_tree(there.home.specs, jobs)
        there.start(jobs, http=False, timeout=120)
        there.stop()
        history.add_runs(there.home.database, runs)
        seconds = there.start(jobs, timeout=120)
        yield compared(f"daemon ready at {jobs:,} jobs and {runs:,} runs", [seconds])
        began = time.monotonic()
        there.wait(lambda: _ready(there), "readyz", 60)
        yield compared("readers ready after the daemon", [time.monotonic() - began])
        time.sleep(bench.size(5, 2))
        yield from _answers(bench, there)
        yield from _beside_hand_written(bench, there)
        yield from _lateness(bench, there, jobs)
        memory = there.memory()["status"]
        yield compared("memory of the status process after all that", [memory], unit="B", target=Target(60e6, "value"))


def _ready(there: House) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{there.port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _load(port: int, path: str, connections: int, seconds: float) -> Load:
    command = [str(program("httpload")), str(port), path, str(connections), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{path}: {done.stderr.strip()}")
    count, took, p50, p99, size, bad = map(float, done.stdout.split())
    if bad:
        raise RuntimeError(f"{path}: {bad:.0f} of {count:.0f} answers were not 200")
    return Load(count / took, p50 / 1e6, p99 / 1e6, size / max(count, 1))


def _answers(bench: Bench, there: House) -> Iterator[Figure]:
    for path, what, least in ROUTES:
        one = _load(there.port, path, 1, bench.size(3, 1))
        note = f"p99 {one.p99 * 1e3:.2f} ms; {one.body / 1e3:,.1f} KB"
        yield compared(f"{what}: one reader, an answer", [one.p50], note=f"{path}, {note}")
        if least is not None:
            many = _load(there.port, path, 16, bench.size(3, 1))
            yield compared(f"{what}: 16 readers", [many.rate], unit="/s", target=Target(least, "value", least=True))


def _beside_hand_written(bench: Bench, there: House) -> Iterator[Figure]:
    with urllib.request.urlopen(f"http://127.0.0.1:{there.port}{PAGE}", timeout=10) as answer:
        page = there.home.root / "page.json"
        page.write_bytes(answer.read())
    command = [sys.executable, str(CHECKOUT / "benchmarks" / "handserver.py"), str(page)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        ours, floor = [], []
        for _ in range(bench.size(4, 2)):
            ours.append(_load(there.port, PAGE, 16, bench.size(2, 1)).rate)
            floor.append(_load(port, "/", 16, bench.size(2, 1)).rate)
    finally:
        processes.end([server.pid])
        server.wait()
    yield compared(
        "page of 100 jobs over HTTP, 16 readers",
        ours,
        floor,
        unit="/s",
        beside="hand-written asyncio + orjson",
        target=Target(0.35, least=True),
    )


def write_pulses(there: House, jobs: int) -> None:
    """Beside the `jobs` there are, `PULSES` jobs that together start every `STEP` seconds; wait until they do."""
    started = str(program("started"))
    base = 1_577_836_800.0  # 2020-01-01, on every grid
    for number in range(PULSES):
        anchor = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(base)) + f"{number * STEP:.3f}"[1:] + "Z"
        if number * STEP >= 1:
            anchor = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(base + 1)) + f"{number * STEP - 1:.3f}"[1:] + "Z"
        schedule = {"every": 2, "anchor": anchor}
        there.write_job(f"pulse-{number:02d}", schedule, [started, str(there.log), f"{number}"])
    there.wait(lambda: _count(there) == jobs + PULSES, "the pulse jobs applied")
    time.sleep(3)


def _lateness(bench: Bench, there: House, jobs: int) -> Iterator[Figure]:
    write_pulses(there, jobs)
    late: dict[str, list[float]] = {"quiet": [], "storm": []}
    floor: dict[str, list[float]] = {"quiet": [], "storm": []}
    seconds = bench.size(10, 3)
    for turn in range(bench.size(4, 2)):
        phase = "storm" if turn % 2 else "quiet"
        if phase == "storm":
            with storm(there, seconds + 2):
                time.sleep(1)
                measure(there, seconds, late[phase], floor[phase])
        else:
            measure(there, seconds, late[phase], floor[phase])
        time.sleep(1.5)
    notes = {phase: f"C beside it: p50 {_ms(late_c, 50)}, p99 {_ms(late_c, 99)} ms" for phase, late_c in floor.items()}
    yield compared("lateness of a start, no readers: median", late["quiet"], note=notes["quiet"])
    yield compared(
        "lateness of a start in a storm of readers: median",
        late["storm"],
        late["quiet"],
        beside="no readers",
        note=f"4 scrape without pause, 8 read pages, one lists runs in the terminal; {notes['storm']}",
    )
    yield compared(
        "lateness of a start in a storm of readers: p99",
        [percentile(late["storm"], 99)],
        [percentile(late["quiet"], 99)],
        beside="no readers",
        target=Target(1.2),
    )


def _ms(late: list[float], percent: float) -> str:
    return f"{percentile(late, percent) * 1e3:.2f}"


def _count(there: House) -> int:
    with there.reader() as reader:
        return reader.totals().jobs


def measure(there: House, seconds: float, into: list[float], floor: list[float]) -> None:
    """Lateness of the pulses within `seconds`, and of a C program's spawns between them."""
    there.log.unlink(missing_ok=True)
    plain = there.home.root / "plain.log"
    plain.unlink(missing_ok=True)
    step = int(STEP * 1e9)
    first = (time.time_ns() // step + 3) * step + step // 2
    count = int(seconds / STEP)
    arguments = [str(first), str(step), str(count), str(program("started")), str(plain), "plain"]
    subprocess.run([str(program("spawnat")), *arguments], check=True)
    time.sleep(0.2)
    floor += [(at - first - k * step) / 1e9 for k, at in enumerate(read_starts(plain)["plain"])]
    for tag, times in there.starts().items():
        offset = int(tag) * step
        into += [((at - offset) % 2_000_000_000) / 1e9 for at in times]


@contextmanager
def storm(there: House, seconds: float) -> Iterator[None]:
    load = str(program("httpload"))
    commands = [
        ["nice", load, str(there.port), "/metrics", "4", str(seconds)],  # clients are elsewhere, as in `crowd`
        ["nice", load, str(there.port), PAGE, "8", str(seconds)],
        ["sh", "-c", 'while :; do "$@" > /dev/null; done', "sh", sys.executable, "-m", "jobsctl", "--home",
         str(there.home.root), "-o", "json", "runs"],
    ]  # fmt: skip
    crowd = [
        subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        yield
    finally:
        processes.end([pid for process in crowd for pid in processes.tree(process.pid)], grace=1.0)
        for process in crowd:
            process.wait()


PARTS = (readers,)
