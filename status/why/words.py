"""How the story of a job speaks of instants, lengths, runs and rules. Pure."""

from __future__ import annotations

from specs.frozen import frozen
from specs.zones import Zone
from state.records import JobRecord, Reason, Run, RunState
from status.phase import Suspension
from status.words.reasons import end_words
from status.words.runs import short_revision, signal_name
from status.words.times import relative, span

SECOND = 1_000_000


@frozen
class Local:
    """Instants as people of the job's timezone read them."""

    zone: Zone
    now: int

    def at(self, at: int) -> str:
        """`Sat 2026-11-21 09:00 CET`; with seconds, and their fraction, only where there are some."""
        local = self.zone.local(at)
        seconds = f":{local:%S}" if local.second or local.microsecond else ""
        fraction = f".{local.microsecond // 1000:03}" if local.microsecond >= 1000 else ""
        return f"{local:%a %Y-%m-%d %H:%M}{seconds}{fraction} {local:%Z}"

    def when(self, at: int) -> str:
        """`Sat 2026-11-21 09:00 CET (2h05m ago)`."""
        return f"{self.at(at)} ({relative(at, self.now)})"

    def clock(self, at: int) -> str:
        """`09:03:12`."""
        return f"{self.zone.local(at):%H:%M:%S}"


def length(micros: int) -> str:
    """`12m04s`."""
    return span(max(micros, 0) / SECOND)


def rule(record: JobRecord, words: str, expression: str) -> str:
    """Which schedule (or what else starts it), of which generation, from which file and revision."""
    said = words if expression in (words, "manual") else f"{words} (`{expression}`)"
    revision = f", revision {short_revision(record.revision)}" if record.revision else ""
    return f"{said}; generation {record.generation} of {record.path}:{record.line}{revision}"


def version(run: Run, record: JobRecord) -> str:
    """Which spec decided, and whether it is the present one."""
    revision = f" ({short_revision(run.revision)})" if run.revision else ""
    now = "which is still applied" if run.generation == record.generation else f"now it is {record.generation}"
    return f"The spec was generation {run.generation}{revision}, {now}."


def ending(run: Run) -> str:
    """How a run that is over ended: `succeeded`, `failed: exit code 3`, `was cancelled by ann@desk`."""
    match run.state, run.reason:
        case RunState.SUCCEEDED, _:
            code = f" with exit code {run.exit_code}, which `success_codes` names" if run.exit_code else ""
            return f"succeeded{code}"
        case RunState.FAILED, Reason.EXIT_CODE:
            return f"failed: exit code {run.exit_code}"
        case RunState.FAILED, Reason.SIGNAL if run.signal is not None:
            return f"failed: ended by {signal_name(run.signal)}"
        case RunState.CANCELLED, Reason.CANCELLED:
            return f"was cancelled by {run.cancel_requested_by or 'somebody'}"
        case RunState.EXPIRED, _:
            return "was stopped at its `timeout`"
        case _, Reason.REPLACED:
            return "was cancelled because the next slot came (`overlap: replace`)"
        case _, Reason.SUPERSEDED:
            return "was given up, as the run of the next slot took its place"
        case RunState.FAILED, Reason.DEPENDENCY:
            return f"failed because {run.error or 'a job it depends on has failed'} (`on_dependency_failure: fail`)"
        case _, Reason.DELETED:
            return "was cancelled because its file went (`on_delete: cancel`)"
        case _, Reason.SUSPENDED:
            return "was given up because the job was suspended"
        case _, Reason.LOST:
            return f"failed: nobody saw how it ended{_error(run)}"
        case _, Reason.START_ERROR:
            return f"could not be started{_error(run)}"
        case state, reason:
            how = "failed" if state is RunState.FAILED else "was cancelled"
            return f"{how}: {end_words(reason) or reason or 'nothing says why'}{_error(run)}"


def _error(run: Run) -> str:
    return f" ({run.error})" if run.error and run.error != run.state else ""


def took(run: Run) -> str:
    """`, after 12s`; nothing when it never started."""
    if run.started_at is None or run.finished_at is None:
        return ""
    return f", {'in' if run.state is RunState.SUCCEEDED else 'after'} {length(run.finished_at - run.started_at)}"


def suspended(suspension: Suspension, record: JobRecord, local: Local, *, still: str = "") -> str:
    """`suspended by ann@desk on Sat 2026-11-21 09:00 CET (disk is full)`. `still`: what else is said of an override."""
    if suspension.override:
        when = f" on {local.at(suspension.at)}" if suspension.at is not None else ""
        said = f"suspended by {suspension.by or 'somebody'}{when} ({suspension.reason or 'no reason given'})"
        also = f"; {record.path}:{record.line} suspends it too" if suspension.declared else ""
        return said + still + also
    return f"suspended by its file, {record.path}:{record.line} ({suspension.reason or 'no reason given'})"


def resume_advice(suspension: Suspension, record: JobRecord) -> tuple[str, ...]:
    """What ends the pause."""
    found = [f"jobsctl resume {record.identity}"] if suspension.override else []
    if suspension.declared:
        found.append(f"remove `suspend` at {record.path}:{record.line}")
    return tuple(found)
