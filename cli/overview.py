"""Everything at a glance: the daemon, the files, the jobs; what is wrong first. Used by `status`.

Built from the database and the heartbeat alone, so it also tells what is wrong when the daemon is what is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cli.exits import Exit
from cli.output import Cell, Style, counted
from cli.reading import Reading
from cli.selection import nothing_there
from cli.tables import next_text
from cli.terminal import one_line
from specs.frozen import frozen
from state.records import Health, JobRecord, Reason, Run, RunState, SilenceRecord
from status.heartbeat import Heartbeat
from status.phase import WORST_FIRST, phase_of, suspension_of
from status.problems.now import Problem, daemon_problems, gravest_first, job_problems, source_problems
from status.silences import ALL, silence_view, silence_words
from status.views import run_view, source_view
from status.words.runs import duration_text, short_revision, waiting_words
from status.words.times import relative

NO_JOBS = "All right, and no jobs yet."
COMING = 5
"""Jobs that start next, in the overview; `timers` shows all."""
SHOWN = 10
"""Lines of one section: more than a screen helps nobody to see what comes first; `list` shows all."""


@frozen
class Overview:
    """What `status` shows."""

    seen: Reading
    alive: bool
    heartbeat: Heartbeat | None
    phases: Counter[str]
    """How many live jobs are in each."""
    coming: list[JobRecord]
    """Those that start next."""
    active: list[Run]
    problems: list[Problem]
    silences: list[SilenceRecord]
    """Those that hold now."""
    nothing: str
    """What to say when there are no jobs."""

    def exit_code(self) -> Exit:
        """5 without a daemon, 4 for a project that is none, 1 with a problem, else 0."""
        if not self.alive:
            return Exit.DAEMON_DOWN
        if not self.phases and self.nothing != NO_JOBS:
            return Exit.NOT_FOUND
        return Exit.FAILED if self.problems else Exit.OK

    def troubled(self) -> list[str]:
        """What `-o name` prints: the subjects of the problems."""
        return list(dict.fromkeys(problem.subject for problem in self.problems))

    def view(self) -> dict[str, Any]:
        """For `-o json`."""
        beat = self.heartbeat
        return {
            "ok": self.exit_code() is Exit.OK,
            "daemon": {
                "running": self.alive,
                "state": beat.state if beat and self.alive else None,
                "pid": beat.pid if beat and self.alive else None,
                "version": beat.version if beat else None,
                "listen": beat.text("readers", "listen") if beat and self.alive else None,
                "lastError": beat.last_error if beat else None,
            },
            "source": source_view(self.seen.source),
            "phases": dict(sorted(self.phases.items())),
            "problems": [problem.view() for problem in self.problems],
            "running": [run_view(run) for run in self.active],
            "silences": [silence_view(each) for each in self.silences],
        }

    def lines(self) -> Iterator[str | Cell]:
        """The screen: a verdict, the facts, what is wrong, what runs, what comes."""
        yield self._verdict()
        yield ""
        yield f"daemon  {self._daemon()}"
        yield f"files   {self._files()}"
        phases = ", ".join(f"{self.phases[phase]} {phase}" for phase in WORST_FIRST if self.phases[phase])
        yield f"jobs    {self.phases.total()}" + (f": {phases}" if phases else "")
        if self.silences:
            yield Cell(f"silent  {self._silences()}", "yellow")
        yield from _section(
            "Problems", [self._problem_line(problem) for problem in self.problems], "red", more="jobsctl status -o name"
        )
        waiting = [run for run in self.active if run.state is RunState.BLOCKED]
        running = [run for run in self.active if run.state is not RunState.BLOCKED]
        yield from _section("Running", self._run_lines(running), "cyan", more="jobsctl runs --active")
        yield from _section("Waiting", self._run_lines(waiting), "yellow", more="jobsctl runs --active")
        if waiting:
            yield f"      jobsctl why {min(waiting, key=lambda run: run.created_at).identity}"
        if self.alive:
            coming = [f"{next_text(job, self.seen.now):9} {job.identity}" for job in self.coming]
            yield from _section("Next", coming, "")
        if not self.phases and self.alive and self.nothing == NO_JOBS:
            yield ""
            yield "Put a file into the jobs folder: `jobsctl explain job` tells what stands in it."

    def _verdict(self) -> Cell:
        if not self.alive:
            return Cell("The daemon is not running: nothing is started. Start it with `jobsctl daemon`.", "red")
        if not self.phases and self.nothing != NO_JOBS:
            return Cell(self.nothing, "red")
        if self.problems:
            return Cell(f"{counted(len(self.problems), 'thing')} to look at.", "red")
        return Cell("Everything is all right." if self.phases else NO_JOBS, "green")

    def _silences(self) -> str:
        """Of what nobody is notified now, and until when."""
        if len(self.silences) == 1:
            (silence,) = self.silences
            return one_line(f"{silence.identity or ALL} {silence_words(silence, self.seen.now)}")
        jobs = "any job" if any(each.identity is None for each in self.silences) else counted(len(self.silences), "job")
        return f"nobody is notified of {jobs}: jobsctl silence --list"

    def _daemon(self) -> str:
        beat, now = self.heartbeat, self.seen.now
        if not self.alive:
            return "not running" + (f", last seen {relative(beat.at, now)}" if beat and beat.at else "")
        if beat is None:
            return "starting"
        parts = [beat.state, f"pid {beat.pid}", f"started {relative(beat.started_at, now)}"]
        listen = beat.text("readers", "listen")
        if listen:
            parts.append(f"http://{listen}")
        return ", ".join(parts)

    def _files(self) -> str:
        source = self.seen.source
        if source is None:
            return "not looked at yet"
        invalid = f", {source.invalid} invalid" if source.invalid else ""
        revision = f" at {short_revision(source.revision)}" if source.revision else ""
        return f"{source.root}{revision}: {counted(source.files, 'file')}, {counted(source.jobs, 'job')}{invalid}"

    def _problem_line(self, problem: Problem) -> str:
        return f"{problem.subject}: {one_line(problem.message)}\n      {problem.next}"

    def _run_lines(self, runs: list[Run]) -> list[str]:
        width = max((len(run.identity) for run in runs[:SHOWN]), default=0)
        return [f"{run.identity:{width}}  {self._doing(run)}  {run.id}" for run in runs]

    def _doing(self, run: Run) -> str:
        if run.state is RunState.BLOCKED:
            return f"for {waiting_words(run, self.seen.now)}"
        took = duration_text(run, self.seen.now)
        return f"{run.state}{f' for {took}' if took != '-' else ''}"


def overview(seen: Reading, project: str | None) -> Overview:
    """Look at everything; `project` limits jobs and runs."""
    phases: Counter[str] = Counter()
    for job, count in seen.reader.groups(project=project):
        phases[phase_of(job).value] += count
    coming = [job for job in seen.reader.timetable(project=project, limit=COMING) if _comes(job)]
    alive = seen.alive
    heartbeat = seen.heartbeat
    doubtful = seen.reader.doubtful(seen.now, project=project)
    active = seen.reader.runs(active=True, project=project, limit=SHOWN * 10)
    problems = [
        *_disk_problems(seen),
        *daemon_problems(heartbeat if alive else None, seen.now),
        *_config_problems(seen),
        *seen.home_problems(),
        *source_problems(seen.source, {job.identity for job in doubtful}),
        *job_problems(
            doubtful,
            source=seen.source,
            ends=seen.reader.runs_of_ids(
                job.last_end_id for job in doubtful if job.health is Health.FAILING and job.last_end_id
            ),
            retries={run.job_id: run for run in active if run.reason is Reason.BACKOFF},
            deadline_of=seen.deadline,
            now=seen.now,
        ),
    ]
    nothing = NO_JOBS if phases else nothing_there(seen.reader, project, NO_JOBS)
    return Overview(
        seen, alive, heartbeat, phases, coming, active, gravest_first(problems), _silences(seen, project), nothing
    )


def _silences(seen: Reading, project: str | None) -> list[SilenceRecord]:
    """Those that hold now, of this project."""
    holding = [each for each in seen.silences if each.holds(seen.now)]
    own = f"{project or ''}/"
    return [each for each in holding if project is None or each.identity is None or each.identity.startswith(own)]


def _disk_problems(seen: Reading) -> Iterator[Problem]:
    """What a daemon cannot write down itself. The kernel makes a file system read-only when its disk fails."""
    if seen.read_only:
        message = "it is on a read-only file system: nothing starts, and nothing is written down"
        yield Problem("disk", str(seen.home.state), message, "the kernel's log (dmesg) says why; mount it for writing")


def _config_problems(seen: Reading) -> Iterator[Problem]:
    usual = seen.has_usual_settings or seen.has_settings_of_the_daemon
    if not usual and seen.config and seen.config_problem is not None:
        message = f"{seen.config_problem.diagnostics[0]}; the daemon will not start again"
        yield Problem("config", str(seen.home.config), message, "jobsctl validate")


def _comes(job: JobRecord) -> bool:
    return job.next_at is not None and suspension_of(job) is None


def _section(title: str, lines: list[str], style: Style, *, more: str = "jobsctl list") -> Iterator[str | Cell]:
    if not lines:
        return
    yield ""
    yield Cell(title, style if style else "bold")
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN} more: {more}"
