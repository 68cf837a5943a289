"""A job told in lines: what it is, how it is, when it runs, its last runs. Used by `status JOB`."""

from __future__ import annotations

from collections.abc import Iterator

from cli.output import Cell
from cli.reading import Reading
from cli.tables import phase_cell, state_cell
from cli.terminal import one_line
from state.records import Health, JobRecord, RunState
from status.deadline import read_spec
from status.phase import Suspension, conditions_of, suspension_of, sync_of
from status.problems.now import WROTE_NOTHING, missed_deadline
from status.silences import silence_of, silence_words
from status.words.runs import duration_text, short_revision, waiting_words
from status.words.times import both, relative

LABEL = 13
SHOWN_RUNS = 5
GOOD = {"Ready": "True", "Reconciling": "False", "Stalled": "False", "Healthy": "True"}
"""What each condition is when all is well; `Complete` is neither good nor bad."""


def is_well(seen: Reading, job: JobRecord) -> bool:
    """Nothing of it fails or is late, its file is sound, and the daemon can decide on it."""
    failing = job.health is Health.FAILING
    return (
        not job.problem
        and job.stalled is None
        and not failing
        and missed_deadline(job, seen.now, seen.deadline) is None
    )


def job_lines(seen: Reading, job: JobRecord) -> Iterator[str | Cell]:
    """The lines, most important first."""
    spec = read_spec(job.spec)
    now = seen.now
    yield Cell(f"{'Job':{LABEL}}{job.identity}", "bold")
    if spec.description:
        yield _fact("Description", spec.description)
    cell = phase_cell(job, seen.last_run(job))
    yield Cell(_fact("Phase", cell.text), cell.style)
    yield _fact("Schedule", seen.words(job))
    suspension = suspension_of(job)
    if suspension is not None:
        yield Cell(_fact("Suspended", pause_words(suspension, job, now)), "yellow")
        if suspension.override:
            yield _fact("", f"-> jobsctl resume {job.identity}")
    elif job.archived_at is None:
        yield _fact("Next run", both(job.next_at, now))
    silence = silence_of(job.identity, seen.silences, now)
    if silence is not None:
        yield Cell(_fact("Silenced", silence_words(silence, now)), "yellow")
        yield _fact("", f"-> jobsctl silence {job.identity if silence.identity else '--all'} --end")
    yield _fact("Last success", both(job.last_success_at, now))
    if (deadline := missed_deadline(job, seen.now, seen.deadline)) is not None:
        yield Cell(_fact("Overdue", f"it should have succeeded by {both(deadline, now)}"), "red")
    revision = f", revision {short_revision(job.revision)}" if job.revision else ""
    yield _fact("File", f"{job.path}:{job.line}{revision}")
    applied = f"generation {job.generation}, applied {relative(job.applied_at, now)}"
    yield _fact("Applied", f"{applied}, {sync_of(job, source_problem=seen.source_problem)}")
    if job.archived_at is not None:
        yield _fact("Archived", both(job.archived_at, now))
    if spec.labels:
        yield _fact("Labels", ", ".join(f"{key}={value}" for key, value in sorted(spec.labels.items())))
    counts = ", ".join(f"{count} {state}" for state, count in job.counts.items() if count)
    yield _fact("Runs ever", counts or "none")
    yield from _findings(job)
    yield from _conditions(seen, job)
    yield from _runs(seen, job)


def pause_words(suspension: Suspension, job: JobRecord, now: int) -> str:
    """`3h ago by ann@desk: disk is full`; `by its file, hello.yaml:1: ...`; both, when both hold."""
    reason = suspension.reason or "no reason given"
    if not suspension.override:
        return f"by its file, {job.path}:{job.line}, {relative(suspension.at, now)}: {reason}"
    also = f" (and by its file, {job.path}:{job.line})" if suspension.declared else ""
    return f"{relative(suspension.at, now)} by {suspension.by or 'somebody'}: {reason}{also}"


def _fact(name: str, value: str) -> str:
    return f"{name:{LABEL}}{one_line(value)}"


def _findings(job: JobRecord) -> Iterator[str | Cell]:
    if not job.problem:
        return
    yield ""
    yield Cell(f"Its file is wrong; generation {job.generation} runs on", "red")
    for finding in job.problem:
        place = f"{finding.get('path')}:{finding.get('line')}:{finding.get('column')}"
        yield "  " + one_line(f"{place}: {finding.get('code')}: {finding.get('message')}")
        if finding.get("help"):
            yield f"    help: {one_line(str(finding['help']))}"


def _conditions(seen: Reading, job: JobRecord) -> Iterator[str | Cell]:
    yield ""
    yield Cell("Conditions", "bold")
    conditions = conditions_of(job, last_run=seen.last_run(job))
    width = max(len(condition.reason) for condition in conditions)
    for condition in conditions:
        bad = condition.status != GOOD.get(condition.type, condition.status) and condition.status != "Unknown"
        text = f"  {condition.type:11}  {condition.status:7}  {condition.reason:{width}}  {one_line(condition.message)}"
        yield Cell(text.rstrip(), "red" if bad else "")


def _runs(seen: Reading, job: JobRecord) -> Iterator[str | Cell]:
    yield ""
    yield Cell("Last runs", "bold")
    runs = seen.reader.runs(job_id=job.id, limit=SHOWN_RUNS)
    rows = [(state_cell(run), relative(run.started_at or run.created_at, seen.now)) for run in runs]
    width = max((len(state.text) for state, _ in rows), default=0)
    for run, (state, at) in zip(runs, rows, strict=True):
        yield Cell(f"  {run.id}  {state.text:{width}}  {at:10}  {duration_text(run, seen.now)}", state.style)
        if run.state is RunState.BLOCKED:
            yield Cell(f"  {'':26}  waits for {waiting_words(run, seen.now)}", "yellow")
    if not runs:
        yield "  none yet"
    ended = next((run for run in runs if run.id == job.last_end_id), None)
    if job.health is Health.FAILING:
        wrote = ended is not None and ended.reason not in WROTE_NOTHING
        yield f"  -> jobsctl logs {ended.id}" if wrote and ended is not None else f"  -> jobsctl why {job.identity}"
    elif runs and runs[0].state is RunState.BLOCKED:
        yield f"  -> jobsctl why {job.identity}"
