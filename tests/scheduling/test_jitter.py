"""Jitter moves the start of a slot: by how much, in which order, and what has started at any instant."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.jitter import latest_started, next_start, stable_offset, start_of
from specs.model import Dst
from specs.schedule import Schedule, parse_schedule
from tests.scheduling.minute_scan import utc

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
NOON = utc("2026-11-21T12:00") * SECOND
JOBS = [f"default/job-{number}" for number in range(10_000)]


def parsed(value, timezone: str = "Europe/Berlin") -> Schedule:
    return parse_schedule(value, timezone=timezone, dst=Dst(), identity="default/job")


SCHEDULES = st.sampled_from(
    ["*/10 * * * *", "every 90s", "7,8,40 * * * *", "30 2 * * *", "*/20 1-3 * * *", ["every 25m", "*/10 * * * *"],
     "2026-11-21T12:30:00Z", "manual", [f"2026-11-21T{minute}Z" for minute in ("12:29:59", "12:30:00", "12:30:07")]]
)  # fmt: skip
LENGTHS = st.one_of(st.just(0), st.integers(1, 30 * SECOND), st.integers(1, 40 * MINUTE), st.integers(1, 2 * DAY))
NIGHTS = ("2026-10-24T20:00", "2026-11-21T10:00", "2027-03-27T20:00")
INSTANTS = st.builds(
    lambda night, later: utc(night) * SECOND + later, st.sampled_from(NIGHTS), st.integers(0, 5 * HOUR)
)


def slots_of(schedule: Schedule, after: int, through: int, anchor: int) -> list[int]:
    found: list[int] = []
    at = schedule.next_after(after, anchor=anchor)
    while at is not None and at <= through:
        found.append(at)
        at = schedule.next_after(at, anchor=anchor)
    return found


@settings(derandomize=True, max_examples=300, deadline=None)
@given(SCHEDULES, st.sampled_from(JOBS), LENGTHS, LENGTHS, INSTANTS, st.integers(0, 6 * HOUR))
def test_what_has_started_is_what_a_walk_through_all_slots_finds(value, identity, spread, random, after, length):
    schedule, now, anchor = parsed(value), after + length, after - 12_345
    jitter = {"identity": identity, "spread": spread, "random": random}
    started = [
        slot
        for slot in slots_of(schedule, after, now, anchor)
        if start_of(slot, schedule.next_after(slot, anchor=anchor), **jitter) <= now
    ]
    found = latest_started(schedule, now, after=after, anchor=anchor, **jitter)
    assert found == (max(started) if started else None)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(SCHEDULES, st.sampled_from(JOBS), LENGTHS, LENGTHS, INSTANTS)
def test_starts_keep_the_order_of_their_slots_and_stay_within_the_jitter(value, identity, spread, random, after):
    schedule = parsed(value)
    jitter = {"anchor": after, "identity": identity, "spread": spread, "random": random}
    walked: list[tuple[int, int]] = []
    cursor = after
    while len(walked) < 40 and (found := next_start(schedule, cursor, **jitter)) is not None:
        walked.append(found)
        cursor = found[0]
    assert [slot for slot, _ in walked] == slots_of(schedule, after, cursor, after)
    stable = stable_offset(identity, spread)
    assert 0 <= stable < max(spread, 1)
    assert all(0 <= start - slot - stable < max(random, 1) for slot, start in walked)
    assert all(earlier < later for (_, earlier), (_, later) in pairwise(walked))
    assert all(start - stable < following for (_, start), (following, _) in pairwise(walked)), "before the next slot"


@settings(derandomize=True, max_examples=100, deadline=None)
@given(SCHEDULES, st.sampled_from(JOBS), LENGTHS, LENGTHS, INSTANTS, st.integers(10 * MINUTE, 7 * HOUR))
def test_whoever_wakes_at_each_start_or_only_now_and_then_sees_every_slot_once(
    value, identity, spread, random, after, pause
):
    schedule = parsed(value)
    jitter = {"anchor": after, "identity": identity, "spread": spread, "random": random}
    end = after + 8 * HOUR
    punctual, cursor = [], after
    while (found := next_start(schedule, cursor, **jitter)) is not None and found[1] <= end:
        assert latest_started(schedule, found[1], after=cursor, **jitter) == found[0], "started at its start"
        earlier = latest_started(schedule, found[1] - 1, after=cursor, **jitter)
        assert earlier is None, "and not before"
        cursor = found[0]
        punctual.append(cursor)
    seldom, cursor, now = [], after, after
    while now < end:
        now = min(now + pause, end)
        latest = latest_started(schedule, now, after=cursor, **jitter)
        if latest is not None:
            seldom += slots_of(schedule, cursor, latest, after)
            cursor = latest
    assert seldom == punctual


def test_while_a_slot_waits_for_its_start_the_one_right_before_it_is_the_latest():
    schedule = parsed(["2026-11-21T13:30:00Z", "2026-11-21T13:30:07Z"])
    first = utc("2026-11-21T13:30") * SECOND
    jitter = {"anchor": 0, "identity": JOBS[0], "spread": 0, "random": HOUR}
    cursor = first
    assert next_start(schedule, cursor, **jitter)[1] > first + 8 * SECOND
    assert latest_started(schedule, first + 8 * SECOND, after=0, **jitter) == first
    assert latest_started(schedule, first + 8 * SECOND, after=cursor, **jitter) is None


def test_without_jitter_a_slot_starts_at_its_instant():
    schedule = parsed("*/10 * * * *")
    nothing = {"anchor": 0, "identity": JOBS[0], "spread": 0, "random": 0}
    assert next_start(schedule, NOON, **nothing) == (NOON + 10 * MINUTE, NOON + 10 * MINUTE)
    assert latest_started(schedule, NOON, after=0, **nothing) == NOON
    assert next_start(parsed("manual"), NOON, **nothing) is None


def test_the_offsets_are_the_same_in_every_process_and_version():
    program = (
        "from specs.jitter import start_of\n"
        "print(start_of(0, None, identity='default/report', spread=3600_000_000, random=60_000_000))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}, capture_output=True,
            text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert said == {"1053599806\n"}


def test_a_longer_spread_keeps_the_order_of_the_jobs():
    offsets = [(stable_offset(job, HOUR), stable_offset(job, 2 * HOUR)) for job in JOBS[:200]]
    assert sorted(offsets) == sorted(offsets, key=lambda pair: pair[1])


def chi_square(values: list[int], bound: int, buckets: int = 100) -> float:
    counts = [0] * buckets
    for value in values:
        counts[value * buckets // bound] += 1
    expected = len(values) / buckets
    return sum((count - expected) ** 2 / expected for count in counts)


# For 99 degrees of freedom: 1 in 10,000 honest samples is above 161, 1 in 10,000 below 53. Nothing here is drawn anew.
@pytest.mark.parametrize("bound", [30 * SECOND, HOUR, DAY], ids=["30s", "1h", "1d"])
def test_ten_thousand_jobs_are_spread_evenly(bound):
    assert 53 < chi_square([stable_offset(job, bound) for job in JOBS], bound) < 161


def test_the_slots_of_one_job_are_spread_evenly_and_not_like_those_of_another():
    def offsets(job: str) -> list[int]:
        starts = (start_of(NOON + n * HOUR, None, identity=job, spread=0, random=HOUR) for n in range(10_000))
        return [(start - NOON) % HOUR for start in starts]

    one, other = offsets(JOBS[0]), offsets(JOBS[1])
    assert 53 < chi_square(one, HOUR) < 161
    assert 53 < chi_square([(a - b) % HOUR for a, b in zip(one, other, strict=True)], HOUR) < 161
    assert 53 < chi_square([(b - a) % HOUR for a, b in pairwise(one)], HOUR) < 161


def test_a_short_distance_to_the_next_slot_shortens_the_offset_without_bunching_it():
    starts = [
        start_of(NOON + n * HOUR, NOON + n * HOUR + MINUTE, identity=JOBS[0], spread=0, random=HOUR)
        for n in range(10_000)
    ]
    assert 53 < chi_square([(start - NOON) % HOUR for start in starts], MINUTE) < 161
