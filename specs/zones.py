"""Time zones as plain numbers: which offset from UTC holds when.

Used by `specs.slots` (to search) and `specs.schedule` (to read local times). Zone rules come from `zoneinfo`, which
reads the system's tzdata or the `tzdata` package; this module only asks it for offsets and remembers the answers.
"""

from __future__ import annotations

import difflib
import functools
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from specs.expression import ScheduleError

_BLOCK = 400 * 86_400
"""Seconds of zone history looked up at once: about 200 questions, 0.1 ms."""
_STEP = 2 * 86_400
"""Distance of the probes. No zone changed its offset twice within 6.9 days since 1970."""

_MACHINE_DEPENDENT = {"localtime", "posixrules"}


class Era(NamedTuple):
    """A stretch of time with one offset. Seconds since the epoch; the offsets are seconds east of UTC."""

    start: int
    end: int
    """One past the last second."""
    before: int
    """The offset one second before `start`; equal to `offset` where only the lookup was cut, not the clock moved."""
    offset: int


class Zone:
    """The offsets of one IANA zone. Shared by all schedules of the zone; safe to use from several threads."""

    __slots__ = ("_blocks", "_info", "name")

    def __init__(self, name: str, info: ZoneInfo) -> None:
        self.name = name
        self._info = info
        self._blocks: dict[int, tuple[Era, ...]] = {}

    def era(self, second: int) -> Era:
        """The era that holds at `second` (since the epoch, 1970 to 9000)."""
        block = second // _BLOCK
        eras = self._blocks.get(block)
        if eras is None:
            # Two threads may both look; they find the same, and the last assignment wins.
            eras = self._blocks[block] = tuple(self._look_up(block * _BLOCK, (block + 1) * _BLOCK))
        for era in eras:
            if second < era.end:
                return era
        raise AssertionError("the eras of a block cover it")

    def offset(self, second: int) -> int:
        """Seconds east of UTC at `second`."""
        delta = datetime.fromtimestamp(second, self._info).utcoffset()
        assert delta is not None
        return delta.days * 86_400 + delta.seconds

    def local(self, micros: int) -> datetime:
        """The wall clock at an instant (microseconds since the epoch), aware."""
        seconds, rest = divmod(micros, 1_000_000)
        return datetime.fromtimestamp(seconds, self._info).replace(microsecond=rest)

    def _look_up(self, start: int, end: int) -> list[Era]:
        """The eras that cover [start, end). The first may begin earlier: a repeat must know its start."""
        eras: list[Era] = []
        wanted = start
        start -= _STEP
        before = offset = self.offset(start)
        probe = start
        while probe < end:
            later = min(probe + _STEP, end)
            if self.offset(later) != offset:
                shift = self._shift(probe, later, offset)
                eras.append(Era(start, shift, before, offset))
                before, offset, start = offset, self.offset(shift), shift
            probe = later
        eras.append(Era(start, end, before, offset))
        return [era for era in eras if era.end > wanted]

    def _shift(self, low: int, high: int, offset: int) -> int:
        """The first second in (low, high] whose offset is not `offset`; `low` has it, `high` has another."""
        while high - low > 1:
            middle = (low + high) // 2
            if self.offset(middle) == offset:
                low = middle
            else:
                high = middle
        return high


@functools.cache
def _zone(name: str) -> Zone:
    return Zone(name, ZoneInfo(name))


def find_zone(name: str) -> Zone:
    """The zone of an IANA name.

    Raises ScheduleError for names outside the tz database: also for `right/` (leap seconds) and `localtime`,
    which would mean something else on the next machine.
    """
    if name and name.isascii() and not name.startswith(("posix/", "right/")) and name not in _MACHINE_DEPENDENT:
        try:
            return _zone(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # unknown; absolute or with `..`; a folder of zones
    shown = name if len(name) <= 64 else f"{name[:61]}..."
    raise ScheduleError(f"there is no time zone {shown!r}", help=_nearest(name))


def _nearest(name: str) -> str:
    names = {known.casefold(): known for known in available_timezones() - _MACHINE_DEPENDENT}
    wanted = name[:64].casefold().replace(" ", "_")
    by_city = {key.rsplit("/", 1)[-1]: known for key, known in sorted(names.items())}
    found = names.get(wanted) or by_city.get(wanted)
    if found is None:
        close = difflib.get_close_matches(wanted, names, n=1, cutoff=0.75)
        found = names[close[0]] if close else None
    return f"did you mean {found}?" if found else "write an IANA name, like Europe/Berlin or UTC"


def to_micros(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime, exactly (no float in between)."""
    delta = moment.astimezone(UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def rfc3339(micros: int) -> str:
    """`2026-11-21T07:56:28Z`, with a fraction only when there is one."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
