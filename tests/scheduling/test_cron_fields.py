"""Five fields mean what crontab(5) says, and everything croniter would read in its own way is refused in words."""

from __future__ import annotations

from itertools import pairwise

import pytest

from specs.cron import ALIASES, has_hash, parse_cron
from specs.expression import ScheduleError
from tests.scheduling.minute_scan import numbers

JOB = "default/report"
STARS = ["*"] * 5
SPANS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]


def sets(expression: str, identity: str = JOB) -> list[set[int]]:
    times = parse_cron(expression, identity).times
    bits = (times.minutes, times.hours, times.days, times.months, times.weekdays)
    return [{number for number in range(64) if field >> number & 1} for field in bits]


def alone(place: int, text: str) -> str:
    """An expression that restricts only one field."""
    return " ".join([*STARS[:place], text, *STARS[place + 1 :]])


@pytest.mark.parametrize("place", range(5), ids=["minute", "hour", "day-of-month", "month", "day-of-week"])
def test_every_range_with_every_step_means_what_the_manual_says(place):
    low, high = SPANS[place]
    for first in range(low, high + 1):
        assert sets(alone(place, str(first)))[place] == numbers(str(first), place + 1)
        for last in range(first + 1, high + 1, 1 if high < 32 else 7):
            for step in {step for step in (1, 2, 3, 5, last - first, last - first + 1) if step <= last - first + 1}:
                text = f"{first}-{last}/{step}"
                assert sets(alone(place, text))[place] == numbers(text, place + 1), text
    for step in range(1, high - low + 1):
        assert sets(alone(place, f"*/{step}"))[place] == numbers(f"*/{step}", place + 1), step


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        ("0 9 * * MON-FRI", "0 9 * * 1-5"),
        ("0 9 * * mon-Fri", "0 9 * * 1,2,3,4,5"),
        ("0 9 * JAN-mar,Dec *", "0 9 * 1,2,3,12 *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * SUN", "0 0 * * 0"),
        ("0 0 * * SAT-7", "0 0 * * 6,0"),
        ("0 0 * * 5-7", "0 0 * * FRI,SAT,SUN"),
        ("0 0 * * 0-7", "0 0 * * *"),
        ("5,5,5 1,01 * * *", "5 1 * * *"),
        ("  0\t9   * * *", "0 9 * * *"),
        ("*,5 9 1,* * *", "* 9 * * *"),
        ("0 0 * * *,0", "0 0 * * *"),
        *ALIASES.items(),
        ("@DAILY", "0 0 * * *"),
    ],
)
def test_two_spellings_of_the_same_times_are_the_same(expression, same):
    assert parse_cron(expression, JOB).times == parse_cron(same, JOB).times


