"""Ticks of axes: round, inside, not too many; and local times that a wall clock really shows."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.zones import find_zone
from status.page.plots.ticks import (
    DAY,
    HOUR,
    length_label,
    length_ticks,
    midnight,
    number_ticks,
    placed,
    size_ticks,
    step_of,
    time_ticks,
)

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Asia/Kathmandu",
)
SOME = settings(derandomize=True, max_examples=150, deadline=None)
tops = st.floats(min_value=1e-15, max_value=1e20)


@SOME
@given(tops, st.integers(2, 10))
def test_numbers_step_by_one_two_or_five_from_nothing_to_the_top(top: float, most: int) -> None:
    ticks = number_ticks(top, most)
    step = step_of(top, most)
    digits = f"{step:e}".partition("e")[0]
    assert float(digits) in (1.0, 2.0, 5.0)
    assert ticks[0] == 0
    assert ticks[-1] >= top * (1 - 1e-6)
    assert len(ticks) <= most + 1
    assert len(ticks) == 2 or ticks[-2] < top


@SOME
@given(st.floats(min_value=0.001, max_value=1e8), st.integers(2, 8))
def test_lengths_reach_the_top_in_few_even_steps(top: float, most: int) -> None:
    ticks = length_ticks(top, most)
    steps = {round(later - earlier, 6) for earlier, later in itertools.pairwise(ticks)}
    assert len(steps) == 1
    assert ticks[-1] >= top * (1 - 1e-6)
    assert len(ticks) <= most + 1


@SOME
@given(st.integers(1, 1 << 60))
def test_sizes_are_round_in_their_unit(top: int) -> None:
    ticks = size_ticks(float(top))
    unit = 1
    while top / unit >= 1024 and unit < 1024**5:
        unit *= 1024
    digits = f"{ticks[1] / unit:e}".partition("e")[0]
    assert round(float(digits), 6) in (1.0, 2.0, 5.0)
    assert ticks[-1] >= top * (1 - 1e-6)


@pytest.mark.parametrize(
    ("seconds", "label"),
    [
        pytest.param(0, "0", id="nothing"),
        pytest.param(0.25, "250ms", id="below-a-second"),
        pytest.param(90, "1m30s", id="two-units"),
        pytest.param(1200, "20m", id="minutes-alone"),
        pytest.param(86_400 + 7200, "1d2h", id="days"),
        pytest.param(2.5, "2.5s", id="a-fraction"),
    ],
)
def test_a_round_length_is_told_without_zeros(seconds: float, label: str) -> None:
    assert length_label(seconds) == label


def test_nothing_to_show_has_an_axis_all_the_same() -> None:
    assert number_ticks(0) == length_ticks(0) == size_ticks(0) == [0.0, 1.0]
    assert placed(0.5, [0.0, 1.0]) == 0.5
    assert placed(7.0, [0.0, 1.0]) == 1.0


@SOME
@given(
    st.sampled_from(ZONES),
    st.integers(1_600_000_000, 1_900_000_000),
    st.integers(10 * 60, 800 * 86_400),
    st.integers(2, 12),
)
def test_times_are_inside_in_order_not_too_many_and_what_a_wall_clock_shows(
    zone: str, second: int, length: int, most: int
) -> None:
    start, end = second * 1_000_000, (second + length) * 1_000_000
    ticks = time_ticks(start, end, find_zone(zone), most)
    assert len(ticks) <= most
    assert [tick.at for tick in ticks] == sorted({tick.at for tick in ticks})
    info = ZoneInfo(zone)
    for tick in ticks:
        assert start <= tick.at <= end
        local = datetime.fromtimestamp(tick.at // 1_000_000, info)  # the oracle: zoneinfo, not specs.zones
        if ":" in tick.label:
            assert tick.label == f"{local:%H:%M}"
        else:
            # The beginning of a day, or the first instant after a night whose midnight was left out.
            earlier = datetime.fromtimestamp(tick.at // 1_000_000 - 1, info)
            assert earlier.date() < local.date()


@pytest.mark.parametrize(
    ("start", "labels"),
    [
        pytest.param("2026-03-28T23:00:00+00:00", ["29 Mar", "01:00", "03:00", "04:00", "05:00"], id="spring"),
        pytest.param("2026-10-24T22:00:00+00:00", ["25 Oct", "01:00", "02:00", "03:00", "04:00"], id="autumn"),
    ],
)
def test_a_night_with_moved_clocks_has_the_hours_of_the_wall_clock(start: str, labels: list[str]) -> None:
    at = int(datetime.fromisoformat(start).timestamp()) * 1_000_000
    ticks = time_ticks(at, at + 4 * HOUR + (HOUR if "Oct" in labels[0] else 0), find_zone("Europe/Berlin"), 6)
    assert [tick.label for tick in ticks] == labels


def test_a_day_begins_after_the_midnight_that_a_clock_skips() -> None:
    zone = find_zone("Asia/Beirut")  # 2026-03-29: 00:00 becomes 01:00
    day = datetime(2026, 3, 29, tzinfo=ZoneInfo("UTC")).date()
    at = midnight(day, zone)
    assert zone.local(at).strftime("%Y-%m-%d %H:%M") == "2026-03-29 01:00"
    assert zone.local(at - 1).date() == day - timedelta(days=1)


def test_an_empty_stretch_has_no_ticks() -> None:
    assert time_ticks(5 * DAY, 5 * DAY, find_zone("UTC")) == []
