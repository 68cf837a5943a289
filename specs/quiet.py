"""When a `Notifier` is quiet, and when its digest comes.

Called by `specs.resources` (can it be used?) and `status.notify`. The same rule for windows and moved clocks as for
calendars, the same forms as for schedules. Pure; needs no pydantic. Instants are integer microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from specs.calendar import Window, WindowSet, compile_calendar
from specs.expression import ScheduleError
from specs.frozen import frozen
from specs.schedule import Schedule, parse_schedule
from specs.stored import StoredDst

_SOME_DAY = 1_704_067_200_000_000


@frozen
class _Quiet:
    """A calendar of one window, as `compile_calendar` takes it."""

    timezone: str
    windows: Sequence[Window]
    mode: Literal["block", "allow"] = "block"
    dates: Sequence[str] = ()


def compile_quiet(hours: Window, timezone: str) -> WindowSet:
    """The instants in which nothing is sent: `contains`, and `next_change` for their end.

    Raises ScheduleError; its `field` and `loc` are the place in the document.
    """
    try:
        times = compile_calendar(_Quiet(timezone, (hours,)), timezone)
    except ScheduleError as error:
        if error.field == "windows":
            error.field, error.loc = "quiet_hours", error.loc[1:]
        raise
    if times.next_change(_SOME_DAY) is None:
        raise ScheduleError(
            "these quiet hours never end: nothing would be sent", help="give `from` and `to`", field="quiet_hours"
        )
    return times


def compile_digest(expression: str, timezone: str, name: str) -> Schedule:
    """When the digest comes. `name` is the notifier's, for `H`. Raises ScheduleError with the field `digest`."""
    try:
        schedule = parse_schedule(expression, timezone=timezone, dst=StoredDst(), identity=f"Notifier:{name}")
        if not schedule.slots:
            raise ScheduleError(f"a digest cannot come `{expression}`", help="write it like `daily at 08:00`")
    except ScheduleError as error:
        error.field = "digest"
        raise
    return schedule