REFUSED = {
    # id: (expression, what is underlined, part of the message, part of the help)
    "four-fields": ("* * * *", "* * * *", "five fields", "in words"),
    "seconds": ("0 0 9 * * *", "0 0 9 * * *", "five fields", "0 9 * * *"),
    "year": ("0 0 9 * * * 2027", "0 0 9 * * * 2027", "five fields", "seconds and years"),
    "command": ("0 9 * * * /bin/backup --all --now", "0 9 * * * /bin/backup --all --now", "five fields", "`run`"),
    "question-mark": ("0 0 ? * *", "?", "not part of cron", "`*`"),
    "last-day": ("0 0 L * *", "L", "not part of cron", "28-31"),
    "last-friday": ("0 0 * * 5L", "L", "not part of cron", None),
    "last-weekday": ("0 0 LW * *", "LW", "not part of cron", None),
    "nearest-weekday": ("0 0 15W * *", "W", "not part of cron", None),
    "nth-weekday": ("0 0 * * MON#1", "#", "not part of cron", None),
    "random": ("R 0 * * *", "R", "not part of cron", "`H`"),
    "random-range": ("0~30 0 * * *", "~", "not part of cron", "H(a-b)"),
    "small-h": ("h 0 * * *", "h", "not part of cron", "H?"),
    "equal-range": ("0 0 * * FRI-FRI", "FRI-FRI", "range of one", "write FRI"),
    "equal-numbers": ("5-5 * * * *", "5-5", "range of one", "write 5"),
    "equal-by-two-names": ("0 0 1 1 1-MON", "1-MON", "range of one", None),
    "reversed": ("30-10 * * * *", "30-10", "backwards", "write 30-59,0-10"),
    "over-midnight": ("0 22-2 * * *", "22-2", "backwards", "write 22-23,0-2"),
    "over-the-weekend": ("0 0 * * FRI-MON", "FRI-MON", "backwards", "write 5-7,1"),
    "saturday-to-sunday": ("0 0 * * SAT-SUN", "SAT-SUN", "backwards", "write 6-7"),
    "over-new-year": ("0 0 1 NOV-FEB *", "NOV-FEB", "backwards", "write 11-12,1-2"),
    "minute-60": ("60 * * * *", "60", "not a minute (0-59)", None),
    "hour-24": ("0 24 * * *", "24", "not an hour", "midnight is 0"),
    "day-0": ("0 0 0 * *", "0", "not a day-of-month (1-31)", None),
    "month-13": ("0 0 1 13 *", "13", "not a month (1-12)", None),
    "weekday-8": ("0 0 * * 8", "8", "not a day-of-week (0-7)", None),
    "huge-number": ("9" * 200 + " * * * *", "9" * 200, "not a minute", None),
    "full-name": ("0 0 * * monday", "monday", "not a day-of-week", "MON?"),
    "day-as-month": ("0 0 * MON *", "MON", "not a month", "fifth field"),
    "month-as-day": ("0 0 * * JAN", "JAN", "not a day-of-week", "fourth field"),
    "negative": ("-5 * * * *", "-5", "not a minute", None),
    "empty-place": ("1,,3 * * * *", ",", "empty place", None),
    "comma-at-the-end": ("0 0 * * 1,", ",", "empty place", None),
    "star-range": ("*-5 * * * *", "*-5", "already is a range", None),
    "step-zero": ("*/0 * * * *", "0", "at least 1", None),
    "step-beyond": ("*/90 * * * *", "90", "only 60 values", "every 90m"),
    "step-beyond-hours": ("0 */36 * * *", "36", "only 24 values", None),
    "step-beyond-range": ("10-20/15 * * * *", "15", "only 11 values", "write 10"),
    "step-without-number": ("*/ * * * *", "*/", "not a minute", None),
    "two-steps": ("*/2/3 * * * *", "*/2/3", "not a minute", None),
    "digits-of-another-script": ("٣ * * * *", "٣", "not allowed", None),
    "no-break-space": ("0 9 * *\u00a0*", "\u00a0", "not allowed", None),
    "line-feed": ("0 9 * *\n*", "\n", "not allowed", None),
    "february-30": ("0 0 30 2 *", "30", "never fires", "28"),
    "april-31": ("0 0 31 4,6,9,11 *", "31", "never fires", None),
    "february-30-and-a-weekday": ("0 0 30 2 */2", "30", "never fires", None),
    "h-backwards": ("H(5-3) * * * *", "H(5-3)", "must rise", None),
    "h-out-of-range": ("H(0-60) * * * *", "60", "not a minute", None),
    "h-step-zero": ("H/0 * * * *", "0", "at least 1", None),
    "h-step-beyond": ("H/90 * * * *", "90", "only 60 values", None),
    "h-range": ("H-5 * * * *", "H", "not a form of H", "H(a-b)"),
}  # fmt: skip


