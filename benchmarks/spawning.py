"""Carrying out runs: the supervisor's own rate, its memory, and that a daemon's size does not matter."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

from benchmarks import processes
from benchmarks.figures import Figure, Target, compared
from benchmarks.launching import Hands, hands
from benchmarks.workshop import Bench, program


def rate(bench: Bench) -> Iterator[Figure]:
    """the supervisor's own rate"""
    nothing, loop = str(program("nothing")), str(program("spawnloop"))
    count, width = bench.size(1500, 500), 16
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(bench.size(5, 3)):
        with hands(bench.folder("rate")) as there:
            began = time.perf_counter()
            _keep_busy(there, nothing, count, width)
            ours.append(count / (time.perf_counter() - began))
        done = subprocess.run([loop, "0", str(count), str(width), nothing], capture_output=True, text=True, check=True)
        floor.append(count / float(done.stdout.split()[0]))
    yield compared(
        f"runs per second of the supervisor alone, {width} at a time, journalled, output files",
        ours,
        floor,
        unit="/s",
        beside="C posix_spawn loop",
        note="a static program that does nothing",
    )


def _keep_busy(there: Hands, nothing: str, count: int, width: int) -> None:
    launched: list[str] = []
    while len(there.exited) < count:
        while len(launched) < count and len(launched) - len(there.exited) < width:
            launched.append(there.launch([nothing]))
        there.hear(5)
    there.wait(launched)


def memory(bench: Bench) -> Iterator[Figure]:
    """memory per live run"""
    nothing = str(program("nothing"))
    count = bench.size(500, 200)
    with hands(bench.folder("memory")) as there:
        first = there.launch([nothing])
        there.wait([first])
        alone = processes.pss(there.supervisor)
        there.wait([there.launch([nothing, "stay"]) for _ in range(count)], started=True)
        yield compared("memory of the supervisor, no run", [alone], unit="B", target=Target(5e6, "value"))
        busy = processes.pss(there.supervisor)
    shells = []
    try:
        for _ in range(20):
            shells.append(subprocess.Popen(["/bin/sh", "-c", '"$@"; echo $? > /dev/null', "sh", nothing, "stay"]))
        time.sleep(0.3)
        shim = sum(processes.pss(shell.pid) for shell in shells) / len(shells)
    finally:
        processes.end([pid for shell in shells for pid in processes.tree(shell.pid)])
        for shell in shells:
            shell.wait()
    yield compared(
        f"memory per live run, at {count}",
        [(busy - alone) / count],
        [shim],
        unit="B",
        beside="sh shim",
        target=Target(4096, "value"),
        note="no process of ours per run; what there is are the supervisor's notes of it",
    )


def size_of_parent(bench: Bench) -> Iterator[Figure]:
    """spawn latency at 500 MB"""
    nothing = str(program("nothing"))
    count = bench.size(200, 60)
    taken: dict[int, list[float]] = {50: [], 500: []}
    with hands(bench.folder("latency")) as there:
        for turn in range(4):
            for megabytes in (50, 500) if turn % 2 else (500, 50):
                ballast = bytearray(megabytes << 20)
                ballast[::4096] = b"x" * len(range(0, len(ballast), 4096))
                for _ in range(count // 4):
                    began = time.time()
                    run_id = there.launch([nothing])
                    there.wait([run_id])
                    taken[megabytes].append(there.heard_start[run_id] - began)
                del ballast
    yield compared(
        "from launch to started, in a daemon of 500 MB",
        taken[500],
        taken[50],
        beside="of 50 MB",
        target=Target(1.1),
    )


PARTS = (rate, memory, size_of_parent)
