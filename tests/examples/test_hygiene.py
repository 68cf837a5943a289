"""disk-space on a real small file system, log-cleanup on real files."""

from __future__ import annotations

import gzip
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components import lacking
from tests.examples.conftest import Site


@pytest.fixture
def small_volume(site: Site) -> Iterator[Path]:
    """A file system of 1 MiB and 64 inodes at the place the job watches."""
    options = ["-t", "tmpfs", "-o", "size=1m,nr_inodes=64", "none", str(site.volume)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, timeout=10, check=False)
    if mounted.returncode != 0:
        lacking(f"no right to mount a tmpfs: {mounted.stderr.strip()}")
    try:
        yield site.volume
    finally:
        subprocess.run(["umount", "--lazy", str(site.volume)], timeout=10, check=True)


def test_roomy_file_system_passes(site: Site, small_volume: Path) -> None:
    ended = site.run("disk-space")
    assert ended.succeeded, ended.output
    assert f"ok   {small_volume}: 0 % of bytes used" in ended.output


def test_full_file_system_fails_and_names_what_is_biggest(site: Site, small_volume: Path) -> None:
    (small_volume / "uploads").mkdir()
    (small_volume / "uploads" / "film").write_bytes(b"x" * 1_000_000)
    ended = site.run("disk-space")
    assert not ended.succeeded
    assert "% of bytes used, more than 90 %" in ended.output
    assert "uploads" in (ended.outputs / "biggest.txt").read_text()


def test_file_system_without_inodes_fails(site: Site, small_volume: Path) -> None:
    for number in range(62):
        (small_volume / str(number)).touch()
    ended = site.run("disk-space")
    assert not ended.succeeded
    assert "% of inodes used, more than 90 %" in ended.output


def aged(path: Path, days: float, content: bytes = b"line\n" * 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    old = time.time() - days * 86400  # noqa: TID251 file ages are told against the real clock
    os.utime(path, (old, old))
    return path


def test_quiet_logs_are_compressed_old_ones_removed_and_the_rest_is_left(site: Site, tmp_path: Path) -> None:
    quiet = aged(site.logs / "shop" / "quiet.log", 3)
    busy = aged(site.logs / "busy.log", 0.5)
    ancient = aged(site.logs / "ancient.log.gz", 61)
    recent = aged(site.logs / "recent.log.gz", 30)
    other = aged(site.logs / "ledger.db", 400)
    outside = aged(tmp_path / "outside.log", 400)
    (site.logs / "link.log").symlink_to(outside)

    ended = site.run("log-cleanup")

    assert ended.succeeded, ended.output
    assert not quiet.exists()
    assert gzip.decompress(Path(f"{quiet}.gz").read_bytes()) == b"line\n" * 100
    assert not ancient.exists()
    assert all(path.exists() for path in (busy, recent, other, outside))
    assert sorted((ended.outputs / "touched.txt").read_text().split()) == sorted(map(str, (quiet, ancient)))
    assert "2 files compressed or removed" in ended.output
