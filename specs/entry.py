"""One entry of a `schedule`: which of the forms is it, and what does it mean?

Called by `specs.schedule`, which caches and joins entries. Reads no clock.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, Protocol

from specs.cron import ALIASES, MAX_LENGTH, Cron, parse_cron
from specs.expression import ScheduleError, ScheduleWarning
from specs.frozen import frozen
from specs.notation import BadValue, parse_duration
from specs.phrases import follows_the_clock, say_cron, say_length, say_period
from specs.slots import SECOND, CronSlots, GridSlots, OneSlot, Slots
from specs.words import reads_as_words, to_cron
from specs.zones import Zone, find_zone, rfc3339, to_micros

EntryKind = Literal["manual", "cron", "interval", "continuous", "once", "reboot"]
Gap = Literal["run_after", "skip"]
Repeat = Literal["once", "twice"]

_DURATION = re.compile(r"(?=\d)(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d+)?s)?", re.ASCII)
_LONG_DURATION = re.compile(r"(\d+) ?(sec|second|min|minute|hour|day)s?", re.ASCII)
_UNITS = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600, "day": 86_400}
_EVERY = re.compile(r"(@?every[ \t]+)(.*)", re.IGNORECASE)
_FROM_FINISH = re.compile(r"(.*?)[ \t]+from[ \t]+(?:the[ \t]+)?finish", re.IGNORECASE)
_ZONE_PREFIX = re.compile(r"((?:CRON_)?TZ=)([^ \t]*)[ \t]*")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?( ?[Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_DATE_LIKE = re.compile(r"\d{4}-\d", re.ASCII)
_INSTANT_FORM = "write it like 2026-12-24T18:00:00+01:00, or without offset in the job's timezone"
_BLANK = " \t\r\n"
_SHORTEST = 1.0
"""Seconds between two slots of an interval. A daemon is no place for a tighter loop."""
_PAUSE = 1.0
"""Seconds between two runs of a `continuous` job. Without, a program that ends at once would make 100 runs a second."""


@frozen
class Entry:
    """One sound entry. `meaning` is equal for entries that fire alike, whatever their spelling."""

    kind: EntryKind
    words: str
    timezone: str
    expression: str
    meaning: tuple[str | int | None, ...]
    slots: Slots | None = None
    warnings: tuple[ScheduleWarning, ...] = ()
    from_finish: int | None = None
    """Microseconds from the end of one run to the start of the next; it has no slots of its own then."""


class Parts(Protocol):
    """The long form of a schedule: `specs.model.ScheduleParts`, or `specs.stored.StoredParts`."""

    @property
    def cron(self) -> str | None: ...
    @property
    def every(self) -> float | None: ...
    @property
    def once(self) -> str | None: ...
    @property
    def anchor(self) -> str | None: ...
    @property
    def timezone(self) -> str | None: ...
    @property
    def from_(self) -> Literal["finish"] | None: ...
    @property
    def continuous(self) -> Literal[True] | None: ...
    @property
    def delay(self) -> float | None: ...
    def __hash__(self) -> int: ...


@frozen
class Context:
    """What an entry needs to know of its job: zone, rule for moved clocks, identity (for `H`)."""

    zone: Zone
    gap: Gap
    repeat: Repeat
    identity: str


MANUAL = Entry("manual", "Only when triggered", "", "manual", ("manual",))


def read_text(value: str, context: Context) -> Entry:
    """The meaning of a string in any of the forms.

    Raises ScheduleError, with the characters that are wrong.
    """
    return _inside(value, value.strip(_BLANK), _read, context)


def read_parts(value: Parts, context: Context) -> Entry:
    """The meaning of the object form.

    Raises ScheduleError, with the key that is wrong in `loc`.
    """
    key = "timezone"
    try:
        if value.timezone is not None:
            context = replace(context, zone=find_zone(value.timezone))
        if value.every is not None:
            key = "anchor"
            origin = None if value.anchor is None else _read_instant(value.anchor, context)[0]
            key = "every"
            return _interval(value.every, origin) if value.from_ is None else _after_finish(value.every)
        if value.continuous is not None:
            key = "delay"
            return _continuous(_PAUSE if value.delay is None else value.delay)
        if value.once is not None:
            key = "once"
            entry = _inside(value.once, value.once.strip(_BLANK), _once, context)
        else:
            key = "cron"
            text = value.cron or ""
            entry = _inside(text, text.strip(_BLANK), _cron_only, context)
        return replace(entry, warnings=tuple(warning.below(key) for warning in entry.warnings))
    except ScheduleError as error:
        raise error.below(key) from None


def _inside(whole: str, text: str, read: Callable[[str, Context], Entry], context: Context) -> Entry:
    """What `read` makes of `text`, a part of `whole`; its findings are moved to their places in `whole`."""
    by = whole.find(text)
    try:
        entry = read(text, context)
    except ScheduleError as error:
        raise error.shifted(by) from None
    return replace(entry, warnings=tuple(warning.shifted(by) for warning in entry.warnings)) if by else entry


def _read(text: str, context: Context) -> Entry:
    lower = text.lower()
    if not text:
        raise ScheduleError("the schedule is empty", help="leave it out for a job that only runs when triggered")
    if len(text) > MAX_LENGTH:
        raise ScheduleError(f"an expression has at most {MAX_LENGTH} characters, this one {len(text)}")
    if lower == "manual":
        return MANUAL
    if lower == "@reboot":
        return Entry("reboot", "Once per machine boot", "", "@reboot", ("reboot",))
    if lower == "continuous":
        return _continuous(_PAUSE)
    if re.match(r"continuous\s", lower):
        raise ScheduleError(
            "`continuous` stands alone", help="a delay is set like {continuous: true, delay: 30s}", span=(10, len(text))
        )
    if prefix := _ZONE_PREFIX.match(text):
        return _in_zone(text, prefix, context)
    if _DATE_LIKE.match(text):
        return _once(text, context)
    if finish := _FROM_FINISH.fullmatch(text):
        return _counted_from_finish(finish)
    every = _EVERY.fullmatch(text)
    seconds = _seconds(every[2] if every else text)
    if seconds is not None:
        return _interval(seconds, None)
    if every and (lower.startswith("@") or every[2][:1].isdigit()):
        raise ScheduleError(
            f"`{every[2]}` is not a duration",
            help="like `every 10m from finish`" if " from" in every[2] else "like 90s, 30m, 1h30m or 2d",
            span=(every.start(2), len(text)),
        )
    if text.startswith("@") and lower not in ALIASES:
        raise _unknown_alias(text)
    if reads_as_words(text):
        return _cron(to_cron(text), context)
    return _cron(text, context)


def _in_zone(text: str, prefix: re.Match[str], context: Context) -> Entry:
    try:
        zone = find_zone(prefix[2])
    except ScheduleError as error:
        raise ScheduleError(error.message, help=error.help, span=(prefix.start(2), prefix.end(2))) from None
    entry = _inside(text, text[prefix.end() :], _read, replace(context, zone=zone))
    if entry.kind != "cron":
        raise ScheduleError(f"`{prefix[1]}` goes with a cron expression only", span=(0, prefix.end()))
    return entry


def _seconds(text: str) -> float | None:
    """Seconds of a duration; None when it is not meant as one.

    Raises ScheduleError for one that is too long.
    """
    if found := _LONG_DURATION.fullmatch(text.lower()):
        text = f"{int(found[1]) * _UNITS[found[2]]}s"
    if not _DURATION.fullmatch(text):
        return None
    try:
        return parse_duration(text)
    except BadValue as error:
        raise ScheduleError(error.message) from None


def _interval(seconds: float, origin: int | None) -> Entry:
    period = _micros("an interval", seconds)
    words = say_period(period)
    if origin is not None:
        words += f", counted from {rfc3339(origin)}"
    return Entry(
        "interval", words, "", f"every {seconds:.15g}s",
        ("interval", period, None if origin is None else origin % period), GridSlots(period, origin),
    )  # fmt: skip


def _counted_from_finish(found: re.Match[str]) -> Entry:
    """`every 10m from finish`."""
    every = _EVERY.fullmatch(found[1])
    seconds = _seconds(every[2]) if every else None
    if seconds is None:
        raise ScheduleError(
            "only an interval is counted `from finish`", help="like `every 10m from finish`", span=found.span(1)
        )
    return _after_finish(seconds)


def _after_finish(seconds: float) -> Entry:
    delay = _micros("an interval", seconds)
    words = f"{say_length(delay)} after the end of the run before"
    return Entry("interval", words, "", f"every {seconds:.15g}s from finish", ("finish", delay), from_finish=delay)


def _continuous(seconds: float) -> Entry:
    delay = _micros("the delay of a continuous job", seconds)
    words = f"Continuously, {say_length(delay)} after the end of the run before"
    text = "continuous" if seconds == _PAUSE else f"continuous, delay {seconds:.15g}s"
    return Entry("continuous", words, "", text, ("continuous", delay), from_finish=delay)


def _micros(what: str, seconds: float) -> int:
    """Raises ScheduleError for less than a second."""
    if seconds < _SHORTEST:
        raise ScheduleError(f"{what} is at least 1s", help="run one program that does the loop itself")
    return round(seconds * SECOND)


def _once(text: str, context: Context) -> Entry:
    at, warnings = _read_instant(text, context)
    local = context.zone.local(at)
    clock = local.strftime("%Y-%m-%d %H:%M" + (":%S" if at % (60 * SECOND) else ""))
    words = f"Once at {clock}, {context.zone.name}"
    return Entry("once", words, context.zone.name, rfc3339(at), ("once", at), OneSlot(at), warnings)


def _cron_only(text: str, context: Context) -> Entry:
    if text.startswith("@") and text.lower() not in ALIASES:
        raise _unknown_alias(text[:MAX_LENGTH])
    return _cron(text, context)


def _cron(text: str, context: Context) -> Entry:
    cron: Cron = parse_cron(text, context.identity)
    zone, times = context.zone, cron.times
    slots = CronSlots(times, zone, cron.fixed, context.gap == "run_after", context.repeat == "twice")
    words = say_cron(times)
    if not follows_the_clock(times):
        words += f", {zone.name}"
    # In UTC no clock is ever moved; elsewhere the rule for it matters to fixed times only.
    rule = (None,) if zone.name == "UTC" else (context.gap, context.repeat) if cron.fixed else ("follow",)
    meaning = (
        "cron", times.minutes, times.hours, times.days, times.months, times.weekdays, times.either, zone.name, *rule,
    )  # fmt: skip
    return Entry("cron", words, zone.name, cron.text, meaning, slots, cron.warnings)


def read_instant(text: str, timezone: str) -> int:
    """Microseconds since the epoch of an RFC 3339 instant; without an offset in `timezone` (Debian's rule at a change).

    Raises ScheduleError.
    """
    return _read_instant(text, Context(find_zone(timezone), "run_after", "once", ""))[0]


def _read_instant(text: str, context: Context) -> tuple[int, tuple[ScheduleWarning, ...]]:
    """Microseconds since the epoch, and what is odd about a local time: it does not exist that day, or exists twice."""
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ScheduleError(f"`{text[:40]}` is not an instant", help=_INSTANT_FORM, span=(0, len(text)))
    day, clock, seconds, offset = found[1], found[2], found[3] or ":00", (found[4] or "").strip().upper()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{seconds}{offset}")
    except ValueError as error:
        raise ScheduleError(f"`{text}` is not an instant: {error}", help=_INSTANT_FORM, span=(0, len(text))) from None
    if not 1970 <= moment.year < 9000:
        raise ScheduleError(f"`{text}` is too far away", help="a year from 1970 to 8999", span=(0, len(text)))
    if offset:
        return to_micros(moment), ()
    return _local_instant(text, moment, context)


def _local_instant(text: str, moment: datetime, context: Context) -> tuple[int, tuple[ScheduleWarning, ...]]:
    zone = context.zone
    wall = to_micros(moment.replace(tzinfo=UTC))
    # The offsets that hold a day before and after frame every change: no zone moves its clock by more than a day.
    frame = {zone.offset(wall // SECOND + days * 86_400) for days in (-1, 1)} | {zone.offset(wall // SECOND)}
    matching = sorted(wall - offset * SECOND for offset in frame if zone.offset(wall // SECOND - offset) == offset)
    span = (0, len(text))
    if len(matching) == 1:
        return matching[0], ()
    advice = "write the offset to say which, like +01:00"
    if matching:
        first = matching[0]
        message = f"`{text}` exists twice in {zone.name}: the first is meant, {rfc3339(first)}"
        return first, (ScheduleWarning(message, advice, (), *span),)
    era = zone.era(wall // SECOND - min(frame))
    if context.gap == "skip":
        raise ScheduleError(f"`{text}` does not exist in {zone.name}, and `dst.gap` is `skip`", help=advice, span=span)
    at = era.start * SECOND
    message = f"`{text}` does not exist in {zone.name}: it runs right after the clock was moved, {rfc3339(at)}"
    return at, (ScheduleWarning(message, advice, (), *span),)


def _unknown_alias(text: str) -> ScheduleError:
    known = [*ALIASES, "@reboot", "@every"]
    near = difflib.get_close_matches(text.lower(), known, n=1, cutoff=0.6)
    help = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)} (@every with a duration)"
    return ScheduleError(f"`{text}` is not a known schedule", help=help, span=(0, len(text)))
