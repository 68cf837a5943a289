"""Pausing a job and ending the pause: what `suspend` and `resume` share."""

from __future__ import annotations

from cli.asking import ask
from cli.jobstory import pause_words
from cli.options import Settings
from cli.output import print_one, say
from cli.selection import identity_to_change
from state.errors import NoDatabase, NotFound, OlderSchema
from state.inbox import RequestKind
from state.reads import Reader
from state.records import JobRecord
from status.phase import suspension_of


def change_pause(
    settings: Settings, kind: RequestKind, job: str, done: str, *, reason: str | None = None, timeout: float | None
) -> None:
    """Ask for `kind` on the job called `job`; print `job/<identity> <done>`, and what the daemon adds on stderr.

    A job that is as asked for already is `unchanged`.
    """
    identity = identity_to_change(settings, job)
    before = _is_paused(settings, identity)
    asked = ask(settings, kind, identity=identity, reason=reason, timeout=timeout)
    if asked.answer is None:
        word = f"{done} when the daemon starts"
    else:
        word = "unchanged" if before is (kind is RequestKind.SUSPEND) else done
    print_one(settings, asked.view(), name=f"job/{identity}", text=[f"job/{identity} {word}"])
    if asked.answer is not None and settings.output in ("table", "wide"):
        say(asked.answer.message)
        if word == "unchanged" or kind is RequestKind.RESUME:
            _tell_pause(settings, identity)


def _tell_pause(settings: Settings, identity: str) -> None:
    """Who keeps the job from starting, when somebody or its file still does."""
    record = _job(settings, identity)
    suspension = suspension_of(record) if record is not None else None
    if record is not None and suspension is not None:
        say(f"suspended {pause_words(suspension, record, settings.now())}")


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
