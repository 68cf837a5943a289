"""The fixed times that `dst: {gap: skip}` drops: exactly what `run_after` would have run and `skip` does not."""

from __future__ import annotations

from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.model import Dst, ScheduleParts
from specs.schedule import Schedule, parse_schedule
from specs.zones import Zone
from tests.scheduling.minute_scan import Crontab, scan, transitions, utc, walls

SECOND = 1_000_000
HOUR, DAY = 3600, 86_400
BERLIN, CHANGE = "Europe/Berlin", utc("2027-03-28T01:00")
ZONES = [BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Antarctica/Troll",
         "Antarctica/Casey", "Asia/Pyongyang", "Africa/Casablanca", "Europe/Dublin"]  # fmt: skip


def parsed(value, gap: str = "skip", zone: str = BERLIN) -> Schedule:
    return parse_schedule(value, timezone=zone, dst=Dst.model_validate({"gap": gap}), identity="default/job")


def dropped(value, start: int = CHANGE - DAY, end: int = CHANGE + DAY, **options) -> list[int]:
    """Seconds of the gaps in (start, end]."""
    found = parsed(value, **options).gaps(after=start * SECOND, through=end * SECOND)
    return [at // SECOND for at in found]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("30 2 * * *", [CHANGE], id="fixed"),
        pytest.param("0,15,30 2 * * *", [CHANGE], id="several-are-one-as-run-after-makes-one-run"),
        pytest.param("30 2,3 * * *", [CHANGE], id="one-of-two"),
        pytest.param("0,30 2,3 * * *", [], id="the-end-of-the-gap-runs-anyway"),
        pytest.param("0 3 * * *", [], id="after-the-gap"),
        pytest.param("59 1 * * *", [], id="before-the-gap"),
        pytest.param("30 2 * * MON-FRI", [], id="another-day"),
        pytest.param("*/30 2 * * *", [], id="wildcards-have-none"),
        pytest.param("every 10m", [], id="interval"),
        pytest.param("2027-03-28T04:00", [], id="once"),
        pytest.param("manual", [], id="manual"),
        pytest.param(["30 2 * * *", "15 2 * * *"], [CHANGE], id="list-counts-once"),
        pytest.param(["30 2 * * *", "0 3 * * *"], [], id="another-entry-runs-at-that-instant"),
        pytest.param(["30 2 * * *", ScheduleParts(every=3600.0, anchor="2027-01-01T00:00Z")], [], id="as-does-a-grid"),
        pytest.param(["*/30 2 * * *", "30 2 * * *"], [CHANGE], id="one-entry-of-two"),
    ],
)
def test_a_time_in_the_gap_is_told_once_at_the_gaps_end(value, expected):
    assert dropped(value) == expected
    assert dropped(value, gap="run_after") == []


def test_the_range_is_open_at_its_begin_and_closed_at_its_end():
    schedule = parsed("30 2 * * *")
    change = CHANGE * SECOND
    assert schedule.gaps(after=change - 1, through=change) == (change,)
    assert schedule.gaps(after=change, through=change + DAY * SECOND) == ()
    assert schedule.gaps(after=change - DAY * SECOND, through=change - 1) == ()
    assert schedule.gaps(after=change, through=change - 1) == ()


def test_the_grid_of_an_interval_without_an_anchor_of_its_own_is_that_of_the_caller():
    schedule = parsed(["30 2 * * *", "every 1h"])
    span = {"after": (CHANGE - DAY) * SECOND, "through": (CHANGE + DAY) * SECOND}
    assert schedule.gaps(**span, anchor=CHANGE * SECOND) == ()
    assert schedule.gaps(**span, anchor=CHANGE * SECOND + 1) == (CHANGE * SECOND,)


def test_many_years_of_gaps_stop_at_the_limit():
    century = {"after": utc("2000-01-01") * SECOND, "through": utc("2100-01-01") * SECOND}
    assert len(parsed("30 2 * * *").gaps(**century)) == 100
    assert len(parsed("30 2 * * *").gaps(**century, limit=3)) == 3
    both = parsed(["30 2 * * *", "CRON_TZ=America/New_York 30 2 * * *"]).gaps(**century, limit=7)
    assert list(both) == sorted(both)
    assert len(both) == 7


def test_where_no_clock_was_moved_it_costs_one_look_at_the_zone(monkeypatch):
    schedule = parsed(["30 2 * * *", "*/5 * * * *", "every 1m"])
    looked: list[int] = []
    real = Zone.era
    monkeypatch.setattr(Zone, "era", lambda self, second: looked.append(second) or real(self, second))
    summer = utc("2027-06-01") * SECOND
    assert schedule.gaps(after=summer, through=summer + DAY * SECOND) == ()
    assert len(looked) == 1


CRON = st.builds(
    "{} {} * * {}".format,
    st.sampled_from(["0", "30", "0,30", "10-50/20", "59", "*/20", "*"]),
    st.sampled_from(["0", "1", "2", "2,3", "0-3", "23", "*/2", "1,2,3,4"]),
    st.sampled_from(["*", "SUN", "MON-FRI", "0,4,5"]),
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(CRON, min_size=1, max_size=3), st.sampled_from(ZONES), st.integers(0, 19), st.integers(0, 3))
def test_around_every_change_it_is_the_difference_of_the_two_rules_in_a_scan_of_every_minute(lines, zone, which, late):
    changes = list(transitions(ZoneInfo(zone), utc("2015-01-01"), utc("2026-01-01"), DAY))
    change = changes[which % len(changes)][0]
    start, end = change - 7 * HOUR, change + 7 * HOUR
    clock = walls(ZoneInfo(zone), start, end)
    by_rule = {
        rule: {at for line in lines for at in scan(Crontab(line), clock, rule)} for rule in ("run_after", "skip")
    }
    after = [clock[0][0] - 1, change - 1, change, change + 1][late]
    expected = sorted(at for at in by_rule["run_after"] - by_rule["skip"] if at > after)
    assert dropped(lines if len(lines) > 1 else lines[0], after, clock[-1][0], zone=zone) == expected


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(CRON, min_size=1, max_size=3), st.sampled_from(ZONES), st.integers(0, 2000), st.integers(0, 700))
def test_over_years_slots_and_dropped_times_are_together_the_slots_of_the_other_rule(lines, zone, day, days):
    after = (utc("2020-01-01") + day * DAY) * SECOND
    through = after + days * DAY * SECOND
    gaps = parsed(lines, zone=zone).gaps(after=after, through=through)
    other = parsed(lines, gap="run_after", zone=zone)
    ours = parsed(lines, zone=zone)
    for at in gaps:
        assert other.next_after(at - 1, anchor=0) == at
        assert ours.next_after(at - 1, anchor=0) != at
    if all("*/20" not in line and not line.startswith("*") for line in lines):  # else years are too many slots
        span = {"after": after, "through": through, "anchor": 0, "limit": 10**9}
        assert other.count(**span) == ours.count(**span) + len(gaps)
    assert list(gaps) == list(islice(sorted(set(gaps)), 100))
