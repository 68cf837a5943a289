"""What the readers share: the open database, what the files said last, and jobs as the views and tables need them.

Used by every command that shows or names something. Reads SQLite directly, so it works with no daemon running; with
`--server` the same is asked over HTTP (`cli.remote`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.options import Settings
from state.errors import NotFound
from state.home import Home
from state.reads import Reader
from state.records import JobRecord, Run, SilenceRecord, SourceState
from status.heartbeat import Heartbeat, read_heartbeat
from status.timing import words_of

if TYPE_CHECKING:  # what reads specs or files of runs takes 20 ms and more to load: only who needs it pays
    from pathlib import Path

    from cli.rundir import RunDirectory
    from specs.calendar import Calendars, JobCalendar
    from specs.config import Config
    from specs.diagnostic import InvalidSpec
    from specs.policy import Policy
    from status.problems.now import Problem
    from status.search import Hit
    from status.views import View


SCREENFUL, PAGE = 100, 1000
"""Jobs that are read at first, where there may be thousands, and then at once: what a server gives at most."""
DEFAULT_ZONE = "UTC"
"""`timezone` of `specs.config.Config`, spelled out so that it need not be loaded; a test compares."""


def says_nothing(settings: bytes) -> bool:
    """Whether the text of `jobsctl.yaml` is all comments, as `jobsctl init` writes it."""
    return all(not line.strip() or line.lstrip().startswith(b"#") for line in settings.splitlines())


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
    _words: dict[bytes, str] = field(default_factory=dict)
    """By what specs say of it: thousands of jobs say the same."""

    @cached_property
    def source(self) -> SourceState | None:
        """The last look at the files."""
        return self.reader.source()

    @property
    def source_problem(self) -> str | None:
        return self.source.problem if self.source else None

    @cached_property
    def timezone(self) -> str:
        """The zone of jobs that name none: as the daemon took it at its start, else as `jobsctl.yaml` says.

        The settings are read only where they say anything: it takes 100 ms to load what reads them.
        """
        beat = self.heartbeat
        if beat is not None and (zone := beat.text("timezone")) is not None:
            return zone
        return DEFAULT_ZONE if self.has_usual_settings else self.config.timezone

    @property
    def base_dir(self) -> Path:
        """Where relative paths of specs start: as for the daemon."""
        from specs.outside import base_dir

        root = self.home.root
        return base_dir(self.home.specs if self.has_usual_settings else root / self.config.specs, root)

    @property
    def has_usual_settings(self) -> bool:
        """Whether `jobsctl.yaml` is not there, or says nothing."""
        try:
            return not self.home.config.is_fifo() and says_nothing(self.home.config.read_bytes())
        except FileNotFoundError:
            return True
        except OSError:
            return False

    @property
    def has_settings_of_the_daemon(self) -> bool:
        """Whether `jobsctl.yaml` is still as the running daemon read it at its start, and so is sound."""
        beat = self.heartbeat
        try:
            changed = self.home.config.stat().st_mtime_ns // 1000
        except OSError:
            return False
        return self.alive and beat is not None and beat.started_at is not None and changed < beat.started_at

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

    @property
    def pause(self) -> float:
        """Seconds between two looks at a growing log: below what a person notices, and hardly any work."""
        return 0.1

    @property
    def alive(self) -> bool:
        """Whether a daemon is running on the home."""
        from state.inbox import daemon_alive

        return daemon_alive(self.home)

    @property
    def heartbeat(self) -> Heartbeat | None:
        """What the daemon last said of itself."""
        return read_heartbeat(self.home)

    @property
    def read_only(self) -> bool:
        """Whether the state directory is on a file system that cannot be written."""
        return bool(os.statvfs(self.home.state).f_flag & os.ST_RDONLY)

    def home_problems(self) -> list[Problem]:
        """What is wrong besides the daemon, files and jobs."""
        from status.problems.home import home_problems

        return list(home_problems(self.home, self.now))

    def version(self) -> object:
        """Something that is another one after anything changed that readers show, other than by time passing."""
        from state.outbox.reads import outbox_version

        beat = self.heartbeat
        told = outbox_version(self.home.outbox)
        return self.reader.data_version(), told, self.alive, beat and (beat.state, beat.last_error_at)

    def anew(self, now: int) -> Reading:
        """The same database, read again later."""
        return Reading(self.home, self.reader, now)

    def files(self, run: Run) -> RunDirectory:
        """What is in the run's directory."""
        from cli.rundir import RunDirectory

        return RunDirectory(self.home.run_dir_of(run))

    def search(
        self, text: str, *, project: str | None, labels: Sequence[str], archived: bool | None, limit: int
    ) -> tuple[list[Hit], int]:
        """As `status.search.search`, of jobs selected as by `Reader.jobs`."""
        from status.search import parse_query, search

        specs = self.reader.specs(project=project, labels=labels, archived=archived)
        return search(specs, parse_query(text), limit=limit)

    def deliveries(self, given: Mapping[str, Any]) -> tuple[list[View], str | None]:
        """What was told to whom, newest first, and the cursor that goes on; None at the end.

        `given`: parameters of `/api/v1/deliveries`; instants are µs.
        """
        from cli.outbox import deliveries

        return deliveries(self.home, given)

    def delivery(self, id: str) -> View:
        """All about one delivery, by its id or the beginning of it. Raises NotFound."""
        from cli.outbox import delivery

        return delivery(self.home, id)

    def find(self, identity: str) -> JobRecord | None:
        """The job of an identity (`project/name`); None when there is none."""
        try:
            return self.reader.job(identity)
        except NotFound:
            return None

    def pages(
        self,
        order: str,
        *,
        project: str | None,
        labels: Iterable[str],
        archived: bool | None,
        phases: Collection[str] = (),
    ) -> Iterator[list[JobRecord]]:
        """Jobs as of `Reader.jobs`, a screenful first and then many at once: each page can be shown before the next.

        A page is as the database is when it is read; no job is in two of them.

        Args:
            order: `name`, or one of `state.listing.ORDERS`.
        """
        if order != "name":
            yield from self._pages_in_order(order, project, labels, archived, phases)
            return
        labels = list(labels)
        size, after = SCREENFUL, None
        while True:
            page = self.reader.jobs(
                project=project, labels=labels, archived=archived, phases=phases, after=after, limit=size
            )
            if page:
                yield page
            if len(page) < size:
                return
            size, after = PAGE, page[-1].identity

    def _pages_in_order(
        self,
        order: str,
        project: str | None,
        labels: Iterable[str],
        archived: bool | None,
        phases: Collection[str],
    ) -> Iterator[list[JobRecord]]:
        """Which jobs, and their order, as it was when it began."""
        numbers = self.reader.numbers(order, project=project, labels=labels, archived=archived, phases=phases)
        size, at = SCREENFUL, 0
        while at < len(numbers):
            yield self.reader.numbered(numbers[at : at + size])
            size, at = PAGE, at + size

    def fetch_last_runs(self, jobs: Iterable[JobRecord]) -> None:
        """Read what `last_run` will be asked about these jobs, in one question."""
        self._last_runs |= self.reader.runs_of_ids(job.last_run_id for job in jobs if job.last_run_id is not None)

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
    def silences(self) -> list[SilenceRecord]:
        """Those that are not over."""
        return self.reader.silences(after=self.now)

    @cached_property
    def _calendars(self) -> Mapping[str, JobCalendar]:
        from status.calendars import compile_calendars

        return compile_calendars(self.reader.documents("Calendar"), default_timezone=self.timezone)

    def calendars(self, policy: Policy) -> Calendars | None:
        """The calendars a job names; None when it names none that is known."""
        if not policy.calendars:
            return None
        from status.calendars import calendars_of

        return calendars_of(policy, self._calendars)

    def deadline(self, job: JobRecord) -> int | None:
        """By when the job must have succeeded."""
        from status.deadline import read_policy, read_spec, schedule_of, success_deadline

        zone = self.timezone
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
        from status.silences import silence_of
        from status.views import job_view

        return job_view(
            job,
            last_run=self.last_run(job),
            source_problem=self.source_problem,
            default_timezone=self.timezone,
            calendars=self.calendars(read_policy(job.spec, self.timezone)),
            silence=silence_of(job.identity, self.silences, self.now),
        )

    def words(self, job: JobRecord) -> str:
        """The schedule in words."""
        from specs.stored import said_schedule

        said = said_schedule(job.spec)
        if said is None:
            return self._words_of(job)
        if (known := self._words.get(said)) is None:
            known = self._words[said] = self._words_of(job)
        return known

    def _words_of(self, job: JobRecord) -> str:
        from specs.expression import ScheduleError
        from specs.policy import PLAIN
        from specs.schedule import compile_schedule
        from status.deadline import read_policy, read_spec

        try:
            schedule = compile_schedule(read_spec(job.spec), default_timezone=self.timezone)
            manual = schedule.kind == "manual"  # then, and only then, its policy has a word in it
            return words_of(schedule, read_policy(job.spec, self.timezone) if manual else PLAIN)
        except ScheduleError as error:
            return error.message


@contextmanager
def reading(settings: Settings) -> Iterator[Reading]:
    """Open the home's database for reading; with `--server`, ask that server the same questions.

    Raises:
        CliError: the server cannot be asked.
        cli.errors.NotFound: there is no home.
        StateError: there is no database yet, or it cannot be read by this version.
    """
    if settings.kept is not None:
        yield settings.kept.anew(settings.now())
        return
    if settings.server is not None:
        from cli.remote.house import connect

        seen: Reading = connect(settings)
    else:
        home = settings.existing_home()
        seen = Reading(home, Reader(home.database), settings.now())
    with seen.reader:
        yield seen
