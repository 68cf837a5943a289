"""The last day as a drawing: lanes as paths, sums as bars, hours as ticks; and the strip of a job's last runs."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.database import open_reader
from state.home import Home
from state.reads import Reader
from state.records import RunState
from state.timeline import Ran, Span, failed_jobs, ran, recent_ends, spans, tally
from status.page.strip import strip_of
from status.page.timeline import BARS, DAY, LANES, LEAST_BAD, UNITS, bars_of, choose, lane_of, path, ticks_of
from tests.page.month import FULL
from tests.seeing.building import HOUR, MINUTE, NINE

OK, FAILED = RunState.SUCCEEDED, RunState.FAILED


def drawn(data: str) -> list[tuple[int, int]]:
    """The strokes of path data, by the rules of SVG (M absolute, m and h relative)."""
    x, found = 0, []
    for command, number, length in re.findall(r"([Mm])(\d+) \d+h(\d+)", data):
        x = int(number) if command == "M" else x + int(number)
        found.append((x, x + int(length)))
        x += int(length)
    return found


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(1, 20)), max_size=40))
@settings(derandomize=True, max_examples=200)
def test_a_path_covers_what_it_is_made_of_and_nothing_else(stretches: list[tuple[int, int]]) -> None:
    given_ = {place for first, length in stretches for place in range(first, first + length)}
    strokes = drawn(path((first, first + length) for first, length in stretches))
    assert {place for first, last in strokes for place in range(first, last)} == given_
    assert all(one[1] < other[0] for one, other in pairwise(strokes))


@given(
    st.lists(
        st.tuples(st.sampled_from(list(RunState)), st.integers(-HOUR, DAY), st.none() | st.integers(0, 2 * HOUR)),
        max_size=30,
    )
)
@settings(derandomize=True, max_examples=150)
def test_a_lane_stays_within_its_day(runs: list[tuple[RunState, int, int | None]]) -> None:
    since = NINE - DAY
    found = [
        Span(1, state, since + at, None if took is None else min(since + at + took, NINE)) for state, at, took in runs
    ]
    lane = lane_of("default/a", Ran(len(runs), 0), found, since, NINE)
    for _, data in lane.paths:
        assert all(0 <= first < last <= UNITS for first, last in drawn(data))


def test_a_failure_is_wider_than_it_was_long_and_drawn_last() -> None:
    found = [Span(1, FAILED, NINE - HOUR, NINE - HOUR), Span(1, OK, NINE - HOUR, NINE - HOUR + MINUTE)]
    lane = lane_of("default/a", Ran(2, 1), found, NINE - DAY, NINE)
    assert [kind for kind, _ in lane.paths] == ["ok", "bad"]
    ((first, last),) = drawn(lane.paths[1][1])
    assert last - first == LEAST_BAD
    assert lane.words == "2 runs, 1 failed"


def test_what_ended_before_the_day_is_not_drawn_and_what_goes_on_reaches_its_end() -> None:
    since = NINE - DAY
    lane = lane_of("default/a", Ran(1, 0), [Span(1, OK, since - 2 * HOUR, since - HOUR)], since, NINE)
    assert lane.paths == []
    lane = lane_of("default/a", Ran(1, 0), [Span(1, RunState.RUNNING, since - HOUR, None)], since, NINE)
    assert drawn(lane.paths[0][1]) == [(0, UNITS)]


def test_lanes_go_to_those_that_failed_then_to_those_that_run_then_by_name() -> None:
    names = {number: f"default/{number:02}" for number in range(40)}
    assert choose([7, 3], [3, 9], range(39, -1, -1), names)[:6] == [7, 3, 9, 0, 1, 2]
    assert len(choose([7, 3], [9], range(40), names)) == LANES
    assert choose([99], [], [], names) == []


def test_a_single_failure_among_thousands_can_be_seen() -> None:
    bars = bars_of([(0, OK, 5000), (0, FAILED, 1), (1, OK, 1), (2, RunState.SKIPPED, 9)])
    assert [bar.place for bar in bars] == [0, 1]
    assert bars[0].bad >= 5 and bars[0].ok + bars[0].bad <= 100
    assert bars[1].ok >= 2
    assert bars[0].title == "5001 runs, 1 failed"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia", "No/Where"])
def test_ticks_are_whole_hours_of_the_zone(zone: str) -> None:
    ticks = ticks_of(NINE + 17 * MINUTE, zone)
    assert 7 <= len(ticks) <= 8
    assert [tick.percent for tick in ticks] == sorted(tick.percent for tick in ticks)
    assert all(re.fullmatch(r"\d\d:00|[A-Z][a-z]{2}", tick.words) for tick in ticks)


def test_ticks_count_hours_that_pass_also_when_clocks_change() -> None:
    # 2026-10-25 12:00Z: the clocks of Berlin went back at 03:00 that night, so there were 25 hours.
    hours = [tick.words for tick in ticks_of(1_792_929_600 * 1_000_000, "Europe/Berlin")]
    assert hours == ["15:00", "18:00", "21:00", "Sun", "03:00", "06:00", "09:00", "12:00"]


def test_the_index_counts_what_the_runs_say(month: Home) -> None:
    since = FULL - DAY
    connection = open_reader(month.database, timeout=1)
    try:

        def ask(sql: str, values: object) -> list[tuple[object, ...]]:
            return connection.execute(sql, values).fetchall()  # type: ignore[arg-type]

        with Reader(month.database) as reader:
            runs = reader.runs(since=since, limit=10_000)
            jobs = {job.identity: job.id for job in reader.jobs()}
        wanted: dict[tuple[int, RunState], int] = {}
        for run in runs:
            place = (run.created_at - since) // (DAY // BARS)
            if place < BARS:
                wanted[place, run.state] = wanted.get((place, run.state), 0) + 1
        found = tally(ask, since=since, width=DAY // BARS, places=BARS)  # type: ignore[arg-type]
        assert {(place, state): count for place, state, count in found} == wanted
        ops = [run for run in runs if run.project == "ops"]
        found = tally(ask, since=since, width=DAY // BARS, places=BARS, project="ops")  # type: ignore[arg-type]
        assert sum(count for *_, count in found) == len(ops)
        bad = list(dict.fromkeys(jobs.get(run.identity) for run in runs if run.state in (FAILED, RunState.EXPIRED)))
        assert failed_jobs(ask, since=since) == bad  # type: ignore[arg-type]
        job = jobs["shop/stock-sync"]
        assert job is not None
        own = [run for run in runs if run.identity == "shop/stock-sync" and run.state is not RunState.SKIPPED]
        assert ran(ask, jobs=[job], since=since)[job].runs == len(own)  # type: ignore[arg-type]
        assert len(spans(ask, jobs=[job], since=since, most=5)) == 5  # type: ignore[arg-type]
        ends = recent_ends(ask, jobs=[job], most=3)[job]  # type: ignore[arg-type]
        over = [run.state for run in own if run.state not in (RunState.RUNNING, RunState.BLOCKED, RunState.PENDING)]
        assert ends == over[:3][::-1]
    finally:
        connection.close()


def test_a_strip_says_in_words_what_it_shows() -> None:
    svg = strip_of([OK, OK, FAILED])
    assert 'aria-label="Last 3 runs: 2 succeeded, 1 failed; the last failed"' in svg
    assert svg.count("M") == 3
    assert strip_of([]) == ""
