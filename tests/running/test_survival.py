"""Daemon, supervisor or both are killed while runs go on. Nothing is lost that can be known, nothing runs twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.base import EndReason, Exited, NeverStarted, Started
from runners.supervisor import libc, tree
from runners.supervisor.crash import POINTS
from tests.running.rig import Rig, alive, eventually

ROOT = Path(__file__).resolve().parents[2]
MARKS = [point for point in POINTS if point != "acknowledged"]


def words_of(pid: int) -> bytes:
    """Its command line; none of a process that ended since it was seen: others on the machine do all the time."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Driver:
    """A daemon in a process of its own."""

    def __init__(self, home: Path, launches: list[tuple[str, list[str], dict[str, Any]]], **environ: str) -> None:
        libc._call("prctl", 36, libc._Long(0), libc._Long(0), libc._Long(0), libc._Long(0))  # its children are not ours
        self.home = home
        self.launches = launches
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.running.driver", str(home), json.dumps(launches)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | environ,
        )
        assert self.process.stdout is not None
        self.lines = self.process.stdout
        self.name = self.lines.readline().decode().split()[1]

    def hears(self, kind: str, run_id: str) -> None:
        line = b""
        while line.split() != [kind.encode(), run_id.encode()]:
            line = self.lines.readline()
            assert line, f"the driver ended before {kind} {run_id}"

    def supervisor(self) -> int:
        return next(one.pid for one in tree.scan().values() if self.name.encode() in words_of(one.pid) and not one.dead)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.lines.close()

    def next_daemon(self, started: dict[str, Started] | None = None) -> Rig:
        rig = Rig(self.home)
        for run_id, argv, more in self.launches:
            rig.launch(run_id, *argv, **more)
        rig.runner.adopt([rig.adopt(run_id, (started or {}).get(run_id), self.name) for run_id, _, _ in self.launches])
        return rig


@pytest.fixture
def drivers(tmp_path: Path) -> Iterator[list[Any]]:
    """What the test made: Drivers and Rigs; all of it is ended."""
    made: list[Any] = []
    yield made
    for one in made:
        if isinstance(one, Rig):
            one.clean()
        elif one.process.poll() is None:
            one.kill()
    for process in tree.scan().values():
        if str(tmp_path).encode() in words_of(process.pid) and not process.dead:
            os.kill(process.pid, signal.SIGKILL)


def test_a_run_goes_on_without_its_daemon(tmp_path: Path, drivers: list[Any]) -> None:
    go = tmp_path / "go"
    command = f"echo before; while ! [ -e {go} ]; do sleep 0.02; done; echo after; exit 7"
    drivers.append(driver := Driver(tmp_path, [("r1", ["sh", "-c", command], {})]))
    driver.hears("Started", "r1")
    driver.kill()
    go.touch()
    drivers.append(rig := driver.next_daemon())
    end = rig.ended("r1")
    assert (end.exit_code, end.reason) == (7, EndReason.EXIT)
    assert end.cpu_seconds is not None
    assert end.peak_memory
    assert rig.output("r1") == b"before\nafter\n"


def test_an_end_without_any_daemon_is_kept_and_no_supervisor_lingers(tmp_path: Path, drivers: list[Any]) -> None:
    drivers.append(driver := Driver(tmp_path, [("r1", ["sh", "-c", "sleep 0.2; exit 7"], {})]))
    driver.hears("Started", "r1")
    supervisor = driver.supervisor()
    driver.kill()
    eventually(lambda: not alive(supervisor), "it ends with its last run")
    folder = tmp_path / "supervisors"
    assert [path.suffix for path in folder.iterdir()] == [".journal"]
    drivers.append(rig := driver.next_daemon())
    assert rig.ended("r1").exit_code == 7
    rig.poll()
    assert not (folder / f"{driver.name}.journal").exists(), "acknowledged, so forgotten"


def test_a_timeout_needs_no_daemon(tmp_path: Path, drivers: list[Any]) -> None:
    command = "trap '' TERM; while :; do sleep 0.05; done"
    drivers.append(driver := Driver(tmp_path, [("r1", ["sh", "-c", command], {"timeout": 0.3, "grace": 0.3})]))
    driver.hears("Started", "r1")
    supervisor = driver.supervisor()
    driver.kill()
    eventually(lambda: not alive(supervisor), "the run was ended")
    drivers.append(rig := driver.next_daemon())
    end = rig.ended("r1")
    assert (end.reason, end.signal) == (EndReason.TIMEOUT, 9)


