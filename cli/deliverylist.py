"""Deliveries in tables and lines, and what a word on the command line means: a job, a run, a delivery. For `deliveries`
and `run`. What is shown is the view of `status.deliveries`, the same at home and over HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.errors import NotFound
from cli.options import Settings
from cli.output import Cell, Column, Style
from cli.reading import Reading
from cli.selection import find_target, shown
from cli.terminal import one_line
from specs.frozen import frozen
from specs.stored import StoredJob
from state.errors import NotFound as StateNotFound
from state.records import Run
from status.words.instants import parse_instant
from status.words.times import NEVER, both, precise, relative

_STYLES: Mapping[str, Style] = {"delivered": "green", "failed": "red", "dropped": "yellow", "pending": "cyan"}
_ID = re.compile(r"[\w-]{4,64}", re.ASCII)
_LABEL = 11
Data = Mapping[str, Any]


@frozen
class About:
    """What was named; nothing: all."""

    job: str | None = None
    tells: bool = True
    """Whether the job has `notify` or `callback`."""
    run: str | None = None
    delivery: Data | None = None


def find_about(settings: Settings, seen: Reading, target: str | None) -> About:
    """A job, a run or a delivery by its name, id, or the beginning of an id.

    Raises:
        NotFound: none of them; with the nearest job names.
        state.errors.Ambiguous: several of them.
    """
    if target is None:
        return About()
    try:
        found = find_target(settings, seen.reader, target)
    except NotFound as error:
        id, hint = target.removeprefix("delivery/"), error.hint
        if _ID.fullmatch(id):
            try:
                return About(delivery=seen.delivery(id))
            except StateNotFound as missing:
                # A name has no digits as a rule, an id always.
                hint = missing.hint if re.search(r"\d", id) and "did you mean" not in (hint or "") else hint
        raise NotFound(f"there is no job, run or delivery {shown(settings, target)}", hint=hint) from None
    if isinstance(found, Run):
        return About(run=found.id)
    spec = StoredJob.of(found.spec).fields
    return About(job=found.identity, tells=bool(spec.get("notify") or spec.get("callback")))


def nothing_told(about: About, *, chosen: bool) -> str:
    """What to say of an empty list, and where to look. `chosen`: more was asked for than what it is about."""
    if chosen:
        return "No delivery fits."
    if about.job is not None:
        if not about.tells:
            return f"{about.job} tells nobody: it has neither `notify` nor `callback` (`jobsctl explain notify`)."
        return f"Nobody was told of {about.job} yet; `jobsctl describe {about.job}` shows whom it tells, and of what."
    return "Nobody was told of this run." if about.run is not None else "Nothing was told to anybody yet."


def delivery_columns(now: int) -> Sequence[Column[Data]]:
    """Of the list, newest first."""
    return (
        Column("WHEN", lambda each: relative(_instant(each["createdAt"]), now)),
        Column("TO", lambda each: _to(each)),
        Column("EVENT", lambda each: one_line(each["event"]), rank=2),
        Column("ABOUT", lambda each: one_line(each["job"] or "several jobs")),
        Column("STATE", lambda each: Cell(each["state"], _STYLES.get(each["state"], ""))),
        Column("TRIES", lambda each: str(each["attempts"]), right=True, rank=3),
        Column("WHY", lambda each: one_line(each["reason"] or ""), rank=1, cut=True),
        Column("NEXT TRY", lambda each: relative(_instant(each["nextAttemptAt"]), now), wide=True),
        Column("RUN", lambda each: each["run"] or NEVER, wide=True),
        Column("ID", lambda each: one_line(each["id"]), wide=True),
    )


def delivery_lines(each: Data, now: int) -> Iterator[str | Cell]:
    """All about one, the view with its tries and messages."""
    yield Cell(f"{'Delivery':{_LABEL}}{one_line(each['id'])}", "bold")
    yield f"{'To':{_LABEL}}{each['kind']} {_to(each)}"
    yield Cell(f"{'State':{_LABEL}}{each['state']}", _STYLES.get(each["state"], ""))
    facts = (
        ("Why", each["reason"]),
        ("About", each["job"]),
        ("Run", each["run"]),
        ("Event", each["event"]),
        ("Made", both(_instant(each["createdAt"]), now)),
        ("Ended", None if each["endedAt"] is None else both(_instant(each["endedAt"]), now)),
        ("Next try", None if each["nextAttemptAt"] is None else both(_instant(each["nextAttemptAt"]), now)),
    )
    for name, text in facts:
        if text is not None:
            yield f"{name:{_LABEL}}{one_line(text)}"
    yield ""
    yield Cell("Tries", "bold")
    yield from (f"  {line}" for line in try_lines(each["tries"]))
    if not each["tries"]:
        yield "  none yet" if each["state"] == "pending" else "  none"
    if each["title"] is not None:
        yield ""
        yield Cell("Message", "bold")
        yield f"  {one_line(each['title'])}"
        yield from (f"  {one_line(line)}" for line in (each["body"] or "").splitlines())
    if each["kind"] == "notification" and each["state"] in ("pending", "failed") and each["reason"]:
        yield ""
        yield f"-> jobsctl notify test {one_line(each['target'])}"


def told_lines(found: Sequence[Data], now: int) -> Iterator[Cell]:
    """One line for each, for the story of a run."""
    for each in found:
        state = each["state"]
        tries = (
            f" after {each['attempts']} tries" if each["attempts"] > 1 and state != "failed" else ""
        )  # its why says it
        again = _instant(each["nextAttemptAt"])
        following = f", next try {relative(again, now)}" if again is not None else ""
        why = f": {one_line(each['reason'])}" if each["reason"] else ""
        yield Cell(f"  {each['kind']} {_to(each)}: {state}{tries}{following}{why}", _STYLES.get(state, ""))


def try_lines(tries: Sequence[Data]) -> Iterator[str]:
    """One line for each."""
    for each in tries:
        came = "arrived" if each["error"] is None else one_line(each["error"])
        code = f" ({each['statusCode']})" if each["statusCode"] is not None and each["error"] is None else ""
        yield f"{precise(_instant(each['sentAt']) or 0)}  {each['seconds']:7.3f} s  {came}{code}"


def _to(each: Data) -> str:
    place = f" #{each['address'] + 1}" if each["address"] else ""
    return one_line(each["target"]) + place


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_instant(text, now=0)
