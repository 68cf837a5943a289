"""A state directory without room: said on every door; nothing that runs stops, no slot is lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.crashing import ledger
from tests.faults.doors import told, well
from tests.faults.ticking import count, goes_on, settle, ticking, ticks_again
from tests.household import Household, eventually


def fill(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError:
        os.close(descriptor)


def test_a_full_disk_is_told_stops_nothing_and_is_survived(small: Household) -> None:
    witness = ticking(small, "--listen", "127.0.0.1:0", long=True)
    ballast = small.home.state / "ballast"
    fill(ballast)
    told(small, "no space left")
    refused = small.jobsctl("suspend", "ticker", check=False)
    assert refused.returncode == 1
    assert "free some space" in refused.stderr
    goes_on(small)
    (small.home.root / "enough").touch()  # long ends while there is no room to say so
    time.sleep(0.3)
    ballast.unlink()
    ticks_again(small, witness)
    well(small)
    settle(small, witness)


def test_a_daemon_killed_on_a_full_disk_says_so_when_started_again_and_loses_nothing(small: Household) -> None:
    witness = ticking(small, long=True)
    ballast = small.home.state / "ballast"
    fill(ballast)
    eventually(lambda: "no space left" in small.log(), "the log tells")
    small.kill()
    refused = small.jobsctl("daemon", "--listen", "none", check=False)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "hint: free some space" in refused.stderr
    goes_on(small)
    ballast.unlink()
    small.start()
    ticks_again(small, witness)
    settle(small, witness)


def test_how_a_run_ended_on_a_full_disk_without_a_daemon_is_known_when_there_is_room(small: Household) -> None:
    witness = ticking(small, long=True)
    ballast = small.home.state / "ballast"
    fill(ballast)
    eventually(lambda: "no space left" in small.log(), "the log tells")
    small.kill()
    (small.home.root / "enough").touch()
    before = count(small)
    time.sleep(0.5)
    assert count(small) <= before + 1, "long has ended"
    ballast.unlink()
    small.start()
    eventually(lambda: [run.exit_code for run in small.runs("default/long")] == [0], "its exit status is known", 12)
    ticks_again(small, witness)
    settle(small, witness)


def test_a_request_accepted_before_the_disk_filled_is_done_when_there_is_room(small: Household) -> None:
    witness = ticking(small)
    assert small.daemon is not None
    os.kill(small.daemon.pid, signal.SIGSTOP)
    asked = small.jobsctl("suspend", "ticker", "--reason", "audit", "--timeout", "0.1s", check=False)
    assert asked.returncode == 6
    ballast = small.home.state / "ballast"
    fill(ballast)
    os.kill(small.daemon.pid, signal.SIGCONT)
    eventually(lambda: "no space left" in small.log(), "the log tells")
    job = small.job("default/ticker")
    assert job is not None
    assert job.suspended_at is None
    ballast.unlink()

    def reason() -> str | None:
        job = small.job("default/ticker")
        return job.suspended_reason if job is not None else None

    eventually(lambda: reason() == "audit", "the request is done after all")
    settle(small, witness)


def test_a_token_that_cannot_be_written_leaves_those_there_are_and_says_why(small: Household) -> None:
    small.home.config.write_text("http: {tokens: .jobsctl/tokens}\n", encoding="utf-8")
    small.jobsctl("token", "create", "one")
    before = (small.home.state / "tokens").read_bytes()
    fill(small.home.state / "ballast")
    refused = small.jobsctl("token", "create", "two", check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "free some space" in refused.stderr
    assert (small.home.state / "tokens").read_bytes() == before


@pytest.fixture
def mounted_options(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "size=12m"))


@pytest.mark.parametrize("mounted_options", ["size=64m,nr_inodes=70"], indirect=True, ids=["inodes"])
def test_without_inodes_runs_that_cannot_be_kept_fail_and_say_why(small: Household) -> None:
    witness = ticking(small, "--listen", "127.0.0.1:0", long=True)
    folder = small.home.state / "ballast"
    folder.mkdir()
    with pytest.raises(OSError):
        for number in range(100):
            (folder / str(number)).touch()
    goes_on(small)

    def failures() -> list[str]:
        return [run.error or "" for run in small.runs("default/ticker") if run.state == "failed"]

    eventually(failures, "a run could not start")
    assert all("the disk is full" in error for error in failures())
    for path in folder.iterdir():
        path.unlink()
    ticks_again(small, witness)
    assert small.job("default/ticker") is not None
    (small.home.root / "enough").touch()
    small.jobsctl("suspend", "ticker")
    starts = [slot for slot, _ in ledger.witnessed(witness)]
    assert len(starts) == len(set(starts))
    assert small.stop() == 0
