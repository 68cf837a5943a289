"""When the calendars of a job leave it alone, by brute force: by quarter hours, and by the texts of the documents.

Called by the judge. Independent of `specs.calendar`: `tests.scheduling.calendar_scan` reads the wall clock. All windows
of the stories, and all zones, begin and end at quarter hours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tests.scheduling.calendar_scan import is_open
from tests.simulation.clock import DAY, MINUTE, SECOND

QUARTER = 15 * MINUTE
A_DAY = DAY // QUARTER
FAR = 40 * DAY
"""Calendars of a story that are shut for so long never open."""

Together = tuple[str, ...]
"""Canonical documents, in the order in which a job names them."""


def named(fields: Mapping[str, Any], defined: Mapping[str, str]) -> Together:
    """The calendars of a canonical spec that are defined."""
    names = fields.get("calendar") or ()
    return tuple(defined[name] for name in ([names] if isinstance(names, str) else names) if name in defined)


def shut_by(together: Together, at: int) -> str | None:
    """The action of the calendar that decides on this instant, `skip` or `defer`; None when all are open."""
    shut = [_read(each)["action"] for each in together if not _open(each, at // QUARTER)]
    return "skip" if "skip" in shut else shut[0] if shut else None


def next_open(together: Together, at: int) -> int | None:
    """The first instant from `at` on at which all are open; None: never."""
    quarter = at // QUARTER
    day = quarter // A_DAY
    for each in range(quarter, (day + 1) * A_DAY):
        if all(_open(document, each) for document in together):
            return max(at, each * QUARTER)
    found = (_first_open(together, each) for each in range(day + 1, day + FAR // DAY))
    first = next((each for each in found if each is not None), None)
    return None if first is None else first * QUARTER


@lru_cache(maxsize=65_536)
def _first_open(together: Together, day: int) -> int | None:
    """The first quarter hour of a day, UTC, at which all are open."""
    quarters = range(day * A_DAY, (day + 1) * A_DAY)
    return next((each for each in quarters if all(_open(document, each) for document in together)), None)


@lru_cache(maxsize=1024)
def _read(canonical: str) -> dict[str, Any]:
    """Without the fields that say nothing: the scan takes a field that is there for one that speaks."""
    found = {key: value for key, value in json.loads(canonical).items() if value is not None}
    found["windows"] = [
        {key: value for key, value in window.items() if value is not None} for window in found.get("windows", ())
    ]
    return found


@lru_cache(maxsize=262_144)
def _open(canonical: str, quarter: int) -> bool:
    document = _read(canonical)
    zone = ZoneInfo(document.get("timezone", "UTC"))
    return is_open(document, datetime.fromtimestamp(quarter * QUARTER // SECOND, UTC).astimezone(zone))
