"""What is wrong now, the gravest first, each with the next sensible step: what `status` and the overview begin with.

Called by the command line and by the page. Pure: records and facts in, problems out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from specs.frozen import frozen
from state.records import Health, JobRecord, Reason, Run, SourceState
from status.heartbeat import DOWN_AFTER, Heartbeat
from status.phase import first_problem
from status.words.counting import counted
from status.words.times import relative

WROTE_NOTHING = (Reason.START_ERROR, Reason.DEPENDENCY, Reason.LOST)
"""Why a run has failed whose log tells nothing of it."""


@frozen
class Problem:
    """One thing that is not all right, and what to do about it."""

    kind: str
    """`disk`, `silent` (no sign of life), `daemon`, `config`, `source`, `file`, `prune`, `failing`, `stalled`,
    `overdue`, `delivery` or `backup`."""
    subject: str
    message: str
    next: str
    """A command."""
    since: int | None = None
    """Since when, where that is known; µs."""
    identity: str | None = None
    """`project/name` of the job it is about."""
    run: str | None = None
    """The run that tells more."""

    def view(self) -> dict[str, str]:
        return {"kind": self.kind, "subject": self.subject, "message": self.message, "next": self.next}


def gravest_first(problems: Iterable[Problem]) -> list[Problem]:
    """As they come, which is the gravest first; what can wait until nothing else is wrong stands last."""
    return sorted(problems, key=lambda each: each.kind == "backup")


def daemon_problems(beat: Heartbeat | None, now: int) -> Iterator[Problem]:
    """What a running daemon says of itself, or does not."""
    if beat is None:
        return
    if beat.age(now) > DOWN_AFTER:
        message = f"it runs, but its last sign of life is {relative(beat.at, now)}"
        yield Problem("silent", "daemon", message, "look at its log and at the load of the machine", since=beat.at)
    elif beat.last_error is not None and (beat.last_error_at or 0) > (beat.last_pass_at or 0):
        yield Problem(
            "daemon",
            "daemon",
            beat.last_error,
            "it tries again by itself; its log tells more",
            since=beat.last_error_at,
        )
    if beat.number("readers", "failures"):
        listen = beat.text("readers", "listen")
        served = f"HTTP on {listen} and status files are" if listen else "status files are"
        message = f"{served} not served: the process for them ends as soon as it is started"
        yield Problem("daemon", "daemon", message, "jobsctl doctor")
    if waiting := beat.number("runs", "unlaunched"):
        message = f"{counted(int(waiting), 'run')} cannot start: no supervisor process can be started"
        yield Problem("daemon", "daemon", message, "it tries again by itself; its log says why")


def source_problems(source: SourceState | None, applied: Collection[str]) -> Iterator[Problem]:
    """What is wrong with the files. `applied`: identities of jobs of which a good version runs on."""
    if source is None:
        return
    if source.problem is not None:
        message = f"{source.problem}; what was applied last goes on"
        yield Problem("source", source.root, message, f"look at {source.root}")
    errors = [finding for finding in source.diagnostics if finding.get("severity", "error") == "error"]
    for finding in errors:
        place = f"{finding.get('path')}:{finding.get('line')}:{finding.get('column')}"
        identity = finding.get("identity")
        last = "; the last good version runs on" if identity in applied else ""
        yield Problem(
            "file", place, f"{finding.get('message')}{last}", "jobsctl validate",
            identity=identity if identity in applied else None,
        )  # fmt: skip
    if source.prune_blocked:
        count = len(source.prune_blocked)
        yield Problem(
            "prune",
            source.root,
            f"{count} jobs vanished from the files at once, and were kept",
            "bring the files back, or let them go: jobsctl apply --confirm-prune",
        )


def job_problems(
    jobs: Sequence[JobRecord],
    *,
    source: SourceState | None,
    ends: Mapping[str, Run],
    retries: Mapping[int, Run],
    deadline_of: Callable[[JobRecord], int | None],
    now: int,
) -> Iterator[Problem]:
    """What is wrong with jobs.

    Args:
        jobs: those that may be unwell, as `Reader.doubtful` gives them.
        ends: the runs their `last_end_id` names, by id.
        retries: the next attempt that waits for its delay, by job number.
        deadline_of: by when a job must have succeeded.
    """
    told = {str(finding.get("identity")) for finding in source.diagnostics} if source else set()
    for job in jobs:
        identity, problem = job.identity, first_problem(job)
        if problem is not None and identity not in told:
            message = f"{problem}; the last good version runs on"
            yield Problem("file", identity, message, "jobsctl validate", job.problem_since, identity)
        if job.stalled is not None:
            yield Problem("stalled", identity, job.stalled, f"jobsctl events {identity} --warnings", None, identity)
    for job in sorted(jobs, key=lambda each: each.health_since or 0, reverse=True):
        if job.health is Health.FAILING:
            yield _failing(job, ends.get(job.last_end_id or ""), retries.get(job.id or 0), now)
        elif (deadline := missed_deadline(job, now, deadline_of)) is not None:
            message = f"should have succeeded {relative(deadline, now)}"
            yield Problem("overdue", job.identity, message, f"jobsctl why {job.identity}", deadline, job.identity)


def _failing(job: JobRecord, run: Run | None, retry: Run | None, now: int) -> Problem:
    """`run`: the one that failed; not the newest, which may be the next attempt that waits."""
    why = run.error if run is not None and run.error else "its last run did not succeed"
    times = job.consecutive_failures
    often = f"failed {times} times, first" if times > 1 else "failed"
    again = "" if retry is None else f"; attempt {retry.attempt} follows"
    if retry is not None and retry.not_before is not None:
        again = f"; attempt {retry.attempt} {relative(retry.not_before, now)}"
    message = f"{often} {relative(job.health_since, now)}: {why}{again}"
    wrote = run is not None and run.reason not in WROTE_NOTHING
    command = f"jobsctl {'logs' if wrote else 'why'} {job.identity}"
    return Problem(
        "failing", job.identity, message, command, job.health_since, job.identity, None if run is None else run.id
    )


def missed_deadline(job: JobRecord, now: int, deadline_of: Callable[[JobRecord], int | None]) -> int | None:
    """By when a job should have succeeded of which nothing failed: it did not run, or does not end. Else None."""
    if job.problem or job.stalled is not None or job.health is Health.FAILING:
        return None
    if job.last_success_at is None and job.next_at is not None and job.next_at > now and not job.active_runs:
        return None  # its first slot is still to come
    deadline = deadline_of(job)
    return deadline if deadline is not None and deadline < now else None
