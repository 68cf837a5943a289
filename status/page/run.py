"""The page `/runs/{id}`: what a run was, how it went and why, what it wrote, used and left. Called by `pages`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from markupsafe import Markup

from specs.expression import ScheduleError
from specs.zones import Zone, find_zone, to_micros
from state.ids import is_id
from state.logs import streams
from state.records import ACTIVE_STATES, JobRecord, Reason, Run, RunState
from state.runfiles import OutputFile, last_series, list_outputs, read_progress, samples_of
from status.deadline import schedule_of
from status.live import running_of
from status.page.filters import with_query
from status.page.logwindow import Matches, Window, matches_of, offset_at, window_of
from status.page.plots.usage import usage_plot
from status.page.visit import Visit
from status.series import series_of_run
from status.server.errors import BadRequest, NotFound
from status.server.query import Query
from status.why.words import ending, took
from status.words.reasons import advice_words, skip_words
from status.words.runs import outcome_detail, waiting_words

KNOWN = ("stream", "from", "until", "at", "find")
"""Parameters: which stream, and which part of it."""
EVENTS, FILES = 500, 200
BEHIND = 3
"""Runs before it whose use is drawn behind its own."""
SAMPLES = 5000
"""That are read of each of them: those of a day."""
MOST_JSON = 20_000
"""Characters of a result that are shown."""
TROUBLED = (RunState.FAILED, RunState.EXPIRED, RunState.CANCELLED)


@dataclass(frozen=True, slots=True)
class LogView:
    """One stream of the log on the page, and where the parts beside it are."""

    window: Window
    earlier: str | None
    later: str | None
    newest: str
    follow: str
    """Where what comes is had from."""
    raw: str


def run_page(visit: Visit) -> str:
    """The page.

    Raises:
        NotFound, Ambiguous: there is no such run, or none that may be seen; several begin so.
        BadRequest: a parameter is not readable.
    """
    query = visit.query(known=KNOWN)
    run = _find(visit)
    record = visit.reader.job_by_id(run.job_id)
    zone = _zone(visit, record)
    directory = visit.home.run_dir_of(run)
    there = streams(directory)
    stream = _stream(query, there)
    find = query.text("find")
    at = _time(query, zone, visit.now)
    shown = there if stream == "both" else (stream,)
    active = run.state in ACTIVE_STATES
    progress = run.progress if run.progress is not None or not active else read_progress(directory)
    samples = samples_of(last_series(directory))
    attempts = visit.reader.slot(run.job_id, run.scheduled_for) if run.scheduled_for is not None else [run]
    files = list_outputs(directory)
    cpu, memory = _plots(visit, run)
    return visit.render(
        "run.html",
        title=f"{run.identity} {run.id[-6:]}",
        current="jobs",
        refresh=5 if active else None,
        run=run,
        record=record,
        zone=zone.name,
        detail=outcome_detail(run),
        sentence=_sentence(run, visit.now),
        advice=list(_advice(run)),
        slot=_slot_words(run, zone),
        attempts=attempts if len(attempts) > 1 else (),
        upstream=sorted((run.upstream or {}).items()),
        params=sorted((run.params or {}).items()),
        neighbours=_neighbours(visit, run),
        progress=running_of(run, samples[-2:], progress, visit.now) if active and run.started_at else None,
        said=_json(progress) if progress is not None and not active else None,
        result=None if run.result is None else _json(run.result),
        usage=samples[-1] if samples else None,
        cpu=cpu,
        memory=memory,
        files=[(file, _address(run, file)) for file in files[:FILES]],
        more_files=max(len(files) - FILES, 0),
        events=visit.reader.events(run_id=run.id, limit=EVENTS),
        stream=stream,
        streams=there,
        find=find,
        matches=[_searched(visit, run, each, find) for each in shown] if find else [],
        logs=[] if find else [_log(visit, run, each, query, at, several=len(shown) > 1) for each in shown],
        at_value=query.text("at") or "",
        since_value=_wall(run.started_at, zone),
        until_value=_wall(run.finished_at or visit.now, zone),
        gone=_gone(run, there),
        active=active,
        address=lambda **values: with_query(visit.path, values),
    )


def _find(visit: Visit) -> Run:
    visit.require_loaded()
    given = visit.parameters["id"].lower()
    if visit.project is None:
        return visit.reader.run(given)
    run = visit.reader.runs_of_ids([given]).get(given) if is_id(given) else None
    if run is None or not visit.may_see(run.project):
        raise NotFound(f"no run {given[:60]}", run=given[:60])
    return run


def _zone(visit: Visit, record: JobRecord | None) -> Zone:
    schedule = None if record is None else schedule_of(record, default_timezone=visit.timezone)
    try:
        return find_zone((schedule.timezone if schedule else None) or visit.timezone)
    except ScheduleError:
        return find_zone("UTC")


def _stream(query: Query, there: Sequence[str]) -> str:
    """Which to show: `both`, where they are kept apart and none is named."""
    named = query.words("stream", ("output", "stdout", "stderr", "both"))
    if len(named) > 1:
        raise BadRequest("one 'stream' at a time", parameter="stream")
    chosen = next(iter(named), None)
    if chosen is not None and (chosen in there or (chosen == "both" and len(there) > 1)):
        return chosen
    return "both" if len(there) > 1 else there[0] if there else "output"


def _time(query: Query, zone: Zone, now: int) -> int | None:
    """The instant of `at`: in any form of the API, or as the wall clock of the job's zone says it."""
    given = query.text("at")
    if given is None:
        return None
    try:
        local = datetime.fromisoformat(given)
    except ValueError:
        return query.instant("at", now=now)
    return query.instant("at", now=now) if local.tzinfo else to_micros(local.replace(tzinfo=zone.local(now).tzinfo))


