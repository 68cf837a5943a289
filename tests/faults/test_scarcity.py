"""Too few descriptors or processes: what cannot start says so, what runs goes on, nobody dies of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from runners.base import EndReason
from state.reads import Reader
from state.records import Reason, Run
from tests.faults.doors import health
from tests.faults.ticking import goes_on, settle, ticking, ticks_again
from tests.household import ROOT, Household, eventually

FEW_DESCRIPTORS = """
import resource, sys
from pathlib import Path
from runners.base import Exited, Started
from tests.running.rig import Rig
resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
rig = Rig(Path(sys.argv[1]))
try:
    {body}
finally:
    rig.clean()
"""


def with_few_descriptors(body: str, tmp_path: Path) -> str:
    """What `body` prints in a process (and supervisor) that may have 48 descriptors."""
    code = FEW_DESCRIPTORS.format(body=body.strip().replace("\n", "\n    "))
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_runs_that_find_no_descriptors_are_refused_and_the_others_go_on(tmp_path: Path) -> None:
    body = """
names = [f"r{n}" for n in range(30)]
gate = rig.home / "gate"
rig.runner.launch([rig.launch(n, "until [ -e %s ]; do sleep 0.1; done" % gate, stamp_lines=True) for n in names])
supervisor = rig.supervisor()
rig.wait("r29", Exited)
gate.touch()
for name in names: rig.ended(name)
assert rig.supervisor() == supervisor
for name in names:
    end = rig.ended(name)
    print(end.reason, end.exit_code, end.error)
print(rig.run("after", "true", stamp_lines=True).exit_code)
"""
    *ends, after = with_few_descriptors(body, tmp_path).splitlines()
    ran = [line for line in ends if line == f"{EndReason.EXIT} 0 None"]
    refused = [line for line in ends if line.startswith(f"{EndReason.START_ERROR} ")]
    assert len(ran) >= 5
    assert len(refused) >= 5
    assert len(ran) + len(refused) == 30
    assert all("Too many open files" in line and "LimitNOFILE" in line for line in refused)
    assert after == "0", "the descriptors of refused runs were given back"


def test_runs_of_a_dead_supervisor_live_on_when_they_cannot_all_be_watched(tmp_path: Path) -> None:
    body = """
names = [f"r{n}" for n in range(60)]
gate = rig.home / "gate"
rig.runner.launch([rig.launch(n, "until [ -e %s ]; do sleep 0.2; done; exit 7" % gate) for n in names])
for name in names: rig.wait(name, Started)
rig.kill_supervisor()
for _ in range(20): rig.poll(0.1)
print([name for name in names if [m for m in rig.of(name) if isinstance(m, Exited)]])
gate.touch()
print({(rig.ended(name).exit_code, rig.ended(name).signal) for name in names})
"""
    early, ends = with_few_descriptors(body, tmp_path).splitlines()
    assert early == "[]", "killed for lack of descriptors"
    assert ends == "{(7, None)}"


def test_a_supervisor_that_dies_when_there_are_no_descriptors_leaves_its_runs_to_the_next(tmp_path: Path) -> None:
    body = """
gate = rig.home / "gate"
rig.runner.launch([rig.launch("r", "until [ -e %s ]; do sleep 0.1; done; exit 7" % gate)])
rig.wait("r", Started)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 48))
rig.kill_supervisor()
for _ in range(10): rig.poll(0.1)
print(rig.runner.complaint)
resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
gate.touch()
print(rig.ended("r").exit_code)
while rig.runner.name not in rig.runner._by_name: rig.poll()
print(rig.run("after", "true").exit_code)
"""
    complaint, *codes = with_few_descriptors(body, tmp_path).splitlines()
    assert "Too many open files" in complaint
    assert codes == ["7", "0"]


MANY = """\
name: many-{number}
schedule: every 2s
overlap: allow
capture: {{timestamps: line}}
run: {{command: [sh, -c, "echo here; sleep 1.5"]}}
"""


def test_a_daemon_with_64_descriptors_runs_more_jobs_than_that(household: Household) -> None:
    """Each run with stamped lines takes two of the supervisor's: what finds none fails and says so, the rest runs."""
    household.program = ["prlimit", "--nofile=64:64", *household.program]
    witness = ticking(household, "--listen", "127.0.0.1:0", long=True)
    for number in range(40):
        household.write(f"many-{number}.yaml", MANY.format(number=number))
    eventually(lambda: household.job("default/many-39"), "the jobs are known")

    def ends() -> list[Run]:
        with Reader(household.home.database) as reader:
            found = reader.runs(active=False, limit=1000)
        return [run for run in found if run.job.startswith("many-") and run.state != "skipped"]

    eventually(lambda: len(ends()) >= 80, f"they end, one way or the other\n{household.log()}")
    assert household.daemon is not None
    assert household.daemon.poll() is None
    assert {run.reason for run in ends()} <= {Reason.SUCCEEDED, Reason.START_ERROR}
    assert sum(run.reason is Reason.SUCCEEDED for run in ends()) >= 20
    refused = [run.error or "" for run in ends() if run.reason is Reason.START_ERROR]
    assert refused, "40 runs found two descriptors each: the limit did not hold"
    assert all("Too many open files" in error for error in refused)
    assert health(household)["status"] in ("ok", "degraded")
    goes_on(household)
    for number in range(40):
        (household.home.specs / f"many-{number}.yaml").unlink()
    ticks_again(household, witness)
    settle(household, witness, unstarted=True)
