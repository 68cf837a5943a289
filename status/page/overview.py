"""The page `/`: what is wrong first, then what runs, what waits, what comes, and the last day. Called by `pages`."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from state.errors import NotFound
from state.home import Home
from state.logs import Log, streams
from state.records import Health, JobRecord, Reason, Run, RunState, SilenceRecord
from state.runfiles import last_series, read_progress, samples_of
from state.silences import read_silences
from state.timeline import recent_ends
from status.health import Facts
from status.live import Running, Waiting, in_order, pools_of, running_of
from status.page.timeline import timeline_of
from status.page.visit import Visit
from status.phase import WORST_FIRST
from status.picture.board import JobEntry
from status.problems.home import home_problems
from status.problems.now import Problem, daemon_problems, gravest_first, job_problems, source_problems
from status.silences import silence_of
from status.words.instants import SECOND
from status.words.runs import duration_text, waiting_words

SHOWN = 12
"""Entries of a section: more than a screen helps nobody to see what comes first."""
COMING = 8
LOOKED_AT = 200
"""Jobs that may be unwell whose records are read at most: beyond, their number says enough."""
STRIP = 14
"""Ends of runs in the strip beside a failing job: whether it is new, or comes and goes."""
TAIL = 2048
"""Bytes at the end of a log in which its last line is looked for."""
LINE = 200
LABELS: Mapping[str, tuple[str, str]] = {
    "disk": ("error", "disk"),
    "silent": ("error", "daemon"),
    "daemon": ("error", "daemon"),
    "config": ("error", "settings"),
    "source": ("error", "files"),
    "file": ("error", "invalid file"),
    "prune": ("warning", "prune held back"),
    "failing": ("failed", "failing"),
    "stalled": ("error", "stalled"),
    "overdue": ("expired", "overdue"),
    "delivery": ("warning", "not delivered"),
    "backup": ("warning", "backup"),
}
"""Shape and word of each kind of problem."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem with what helps to judge it."""

    problem: Problem
    shape: str
    word: str
    timezone: str
    last_line: str
    """Of the log of the run that failed; empty when there is none."""
    strip: Sequence[RunState]
    """How the last runs ended, oldest first."""
    doing: str
    """What goes on meanwhile, of a job that is late; empty when nothing does."""
    silence: SilenceRecord | None
    """Why nobody is notified of it."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A job that starts by itself."""

    identity: str
    at: int
    words: str
    timezone: str


def overview_page(visit: Visit) -> str:
    """The page."""
    visit.require_loaded()
    entries = visit.entries()
    active = visit.reader.runs(active=True, project=visit.project, limit=LOOKED_AT)
    problems = gravest_first(_problems(visit, entries, active))
    by_number = {entry.identity: entry.job_id for entry in entries}
    shown = problems[:SHOWN]
    strips = recent_ends(
        visit.ask,
        jobs=[by_number[each.identity] for each in shown if each.kind == "failing" and each.identity in by_number],
        most=STRIP,
    )
    running = [run for run in active if run.state is not RunState.BLOCKED]
    blocked = [run for run in active if run.state is RunState.BLOCKED]
    timeline = timeline_of(
        visit.ask, visit.now, visit.timezone, entries=entries, project=visit.project, running=running
    )
    silences = read_silences(visit.ask, after=visit.now)
    phases = Counter(entry.phase for entry in entries)
    return visit.render(
        "overview.html",
        title="Overview",
        current="overview",
        refresh=10 if active else 20,  # a file that is invalid from its first line on is told by no event
        down=_down(visit.facts),
        jobs=len(entries),
        phases=[(phase.value, phases[phase]) for phase in WORST_FIRST if phases[phase]],
        troubles=[
            _trouble(visit, each, strips.get(by_number.get(each.identity or "", 0), ()), active, silences)
            for each in shown
        ],
        silences=[each for each in silences if each.holds(visit.now) and _seen(visit, each)],
        problems=len(problems),
        many=len(problems) >= LOOKED_AT,
        running=[_running(visit.home, run, visit.now) for run in running[:SHOWN]],
        running_count=len(running),
        waiting=_waiting(visit, blocked)[:SHOWN],
        waiting_count=len(blocked),
        pools=[pool for pool in _pools(visit) if pool.running or pool.waiting],
        coming=_coming(entries),
        timeline=timeline,
        most_active=LOOKED_AT,
    )


def _seen(visit: Visit, silence: SilenceRecord) -> bool:
    return silence.identity is None or visit.may_see(silence.identity.partition("/")[0])


def _down(facts: Facts) -> str | None:
    """Why nothing is started at the moment; None when the daemon is alive."""
    beat = facts.heartbeat
    if beat is None:
        return "There is no sign of life of a daemon: nothing is started. Start it with `jobsctl daemon`."
    return None


def _problems(visit: Visit, entries: Sequence[JobEntry], active: Sequence[Run]) -> Iterable[Problem]:
    doubtful = _doubtful(visit, entries)
    deadlines = {
        entry.identity: round(entry.sample.deadline * SECOND)
        for entry in entries
        if entry.sample is not None and entry.sample.deadline is not None
    }
    if visit.project is None:
        yield from daemon_problems(visit.facts.heartbeat, visit.now)
        yield from source_problems(visit.picture.source, visit.picture.entries.keys())
        yield from home_problems(visit.home, visit.now, files_problem=visit.facts.files_problem)
    yield from job_problems(
        doubtful,
        source=visit.picture.source if visit.project is None else None,
        ends=visit.reader.runs_of_ids(
            job.last_end_id for job in doubtful if job.health is Health.FAILING and job.last_end_id
        ),
        retries={run.job_id: run for run in active if run.reason is Reason.BACKOFF},
        deadline_of=lambda job: deadlines.get(job.identity),
        now=visit.now,
    )


