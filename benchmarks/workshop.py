"""Where a section works: its temporary directories, compiled programs, and packages to compare with.

Everything lies below `build/bench` of the checkout: a cache (`cache`, kept) and work (`work`, removed by the parent).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
BUILD = CHECKOUT / "build" / "bench"
CACHE = BUILD / "cache"
SOURCES = Path(__file__).resolve().parent / "c"
MEMORY_DISK = Path("/dev/shm")


class Unavailable(Exception):
    """Raised when a reference cannot be had on this machine: the line says so instead of a figure."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a section is given."""

    quick: bool
    work: Path
    """A fresh directory on the checkout's disk, removed when the section ends. In its name: the section's."""

    def size(self, full: int, quick: int) -> int:
        """How many: fewer in a quick run."""
        return quick if self.quick else full

    def folder(self, name: str) -> Path:
        """A new, empty directory."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.work))

    def memory_folder(self, name: str) -> Path:
        """The same on a tmpfs; the parent removes it by its name. Raises Unavailable."""
        if not MEMORY_DISK.is_dir():
            raise Unavailable(f"no tmpfs at {MEMORY_DISK}")
        return Path(tempfile.mkdtemp(prefix=f"{self.work.name}-{name}-", dir=MEMORY_DISK))


def program(name: str) -> Path:
    """One of our C programs, compiled when its source is newer. Raises Unavailable."""
    source, target = SOURCES / f"{name}.c", CACHE / "c" / name
    if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
        return target
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Unavailable("no C compiler (cc)")
    target.parent.mkdir(parents=True, exist_ok=True)
    for static in (["-static"], []):
        command = [compiler, "-O2", *static, "-o", str(target), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return target
    raise Unavailable(f"cc failed on {source.name}: {done.stderr.strip()[-200:]}")


def packages(*names: str) -> None:
    """Make Python packages importable here that only a comparison needs. Raises Unavailable.

    They are installed below the cache, never into the environment that is measured.
    """
    tag = f"{sys.version_info[0]}.{sys.version_info[1]}"
    target = CACHE / f"packages-{tag}-{'-'.join(sorted(names)).lower()}"
    if not target.exists():
        pip("install", "--target", str(target.with_suffix(".new")), *names)
        target.with_suffix(".new").rename(target)
    sys.path.append(str(target))


def environment(name: str, *requirements: str) -> Path:
    """The Python of a virtual environment with `requirements`, made when missing. Raises Unavailable."""
    target = CACHE / f"venv-{name}-{sys.version_info[0]}.{sys.version_info[1]}"
    python = target / "bin" / "python"
    ready = target / "ready"
    if ready.exists() and ready.read_text(encoding="utf-8") == "\n".join(requirements):
        return python
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(target)], check=True, capture_output=True, timeout=120)
    pip("install", *requirements, python=python)
    ready.write_text("\n".join(requirements), encoding="utf-8")
    return python


def pip(*arguments: str, python: Path | str = sys.executable) -> None:
    """Run pip as this machine has it configured. Raises Unavailable."""
    command = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"pip took more than five minutes for {arguments[-1]}") from None
    if done.returncode != 0:
        raise Unavailable(f"pip could not install {arguments[-1]}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
