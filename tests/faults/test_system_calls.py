"""System calls that fail under the daemon or the supervisor for a while, as strace injects them.

What every row claims: nobody dies of it (but a supervisor that cannot read its own bell: the daemon takes over), a run
that goes on is not disturbed, and afterwards work goes on by itself with every slot accounted for. `FAULTS=full` tries
all; without it, those that taught us something.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.components import program
from tests.faults.ticking import goes_on, settle, ticking, ticks_again
from tests.household import Household, eventually

SECONDS = 1.2
"""A slot of the ticker, and no more: what goes wrong goes wrong at once."""

FULL = os.environ.get("FAULTS") == "full"
MORE = pytest.mark.skipif(not FULL, reason="FAULTS=full")
FAULTS = [
    pytest.param("daemon", "fdatasync,fsync:error=EIO", "input/output error", id="daemon-sync"),
    pytest.param("daemon", "pwrite64:error=ENOSPC:when=1+3", "no space left", id="daemon-write", marks=MORE),
    pytest.param("daemon", "openat:error=EMFILE:when=1+2", "Too many open files", id="daemon-open", marks=MORE),
    pytest.param(
        "daemon", "rename,renameat2,unlink,mkdir:error=EIO", "Input/output error", id="daemon-rename", marks=MORE
    ),
    pytest.param("daemon", "sendto:error=ENOBUFS:when=1+2", None, id="daemon-send"),
    pytest.param("daemon", "recvfrom:error=ENOMEM:when=2", None, id="daemon-receive"),
    pytest.param("supervisor", "openat:error=EMFILE", "Too many open files", id="supervisor-open"),
    pytest.param("supervisor", "openat:error=ENFILE:when=1+3", None, id="supervisor-open-some", marks=MORE),
    pytest.param("supervisor", "write:error=ENOSPC", "No space left on device", id="supervisor-write"),
    pytest.param("supervisor", "mkdir:error=EACCES", "Permission denied", id="supervisor-mkdir", marks=MORE),
    pytest.param("supervisor", "vfork,clone,clone3:error=EAGAIN", "no room for another process", id="supervisor-fork"),
    pytest.param("dying supervisor", "read,pread64:error=EIO:when=1+3", None, id="supervisor-read", marks=MORE),
    pytest.param("supervisor", "newfstatat,lseek:error=EIO", None, id="supervisor-stat", marks=MORE),
    pytest.param("supervisor", "sendto:error=ENOBUFS:when=1+2", None, id="supervisor-send", marks=MORE),
]


def inject(pids: list[int], fault: str, log: Path) -> int:
    """Let the calls of these threads fail for `SECONDS`. How many did."""
    calls = fault.partition(":")[0]
    tracer = subprocess.Popen(
        [program("strace"), "-qq", "-o", str(log), "-e", f"trace={calls}", "-e", f"inject={fault}",
         *(f"-p{pid}" for pid in pids)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with tracer:
        time.sleep(SECONDS)
        tracer.send_signal(signal.SIGINT)
        _, said = tracer.communicate(timeout=10)
    assert "ptrace" not in said, said
    return log.read_text(errors="replace").count("(INJECTED)")


@pytest.mark.parametrize(("who", "fault", "said"), FAULTS)
def test_failing_system_calls_are_survived(who: str, fault: str, said: str | None, household: Household) -> None:
    witness = ticking(household, long=True)
    daemon = household.daemon
    assert daemon is not None
    pid = daemon.pid if who == "daemon" else household.supervisors()[0]
    failed = inject([pid], fault, household.home.root / "trace")
    assert failed >= 1, "nothing was injected: the test tests nothing"
    if said is not None:
        assert said in household.log()
    assert daemon.poll() is None, household.log()
    assert who != "supervisor" or pid in household.supervisors(), "it died of it"
    goes_on(household)
    ticks_again(household, witness)
    settle(household, witness, unstarted=True)


@pytest.mark.parametrize("fault", ["newfstatat,fstat,statx:error=EIO", "openat:error=EMFILE"], ids=["stat", "open"])
def test_specs_that_cannot_be_looked_at_for_a_while_are_looked_at_again(fault: str, household: Household) -> None:
    """As on a network file system that went away: no job goes, and the next edit is seen."""
    witness = ticking(household)
    daemon = household.daemon
    assert daemon is not None
    threads = [int(path.name) for path in Path(f"/proc/{daemon.pid}/task").iterdir()]
    threads.remove(daemon.pid)
    edit = threading.Timer(0.4, household.write, ("meanwhile.yaml", "name: meanwhile\nrun: {command: ['true']}\n"))
    edit.start()
    failed = inject(threads, fault, household.home.root / "trace")
    edit.join()
    assert failed >= 1, "nothing was injected: the test tests nothing"
    assert "Exception in thread" not in household.log(), household.log()
    household.write("afterwards.yaml", "name: afterwards\nrun: {command: ['true']}\n")
    eventually(lambda: household.job("default/afterwards"), "an edit is seen")
    eventually(lambda: household.job("default/meanwhile"), "also the one before")
    job = household.job("default/ticker")
    assert job is not None
    assert job.missing_since is None
    settle(household, witness)
