"""The TIME of `jobsctl why --at`: an instant, a time of day, a day and a time, or so long ago. Pure.

Times without an offset are in the job's timezone, and the answer says which instant was understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from specs.entry import read_instant
from specs.expression import ScheduleError
from specs.frozen import frozen
from specs.notation import BadValue, parse_duration
from specs.zones import Zone

SECOND = 1_000_000
MINUTE = 60 * SECOND

_RELATIVE = re.compile(r"([-+])(\d[0-9a-z.]*)")
_DATED = re.compile(
    r"(\d{4}-\d\d-\d\d|today|yesterday|tomorrow)(?:[Tt ]+(\d\d?:\d\d)(:\d\d(?:\.\d{1,6})?)?( ?[Zz]|[+-]\d\d:\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_CLOCK = re.compile(r"(\d\d?:\d\d)(:\d\d)?", re.ASCII)
_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}
FORMS = "write 2026-11-21T09:00:00+01:00, 09:00, `yesterday 09:00`, or -2h"


class UnknownMoment(ValueError):
    """Raised when a text is no time this module understands. The message is for people."""


@frozen
class Moment:
    """What somebody meant."""

    at: int
    width: int
    """A slot in [at, at + width) is meant: a minute for `09:00`, a second for `09:00:30`. 0, as with `-2h`, which
    nobody means to the microsecond: the last slot until then; of a time to come, the first one after it."""
    notes: tuple[str, ...] = ()
    """What is odd about it: a local time that did not exist that day, or existed twice."""


def read_moment(text: str, *, now: int, zone: Zone) -> Moment:
    """The moment of `text`.

    Raises:
        UnknownMoment: it is in none of the forms.
    """
    text = text.strip()
    if found := _RELATIVE.fullmatch(text):
        try:
            distance = round(parse_duration(found[2]) * SECOND)
        except BadValue:
            raise UnknownMoment(f"{text!r} is not a length of time like -2h or +30m") from None
        return Moment(now - distance if found[1] == "-" else now + distance, 0)
    here = zone.local(now)
    if found := _CLOCK.fullmatch(text):
        return _instant(f"{here:%Y-%m-%d}", found[1], found[2], zone, text)
    found = _DATED.fullmatch(text)
    if found is None:
        raise UnknownMoment(f"{text!r} is not a time: {FORMS}")
    day = found[1].lower()
    if day in _DAYS:
        day = f"{here + timedelta(days=_DAYS[day]):%Y-%m-%d}"
    if found[2] is None:
        raise UnknownMoment(f"{text!r} names a day and no time: {FORMS}")
    offset = (found[4] or "").strip()
    return _instant(day, found[2], found[3], zone, text, offset=offset)


def _instant(day: str, clock: str, seconds: str | None, zone: Zone, text: str, offset: str = "") -> Moment:
    written = f"{day}T{clock:0>5}{seconds or ':00'}"
    try:
        at = read_instant(written + offset, zone.name)
    except ScheduleError as error:
        raise UnknownMoment(error.message.replace(f"`{written + offset}`", f"{text!r}")) from None
    width = SECOND if seconds else MINUTE
    return Moment(at, width, () if offset else tuple(_oddities(at, written, zone)))


def _oddities(at: int, written: str, zone: Zone) -> Iterator[str]:
    first = zone.local(at)
    if f"{first:%Y-%m-%dT%H:%M:%S}" != written[:19]:
        yield f"there is no {written[11:16]} on that day in {zone.name}: the clocks go forward over it"
        return
    later = zone.offset(at // SECOND + 86_400)
    second = at + (zone.offset(at // SECOND) - later) * SECOND
    again = zone.local(second)
    if second > at and again.replace(tzinfo=None) == first.replace(tzinfo=None):
        said = f"there are two {written[11:16]} on that day in {zone.name}"
        yield f"{said}: the first is meant, the second is {again.isoformat()}"