@pytest.mark.parametrize(("expression", "underlined", "message", "help"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_vixie_cron_is_refused_at_its_place_with_a_way_out(expression, underlined, message, help):
    with pytest.raises(ScheduleError) as caught:
        parse_cron(expression, JOB)
    error = caught.value
    assert message in error.message
    assert expression[error.start : error.end] == underlined
    if help is not None:
        assert help in (error.help or "")


def test_a_range_that_is_proposed_for_a_reversed_one_is_sound_and_means_the_same():
    for first, last in [(f, t) for f in range(24) for t in range(f)]:
        with pytest.raises(ScheduleError) as caught:
            parse_cron(f"0 {first}-{last} * * *", JOB)
        proposal = (caught.value.help or "").removeprefix("write ")
        assert sets(f"0 {proposal} * * *")[1] == {hour % 24 for hour in range(first, last + 25)}


def test_an_expression_longer_than_256_characters_is_refused_unread():
    with pytest.raises(ScheduleError, match="at most 256 characters"):
        parse_cron("0," * 130 + "1 * * * *", JOB)


WARNED = {
    "either-day": ("0 0 13 * FRI", "it runs on the 13th of every month and on Fridays"),
    "both-days": ("0 0 */2 * MON", "it runs on Mondays that are the 1st, 3rd, 5th"),
    "weekday-step": ("0 0 1 * */2", "both must match"),
    "every-day-by-range": ("0 0 1-31 * MON", "it runs daily"),
    "uneven-minutes": ("*/7 * * * *", "starts again with every hour: the last step before it is 4, not 7"),
    "uneven-hours": ("0 */5 * * *", "every day: the last step before it is 4, not 5"),
    "one-step": ("*/60 * * * *", None),
    "days-step": ("0 0 */2 * *", "counts from the 1st of every month"),
    "step-on-a-number": ("5/10 * * * *", "`5/10` means 5-59/10 here; Debian cron refuses it"),
    "plain": ("30 4 * * 1-5", None),
    "even": ("*/15 */6 * */3 *", None),
    "star-and-weekday": ("0 0 * * MON", None),
    "step-one": ("*/1 * * * *", None),
}


@pytest.mark.parametrize(("expression", "message"), WARNED.values(), ids=WARNED)
def test_what_surprises_people_is_said_in_words(expression, message):
    warnings = parse_cron(expression, JOB).warnings
    assert [message in warning.message for warning in warnings].count(True) == (message is not None)
    if message is None:
        assert warnings == ()


@pytest.mark.parametrize(
    ("expression", "fixed"),
    [("30 2 * * *", True), ("*/30 2 * * *", False), ("30 * * * *", False), ("30 */2 * * *", False),
     ("0-59 2 * * *", True), ("0,*/5 2 * * *", True), ("H/20 2 * * *", True), ("@hourly", False), ("@daily", True)],
)  # fmt: skip
def test_a_time_is_fixed_when_neither_minute_nor_hour_begins_with_a_star(expression, fixed):
    assert parse_cron(expression, JOB).fixed is fixed


SPREAD = {
    # expression, identity -> what it stands for, for ever: a change here moves people's jobs
    ("H H * * *", "default/report"): "59 8 * * *",
    ("H H * * *", "default/backup"): "13 21 * * *",
    ("H/15 * * * *", "default/report"): "14,29,44,59 * * * *",
    ("H(0-29)/10 2 * * *", "default/report"): "9,19,29 2 * * *",
    ("H 4 H * *", "default/report"): "59 4 12 * *",
    ("H H * * H", "ops/report"): "4 6 * * 4",
    ("H H(0-3) 1 H *", "ops/report"): "4 2 1 10 *",
}


@pytest.mark.parametrize(("expression", "identity"), SPREAD, ids=[f"{e}-{i}" for e, i in SPREAD])
def test_h_stands_for_the_same_time_for_ever(expression, identity):
    assert parse_cron(expression, identity).text == SPREAD[expression, identity]


def test_h_spreads_jobs_over_the_whole_range_and_stays_in_it():
    hours = {hour for job in range(400) for hour in sets("0 H * * *", f"default/job-{job}")[1]}
    assert hours == set(range(24))
    days = {day for job in range(400) for day in sets("0 0 H * *", f"default/job-{job}")[2]}
    assert days == set(range(1, 29)), "a job must run in February too"
    minutes = [sets("H(10-19) * * * *", f"default/job-{job}")[0] for job in range(200)]
    assert set.union(*minutes) == set(range(10, 20))
    assert {len(found) for found in minutes} == {1}


def test_h_with_a_step_keeps_its_distance_and_starts_within_the_first():
    for job in range(100):
        found = sorted(sets("H/20 * * * *", f"default/job-{job}")[0])
        assert len(found) == 3
        assert {later - earlier for earlier, later in pairwise(found)} == {20}


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("H * * * *", True),
        ("0 H(1-5) * * *", True),
        ("H/5 * * * *", True),
        ("0 0 * * THU", False),
        ("0 0 1 MARCH *", False),
    ],
)
def test_only_h_makes_an_expression_depend_on_the_job(text, hashed):
    assert has_hash(text) is hashed
