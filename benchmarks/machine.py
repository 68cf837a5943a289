"""What the figures were measured on, and with which versions: printed beside them."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

PACKAGES = ("jobsctl", "pydantic", "ruamel.yaml", "ruamel.yaml.clib", "orjson", "peewee", "uvicorn", "watchfiles")


def describe(work: Path) -> dict[str, str]:
    """Names and values, in the order to print them."""
    memory = int(_field(Path("/proc/meminfo"), "MemTotal") or 0) // 1024
    return {
        "processor": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{memory} MB",
        "kernel": f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}",
        "disk": f"{filesystem(work)}, fdatasync of one page {_sync_time(work) * 1e6:,.0f} us (median)",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "python": f"{platform.python_version()} ({platform.python_compiler()}), sqlite {sqlite3.sqlite_version}",
        "compiler": _first_line("cc", "--version"),
        "revision": _first_line("git", "describe", "--always", "--dirty"),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }


def filesystem(path: Path) -> str:
    """Type and device of what `path` lies on."""
    best = ("", "unknown")
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        device, where, kind = line.split()[:3]
        if path.resolve().is_relative_to(where) and len(where) >= len(best[0]):
            best = (where, f"{kind} on {device}")
    return best[1]


def _sync_time(folder: Path) -> float:
    """Seconds to force one page out: the floor of every durable commit."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, 1 << 20)
        os.fsync(file.fileno())
        for turn in range(60):
            os.pwrite(file.fileno(), b"x" * 4096, turn * 4096)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return median(taken)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _processor() -> str:
    return _field(Path("/proc/cpuinfo"), "model name") or platform.machine()


def _field(file: Path, name: str) -> str | None:
    for line in file.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip().removesuffix(" kB")
    return None


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=False, cwd=Path(__file__).parent
        )
    except OSError:
        return "none"
    return (done.stdout.splitlines() or ["unknown"])[0]