def test_what_was_handed_over_before_the_kill_is_carried_out_once(tmp_path: Path, drivers: list[Any]) -> None:
    witness = tmp_path / "witness"
    launches = [(f"r{number}", ["sh", "-c", f"echo r{number} >> {witness}"], {}) for number in range(300)]
    drivers.append(driver := Driver(tmp_path, launches))
    assert driver.lines.readline() == b"handed over\n"
    driver.kill()  # with answers unread: its supervisor gets ECONNRESET
    drivers.append(rig := driver.next_daemon())
    for run_id, _, _ in launches:
        assert rig.ended(run_id).exit_code == 0
    assert sorted(witness.read_text().split()) == sorted(run_id for run_id, _, _ in launches)


def test_a_dead_supervisor_costs_no_exit_status(rig: Rig) -> None:
    name = rig.runner.name
    go = rig.home / "go"
    rig.start("r1", f"echo before; while ! [ -e {go} ]; do sleep 0.02; done; echo after; exit 7")
    rig.kill_supervisor()
    eventually(lambda: rig.poll() is not None and rig.runner.name != name, "a new supervisor")
    assert rig.run("r2", "true").exit_code == 0
    go.touch()
    end = rig.ended("r1")
    assert (end.exit_code, end.reason) == (7, EndReason.EXIT)
    assert end.cpu_seconds is not None
    assert end.cpu_seconds > 0
    assert end.output_bytes == 13
    assert rig.output("r1") == b"before\nafter\n"
    rig.poll()
    assert not list((rig.home / "supervisors").glob(f"{name}*"))


@pytest.mark.parametrize("by", ["stop", "timeout"])
def test_a_run_without_its_supervisor_is_still_stopped_with_its_tree(rig: Rig, by: str) -> None:
    pids = rig.home / "pids"
    command = f"setsid sh -c 'echo $$ >> {pids}; exec sleep 1000' & sleep 1000"
    rig.start("r1", command, timeout=0.5 if by == "timeout" else None, grace=0.2)
    eventually(lambda: pids.exists() and pids.read_text(), "the child")
    rig.kill_supervisor()
    if by == "stop":
        eventually(lambda: rig.poll() is not None and rig.runner.name in rig.runner._by_name, "a new supervisor")
        rig.runner.stop("r1", grace=0.2)
    end = rig.ended("r1")
    assert end.reason is (EndReason.TIMEOUT if by == "timeout" else EndReason.CANCEL)
    assert not alive(int(pids.read_text()))


def test_both_dead_a_living_run_is_found_and_how_it_ended_is_not_made_up(tmp_path: Path, drivers: list[Any]) -> None:
    go = tmp_path / "go"
    commands = {"r1": f"while ! [ -e {go} ]; do sleep 0.02; done; exit 7", "r2": "sleep 1000", "r3": "exec sleep 0.3"}
    drivers.append(driver := Driver(tmp_path, [(run_id, ["sh", "-c", one], {}) for run_id, one in commands.items()]))
    driver.hears("Started", "r3")
    supervisor = driver.supervisor()
    driver.process.send_signal(signal.SIGSTOP)  # so that it takes nothing over
    os.kill(supervisor, signal.SIGKILL)
    driver.kill()
    time.sleep(0.4)
    drivers.append(rig := driver.next_daemon())
    rig.wait("r1", Started)
    assert rig.ended("r3").reason is EndReason.LOST
    go.touch()
    lost = rig.ended("r1")
    assert (lost.reason, lost.exit_code) == (EndReason.LOST, None)
    assert lost.error is not None
    rig.runner.stop("r2", grace=1)
    assert rig.ended("r2").reason is EndReason.CANCEL, "that it was stopped is known"


