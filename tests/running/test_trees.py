"""Nothing of a run outlives it, whatever it did to get away; and nothing of another run is touched."""

from __future__ import annotations

import os
import signal
import time

import pytest

from runners.base import EndReason
from tests.running.rig import Rig, alive, eventually

PYTHON = "import os,sys,time\n"
DOUBLE_FORK = (
    PYTHON + "if os.fork()==0:\n os.setsid()\n if os.fork()==0:\n"
    "  open('PIDS','a').write(f'{os.getpid()}\\n'); time.sleep(1000)\n os._exit(0)\nos.wait()\n"
)


def pids(rig: Rig, run_id: str, count: int) -> list[int]:
    """What the job wrote into `pids`, when it has written that many."""
    path = rig.home / f"{run_id}.pids"
    return eventually(
        lambda: found if path.exists() and len(found := [int(x) for x in path.read_text().split()]) == count else None,
        f"{count} pids of {run_id}",
    )


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param("sleep 1000 & echo $! >> PIDS", id="background"),
        pytest.param("setsid sh -c 'echo $$ >> PIDS; exec sleep 1000' &", id="new-session"),
        pytest.param("(setsid sh -c 'echo $$ >> PIDS; exec sleep 1000' &) &", id="double-fork"),
        pytest.param(
            "env -i /usr/bin/setsid /bin/sh -c 'echo $$ >> PIDS; exec /bin/sleep 1000' &", id="no-environment"
        ),
        pytest.param("(env -i /usr/bin/setsid /bin/sh -c 'echo $$ >> PIDS; exec sleep 1000' &) &", id="everything"),
        pytest.param("sh -c 'trap \"\" TERM HUP INT; echo $$ >> PIDS; while :; do sleep 0.1; done' &", id="deaf"),
    ],
)
def test_what_a_run_leaves_behind_is_killed_with_it(rig: Rig, leave: str) -> None:
    path = rig.home / "r1.pids"
    rig.runner.launch(
        [rig.launch("r1", f"{leave.replace('PIDS', str(path))}\nwhile ! [ -s {path} ]; do :; done; exit 7")]
    )
    (left,) = pids(rig, "r1", 1)
    end = rig.ended("r1")
    assert end.exit_code == 7
    assert not alive(left), "the end is told only when the tree is gone"


def test_a_daemonised_grandchild_dies_only_with_its_own_run(rig: Rig) -> None:
    path = rig.home / "r1.pids"
    rig.start("other", "sleep 1000")
    program = DOUBLE_FORK.replace("PIDS", str(path)) + "time.sleep(0.3)\n"
    rig.start("r1", "/usr/bin/python3", "-c", program)
    (left,) = pids(rig, "r1", 1)
    rig.run("r2", "true")
    assert alive(left), "the end of another run does not touch it"
    rig.ended("r1")
    assert not alive(left)
    rig.runner.stop("other", grace=0)
    rig.ended("other")


def test_an_unattributable_stray_lives_until_the_last_run_it_may_belong_to_ends(rig: Rig) -> None:
    path = rig.home / "r1.pids"
    rig.start("older", "sleep 1000")
    escape = f"(env -i /usr/bin/setsid /bin/sh -c 'echo $$ >> {path}; exec /bin/sleep 1000' &) &"
    rig.run("r1", f"{escape} while ! [ -s {path} ]; do :; done")
    (left,) = pids(rig, "r1", 1)
    assert alive(left), "it may be the older run's"
    rig.runner.stop("older", grace=0)
    rig.ended("older")
    assert not alive(left)


def test_a_stop_reaches_what_left_the_session(rig: Rig) -> None:
    path = rig.home / "r1.pids"
    rig.start(
        "r1",
        f"setsid sh -c 'trap \"echo got TERM; exit\" TERM; echo $$ >> {path}; while :; do sleep 0.05; done' & wait; :",
    )
    pids(rig, "r1", 1)
    rig.runner.stop("r1", grace=5)
    assert rig.ended("r1").reason is EndReason.CANCEL
    assert b"got TERM\n" in rig.output("r1")


def test_a_fork_bomb_is_outrun(rig: Rig) -> None:
    bomb = "i=0; while [ $i -lt 60 ]; do (setsid sh -c 'while :; do sleep 0.01 & sleep 0.01; done' &); i=$((i+1)); done"
    before = time.monotonic()
    end = rig.run("r1", bomb)
    assert end.exit_code == 0
    assert time.monotonic() - before < 8
    assert "left" in end.details


def test_a_stopped_process_takes_the_stop(rig: Rig) -> None:
    started = rig.start("r1", "sleep 1000")
    os.kill(started.pid, signal.SIGSTOP)
    rig.runner.stop("r1", grace=10)
    assert rig.ended("r1").signal == 15


def test_cpu_of_strays_counts(rig: Rig) -> None:
    burn = "import time\nend=time.process_time()+0.3\nwhile time.process_time()<end: pass"
    end = rig.run("r1", f"/usr/bin/python3 -c '{burn}'; exit 0")
    assert end.cpu_seconds is not None
    assert end.cpu_seconds >= 0.3


def test_the_rest_of_a_stopped_tree_has_the_whole_grace_when_its_main_process_goes_first(rig: Rig) -> None:
    """systemd's KillMode=control-group: TERM to all, KILL to whoever is left when the time is over."""
    path = rig.home / "r1.pids"
    rig.start("r1", f"sh -c 'trap \"sleep 0.4; echo cleaned; exit\" TERM; echo $$ >> {path}; sleep 9 & wait' & wait; :")
    pids(rig, "r1", 1)
    rig.runner.stop("r1", grace=5)
    assert rig.ended("r1").reason is EndReason.CANCEL
    assert b"cleaned\n" in rig.output("r1")


def test_the_rest_of_a_stopped_tree_is_killed_when_the_grace_is_over(rig: Rig) -> None:
    path = rig.home / "r1.pids"
    rig.start("r1", f"sh -c 'trap \"\" TERM; echo $$ >> {path}; while :; do sleep 0.05; done' & wait; :")
    (left,) = pids(rig, "r1", 1)
    before = time.monotonic()
    rig.runner.stop("r1", grace=0.5)
    assert rig.ended("r1").reason is EndReason.CANCEL
    assert 0.4 < time.monotonic() - before < 3
    assert not alive(left)
