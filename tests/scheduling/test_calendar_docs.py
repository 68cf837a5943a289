"""docs/calendars.md is true: its calendars can be used, and mean what the page says of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from specs.calendar import WindowSet, compile_calendar
from specs.kinds import Calendar
from specs.model import Job
from tests.scheduling.minute_scan import utc

SECOND, HOUR = 1_000_000, 3600
TEXT = (Path(__file__).parents[2] / "docs" / "calendars.md").read_text(encoding="utf-8")
DATES = re.findall(r"^\| `([-.\d]+)` \|", TEXT, re.MULTILINE)
PARTS: list[dict[str, Any]] = [
    YAML(typ="safe", pure=True).load(text)
    for text in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
]
CALENDARS = {part["name"]: part for part in PARTS if part.get("kind") == "Calendar"}


def compiled(part: dict[str, Any], zone: str = "Europe/Berlin") -> WindowSet:
    return compile_calendar(Calendar.model_validate(part), zone)


def test_the_page_has_its_examples():
    assert len(DATES) == 5
    assert sorted(CALENDARS) == ["holidays", "nights"]
    assert len(PARTS) == 4


@pytest.mark.parametrize("entry", DATES)
def test_a_date_of_the_page_can_be_read_and_comes(entry):
    calendar = compiled({"kind": "Calendar", "name": "days", "dates": [entry]})
    assert calendar.next_change(utc("2026-11-21T12:00") * SECOND) is not None


@pytest.mark.parametrize("part", [part for part in PARTS if "kind" not in part], ids=["one", "several"])
def test_a_job_of_the_page_names_calendars_of_the_page(part):
    job = Job.model_validate({"name": "report", "run": {"command": ["true"]}} | part)
    names = [job.calendar] if isinstance(job.calendar, str) else job.calendar
    assert names is not None
    assert set(names) <= set(CALENDARS)


def test_the_window_over_midnight_belongs_to_the_day_it_begins():
    nights = compiled({key: value for key, value in CALENDARS["nights"].items() if key != "windows"} | {
        "windows": CALENDARS["nights"]["windows"][:1]
    })  # fmt: skip
    assert nights.next_change(utc("2026-11-21T00:00") * SECOND) == utc("2026-11-21T05:00") * SECOND, "Saturday 06:00"
    assert not nights.contains(utc("2026-11-23T02:00") * SECOND), "Monday 03:00"


@pytest.mark.parametrize(
    ("evening", "hours"),
    [
        pytest.param("2027-03-27T12:00", 7, id="spring"),
        pytest.param("2026-10-24T12:00", 9, id="autumn"),
        pytest.param("2026-11-21T12:00", 8, id="ordinary"),
    ],
)
def test_a_night_is_as_long_as_the_wall_clock_says(evening, hours):
    window = {"days": "sat", "from": "22:00", "to": "06:00"}
    night = compiled({"kind": "Calendar", "name": "night", "windows": [window]})
    begin = night.next_change(utc(evening) * SECOND)
    assert begin is not None
    assert night.next_change(begin) == begin + hours * HOUR * SECOND
