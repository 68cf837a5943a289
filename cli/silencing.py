"""Silencing jobs, ending that, and listing who is silenced: what `jobsctl silence` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.asking import ask
from cli.bulk import Done, agreed, carry_out, chosen
from cli.exits import Exit
from cli.options import Settings
from cli.output import Column, print_items, say
from cli.selection import identity_to_change, nothing_there
from state.inbox import RequestKind
from state.records import SilenceRecord
from status.silences import ALL, silence_view
from status.words.times import relative, stamp

SECOND = 1_000_000


def silence_jobs(
    settings: Settings,
    jobs: Sequence[str],
    labels: Sequence[str],
    *,
    everything: bool,
    yes: bool,
    seconds: float,
    reason: str | None,
    timeout: float | None,
) -> int:
    """Silence the jobs from now on, for so many seconds; the exit code."""
    until = -(-(settings.now() + round(seconds * SECOND)) // SECOND) * SECOND
    return _change(
        settings, RequestKind.SILENCE, jobs, labels, everything=everything, yes=yes, reason=reason,
        done=f"silenced until {stamp(until)}", params={"until": until}, timeout=timeout,
    )  # fmt: skip


def end_silences(
    settings: Settings,
    jobs: Sequence[str],
    labels: Sequence[str],
    *,
    everything: bool,
    yes: bool,
    timeout: float | None,
) -> int:
    """End the silences of the jobs; the exit code."""
    return _change(
        settings, RequestKind.END_SILENCE, jobs, labels, everything=everything, yes=yes, done="no longer silenced",
        reason=None, params=None, timeout=timeout,
    )  # fmt: skip


def _change(
    settings: Settings,
    kind: RequestKind,
    jobs: Sequence[str],
    labels: Sequence[str],
    *,
    everything: bool,
    yes: bool,
    done: str,
    reason: str | None,
    params: dict[str, Any] | None,
    timeout: float | None,
) -> int:
    def one(name: str) -> Done:
        identity = None if everything else identity_to_change(settings, name)
        # Of jobs that were named, one that is not silenced is a mistake; of those with a label it is as it should be.
        asked = ask(
            settings, kind, identity=identity, reason=reason, params=params, timeout=timeout,
            refusals=kind is RequestKind.SILENCE or not labels,
        )  # fmt: skip
        what = ALL if identity is None else f"job/{identity}"
        if asked.answer is not None and asked.answer.outcome != "done":
            return Done(asked.view(), what, [f"{what} unchanged"], [asked.answer.message])
        word = done if asked.answer is not None else f"{done}, when the daemon starts"
        if asked.answer is None and kind is RequestKind.SILENCE:
            word = done  # it counts from now, whenever a daemon reads it
        notes = [] if asked.answer is None or kind is RequestKind.SILENCE else [asked.answer.message]
        if kind is RequestKind.SILENCE:
            notes.append(f"`jobsctl silence {'--all' if identity is None else identity} --end` ends it")
        return Done(asked.view(), what, [f"{what} {word}"], notes)

    if everything:
        return carry_out(settings, [ALL], one, several=False)
    names = chosen(settings, jobs, labels)
    verb = "Silence" if kind is RequestKind.SILENCE else "End the silence of"
    if labels and not agreed(verb, names, severe=False, yes=yes):
        return Exit.REFUSED
    return carry_out(settings, names, one, several=bool(labels) or len(names) > 1)


def list_silences(settings: Settings) -> int:
    """Print those that hold now; the exit code."""
    from cli.reading import reading

    with reading(settings) as seen:
        now = seen.now
        found = [each for each in seen.reader.silences(after=now) if each.holds(now)]
        if settings.project is not None:
            start = f"{settings.project}/"
            found = [each for each in found if each.identity is None or each.identity.startswith(start)]
        columns: list[Column[SilenceRecord]] = [
            Column("JOB", lambda each: each.identity or ALL),
            Column("UNTIL", lambda each: stamp(each.until)),
            Column("LEFT", lambda each: relative(each.until, now)),
            Column("BY", lambda each: each.silenced_by, rank=2),
            Column("REASON", lambda each: each.reason, rank=1, cut=True),
            Column("SINCE", lambda each: stamp(each.since), wide=True),
        ]
        print_items(
            settings,
            sorted(found, key=lambda each: (each.identity or "", each.until)),
            view=silence_view,
            name=lambda each: f"job/{each.identity}" if each.identity else ALL,
            columns=columns,
            empty="No job is silenced."
            if settings.project is None
            else nothing_there(
                seen.reader, settings.project, otherwise=f"No job of project {settings.project} is silenced."
            ),
        )
        if found and not seen.alive and settings.output in ("table", "wide"):
            say("The daemon is not running: nobody is notified of anything.")
    return Exit.OK
