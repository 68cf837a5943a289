"""Writing status files: all of them changed at once, and none."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Target, compared
from benchmarks.workshop import Bench
from status.picture.files import StatusFiles

_TEXT = "name: report\n" + "status: succeeded, as the one before\n" * 12


def changed(bench: Bench) -> Iterator[Figure]:
    """all status files changed"""
    count = bench.size(10_000, 2_000)
    disks = (("disk", bench.folder("status"), 0.1), ("tmpfs", bench.memory_folder("status"), 1.5))
    for disk, folder, bound in disks:
        files = StatusFiles(folder / "ours")
        files.open()
        names = [f"p/report-{number:05d}" for number in range(count)]
        plain = folder / "plain"
        plain.mkdir()
        ours, reference = [], []
        for turn in range(bench.size(4, 3)):
            text = f"{_TEXT}turn: {turn}\n"
            began = time.perf_counter()
            for name in names:
                files.put(name, text, turn * 10.0)
            ours.append(time.perf_counter() - began)
            data = text.encode()
            began = time.perf_counter()
            _replace_all(plain, names, data)
            reference.append(time.perf_counter() - began)
        began = time.perf_counter()
        for name in names:
            files.put(name, text, 1000.0)
        unchanged = (time.perf_counter() - began) / count
        yield compared(
            f"{count:,} status files, all changed, {disk}",
            ours[1:],
            reference[1:],
            beside="tmp + rename of every one",
            target=Target(bound),
            note=f"the first writing, into empty folders: {ours[0]:.2f} s and {reference[0]:.2f} s",
        )
        yield compared(f"a status file that did not change, {disk}", [unchanged], target=Target(0.00002, "value"))
        shutil.rmtree(folder)


def _replace_all(folder: Path, names: list[str], data: bytes) -> None:
    for name in names:
        path = folder / name.replace("/", "-")
        descriptor = os.open(f"{path}.tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.write(descriptor, data)
        os.close(descriptor)
        os.rename(f"{path}.tmp", path)  # noqa: PTH104 - the floor has no Path objects


PARTS = (changed,)
