"""Pausing a job and ending the pause: what `suspend` and `resume` share."""

from __future__ import annotations

from collections.abc import Sequence

from cli.asking import ask
from cli.bulk import Done, agreed, carry_out, chosen
from cli.exits import Exit
from cli.jobstory import pause_words
from cli.options import Settings
from cli.selection import identity_to_change
from state.errors import NoDatabase, NotFound, OlderSchema
from state.inbox import RequestKind
from state.reads import Reader
from state.records import JobRecord
from status.phase import suspension_of


def change_pauses(
    settings: Settings,
    kind: RequestKind,
    jobs: Sequence[str],
    labels: Sequence[str],
    done: str,
    *,
    yes: bool,
    reason: str | None = None,
    timeout: float | None,
) -> int:
    """Ask for `kind` on each of the jobs, or on all with the labels; the exit code."""
    names = chosen(settings, jobs, labels)
    if labels and not agreed(kind.capitalize(), names, severe=False, yes=yes):
        return Exit.REFUSED
    return carry_out(
        settings,
        names,
        lambda name: _change_pause(settings, kind, name, done, reason=reason, timeout=timeout),
        several=bool(labels) or len(names) > 1,
    )


def _change_pause(
    settings: Settings, kind: RequestKind, job: str, done: str, *, reason: str | None, timeout: float | None
) -> Done:
    """`job/<identity> <done>`, and what the daemon adds. A job that is as asked for already is `unchanged`."""
    identity = identity_to_change(settings, job)
    before = _is_paused(settings, identity)
    asked = ask(settings, kind, identity=identity, reason=reason, timeout=timeout)
    notes: list[str] = []
    if asked.answer is None:
        word = f"{done} when the daemon starts"
    else:
        word = "unchanged" if before is (kind is RequestKind.SUSPEND) else done
        notes.append(asked.answer.message)
        if word == "unchanged" or kind is RequestKind.RESUME:
            notes += _pause_note(settings, identity)
        elif kind is RequestKind.SUSPEND:
            notes.append(f"`jobsctl resume {identity}` ends it")
    return Done(asked.view(), f"job/{identity}", [f"job/{identity} {word}"], notes)


def _pause_note(settings: Settings, identity: str) -> list[str]:
    """Who keeps the job from starting, when somebody or its file still does."""
    record = _job(settings, identity)
    suspension = suspension_of(record) if record is not None else None
    if record is None or suspension is None:
        return []
    return [f"suspended {pause_words(suspension, record, settings.now())}"]


def _is_paused(settings: Settings, identity: str) -> bool | None:
    """Whether somebody suspended it; None when the job was not applied yet."""
    record = _job(settings, identity)
    return None if record is None else record.suspended_at is not None


def _job(settings: Settings, identity: str) -> JobRecord | None:
    try:
        with Reader(settings.home.database) as reader:
            return reader.job(identity)
    except (NoDatabase, NotFound, OlderSchema):
        return None
