"""Schedules that count from the end of the run before: their forms, and when the next run is due."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.model import Dst, ScheduleParts
from specs.schedule import Schedule, ScheduleError, parse_schedule

SECOND = 1_000_000
NOON = 1_795_262_400 * SECOND


def parsed(value) -> Schedule:
    return parse_schedule(value, timezone="Europe/Berlin", dst=Dst(), identity="default/poll")


def parts(**fields: object) -> ScheduleParts:
    return ScheduleParts.model_validate(fields)


CONTINUOUSLY = "Continuously, 1 second after the end of the run before"
TEN_MINUTES = "10 minutes after the end of the run before"
FORMS = {
    # id: (value, kind, expression, words, microseconds after an end)
    "word": ("continuous", "continuous", "continuous", CONTINUOUSLY, SECOND),
    "word-big": (" Continuous\n", "continuous", "continuous", CONTINUOUSLY, SECOND),
    "object": (parts(continuous=True), "continuous", "continuous", CONTINUOUSLY, SECOND),
    "object-delay": (parts(continuous=True, delay="90s"), "continuous", "continuous, delay 90s",
        "Continuously, 1 minute 30 seconds after the end of the run before", 90 * SECOND),
    "every": ("every 10m from finish", "interval", "every 600s from finish", TEN_MINUTES, 600 * SECOND),
    "every-the": ("every 10m from the finish", "interval", "every 600s from finish", TEN_MINUTES, 600 * SECOND),
    "every-alias": ("@every 10m  from\tfinish", "interval", "every 600s from finish", TEN_MINUTES, 600 * SECOND),
    "every-in-words": ("Every 10 minutes FROM FINISH", "interval", "every 600s from finish",
        TEN_MINUTES, 600 * SECOND),
    "object-every": (parts(**{"every": "1d", "from": "finish"}), "interval", "every 86400s from finish",
        "1 day after the end of the run before", 86_400 * SECOND),
    "fraction": ("every 1.25s from finish", "interval", "every 1.25s from finish",
        "1.25 seconds after the end of the run before", 1_250_000),
}  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "expression", "words", "delay"), FORMS.values(), ids=FORMS)
def test_every_form_is_normalised_and_said_in_words(value, kind, expression, words, delay):
    schedule = parsed(value)
    assert (schedule.kind, schedule.expression, schedule.words) == (kind, expression, words)
    assert (schedule.from_finish, schedule.warnings, schedule.reboot) == (delay, (), False)


@pytest.mark.parametrize("value", ["continuous", "every 10m from finish"])
def test_it_has_no_slots_that_are_known_beforehand(value):
    schedule = parsed(value)
    assert schedule.next_after(NOON, anchor=NOON) is None
    assert schedule.latest_through(NOON, after=0, anchor=0) is None
    assert schedule.count(after=0, through=NOON, anchor=0) == 0
    assert schedule.gaps(after=0, through=NOON) == ()


REFUSED = {
    # id: (value, what is underlined, message, help, place)
    "too-short": ("every 0.5s from finish", None, "at least 1s", "loop itself", ()),
    "delay-too-short": (
        parts(continuous=True, delay=0.2),
        None,
        "delay of a continuous job",
        "loop itself",
        ("delay",),
    ),
    "object-too-short": (parts(**{"every": 0.2, "from": "finish"}), None, "at least 1s", None, ("every",)),
    "too-long": ("every 99999d from finish", None, "at most 3650d", None, ()),
    "bare": ("10m from finish", "10m", "only an interval", "every 10m from finish", ()),
    "time-of-day": ("daily at 09:00 from finish", "daily at 09:00", "only an interval", None, ()),
    "unit-only": ("every hour from finish", "every hour", "only an interval", None, ()),
    "cron": ("0 9 * * * from finish", "0 9 * * *", "only an interval", None, ()),
    "twice": ("continuous from finish", " from finish", "stands alone", None, ()),
    "delay-in-text": ("continuous 30s", " 30s", "stands alone", "{continuous: true, delay: 30s}", ()),
    "misspelt": ("continously", "continously", "makes no sense", "`continuous`", ()),
    "misspelt-finish": ("every 10m from finsh", "10m from finsh", "not a duration", "every 10m from finish", ()),
    "zone": ("CRON_TZ=Asia/Tokyo continuous", "CRON_TZ=Asia/Tokyo ", "cron expression only", None, ()),
    "zone-and-interval": ("TZ=UTC every 5m from finish", "TZ=UTC ", "cron expression only", None, ()),
    "list": (["@daily", "continuous"], None, "`continuous` cannot be in a list", "two jobs", (1,)),
    "list-of-one": (["every 10m from finish"], None, "cannot be in a list", "whole schedule", (0,)),
    "list-of-objects": ([parts(**{"every": 60, "from": "finish"})], None, "cannot be in a list", None, (0,)),
}


@pytest.mark.parametrize(("value", "underlined", "message", "help", "loc"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_place_and_a_way_out(value, underlined, message, help, loc):
    with pytest.raises(ScheduleError) as caught:
        parsed(value)
    error = caught.value
    assert message in error.message
    assert (None if error.start is None else value[error.start : error.end]) == underlined
    assert help is None or help in (error.help or "")
    assert error.loc == loc


DIGESTS = [
    "continuous", parts(continuous=True, delay=2), "every 1s from finish", "every 2s from finish", "every 1s",
    "every 2s", "manual", "@reboot",
]  # fmt: skip


def test_each_meaning_has_a_digest_of_its_own_whatever_its_spelling():
    assert len({parsed(value).digest for value in DIGESTS}) == len(DIGESTS)
    assert parsed("every 60s from finish").digest == parsed(parts(**{"every": "1m", "from": "finish"})).digest
    assert parsed("continuous").digest == parsed(parts(continuous=True, delay="1s")).digest


@pytest.mark.parametrize(
    ("value", "last_end", "due"),
    [
        pytest.param("continuous", None, 0, id="continuous-first-at-once"),
        pytest.param("continuous", 50, 51, id="continuous-after-an-end"),
        pytest.param("continuous", -50, 0, id="continuous-an-old-end-does-not-matter"),
        pytest.param(parts(continuous=True, delay=30), -10, 20, id="continuous-a-recent-end-does"),
        pytest.param("every 60s from finish", None, 60, id="fixed-delay-first-after-one-delay"),
        pytest.param("every 60s from finish", 50, 110, id="fixed-delay-after-an-end"),
        pytest.param("every 60s from finish", -50, 60, id="fixed-delay-never-sooner-than-a-new-schedule"),
        pytest.param("every 60s", 50, None, id="an-interval-on-a-grid"),
        pytest.param("0 9 * * *", None, None, id="cron"),
        pytest.param("manual", 50, None, id="manual"),
    ],
)
def test_the_next_run_is_counted_from_the_end_of_the_last(value, last_end, due):
    end = None if last_end is None else NOON + last_end * SECOND
    found = parsed(value).next_from_finish(anchor=NOON, last_end=end)
    assert found == (None if due is None else NOON + due * SECOND)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.sampled_from(["continuous", "every 5s from finish", "every 90m from finish"]),
    st.none() | st.integers(-(10**12), 10**12),
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**10)), min_size=2, max_size=20),
)
def test_runs_follow_each_other_never_overlap_and_never_share_a_slot(value, before, lengths):
    schedule = parsed(value)
    assert schedule.from_finish is not None
    end = None if before is None else NOON + before
    runs: list[tuple[int, int]] = []
    for late, length in lengths:
        slot = schedule.next_from_finish(anchor=NOON, last_end=end)
        assert slot is not None and slot >= NOON
        end = slot + late + length
        runs.append((slot, end))
    assert all(later == ended + schedule.from_finish for (_, ended), (later, _) in pairwise(runs))
