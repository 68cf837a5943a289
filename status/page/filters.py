"""What templates write values with: instants as `<time>`, durations, bytes, states, addresses. Pure.

Instants are microseconds UTC, or RFC 3339 texts as views hold them. What gives HTML gives `Markup`; what goes into it
is escaped here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from status.words.instants import EPOCH, SECOND, rfc3339
from status.words.runs import outcome_detail, short_revision
from status.words.times import NEVER, relative, size, span, stamp

Instant = int | str | None

WORDS = {"in_progress": "in progress"}
"""States and phases whose word for people is another one than for programs."""


def micros(at: Instant) -> int | None:
    """Microseconds UTC of an instant in either form."""
    if not isinstance(at, str):
        return at
    return (datetime.fromisoformat(at) - EPOCH) // timedelta(microseconds=1)


@pass_context
def ago(context: Context, at: Instant) -> str:
    """`<time>3m12s ago</time>`, with the instant in UTC as its title; a live page keeps the words true."""
    moment = micros(at)
    if moment is None:
        return NEVER
    words = relative(moment, context["now"])
    return Markup('<time datetime="%s" title="%s" data-relative>%s</time>') % (rfc3339(moment), stamp(moment), words)


@pass_context
def due(context: Context, at: Instant) -> str:
    """As `ago`, of what is to come: `now` from then on, because it starts as soon as it can."""
    moment = micros(at)
    if moment is None:
        return NEVER
    words = relative(max(moment, context["now"]), context["now"])
    return Markup('<time datetime="%s" title="%s" data-due>%s</time>') % (rfc3339(moment), stamp(moment), words)


@pass_context
def clock(context: Context, at: Instant, zone: str = "UTC") -> str:
    """`<time>09:00 CET</time>`, with the date when it is not of today: in the zone of what it is about."""
    moment = micros(at)
    if moment is None:
        return NEVER
    local, today = _local(moment, zone), _local(context["now"], zone)
    form = "%H:%M %Z" if local.date() == today.date() else "%a %-d %b, %H:%M %Z"
    if local.year != today.year:
        form = "%-d %b %Y, %H:%M %Z"
    return Markup('<time datetime="%s" title="%s">%s</time>') % (rfc3339(moment), stamp(moment), local.strftime(form))


@pass_context
def second(context: Context, at: Instant, zone: str = "UTC") -> str:
    """As `clock`, to the second: `<time>18:02:14 CET</time>`."""
    moment = micros(at)
    if moment is None:
        return NEVER
    local, today = _local(moment, zone), _local(context["now"], zone)
    form = "%H:%M:%S %Z" if local.date() == today.date() else "%-d %b, %H:%M:%S %Z"
    return Markup('<time datetime="%s" title="%s">%s</time>') % (rfc3339(moment), stamp(moment), local.strftime(form))


def moment(at: Instant) -> str:
    """`<time>2026-11-21 08:30:00Z</time>`."""
    found = micros(at)
    return NEVER if found is None else Markup('<time datetime="%s">%s</time>') % (rfc3339(found), stamp(found))


@pass_context
def elapsed(context: Context, since: Instant) -> str:
    """`<time>2h05m</time>`: how long something has gone on; a live page counts on."""
    start = micros(since)
    if start is None:
        return NEVER
    length = max(context["now"] - start, 0) / SECOND
    return Markup('<time datetime="%s" title="since %s" data-elapsed>%s</time>') % (
        rfc3339(start), stamp(start), span(length),
    )  # fmt: skip


def _local(at: int, zone: str) -> datetime:
    try:
        return (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError, OverflowError):  # a zone that left the tz database; the end of time
        return EPOCH + timedelta(microseconds=at)


def duration(seconds: float | None) -> str:
    """`2h05m`."""
    return NEVER if seconds is None else span(seconds)


def word(state: str) -> str:
    """A state or phase for people: `in progress`."""
    return WORDS.get(state, str(state))


def badge(state: str, detail: str = "") -> str:
    """A state as a shape and a word: never a colour alone."""
    text = escape(f"{word(state)} ({detail})" if detail else word(state))
    return Markup('<span class="state s-%s">%s</span>') % (str(state), text)


def prose(text: str) -> str:
    """A sentence whose words between backticks are code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    code = Markup("<code>%s</code>")
    return Markup("").join(code % piece if place % 2 else escape(piece) for place, piece in enumerate(pieces))


_RUN = re.compile(r"\b[0-7][0-9a-hjkmnp-tv-z]{25}\b")


def told(text: str) -> str:
    """As `prose`, with the ids of runs as links."""
    link = Markup('<a class="run mono" href="/runs/%s" title="Run %s">%s</a>')
    return Markup("").join(
        link % (piece, piece, piece[-6:]) if _RUN.fullmatch(piece) else prose(piece)
        for piece in re.split(f"({_RUN.pattern})", text)
    )


def step(text: str) -> str:
    """What to do next: a command as one that can be copied, also at the end of a sentence; else a sentence."""
    before, found, command = text.partition("jobsctl ")
    if not found or "`" in text:
        return prose(text)
    return Markup('%s<code class="command">%s</code>') % (before, found + command)


def identity_parts(identity: str) -> tuple[str, str]:
    """Project and name of `project/name`."""
    project, _, name = identity.partition("/")
    return project, name


def job_address(identity: str) -> str:
    """Where a job's page is."""
    return "/jobs/" + quote(identity, safe="/")


def run_address(id: str) -> str:
    """Where a run's page is."""
    return "/runs/" + quote(id, safe="")


def with_query(path: str, values: dict[str, Any]) -> str:
    """An address with parameters; those that are None or empty are left out."""
    text = urlencode({name: value for name, value in values.items() if value not in (None, "")})
    return f"{path}?{text}" if text else path


def number(value: float) -> str:
    """`10,000`: digits in threes."""
    return f"{value:,}"


def cores(value: float | None) -> str:
    """CPU in use: `1.25`; of one processor."""
    return NEVER if value is None else f"{value:.2f}"


def outward(text: str) -> str:
    """A text that may be an address elsewhere: a link when it is one of the web, and what it is when it is anything
    else (`javascript:` is not followed)."""
    if not text.startswith(("https://", "http://")) or any(character.isspace() for character in text):
        return escape(text)
    return Markup('<a href="%s" rel="noreferrer noopener nofollow">%s</a>') % (text, text)


TRIGGERS = {
    "schedule": "on schedule", "manual": "asked for", "retry": "tried again", "dependency": "followed another job",
    "catch_up": "caught up", "boot": "the machine started", "api": "asked for by a program",
}  # fmt: skip
"""Why a run exists, for people: all of `Trigger`."""


def trigger(word: str) -> str:
    """Why a run exists."""
    return TRIGGERS.get(str(word), str(word))


FILTERS: dict[str, Callable[..., object]] = {
    "ago": ago,
    "badge": badge,
    "bytes": size,
    "clock": clock,
    "cores": cores,
    "due": due,
    "duration": duration,
    "elapsed": elapsed,
    "identity_parts": identity_parts,
    "job_address": job_address,
    "moment": moment,
    "number": number,
    "outcome": outcome_detail,
    "outward": outward,
    "prose": prose,
    "revision": short_revision,
    "second": second,
    "step": step,
    "told": told,
    "trigger": trigger,
    "run_address": run_address,
    "with_query": with_query,
    "word": word,
}
"""By the name templates use."""