def _doubtful(visit: Visit, entries: Sequence[JobEntry]) -> list[JobRecord]:
    """Records of those that fail, stall, have a wrong file or are late: chosen from the picture, at no cost."""
    at = visit.now / SECOND
    found = []
    for entry in entries:
        sample = entry.sample
        if sample is None:
            continue
        late = sample.deadline is not None and sample.deadline < at
        if sample.last_run_success == 0 or not sample.ready or late:
            found.append((-(sample.last_run or 0), entry.identity))
    records = []
    for _, identity in heapq.nsmallest(LOOKED_AT, found):
        try:
            records.append(visit.reader.job(identity))
        except NotFound:  # deleted since
            continue
    return records


def _trouble(
    visit: Visit,
    problem: Problem,
    strip: Sequence[RunState],
    active: Sequence[Run],
    silences: Sequence[SilenceRecord],
) -> Trouble:
    shape, word = LABELS.get(problem.kind, ("warning", problem.kind))
    entry = visit.picture.entries.get(problem.identity or "")
    line = doing = ""
    silence = silence_of(problem.identity, silences, visit.now) if problem.identity is not None else None
    if problem.kind == "overdue":
        own = next((run for run in active if run.identity == problem.identity), None)
        doing = "" if own is None else _doing(own, visit.now)
    if problem.run is not None:
        run = visit.reader.runs_of_ids([problem.run]).get(problem.run)
        line = "" if run is None else last_line(visit.home, run)
    return Trouble(problem, shape, word, _timezone(entry, visit.timezone), line, strip, doing, silence)


def _doing(run: Run, now: int) -> str:
    if run.state is RunState.BLOCKED:
        return f"its run waits for {waiting_words(run, now)}"
    return (
        f"a run has gone on for {duration_text(run, now)}" if run.started_at is not None else "a run is being started"
    )


def _timezone(entry: JobEntry | None, default: str) -> str:
    return default if entry is None else orjson.loads(entry.fragment)["schedule"]["timezone"] or default


def last_line(home: Home, run: Run) -> str:
    """The last line with anything in it that a run wrote; empty when its log is gone or says nothing."""
    folder = home.run_dir_of(run)
    for stream in ("stderr", *streams(folder)):
        try:
            with Log(folder, stream) as log:
                data = b"".join(log.read(max(log.size - TAIL, 0)))
        except (NotFound, OSError):
            continue
        for line in reversed(data.decode(errors="replace").splitlines()):
            text = "".join(character if character.isprintable() else " " for character in line).strip()
            if text:
                return text if len(text) <= LINE else text[: LINE - 1] + "…"
    return ""


def _running(home: Home, run: Run, now: int) -> Running:
    if run.state is RunState.PENDING:
        return running_of(run, (), None, now)
    folder = home.run_dir_of(run)
    return running_of(run, samples_of(last_series(folder, 2)), read_progress(folder), now)


def _waiting(visit: Visit, blocked: Sequence[Run]) -> list[tuple[Waiting, str]]:
    """The runs that wait, in the order in which they would start, with what for in words."""
    waiting, names = [], {}
    for run in blocked:
        entry = visit.picture.entries.get(run.identity)
        view: dict[str, Any] = {} if entry is None else orjson.loads(entry.fragment)
        waiting.append(Waiting(run, view.get("pool"), view.get("priority", 0)))
        above = [each["job"] for each in view.get("dependsOn", ()) if visit.may_see(each["job"].partition("/")[0])]
        names[run.id] = ", ".join(above)
    return [(each, _waits_for(each, names[each.run.id], visit.now)) for each in in_order(waiting, visit.now)]


def _waits_for(each: Waiting, above: str, now: int) -> str:
    words = waiting_words(each.run, now)
    if each.run.reason is Reason.POOL and each.pool:
        return f"{words} {each.pool}"
    return f"{words}: {above}" if each.run.reason is Reason.DEPENDENCY and above else words


def _pools(visit: Visit) -> list[Any]:
    if visit.project is not None:
        return []  # shared by projects that may not be seen
    return list(pools_of(visit.reader.documents("Pool"), visit.reader.occupancy()))


def _coming(entries: Sequence[JobEntry]) -> list[Coming]:
    """Those that start next."""
    awake = heapq.nsmallest(COMING, (entry for entry in entries if _next(entry)), key=_next)
    return [Coming(entry.identity, round(_next(entry) * SECOND), *_when(entry.fragment)) for entry in awake]


def _next(entry: JobEntry) -> float:
    """Seconds; 0 for a job that starts nothing by itself."""
    return (entry.sample.next_run if entry.sample is not None else None) or 0.0


def _when(fragment: bytes) -> tuple[str, str]:
    """The schedule's words, and its zone."""
    schedule = orjson.loads(fragment)["schedule"]
    return schedule["words"] or "", schedule["timezone"] or "UTC"
