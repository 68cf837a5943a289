"""Limits hold for the whole tree, by whatever this machine has; the run says by what."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.base import EndReason
from runners.supervisor import cgroup
from runners.supervisor.run import Run
from tests.running.rig import Rig, alive, eventually

MIB = 1 << 20
EAT = "x = []\nwhile True: x.append(bytearray(1 << 20))"


def can(controller: str) -> bool:
    here = cgroup.hierarchies()
    return controller in here.v1 or controller in here.v2_controllers


def needs(controller: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not can(controller), reason=f"no {controller} control group can be made here")


def groups() -> list[str]:
    """Control groups of runs that exist now."""
    here = cgroup.hierarchies()
    roots = {*here.v1.values(), *([here.v2] if here.v2 else [])}
    return [str(path) for root in roots for path in Path(root).glob("jobsctl-limits-*")]


@needs("memory")
def test_memory_over_the_limit_ends_the_run_as_oom(rig: Rig) -> None:
    end = rig.run("limits-1", "/usr/bin/python3", "-c", EAT, memory=64 * MIB)
    assert (end.reason, end.signal) == (EndReason.OOM, 9)
    assert end.details["memory"].startswith("cgroup")
    assert end.error is not None
    assert end.peak_memory is not None
    assert 60 * MIB <= end.peak_memory <= 64 * MIB
    assert groups() == []


@needs("memory")
def test_the_memory_limit_is_for_all_processes_together(rig: Rig) -> None:
    part = "import time; x = bytearray(30 << 20); time.sleep(0.5)"
    end = rig.run("limits-1", f"for i in 1 2 3; do /usr/bin/python3 -c '{part}' & done; wait; exit 1", memory=64 * MIB)
    assert end.reason is EndReason.OOM


@needs("memory")
def test_memory_within_the_limit_is_measured_exactly(rig: Rig) -> None:
    end = rig.run("limits-1", "/usr/bin/python3", "-c", "x = bytearray(40 << 20)", memory=256 * MIB)
    assert end.exit_code == 0
    assert end.peak_memory is not None
    assert 40 * MIB < end.peak_memory < 80 * MIB


@needs("cpu")
def test_cpu_is_held_to_its_share(rig: Rig) -> None:
    burn = "import time\nt = time.time() + 1\nwhile time.time() < t: pass"
    end = rig.run("limits-1", "/usr/bin/python3", "-c", burn, cpu=0.2)
    assert end.cpu_seconds is not None
    assert end.cpu_seconds < 0.4
    assert end.details["cpu"].startswith("cgroup")


@needs("pids")
def test_processes_are_counted(rig: Rig) -> None:
    forks = (
        "import os, time\nn = 0\ntry:\n while True:\n"
        "  if os.fork() == 0: time.sleep(9)\n  n += 1\nexcept BlockingIOError: print(n)"
    )
    end = rig.run("limits-1", "/usr/bin/python3", "-c", forks, pids=10)
    assert rig.output("limits-1") == b"9\n"
    assert end.details["pids"].startswith("cgroup")
    assert groups() == []


@needs("memory")
def test_a_group_catches_what_escaped_everything_else(rig: Rig) -> None:
    path = rig.home / "pid"
    escape = f"(env -i /usr/bin/setsid /bin/sh -c 'echo $$ > {path}; exec /bin/sleep 1000' &) &"
    rig.start("other", "sleep 1000")
    rig.run("limits-1", f"{escape} while ! [ -s {path} ]; do :; done", memory=64 * MIB)
    assert not alive(int(path.read_text())), "although it might be the other's"
    rig.runner.stop("other", grace=0)
    rig.ended("other")
    assert groups() == []


@needs("memory")
def test_the_groups_of_a_dead_supervisor_are_removed_too(rig: Rig) -> None:
    go = rig.home / "go"
    rig.start("limits-1", f"while ! [ -e {go} ]; do sleep 0.02; done; exit 7", memory=64 * MIB)
    rig.kill_supervisor()
    go.touch()
    assert rig.ended("limits-1").exit_code == 7
    assert groups() == []


def test_open_files_are_limited(rig: Rig) -> None:
    end = rig.run("limits-1", "ulimit -n; ulimit -Hn", nofile=77)
    assert rig.output("limits-1") == b"77\n77\n"
    assert end.details["nofile"] == "rlimit"


@pytest.fixture
def no_groups(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cgroup, "_known", cgroup.Hierarchies(None, frozenset(), {}))
    yield


def test_without_groups_none_are_planned(no_groups: None) -> None:
    assert cgroup.plan(_run(memory=MIB, cpu=1.0, pids=5)) is None


def test_without_groups_rlimits_take_over_and_the_run_says_so(no_groups: None, tmp_path: Path) -> None:
    """In this process: the supervisor of this machine would find groups."""
    from runners.supervisor import spawn

    run = _run(memory=512 * MIB, cpu=1.0, pids=500)
    run.dir = os.fsencode(tmp_path / "run")
    run.argv = [b"sh", b"-c", b"ulimit -v; ulimit -u"]
    spawn.prepare(run)
    null = os.open(os.devnull, os.O_RDWR)
    here = Path.cwd()
    try:
        pid = spawn.start(run, null)
        os.waitpid(pid, 0)
    finally:
        os.close(null)
        os.chdir(here)
    assert (tmp_path / "run" / "output.log").read_text().split()[0] == str(512 * 1024)
    assert run.details["memory"].startswith("rlimit")
    assert run.details["cpu"].startswith("not enforced")
    assert "root" in run.details["pids"]


def _run(*, memory: int | None = None, cpu: float | None = None, pids: int | None = None) -> Run:
    return Run(
        id="limits-9", dir=b"/nowhere", argv=[b"true"], env={b"PATH": b"/usr/bin:/bin"}, cwd=b"/", output_max=MIB,
        memory=memory, cpu=cpu, pids=pids,
    )  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", place]).returncode:
        pytest.skip("needs to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_starts_nothing_and_loses_no_end(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "supervisors").symlink_to(small_disk)
    rig = Rig(tmp_path)
    rig.acknowledge = False
    try:
        go = tmp_path / "go"
        started = rig.start("before", f"while ! [ -e {go} ]; do sleep 0.02; done; exit 7")
        name = rig.runner.name
        _fill(small_disk / "ballast")
        # The block that the journal is in takes a few more.
        ends = (rig.run(f"r{number}", f"echo r{number} >> {tmp_path}/started") for number in range(100))
        end = next(end for end in ends if end.reason is not EndReason.EXIT)
        assert end.reason is EndReason.START_ERROR
        assert end.error is not None
        assert "No space left" in end.error
        assert end.run_id not in (tmp_path / "started").read_text().split()
        go.touch()
        assert rig.ended("before").exit_code == 7, "told, although it cannot be written down"
        (small_disk / "ballast").unlink()
        assert rig.run("later", "true").exit_code == 0
        supervisor = rig.supervisor()
        after = rig.successor()
        rig.runner = after.runner
        after.runner.adopt([after.adopt("before", started, name)])
        eventually(lambda: after.poll(0.01) is not None and after.of("before"), "the end")
        assert after.ended("before").exit_code == 7, "written down when there was room again"
        after.runner.acknowledge(list(rig.launches))
        eventually(lambda: after.poll(0.01) is not None and not alive(supervisor), "nothing is left to tell")
    finally:
        rig.clean()


def _fill(path: Path) -> None:
    """Until nothing more fits, to the last byte."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
