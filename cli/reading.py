"""What the readers share: the open database, what the files said last, and jobs as the views and tables need them.

Used by every command that shows or names something. Reads SQLite directly, so it works with no daemon running.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cli.options import Settings
from state.errors import NotFound
from state.home import Home
from state.reads import Reader
from state.records import JobRecord, Run, SourceState
from status.timing import words_of
from status.views import View, job_view

if TYPE_CHECKING:  # what reads specs takes 150 ms to load, which commands about runs and events need not pay
    from specs.calendar import Calendars, JobCalendar
    from specs.config import Config
    from specs.diagnostic import InvalidSpec
    from specs.policy import Policy


@dataclass
class Reading:
    """An open database with what is asked of it again and again."""

    home: Home
    reader: Reader
    now: int
    config_problem: InvalidSpec | None = None
    """What is wrong with `jobsctl.yaml`; known once `config` was asked for."""
    _last_runs: dict[str, Run] = field(default_factory=dict)
    """By id, those that were asked for together."""

    @cached_property
    def source(self) -> SourceState | None:
        """The last look at the files."""
        return self.reader.source()

    @property
    def source_problem(self) -> str | None:
        return self.source.problem if self.source else None

    @cached_property
    def config(self) -> Config:
        """The settings; the defaults where they are wrong, so that everything else can still be seen."""
        from specs.config import Config, load_config
        from specs.diagnostic import InvalidSpec

        try:
            return load_config(self.home.root)
        except InvalidSpec as error:
            self.config_problem = error
            return Config()

    def find(self, identity: str) -> JobRecord | None:
        """The job of an identity (`project/name`); None when there is none."""
        try:
            return self.reader.job(identity)
        except NotFound:
            return None

    def fetch_last_runs(self, jobs: Iterable[JobRecord]) -> None:
        """Read what `last_run` will be asked about these jobs, in one question."""
        self._last_runs = self.reader.runs_of_ids(job.last_run_id for job in jobs if job.last_run_id is not None)

    def last_run(self, job: JobRecord) -> Run | None:
        """The run a job's `lastRun` is about; None when there is none, or it was pruned meanwhile."""
        if job.last_run_id is None:
            return None
        if (known := self._last_runs.get(job.last_run_id)) is not None:
            return known
        try:
            return self.reader.run(job.last_run_id)
        except NotFound:
            return None

    @cached_property
    def _calendars(self) -> Mapping[str, JobCalendar]:
        from status.calendars import compile_calendars

        return compile_calendars(self.reader.documents("Calendar"), default_timezone=self.config.timezone)

    def calendars(self, policy: Policy) -> Calendars | None:
        """The calendars a job names; None when it names none that is known."""
        if not policy.calendars:
            return None
        from status.calendars import calendars_of

        return calendars_of(policy, self._calendars)

    def deadline(self, job: JobRecord) -> int | None:
        """By when the job must have succeeded."""
        from status.deadline import read_policy, read_spec, schedule_of, success_deadline

        zone = self.config.timezone
        return success_deadline(
            job,
            read_spec(job.spec),
            schedule_of(job, default_timezone=zone),
            calendars=self.calendars(read_policy(job.spec, zone)),
            default_timezone=zone,
        )

    def view(self, job: JobRecord) -> View:
        """The job as in status files and over HTTP."""
        from status.deadline import read_policy

        return job_view(
            job,
            last_run=self.last_run(job),
            source_problem=self.source_problem,
            default_timezone=self.config.timezone,
            calendars=self.calendars(read_policy(job.spec, self.config.timezone)),
        )

    def words(self, job: JobRecord) -> str:
        """The schedule in words."""
        from specs.expression import ScheduleError
        from specs.schedule import compile_schedule
        from status.deadline import read_policy, read_spec

        try:
            schedule = compile_schedule(read_spec(job.spec), default_timezone=self.config.timezone)
            return words_of(schedule, read_policy(job.spec, self.config.timezone))
        except ScheduleError as error:
            return error.message


@contextmanager
def reading(settings: Settings) -> Iterator[Reading]:
    """Open the home's database for reading.

    Raises:
        cli.errors.NotFound: there is no home.
        StateError: there is no database yet, or it cannot be read by this version.
    """
    home = settings.existing_home()
    with Reader(home.database) as reader:
        yield Reading(home, reader, settings.now())
