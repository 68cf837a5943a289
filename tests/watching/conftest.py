"""A specs directory that tests write to, and a source that looks at it with a clock that can be moved."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from specs.desired import CachedFile
from specs.scan import ignore_lease_signals
from specs.source import Look, Source

SECOND = 1_000_000


@dataclass
class Specs:
    """A folder of specs and a source on it. `later(s)` moves the source's clock, never the files'."""

    root: Path
    offset: int = 0
    cache: dict[str, CachedFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.source = Source(self.root, now=self.now)

    def now(self) -> int:
        return self.clock.now() + self.offset

    def later(self, seconds: float) -> None:
        self.offset += int(seconds * SECOND)

    def write(self, path: str, *names: str, extra: str = "") -> Path:
        """Write a file atomically that defines these jobs."""
        text = "---\n".join(f"name: {name}\nrun: {{script: x}}\n{extra}" for name in names)
        return self.put(path, text)

    def put(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}")
        beside.write_text(text)
        beside.rename(file)
        return file

    def look(self, *dirty: str) -> Look:
        """A full sweep, or a look at these paths."""
        look = self.source.look(set(dirty) if dirty else None)
        for row in look.cache_changed:
            self.cache[row.path] = row
        for path in look.cache_removed:
            self.cache.pop(path, None)
        return look

    def restart(self) -> None:
        """A new process with the old one's cache."""
        self.source = Source(self.root, now=self.now, cache=self.cache.values())


@pytest.fixture
def specs(tmp_path: Path) -> Specs:
    root = tmp_path / "jobs"
    root.mkdir()
    return Specs(root)


@pytest.fixture(autouse=True)
def leases() -> Iterator[None]:
    """As in the daemon: the kernel may be asked for writers."""
    before = signal.getsignal(signal.SIGIO)
    ignore_lease_signals()
    yield
    signal.signal(signal.SIGIO, before)


def names(look: Look) -> set[str]:
    return {identity.removeprefix("default/") for identity in look.desired.jobs}


def said(look: Look) -> list[str]:
    return [str(each) for each in look.desired.diagnostics]
