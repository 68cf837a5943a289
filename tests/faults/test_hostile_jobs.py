"""Jobs that take what they can get: processes, disk, descriptors. Limits hold, and what was done is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runners.supervisor import cgroup
from state.reads import Reader
from state.records import RunState
from tests.household import Household, eventually

FORK_BOMB = """\
name: bomb
timeout: 2s
grace: 1s
run:
  interpreter: [python3]
  script: |
    import os
    while True:
        try: os.fork()
        except OSError: pass
  limits: {pids: 20}
"""
FLOOD = """\
name: flood
run:
  command: [sh, -c, 'echo THE-BEGINNING; head -c 1073741824 /dev/zero; echo; echo THE-END']
  limits: {output: 1MiB}
"""


def remarks(household: Household, name: str) -> str:
    """What the run's events say beside its end."""
    (run,) = household.runs(f"default/{name}")
    with Reader(household.home.database) as reader:
        return " ".join(event.message for event in reader.events(run_id=run.id) if event.reason == "remarks")


@pytest.mark.skipif(
    "pids" not in cgroup.hierarchies().v1 and cgroup.hierarchies().v2 is None,
    reason="no pids control group can be made here, and root has no other limit",
)
def test_a_fork_bomb_is_held_and_ended(household: Household) -> None:
    household.commit({"bomb.yaml": FORK_BOMB})
    household.start()
    eventually(lambda: household.job("default/bomb"), "the job is known")
    household.jobsctl("trigger", "bomb", "--wait", "--timeout", "15s", check=False)
    (run,) = household.runs("default/bomb")
    assert run.state is RunState.EXPIRED
    assert "pids: cgroup" in remarks(household, "bomb")
    assert household.stop() == 0


def test_a_gigabyte_of_output_keeps_its_ends_and_not_the_disk(household: Household) -> None:
    household.commit({"flood.yaml": FLOOD})
    household.start()
    before = time.monotonic()
    eventually(lambda: household.job("default/flood"), "the job is known")
    household.jobsctl("trigger", "flood", "--wait", "--timeout", "30s")
    (run,) = household.runs("default/flood")
    log = household.home.run_dir("default", "flood", run.id) / "output.log"
    assert run.output_bytes is not None
    assert run.output_bytes > 1 << 30
    assert log.stat().st_blocks * 512 < 3 << 20, "the middle takes no room"
    assert "THE-BEGINNING" in household.jobsctl("logs", "flood").stdout
    assert household.jobsctl("logs", "flood", "--tail", "1").stdout == "THE-END\n"
    assert "output: limited to 1048576 bytes" in remarks(household, "flood")
    assert time.monotonic() - before < 20
    assert household.stop() == 0


def test_what_a_daemonising_job_leaves_is_ended_and_told(household: Household) -> None:
    pids = household.home.root / "pids"
    script = f"(env -i /usr/bin/setsid /bin/sh -c 'echo $$ >> {pids}; exec /bin/sleep 1000' &) & sleep 0.3"
    household.commit({"left.yaml": f'name: left\nrun: {{command: [sh, -c, "{script}"]}}\n'})
    household.start()
    eventually(lambda: household.job("default/left"), "the job is known")
    household.jobsctl("trigger", "left", "--wait")
    (pid,) = pids.read_text().split()
    eventually(lambda: not Path(f"/proc/{pid}").exists(), "it is gone")
    assert "left behind and killed" in remarks(household, "left")
    assert household.stop() == 0
