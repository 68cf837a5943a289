"""The oracle of calendars: the wall clock of every single minute, held against the texts of the document.

Independent of the product: it compares dates as texts and asks `zoneinfo` for each minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def names_day(entry: str, day: datetime) -> bool:
    """Is this day one of an entry of `dates`?"""
    first, _, last = entry.partition("..")
    last = last or first
    today = day.strftime("%Y-%m-%d")[10 - len(first) :]
    return first <= today <= last if first <= last else today >= first or today <= last


def weekdays(text: str | None) -> list[str]:
    """`mon-wed,fri`, in three letters."""
    found: list[str] = []
    for term in (text or "mon-sun").split(","):
        first, _, last = term.partition("-")
        at = WEEK.index(first)
        found.append(first)
        while last and found[-1] != last:
            at = (at + 1) % 7
            found.append(WEEK[at])
    return found


def inside(document: Mapping[str, Any], wall: datetime) -> bool:
    """Does the wall clock read a date or a time that the calendar names?"""
    wall = wall.replace(tzinfo=None)
    if any(names_day(entry, wall) for entry in document.get("dates", ())):
        return True
    clock, today = wall.strftime("%H:%M"), WEEK[wall.weekday()]
    yesterday = WEEK[(wall - timedelta(days=1)).weekday()]
    for window in document.get("windows", ()):
        days, begin, end = weekdays(window.get("days")), window.get("from", "00:00"), window.get("to", "24:00")
        if begin < end:
            if today in days and begin <= clock < end:
                return True
        elif (today in days and clock >= begin) or (yesterday in days and clock < end):
            return True
    return False


def is_open(document: Mapping[str, Any], wall: datetime) -> bool:
    """May a job of this calendar run?"""
    return inside(document, wall) == (document.get("mode", "block") == "allow")
