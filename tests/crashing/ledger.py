"""The judge of a crash: what the job itself wrote down, held against what the database says.

The job appends its slot and run id to a file, so the file is a witness that no code of ours had a hand in.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from specs.model import Dst
from specs.schedule import parse_schedule
from state.records import TERMINAL_STATES, JobRecord, Reason, Run, RunState

JOB = """\
name: ticker
schedule: every {period}
run:
  command: [sh, -c, 'echo "$JOBSCTL_SCHEDULED_FOR $JOBSCTL_RUN_ID" >> {witness}']
"""


def spec(witness: Path, period: str = "1s") -> str:
    return JOB.format(witness=witness, period=period)


def witnessed(witness: Path) -> list[tuple[str, str]]:
    """(slot, run id) per start, as the job wrote them."""
    if not witness.exists():
        return []
    lines = witness.read_text(encoding="ascii").splitlines()
    return [(line.split()[0], line.split()[1]) for line in lines]


def check(
    job: JobRecord, runs: list[Run], witness: Path, *, period: str = "1s", lost: int = 0, unstarted: bool = False
) -> None:
    """No slot lost, none doubled, every row explained.

    Args:
        lost: runs that may have ended `lost`, because daemon and supervisor were both killed: they may or may not
            have written their line, but never more than one.
        unstarted: the machine had no room for a while: runs may have failed to start, with the reason and no line.
    """
    starts = witnessed(witness)
    doubled = [run_id for run_id, count in Counter(run_id for _, run_id in starts).items() if count > 1]
    assert not doubled, f"started twice: {doubled}"
    slots_twice = [slot for slot, count in Counter(slot for slot, _ in starts).items() if count > 1]
    assert not slots_twice, f"slots run twice: {slots_twice}"

    by_id = {run.id: run for run in runs}
    assert {run_id for _, run_id in starts} <= set(by_id), "a run that the database does not know"
    unended = [run.id for run in runs if run.state not in TERMINAL_STATES]
    assert len(unended) <= 1, f"rows that nobody settles: {unended}"
    unexplained = [run.id for run in runs if run.state in TERMINAL_STATES and run.reason is None]
    assert not unexplained, f"rows without a reason: {unexplained}"
    ran = {run.id for run in runs if run.state is RunState.SUCCEEDED}
    assert ran <= {run_id for _, run_id in starts}, "a success that never happened"
    lost_rows = [run.id for run in runs if run.reason is Reason.LOST]
    assert len(lost_rows) <= lost, f"lost: {lost_rows}"
    explained = {Reason.LOST, Reason.START_ERROR} if unstarted else {Reason.LOST}
    refused = {run.id for run in runs if run.reason is Reason.START_ERROR}
    assert not refused & {run_id for _, run_id in starts}, "started, and said that it could not be"
    unexpected = [
        run for run in runs if run.state not in (RunState.SUCCEEDED, RunState.SKIPPED) and run.reason not in explained
    ]
    assert all(run.state not in TERMINAL_STATES for run in unexpected), [
        (run.id, run.reason, run.error) for run in unexpected
    ]

    schedule = parse_schedule(f"every {period}", timezone="UTC", dst=Dst(), identity=job.identity)
    expected = schedule.count(after=job.anchor_at, through=job.cursor_at, anchor=job.anchor_at)
    accounted = sum(run.skipped_count or 0 if run.state is RunState.SKIPPED else 1 for run in runs)
    assert accounted == expected, f"{expected} slots were due, {accounted} are accounted for"
