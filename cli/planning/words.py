"""A plan in words: the sentences that the table and the pull-request comment share. Pure.

Nothing here is escaped: the texts hold values of spec files, and who prints them makes them fit for where they go.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from cli.output import counted
from cli.planning.fields import MISSING
from cli.planning.plan import Action, Coming, JobPlan, Origin, Plan, Reanchor
from cli.planning.spoken import with_units
from specs.diagnostic import Diagnostic
from specs.nights import Night
from specs.zones import find_zone

SYMBOLS: dict[Action, str] = {
    "create": "+", "change": "~", "rename": ">", "prune": "-", "hold": "!", "keep": "=", "invalid": "!",
}  # fmt: skip
WORDS: dict[Action, str] = {
    "create": "to create", "change": "to change", "rename": "to rename", "prune": "to prune",
    "hold": "held back by the prune guard", "keep": "kept (`prune: false`)", "invalid": "with errors, kept as applied",
}  # fmt: skip
NIGHTS = "JOB073"
"""The lint's warning of moved clocks."""
LONGEST_VALUE = 160
"""Characters of a value that are shown."""
SIDE_BY_SIDE = 2
"""Instants of each side that must be in the common stretch."""
MOST_LINES = 40
"""Lines of the difference of a text that are shown."""
_ALWAYS: tuple[Action, ...] = ("create", "change", "prune")


def summary(plan: Plan) -> str:
    """`Plan: 2 to create, 1 to change, 0 to prune.`, and what else there is."""
    parts = [f"{plan.counts.get(action, 0):,} {WORDS[action]}" for action in _ALWAYS]
    parts += [f"{count:,} {WORDS[action]}" for action, count in plan.counts.items() if action not in _ALWAYS]
    documents = sum(document.action != "keep" for document in plan.documents)
    also = f" {counted(documents, 'shared document')} changed." if documents else ""
    if not plan.differs and not plan.counts:
        return f"No changes. {many(plan.unchanged, 'job')} unchanged."
    return f"Plan: {', '.join(parts)}.{also}"