def _log(visit: Visit, run: Run, stream: str, query: Query, at: int | None, *, several: bool) -> LogView:
    directory = visit.home.run_dir_of(run)
    begin = query.whole("from", least=0, most=1 << 62)
    until = query.whole("until", least=0, most=1 << 62)
    if at is not None:
        begin = offset_at(directory, stream, at)
    window = window_of(directory, stream, begin=begin, until=until, grows=run.state in ACTIVE_STATES)

    def address(**place: int) -> str:
        return with_query(visit.path, {"stream": stream, **place}) + "#log"

    api = f"/api/v1/runs/{run.id}/logs"
    return LogView(
        window=window,
        earlier=address(until=window.start) if window.start > 0 else None,
        later=address(**{"from": window.end}) if not window.at_end else None,
        newest=with_query(visit.path, {"stream": "both" if several else stream}) + "#log",
        follow=with_query(api, {"stream": stream}),
        raw=with_query(api, {"stream": stream}),
    )


def _searched(visit: Visit, run: Run, stream: str, find: str) -> tuple[Matches, list[str]]:
    found = matches_of(visit.home.run_dir_of(run), stream, find)
    return found, [with_query(visit.path, {"stream": stream, "from": at}) + "#log" for at, _ in found.lines]


def _sentence(run: Run, now: int) -> str:
    """How it is, in one sentence."""
    if run.state is RunState.SKIPPED:
        return f"It did not run: {skip_words(run.reason)}."
    if run.state is RunState.BLOCKED:
        return f"It waits for {waiting_words(run, now)}."
    if run.state is RunState.PENDING:
        return "It is being started."
    if run.state is RunState.RUNNING:
        by = f"; {run.cancel_requested_by} asked to stop it" if run.cancel_requested_by else ""
        return f"It is running{by}."
    return f"It {ending(run)}{took(run).removeprefix(',') if run.state is RunState.SUCCEEDED else took(run)}."


def _advice(run: Run) -> Iterator[str]:
    words = (
        advice_words(run.reason, run.identity)
        .replace("`jobsctl logs RUN`", "look at its log below")
        .replace("RUN", run.id)
    )
    if words and (run.state in TROUBLED or run.state in (RunState.BLOCKED, RunState.SKIPPED)):
        yield words[0].upper() + words[1:]
    if run.state in (RunState.RUNNING, RunState.BLOCKED, RunState.PENDING):
        yield f"jobsctl cancel {run.id}"
    elif run.state in TROUBLED:
        yield f"jobsctl trigger {run.identity}"


def _slot_words(run: Run, zone: Zone) -> str:
    if run.scheduled_for is None:
        return ""
    last = f"{zone.local(run.scheduled_for):%a %-d %b %Y, %H:%M:%S %Z}"
    if run.skipped_first is None or run.skipped_first == run.scheduled_for:
        return last
    return f"{run.skipped_count} slots, from {zone.local(run.skipped_first):%a %-d %b, %H:%M:%S} to {last}"


def _neighbours(visit: Visit, run: Run) -> tuple[str | None, str | None]:
    """The ids of the job's runs before and after it."""
    before = visit.reader.runs(job_id=run.job_id, before=run.id, limit=1)
    after = visit.reader.runs(job_id=run.job_id, after=run.id, limit=1, order="asc")
    return (before[0].id if before else None), (after[0].id if after else None)


def _json(value: object) -> str:
    """For people."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= MOST_JSON else f"{text[:MOST_JSON]}\n..."


def _plots(visit: Visit, run: Run) -> tuple[Markup, Markup]:
    """CPU and memory over its life, before those of the runs before it."""
    samples = samples_of(last_series(visit.home.run_dir_of(run)))
    if not samples or run.started_at is None:
        return Markup(""), Markup("")
    own = series_of_run(run, samples)
    others = []
    for each in visit.reader.runs(job_id=run.job_id, before=run.id, states=[RunState.SUCCEEDED], limit=BEHIND):
        found = samples_of(last_series(visit.home.run_dir_of(each), most=SAMPLES))
        if found and each.started_at is not None:
            others.append((each.started_at, series_of_run(each, found)))
    until = run.finished_at or visit.now
    drawn = [
        usage_plot(
            own[place], name=name, title=title, since=run.started_at, until=until,
            others=[(began, series[place]) for began, series in others],
        )
        for place, name, title in ((0, "cpu", "CPU over its life"), (1, "memory", "Memory over its life"))
    ]  # fmt: skip
    return drawn[0], drawn[1]


def _address(run: Run, file: OutputFile) -> str | None:
    """Where a kept file is had from; None for one whose name is not text."""
    if "\\x" in file.path:
        return None
    return f"/api/v1/runs/{run.id}/outputs/{quote(file.path, safe='/')}"


def _wall(at: int | None, zone: Zone) -> str:
    """For an input of date and time."""
    return "" if at is None else f"{zone.local(at):%Y-%m-%dT%H:%M:%S}"


def _gone(run: Run, there: Sequence[str]) -> str | None:
    """Why there is no log; None when there is one, or may come to be one."""
    if there or run.state in (RunState.RUNNING, RunState.PENDING):
        return None
    if run.state is RunState.BLOCKED:
        return "It has not started."
    if run.started_at is None or run.reason in (Reason.START_ERROR, Reason.DEPENDENCY):
        return "It never started, so it wrote nothing."
    return "It wrote nothing that is still kept."
