"""The nights that are told are the nights on which the schedule fires otherwise than on any other."""

from __future__ import annotations

import pytest

from specs.model import Dst
from specs.nights import Night, nights
from specs.schedule import Schedule, parse_schedule
from specs.slots import SECOND
from specs.zones import find_zone
from tests.scheduling.minute_scan import utc

NOW = utc("2026-11-21 08:00") * SECOND
DAY = 86_400 * SECOND


def schedule(text: str, zone: str, **dst: str) -> Schedule:
    return parse_schedule(text, timezone=zone, dst=Dst(**dst), identity="default/a")


def fired(found: Schedule, night: Night) -> list[str]:
    """The local starts of that day, by the search that the daemon uses."""
    zone = find_zone(night.timezone)
    day = zone.local(night.at).date()
    at, local = night.at - 2 * DAY, []
    while (at := found.next_after(at, anchor=0)) is not None and at < night.at + 2 * DAY:
        if zone.local(at).date() == day:
            local.append(f"{zone.local(at):%H:%M %Z}")
    return local


@pytest.mark.parametrize(
    ("text", "zone", "dst", "told"),
    [
        pytest.param("30 2 * * *", "Europe/Berlin", {},
                     [("gap", "run_after", 1, ["03:00 CEST"]), ("repeat", "once", 1, ["02:30 CEST"])], id="fixed"),
        pytest.param("30 2 * * *", "Europe/Berlin", {"gap": "skip", "repeat": "twice"},
                     [("gap", "skip", 1, []), ("repeat", "twice", 1, ["02:30 CEST", "02:30 CET"])], id="as_declared"),
        pytest.param("0,30 2 * * *", "Europe/Berlin", {},
                     [("gap", "run_after", 2, ["03:00 CEST"]), ("repeat", "once", 2, ["02:00 CEST", "02:30 CEST"])],
                     id="two_in_one_gap_are_one_run"),
        pytest.param("*/30 2 * * *", "Europe/Berlin", {},
                     [("gap", "follow", 2, []),
                      ("repeat", "follow", 2, ["02:00 CEST", "02:30 CEST", "02:00 CET", "02:30 CET"])], id="wildcard"),
        pytest.param("15 2 * * *", "Australia/Lord_Howe", {},
                     [("gap", "run_after", 1, ["02:30 +11"])], id="half_an_hour"),
        pytest.param("0 12 * * *", "Europe/Berlin", {}, [], id="at_noon"),
        pytest.param("0 * * * *", "Europe/Berlin", {}, [], id="every_hour"),
        pytest.param("30 2 * * *", "UTC", {}, [], id="utc"),
        pytest.param("30 2 * * *", "Asia/Tokyo", {}, [], id="a_zone_without_summer_time"),
        pytest.param("every 10m", "Europe/Berlin", {}, [], id="interval"),
    ],
)  # fmt: skip
def test_tells_what_the_search_does(text, zone, dst, told):
    found = schedule(text, zone, **dst)
    assert [(night.kind, night.effect, night.times, fired(found, night)) for night in nights(found, NOW)] == told


def test_of_a_list_the_nights_of_all_its_entries_in_order():
    found = parse_schedule(["30 2 * * *", "CRON_TZ=America/New_York 30 2 * * *"], timezone="Europe/Berlin", dst=Dst(),
                           identity="default/a")  # fmt: skip
    assert [(night.timezone, night.kind) for night in nights(found, NOW)] == [
        ("America/New_York", "gap"),
        ("Europe/Berlin", "gap"),
        ("Europe/Berlin", "repeat"),
    ]
