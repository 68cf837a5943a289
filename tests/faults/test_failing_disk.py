"""A disk that hangs, fails and turns read-only: a real file system of its own on a loop device."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.records import Reason, RunState
from tests.components import lacking, program
from tests.crashing import ledger
from tests.faults.doors import health
from tests.faults.ticking import goes_on, settle, ticking, ticks_again
from tests.household import Household, eventually


class Disk:
    """An ext4 of 64 MiB in a file, mounted on the state directory of a home; turned read-only by an error."""

    def __init__(self, tmp_path: Path, state: Path) -> None:
        self.image, self.state = tmp_path / "disk.img", state
        state.mkdir(parents=True)
        self.image.touch()
        os.truncate(self.image, 64 << 20)
        subprocess.run([program("mkfs.ext4"), "-q", str(self.image)], check=True)
        if self.mount():
            lacking("only root may mount a loop device")

    def mount(self) -> int:
        return subprocess.run(
            ["mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.state)],
            capture_output=True,
            check=False,
        ).returncode

    def freeze(self, seconds: float) -> None:
        """Nothing written to it returns for so long, as on a network storage that went away."""
        subprocess.run(["fsfreeze", "--freeze", str(self.state)], check=True)
        try:
            time.sleep(seconds)
        finally:
            subprocess.run(["fsfreeze", "--unfreeze", str(self.state)], check=True)

    def fail(self) -> None:
        """The kernel finds an error on it: the journal is aborted, the file system is read-only from now on."""
        device = subprocess.run(
            ["findmnt", "-no", "SOURCE", str(self.state)], capture_output=True, text=True, check=True
        ).stdout.strip()
        Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("1", encoding="ascii")

    def repair(self) -> None:
        """What a reboot does: nobody uses it, it is checked and mounted again."""
        # A killed process shows neither command nor environment any more a moment before it lets go of its files.
        umount = ["umount", str(self.state)]
        eventually(lambda: subprocess.run(umount, capture_output=True, check=False).returncode == 0, "nobody uses it")
        assert subprocess.run(["e2fsck", "-p", str(self.image)], capture_output=True, check=False).returncode <= 1
        assert self.mount() == 0

    def remove(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.state)], capture_output=True, check=False)


def restart_machine(house: Household, storage: Disk) -> None:
    """Every process is gone at once, the disk is checked; whoever starts now finds another boot id."""
    house.close()
    storage.repair()
    boot_id = house.home.root / "boot_id"
    boot_id.write_text("11111111-2222-3333-4444-555555555555\n", encoding="ascii")
    bound = f'mount --bind {boot_id} /proc/sys/kernel/random/boot_id && exec "$@"'
    house.program = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", bound, "sh", *house.program]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Household, Disk]]:
    disk = Disk(tmp_path, tmp_path / "home" / ".jobsctl")
    house = Household(tmp_path / "home")
    try:
        yield house, disk
    finally:
        house.close()
        disk.remove()


def test_a_disk_that_hangs_for_seconds_delays_and_loses_nothing(disk: tuple[Household, Disk]) -> None:
    house, storage = disk
    witness = ticking(house, long=True)
    storage.freeze(3)
    ticks_again(house, witness)
    goes_on(house)
    settle(house, witness)


def test_a_disk_that_turned_read_only_is_told_disturbs_no_run_and_keeps_what_was_stored(
    disk: tuple[Household, Disk],
) -> None:
    house, storage = disk
    witness = ticking(house, "--listen", "127.0.0.1:0", long=True)
    health(house)  # HTTP is up: without a disk it would not come up
    # What ends while the status process holds still is in the database, and its status file yet to be written.
    readers = json.loads(house.home.http.read_bytes())["pid"]
    os.kill(readers, signal.SIGSTOP)
    ticks_again(house, witness)
    ticks_again(house, witness)
    storage.fail()
    os.kill(readers, signal.SIGCONT)
    eventually(lambda: "input/output error" in house.log(), "the log tells")
    eventually(lambda: "Read-only file system" in " ".join(health(house)["problems"]), "health tells")
    goes_on(house)
    assert house.daemon is not None
    assert house.daemon.poll() is None
    assert "Traceback" not in house.log()
    restart_machine(house, storage)
    house.start()
    ticks_again(house, witness)
    eventually(lambda: [run.reason for run in house.runs("default/long")] == [Reason.LOST], "long is lost, and says so")
    house.jobsctl("suspend", "ticker")
    eventually(lambda: all(run.finished_at for run in house.runs("default/ticker")), "all ended")
    ledger.check(*house.books("default/ticker"), witness, lost=1)
    assert house.stop() == 0


def test_a_run_whose_journal_went_with_the_disk_is_lost_after_a_restart_and_not_started_a_second_time(
    disk: tuple[Household, Disk],
) -> None:
    house, storage = disk
    witness = house.home.root / "witness.txt"
    house.commit({"ticker.yaml": ledger.spec(witness)})
    handed = handed_over(house)
    eventually(lambda: handed in [run_id for _, run_id in ledger.witnessed(witness)], "it was started")
    storage.fail()  # with what the supervisor wrote into its journal, which nobody syncs
    restart_machine(house, storage)
    house.start()
    ticks_again(house, witness)
    settle(house, witness, lost=1)
    assert [run.reason for run in house.runs("default/ticker") if run.id == handed] == [Reason.LOST]


def handed_over(house: Household) -> str:
    """Kill the daemon when it has handed over a run and knows no more of it. The run's id."""
    for passed in range(1, 10):  # it passes the mark also with nothing to hand over
        house.start(env={"JOBSCTL_CRASH_AT": f"after-launch:{passed}"}, ready=False)
        assert house.daemon is not None
        house.daemon.wait(20)
        runs = house.runs("default/ticker")
        if runs and runs[-1].state is RunState.PENDING:
            return runs[-1].id
    raise AssertionError("it never died with a run handed over")


def test_a_daemon_does_not_start_on_a_read_only_directory_and_says_why_while_reading_works(small: Household) -> None:
    witness = ticking(small)
    eventually(lambda: "succeeded" in small.jobsctl("runs", "ticker").stdout, "a run has ended")
    assert small.stop() == 0
    eventually(lambda: not small.supervisors(), "the supervisor ended with its last run")
    remount = ["mount", "-o", "remount,{}", str(small.home.state)]
    subprocess.run([word.format("ro") for word in remount], check=True)
    refused = small.jobsctl("daemon", "--listen", "none", check=False)
    assert refused.returncode == 1
    assert "Read-only file system" in refused.stderr
    assert "hint:" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "ticker" in small.jobsctl("list").stdout
    assert "it is on a read-only file system" in small.jobsctl("status", check=False).stdout
    assert "succeeded" in small.jobsctl("runs", "ticker").stdout
    subprocess.run([word.format("rw") for word in remount], check=True)
    small.start()
    ticks_again(small, witness)
    settle(small, witness)
