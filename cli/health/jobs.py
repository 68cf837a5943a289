"""Jobs that nobody may be looking at any more: without success, suspended for long, never run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cli.health.finding import DAY, Check, Finding, Patient, ok, warning
from cli.output import counted
from state.reads import Reader
from state.records import JobRecord
from status.deadline import read_spec
from status.phase import suspension_of

LONG = 30 * DAY
"""A pause longer than a month is not a pause."""
SHOWN = 5


def check_stale(patient: Patient) -> Iterator[Finding]:
    """Each kind of forgotten job is one finding with the first names."""
    seen = patient.reading
    if seen is None:
        return
    number, jobs = _candidates(seen.reader, patient)
    live = [job for job in jobs if _goes_on(job)]
    doubtful = [job for job in seen.reader.doubtful(patient.now) if _goes_on(job)]  # no other one is late
    found = [
        *_told(
            [job for job in doubtful if (due := seen.deadline(job)) is not None and due < patient.now and _began(job)],
            "should have succeeded by now and did not",
            "jobsctl status NAME, jobsctl why NAME",
        ),
        *_told(
            [job for job in jobs if job.suspended_at is not None and job.suspended_at < patient.now - LONG],
            "suspended for more than a month",
            "jobsctl resume NAME, or delete it",
        ),
        *_told(
            [job for job in live if _is_past_once(job)],
            "have no slot left (`once` in the past, or `end_at`), and never ran",
            "jobsctl trigger NAME runs it now; or give it another time",
        ),
        *_told(
            [job for job in live if job.stalled is not None],
            "stalled: the daemon cannot schedule them",
            "jobsctl events NAME --warnings",
        ),
        *_told(
            [job for job in live if _never_ran(job, patient.now)],
            "declared for more than a month, and never ran",
            "jobsctl why NAME tells what keeps it",
        ),
    ]
    yield from found or [ok(f"{counted(number, 'job')}, none forgotten")]


def _candidates(reader: Reader, patient: Patient) -> tuple[int, list[JobRecord]]:
    """How many jobs there are, and those that one of the rules below can be about: of the others nothing is read."""
    ((number,),) = patient.rows("SELECT count(*) FROM job WHERE archived_at IS NULL")
    found = patient.rows(
        "SELECT id FROM job WHERE archived_at IS NULL AND (suspended_at < ?1 OR stalled IS NOT NULL OR "
        "scheduled AND (next_at IS NULL AND last_run_id IS NULL OR last_started_at IS NULL AND applied_at < ?1)) "
        "ORDER BY project, name",
        (patient.now - LONG,),
    )
    return int(str(number)), reader.numbered(int(str(id)) for (id,) in found)


def _told(jobs: list[JobRecord], what: str, mend: str) -> Iterator[Finding]:
    if jobs:
        names = _names(jobs)
        yield warning(f"{counted(len(jobs), 'job')} {what}: {names}", mend)


def _names(jobs: Iterable[JobRecord]) -> str:
    names = [job.identity for job in jobs]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _goes_on(job: JobRecord) -> bool:
    return job.completed_at is None and suspension_of(job) is None


def _began(job: JobRecord) -> bool:
    """Its first slot has come."""
    return job.last_run_id is not None or job.next_at is None


def _is_past_once(job: JobRecord) -> bool:
    """It has slots left to come no more, though it never had one."""
    return job.next_at is None and job.last_run_id is None and _has_schedule(job)


def _never_ran(job: JobRecord, now: int) -> bool:
    old = job.last_started_at is None and job.applied_at < now - LONG
    return old and _has_schedule(job) and not _is_past_once(job)


def _has_schedule(job: JobRecord) -> bool:
    return read_spec(job.spec).schedule is not None


CHECKS = (Check("jobs", "jobs without success, suspended for long, never run, or `once` in the past", check_stale),)
