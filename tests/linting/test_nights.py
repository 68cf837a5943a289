"""JOB073 names the next nights on which a local time is skipped or repeated, and what the schedule does then."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.linting.texts import NOW, codes_of, findings_of

TODAY = datetime.fromtimestamp(NOW / 1_000_000, UTC)


def job(schedule: str, zone: str, more: str = "") -> str:
    return f"name: hello\nschedule: {schedule}\ntimezone: {zone}\nrun: {{command: [echo]}}\n{more}"


def message(text: str) -> str:
    (found,) = findings_of(text)
    assert found.code == "JOB073"
    return found.message


GAP = "02:30 does not exist on 2027-03-28 in Europe/Berlin and"
REPEAT = "it exists twice on 2027-10-31 and"


@pytest.mark.parametrize(
    ("dst", "gap", "repeat"),
    [
        pytest.param("", "runs at 03:00", "runs once, the first time", id="as-by-default"),
        pytest.param("dst: {gap: skip}\n", "does not run", "runs once, the first time", id="skip"),
        pytest.param("dst: {repeat: twice}\n", "runs at 03:00", "runs twice", id="twice"),
    ],
)
def test_what_will_happen(dst, gap, repeat):
    said = message(job("daily at 02:30", "Europe/Berlin", dst))
    assert said == f"{GAP} {gap}; {REPEAT} {repeat}"


@pytest.mark.parametrize(
    ("schedule", "zone", "more"),
    [
        pytest.param("daily at 04:30", "Europe/Berlin", "", id="another-time"),
        pytest.param("daily at 02:30", "UTC", "", id="no-summer-time"),
        pytest.param("daily at 02:30", "Asia/Tokyo", "", id="a-zone-without"),
        pytest.param("weekdays at 02:30", "Europe/Berlin", "", id="never-on-a-sunday"),
        pytest.param('"30 * * * *"', "Europe/Berlin", "", id="follows-the-clock"),
        pytest.param('"*/30 2 * * *"', "Europe/Berlin", "", id="follows-the-clock-at-night"),
        pytest.param("every 6h", "Europe/Berlin", "", id="no-local-time"),
        pytest.param("daily at 02:30", "Europe/Berlin", "dst: {gap: run_after, repeat: once}\n", id="decided"),
    ],
)
def test_nothing_to_tell(schedule, zone, more):
    assert codes_of(job(schedule, zone, more)) == set()


def test_half_an_hour():
    said = message(job("daily at 02:15", "Australia/Lord_Howe"))
    assert "02:15 does not exist on 2027-10-03 in Australia/Lord_Howe and runs at 02:30" in said


def test_a_zone_of_the_schedule_itself():
    assert codes_of(job('"CRON_TZ=America/New_York 30 2 * * *"', "UTC")) == {"JOB073"}


def test_only_the_night_that_meets_it():
    """On Mondays New York never moves its clock; on the last Sunday in March only Berlin's gap is met."""
    assert codes_of(job('"30 2 * 3 *"', "Europe/Berlin")) == {"JOB073"}
    said = message(job('"30 2 * 3 *"', "Europe/Berlin"))
    assert "does not exist" in said
    assert "exists twice" not in said


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata"]),
    st.integers(0, 23),
    st.integers(0, 59),
)
@example("Africa/Cairo", 0, 30)
@example("Australia/Lord_Howe", 1, 45)
def test_the_dates_are_those_of_the_zone_database(zone, hour, minute):
    """Against every day of 400, asked of `zoneinfo` one by one."""
    info = ZoneInfo(zone)
    skipped, repeated = None, None
    for day in range(400):
        local = (TODAY.astimezone(info) + timedelta(days=day)).replace(
            hour=hour, minute=minute, second=0, microsecond=0, tzinfo=info
        )
        if local.astimezone(UTC) < TODAY:
            continue
        back = local.astimezone(UTC).astimezone(info)
        other = local.replace(fold=1)
        if back.replace(tzinfo=None, fold=0) != local.replace(tzinfo=None):
            skipped = skipped or local.date().isoformat()
        elif other.utcoffset() != local.utcoffset():
            repeated = repeated or local.date().isoformat()
    found = findings_of(job(f"daily at {hour:02}:{minute:02}", zone))
    said = found[0].message if found else ""
    told = re.search(r"does not exist on (\S+)", said), re.search(r"exists twice on (\S+)", said)
    assert tuple(each and each[1] for each in told) == (skipped, repeated)
