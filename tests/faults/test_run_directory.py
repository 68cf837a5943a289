"""The run directory belongs to the job: what it puts where our files are must neither be followed nor waited for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running.rig import Rig

NAMES = ("output.idx", "output.gap", "series.bin", "output.log.new")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    try:
        yield rig
    finally:
        rig.clean()


def script(rig: Rig, run_id: str, replace: str) -> str:
    """Replaces each of our files by what `replace` makes of `$n`, then writes enough to be looked after and cut."""
    each = f"for n in {' '.join(NAMES)}; do rm -f $n; {replace}; done"
    return f"cd {rig.run_dir(run_id)}; sleep 0.3; {each}; head -c 200000 /dev/zero; sleep 1.2; echo end"


@pytest.mark.parametrize("link", ["ln -s {victim} $n", "ln {victim} $n"], ids=["symlink", "hardlink"])
def test_a_link_in_place_of_our_files_is_not_written_through(link: str, rig: Rig) -> None:
    victim = rig.home / "victim"
    victim.write_text("nobody may write here\n")
    end = rig.run("r1", script(rig, "r1", link.format(victim=victim)), output_max=4096)
    assert end.exit_code == 0
    assert victim.read_text() == "nobody may write here\n"


def test_a_link_in_place_of_the_output_is_not_cut(rig: Rig) -> None:
    victim = rig.home / "victim"
    victim.write_bytes(b"x" * 200_000)
    program = f"cd {rig.run_dir('r1')}; rm output.log; ln -s {victim} output.log; sleep 0.7"
    assert rig.run("r1", program, output_max=4096).exit_code == 0
    assert victim.read_bytes() == b"x" * 200_000
    assert not victim.with_name("output.gap").exists()


def test_a_pipe_in_place_of_our_files_stops_nobody(rig: Rig) -> None:
    rig.start("r1", script(rig, "r1", "mkfifo $n"), output_max=4096)
    assert rig.run("r2", "sleep 0.6; true").exit_code == 0
    assert rig.ended("r1").exit_code == 0


def test_a_job_may_delete_its_run_directory(rig: Rig) -> None:
    end = rig.run("r1", f"echo before; rm -rf {rig.run_dir('r1')}; echo after; sleep 0.3; exit 3")
    assert end.exit_code == 3
    assert not os.path.lexists(rig.run_dir("r1"))