@pytest.mark.parametrize("mark", MARKS)
def test_the_supervisor_dies_at_every_mark_and_nothing_is_lost(
    tmp_path: Path, drivers: list[Any], mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "witness"
    monkeypatch.setenv("JOBSCTL_CRASH_AT", f"{mark}:2" if mark not in ("intent", "told") else mark)
    drivers.append(rig := Rig(tmp_path))
    runs = [rig.launch(f"r{number}", f"echo r{number} >> {witness}; exit 7") for number in range(5)]
    rig.runner.launch(runs)
    waiting = {launch.run_id: launch for launch in runs}
    again: list[str] = []
    deadline = time.monotonic() + 15
    while waiting:
        assert time.monotonic() < deadline, f"unsettled: {sorted(waiting)}; heard {rig.heard}"
        for message in rig.poll():
            if isinstance(message, NeverStarted):
                again.append(message.run_id)
            elif isinstance(message, Exited):
                assert (message.reason, message.exit_code) == (EndReason.EXIT, 7), message
                waiting.pop(message.run_id, None)
        if again and rig.runner.name in rig.runner._by_name:
            rig.runner.launch([waiting[run_id] for run_id in again])
            again.clear()
    assert sorted(witness.read_text().split()) == [f"r{number}" for number in range(5)], "each once"
    assert rig.runner.complaint == ""


@pytest.mark.parametrize("mark", MARKS)
def test_both_die_at_every_mark_and_nothing_runs_twice(tmp_path: Path, drivers: list[Any], mark: str) -> None:
    witness = tmp_path / "witness"
    launches = [(f"r{number}", ["sh", "-c", f"echo r{number} >> {witness}; exit 7"], {}) for number in range(5)]
    drivers.append(driver := Driver(tmp_path, launches, JOBSCTL_CRASH_AT=mark))
    assert driver.lines.readline() == b"handed over\n"
    driver.process.send_signal(signal.SIGSTOP)
    eventually(lambda: not _runs(driver), "the supervisor dies at its mark")
    driver.kill()
    drivers.append(rig := driver.next_daemon())
    settled: dict[str, str] = {}
    deadline = time.monotonic() + 15
    while len(settled) < len(launches):
        assert time.monotonic() < deadline, f"heard {rig.heard}"
        for message in rig.poll():
            if isinstance(message, NeverStarted):
                settled[message.run_id] = "never"
            elif isinstance(message, Exited):
                assert message.reason is EndReason.LOST or message.exit_code == 7, message
                settled[message.run_id] = message.reason.value
    wrote = witness.read_text().split() if witness.exists() else []
    assert len(set(wrote)) == len(wrote)
    assert not [run_id for run_id in wrote if settled[run_id] == "never"], "it ran, so it is not started again"
    assert set(wrote) >= {run_id for run_id, how in settled.items() if how == "exit"}
    begun = {run_id for run_id, how in settled.items() if (tmp_path / "runs/default/job" / run_id / "outputs").exists()}
    assert begun >= {run_id for run_id, how in settled.items() if how == "lost"}, "what was never begun is not lost"


def _runs(driver: Driver) -> bool:
    try:
        return alive(driver.supervisor())
    except (StopIteration, OSError):
        return False


def test_ten_thousand_messages_both_ways_lock_nothing_up(rig: Rig) -> None:
    rig.runner.adopt([])
    for number in range(10_000):
        rig.runner.stop(f"nobody-{number}", grace=1)
    for number in range(10_000):
        rig.launch(f"n{number}", "true")
    rig.runner.adopt([rig.adopt(f"n{number}", None, rig.runner.name) for number in range(10_000)])
    assert rig.run("r1", "true").exit_code == 0
    assert sum(isinstance(message, NeverStarted) for message in rig.heard) == 10_000


def test_an_old_supervisor_leaves_when_its_last_run_is_acknowledged(rig: Rig) -> None:
    go = rig.home / "go"
    started = rig.start("r1", f"while ! [ -e {go} ]; do sleep 0.02; done")
    name, old = rig.runner.name, rig.supervisor()
    after = rig.successor()
    try:
        after.runner.adopt([after.adopt("r1", started, name)])
        after.wait("r1", Started)
        assert after.run("r2", "true").exit_code == 0
        assert alive(old)
        go.touch()
        after.ended("r1")
        eventually(lambda: after.poll(0.01) is not None and not alive(old), "it leaves")
        assert not list((rig.home / "supervisors").glob(f"{name}*"))
    finally:
        after.clean()
        rig.runner = after.runner
        rig.clean = lambda: None  # type: ignore[method-assign]


def test_an_idle_supervisor_leaves_with_its_daemon(rig: Rig) -> None:
    rig.run("r1", "true")
    rig.poll()
    pid = rig.supervisor()
    rig.runner.close()
    eventually(lambda: not alive(pid), "it leaves")
    assert list((rig.home / "supervisors").iterdir()) == []
    rig.clean = lambda: None  # type: ignore[method-assign]


def test_a_home_with_a_long_path_works(tmp_path: Path, drivers: list[Any]) -> None:
    home = tmp_path / ("deep" * 20) / ("er" * 60)
    home.mkdir(parents=True)
    drivers.append(rig := Rig(home))
    assert rig.run("r1", "true").exit_code == 0


def test_shutdown_signals_leave_the_last_word_to_the_runs(rig: Rig) -> None:
    go = rig.home / "go"
    rig.start("r1", f"while ! [ -e {go} ]; do sleep 0.02; done; exit 7")
    os.kill(rig.supervisor(), signal.SIGTERM)
    go.touch()
    assert rig.ended("r1").exit_code == 7
