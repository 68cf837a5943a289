"""A run told in lines: what it was, how it ended, what it used, what it left, what happened. Used by `run`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cli.output import Cell, to_json
from cli.reading import Reading
from cli.tables import STATE_STYLE, state_cell
from cli.terminal import one_line
from state.records import ACTIVE_STATES, Event, Run, RunState
from status.problems.now import WROTE_NOTHING
from status.words.instants import rfc3339
from status.words.reasons import skip_words
from status.words.runs import duration_text, short_revision, waiting_words
from status.words.times import both, precise, size, span, stamp

SHOWN_OUTPUTS = 20
SHOWN_DELIVERIES = 20
TROUBLED = (RunState.FAILED, RunState.EXPIRED, RunState.CANCELLED)
LABEL = 11
"""Width of the names on the left."""


def run_lines(seen: Reading, run: Run, events: Sequence[Event]) -> Iterator[str | Cell]:
    """The lines, most important first."""
    yield Cell(f"{'Run':{LABEL}}{run.id}", "bold")
    yield f"{'Job':{LABEL}}{run.identity} (generation {run.generation}, revision {short_revision(run.revision)})"
    state = state_cell(run)
    yield Cell(f"{'State':{LABEL}}{state.text}", STATE_STYLE[run.state])
    yield from _facts(_pairs(seen, run))
    yield from _files(seen, run)
    yield from _told(seen, run)
    yield ""
    yield Cell("Events", "bold")
    width = max((len(event.reason) for event in events), default=0)
    for event in events:
        text = f"  {precise(event.at)}  {one_line(event.reason):{width}}  {one_line(event.message)}"
        yield Cell(text, "yellow" if event.type == "Warning" else "")
    if not events:
        yield "  none"
    if (command := next_command(run)) is not None:
        yield ""
        yield f"-> {command}"


def _told(seen: Reading, run: Run) -> Iterator[str | Cell]:
    """Who was told of it."""
    from cli.deliverylist import told_lines

    found, more = seen.deliveries({"run": run.id, "limit": SHOWN_DELIVERIES})
    if found:
        yield ""
        yield Cell("Told", "bold")
        yield from told_lines(found, seen.now)
    if more is not None:
        yield f"  ... (`jobsctl deliveries {run.id}` shows all)"


def next_command(run: Run) -> str | None:
    """What to type next, of a run that waits or did not do well."""
    if run.state is RunState.SKIPPED:
        return f"jobsctl why {run.identity} --at {rfc3339(run.scheduled_for)}"
    if run.state is RunState.BLOCKED or (run.state in TROUBLED and run.reason in WROTE_NOTHING):
        return f"jobsctl why {run.identity}"
    return f"jobsctl logs {run.id}" if run.state in TROUBLED else None


def _pairs(seen: Reading, run: Run) -> Iterator[tuple[str, str | None]]:
    now = seen.now
    yield "Error", run.error if run.error != run.state else None
    slot = f", slot {stamp(run.scheduled_for)}" if run.scheduled_for is not None else ""
    by = f", by {run.requested_by}" if run.requested_by else ""
    yield "Trigger", f"{run.trigger}{slot}{by}" + (f", attempt {run.attempt}" if run.attempt > 1 else "")
    if run.state is RunState.SKIPPED:
        yield "Slots", f"{run.skipped_count or 1}, from {stamp(run.skipped_first)} to {stamp(run.scheduled_for)}"
        yield "Because", skip_words(run.reason)
        return
    if run.state is RunState.BLOCKED:
        yield "Waits for", f"{waiting_words(run, now)}"
    if run.params:
        yield "Params", ", ".join(f"{name}={value}" for name, value in sorted(run.params.items()))
    for identity, followed in sorted((run.upstream or {}).items()):
        yield "Follows", f"{identity}, run {followed}"
    yield "Created", both(run.created_at, now)
    yield "Started", both(run.started_at, now)
    if run.finished_at is not None:
        yield "Finished", both(run.finished_at, now)
    yield "Duration", duration_text(run, now)
    if run.cancel_requested_at is not None:
        yield "Cancel", f"asked for by {run.cancel_requested_by} at {stamp(run.cancel_requested_at)}"
    if run.state in ACTIVE_STATES:
        yield "Process", None if run.pid is None else str(run.pid)
    yield "CPU", None if run.cpu_seconds is None else span(run.cpu_seconds)
    yield "Memory", None if run.peak_memory is None else f"{size(run.peak_memory)} at most"
    yield "Output", None if run.output_bytes is None else size(run.output_bytes)
    progress = run.progress
    if progress is None and run.state is RunState.RUNNING:
        progress = seen.files(run).progress()
    yield "Progress", None if progress is None else to_json(progress, indent=False)
    yield "Result", None if run.result is None else to_json(run.result, indent=False)


def _facts(pairs: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    for name, value in pairs:
        if value is not None:
            yield f"{name:{LABEL}}{one_line(value)}"


def _files(seen: Reading, run: Run) -> Iterator[str]:
    files = seen.files(run)
    if not files.there:
        return
    yield f"{'Directory':{LABEL}}{files.path}"
    outputs = files.outputs()
    for index, file in enumerate(outputs[:SHOWN_OUTPUTS]):
        yield f"{'Files' if index == 0 else '':{LABEL}}outputs/{one_line(file.path)} ({size(file.size)})"
    if len(outputs) > SHOWN_OUTPUTS:
        yield f"{'':{LABEL}}and {len(outputs) - SHOWN_OUTPUTS} more"
