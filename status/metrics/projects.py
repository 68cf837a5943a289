"""Series of projects: how many jobs are in which phase; and, where there are too many jobs, what stands in for theirs.

Called by `status.metrics.exposition`. Pure. Nothing here is a counter: a sum over jobs goes back when one is archived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from status.metrics.jobs import JobSample
from status.phase import Phase

PHASES = tuple(phase for phase in Phase if phase is not Phase.ARCHIVED)
JOBS_HELP = "Jobs, by project and phase."


@dataclass(frozen=True, slots=True)
class ProjectFamily:
    """One gauge: what it says of the jobs of a project; None: nothing to say."""

    name: str
    help: str
    value: Callable[[Sequence[JobSample]], float | None]


def _least(value: Callable[[JobSample], float | None]) -> Callable[[Sequence[JobSample]], float | None]:
    return lambda samples: min((at for sample in samples if (at := value(sample)) is not None), default=None)


def _failing(samples: Iterable[JobSample]) -> float:
    return sum(sample.last_run_success == 0 and not sample.suspended for sample in samples)


PROJECT_FAMILIES = (
    ProjectFamily(
        "jobsctl_project_failing_jobs", "Jobs whose last run failed or expired, without suspended ones.", _failing
    ),
    ProjectFamily(
        "jobsctl_project_success_deadline_timestamp_seconds",
        "The first instant by which a job of the project must have succeeded.",
        _least(lambda sample: sample.deadline),
    ),
    ProjectFamily(
        "jobsctl_project_suspended_since_timestamp_seconds",
        "Since when the job is suspended that is so longest.",
        _least(lambda sample: sample.suspended_since),
    ),
    ProjectFamily(
        "jobsctl_project_next_run_timestamp_seconds",
        "When the next run of a job is due.",
        _least(lambda sample: sample.next_run),
    ),
)


def render_jobs_by_phase(counts: Mapping[tuple[str, str], int]) -> bytes:
    """`jobsctl_jobs`, with every phase of every project.

    Args:
        counts: by project and phase.
    """
    lines = [
        f'jobsctl_jobs{{project="{project}",phase="{phase}"}} {counts.get((project, phase), 0)}\n'
        for project in sorted({project for project, _ in counts})
        for phase in PHASES
    ]
    return f"# HELP jobsctl_jobs {JOBS_HELP}\n# TYPE jobsctl_jobs gauge\n{''.join(lines)}".encode()


def render_projects(samples: Mapping[str, Sequence[JobSample]]) -> Iterator[bytes]:
    """Every family of `PROJECT_FAMILIES`.

    Args:
        samples: by project.
    """
    for family in PROJECT_FAMILIES:
        lines = [
            f'{family.name}{{project="{project}"}} {value}\n'
            for project in sorted(samples)
            if (value := family.value(samples[project])) is not None
        ]
        yield f"# HELP {family.name} {family.help}\n# TYPE {family.name} gauge\n{''.join(lines)}".encode()
