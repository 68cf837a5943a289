"""Naming a job to be changed, asking for it, and saying what came of it: what `suspend`, `resume` and others share."""

from __future__ import annotations

from cli.asking import Asked, ask
from cli.options import Settings
from cli.output import print_one, say
from cli.selection import identity_to_change
from state.inbox import RequestKind


def change(
    settings: Settings, kind: RequestKind, job: str, done: str, *, reason: str | None = None, timeout: float | None
) -> Asked:
    """Ask for `kind` on the job called `job`; print `job/<identity> <done>`, and what the daemon adds on stderr."""
    identity = identity_to_change(settings, job)
    asked = ask(settings, kind, identity=identity, reason=reason, timeout=timeout)
    word = done if asked.answer else f"{done} when the daemon starts"
    print_one(settings, asked.view(), name=f"job/{identity}", text=[f"job/{identity} {word}"])
    if asked.answer and asked.answer.message and settings.output in ("table", "wide"):
        say(asked.answer.message)
    return asked
