"""Keeping output: what a job that writes much is held up, and what it costs the supervisor."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import processes
from benchmarks.figures import Figure, Target, Unit, compared
from benchmarks.launching import hands
from benchmarks.workshop import Bench, program


def direct(bench: Bench) -> Iterator[Figure]:
    """default capture"""
    yield from _capture(bench, stamp=False)


def stamped(bench: Bench) -> Iterator[Figure]:
    """capture with a time on every line"""
    yield from _capture(bench, stamp=True)


def _capture(bench: Bench, *, stamp: bool) -> Iterator[Figure]:
    writer = str(program("writelines"))
    size = bench.size(256, 64)
    what = "output with a time on every line" if stamp else "output, default capture"
    shell = f"exec {writer} {size} > " if not stamp else f"{writer} {size} | cat > "
    for disk, folder in (("tmpfs", bench.memory_folder("capture")), ("disk", bench.folder("capture"))):
        beside = f"prog {'| cat ' if stamp else ''}> file"
        with hands(folder) as ours:
            used = processes.cpu([ours.supervisor], children=False)

            def supervised() -> None:
                ours.wait([ours.launch([writer, str(size)], stamp_lines=stamp)])

            def plain() -> None:
                target = folder / "plain.log"  # noqa: B023
                subprocess.run(["/bin/sh", "-c", f"{shell}{target}"], check=True)

            speeds = _speeds({"ours": supervised, "plain": plain}, folder, size, bench.size(5, 3))
            written = size * (len(speeds["ours"]) + 1) / 1000
            used = processes.cpu([ours.supervisor], children=False) - used
        unit: Unit = "MB/s"
        bound = 0.9 if stamp else 0.95
        yield compared(
            f"{what}, {disk}",
            speeds["ours"],
            speeds["plain"],
            unit=unit,
            beside=beside,
            target=Target(bound, least=True),
        )
        yield compared(
            f"supervisor's processor time per GB of {what}, {disk}",
            [used / written],
            target=Target(1.5 if stamp else 0.05, "value"),
        )


def _speeds(work: dict[str, Callable[[], None]], folder: Path, size: int, rounds: int) -> dict[str, list[float]]:
    """MB/s of each; what was written is gone from the disk before the next begins."""
    speeds: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, call in work.items():
            began = time.perf_counter()
            call()
            if turn:
                speeds[name].append(size / (time.perf_counter() - began))
            shutil.rmtree(folder / "runs", ignore_errors=True)
            (folder / "plain.log").unlink(missing_ok=True)
    return speeds


PARTS = (direct, stamped)