def many(number: int, word: str) -> str:
    """`1 job`, `12,000 jobs`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def origin_words(origin: Origin) -> str:
    """`main (1a2b3c4)`."""
    if origin.kind == "revision" and origin.revision:
        return f"{origin.name} ({origin.revision[:7]})"
    return origin.name


def value_words(value: Any) -> str:
    """A value on one line, as YAML would have it, cut when it is long."""
    if value is MISSING:
        return "(none)"
    text = (
        value
        if isinstance(value, str) and value and value == value.strip() and "\n" not in value
        else (json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))
    )
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def field_lines(name: str, old: Any, new: Any) -> list[str]:
    """What became of a field: one line, or the difference of two texts of several lines. Lines begin with a symbol:
    `~` changed, `+` added, `-` removed."""
    last = name.rpartition(".")[2]
    old, new = with_units(old, last), with_units(new, last)
    texts = isinstance(old, str) and isinstance(new, str)
    if texts and ("\n" in old or "\n" in new):
        lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))[2:]
        shown = [f"    {line[:LONGEST_VALUE]}" for line in lines if not line.startswith("@@")]
        rest = len(shown) - MOST_LINES
        return [f"~ {name}:", *shown[:MOST_LINES], *([f"    ... and {counted(rest, 'line')} more"] if rest > 0 else [])]
    if old is MISSING:
        return [f"+ {name}: {value_words(new)}"]
    if new is MISSING:
        return [f"- {name}: {value_words(old)}"]
    return [f"~ {name}: {value_words(old)} -> {value_words(new)}"]


def reanchor_words(again: Reanchor, plan: JobPlan) -> str:
    """Why a schedule starts anew, and what that means."""
    why = " and ".join(f"`{name}`" for name in again.why)
    if not again.why:
        return "it was complete, and starts again when this is applied"
    text = f"the schedule starts anew when this is applied, because {why} changed"
    if again.grid:
        text += ": its interval is counted from then"
    if again.restarts:
        text += "; it was complete, and starts again"
    return f"{text}. Nothing fires by the edit itself"


def pause_words(plan: JobPlan) -> str | None:
    """What the file does to a job that runs, or does not."""
    if plan.pause is None:
        return None
    if plan.pause == "resumed":
        return "resumed by its file: it starts with its next slot, and catches nothing up"
    declared = (plan.new or {}).get("suspend")
    reason = f": {declared['reason']}" if isinstance(declared, dict) else ""
    return f"suspended by its file{reason}. Its slots are recorded as skipped"


def night_words(night: Night) -> str:
    """`2027-03-28, Europe/Berlin: 02:30 does not exist that night: it runs once, right after, at 03:00 CEST`."""
    zone = find_zone(night.timezone)
    moved = zone.local(night.at)
    clock = f"{night.first // 60:02}:{night.first % 60:02}"
    what = clock if night.times == 1 else f"{clock} and {night.times - 1} more"
    verb = "does" if night.times == 1 else "do"
    start = f"{moved:%Y-%m-%d}, {night.timezone}: {what}"
    if night.kind == "gap":
        effects = {
            "run_after": f"it runs once, right after, at {moved:%H:%M %Z}",
            "skip": "left out (`dst: {gap: skip}`)",
            "follow": "left out: the wall clock is followed",
        }
        return f"{start} {verb} not exist that night: {effects[night.effect]}"
    effects = {
        "once": "it runs the first time only",
        "twice": "it runs both times (`dst: {repeat: twice}`)",
        "follow": "it runs both times: the wall clock is followed",
    }
    there = "comes" if night.times == 1 else "come"
    return f"{start} {there} twice that night: {effects[night.effect]}"


def differing(job: JobPlan) -> tuple[str, ...]:
    """The names of the fields by which a job changes; a new name is told otherwise."""
    if job.old is None or job.new is None:
        return ()
    if job.action == "change" and not job.fields:
        return ("timezone of jobsctl.yaml",)
    hidden = ("name", "project", "renamed_from") if job.action == "rename" else ()
    return tuple(name for name in job.field_names if name not in hidden)


def told_findings(job: JobPlan) -> tuple[Diagnostic, ...]:
    """The findings, but for the warning of nights that are listed anyway."""
    return tuple(each for each in job.findings if not (job.nights and each.code == NIGHTS))


def instant_rows(plan: JobPlan) -> list[tuple[str, str, str]]:
    """Of the next instants: before, after, and `=` where both have it; "" where there is none.

    Side by side in order of time, up to where one of the two lists ends; one below the other where that would be
    little (instants every minute and every month have no common stretch); what both have is said then.
    """
    before, after = _texts(plan.before), _texts(plan.after)
    ends = [each.instants[-1].start for each in (plan.before, plan.after) if each is not None and each.more]
    end = min(ends, default=None)
    times = [at for at in sorted({*before, *after}) if end is None or at <= end]
    if before and after and min(sum(at in side for at in times) for side in (before, after)) < SIDE_BY_SIDE:
        same = {each.start for each in plan.after.instants if each.same} if plan.after is not None else set()
        marked = [f"{text} (as before)" if at in same else text for at, text in after.items()]
        return [(old, new, "") for old, new in zip_longest(before.values(), marked, fillvalue="")]
    return [(before.get(at, ""), after.get(at, ""), "=" if at in before and at in after else "") for at in times]


def _texts(coming: Coming | None) -> dict[int, str]:
    if coming is None:
        return {}
    zone = find_zone(coming.timezone)
    moments = {each.start: zone.local(each.start) for each in coming.instants}
    form = "%a %Y-%m-%d %H:%M:%S %Z" if any(each.second for each in moments.values()) else "%a %Y-%m-%d %H:%M %Z"
    return {at: moment.strftime(form) for at, moment in moments.items()}


def statistics(jobs: Iterable[JobPlan]) -> list[str]:
    """Which fields change how often, the most frequent first."""
    counts: dict[str, int] = {}
    for job in jobs:
        for name in job.field_names:
            counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [f"{name} of {many(count, 'job')}" for name, count in ranked[:12]]
