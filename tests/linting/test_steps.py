"""JOB070 is told exactly where a step over a whole field does not come round evenly."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.model import Dst
from specs.schedule import parse_schedule
from tests.linting.texts import findings_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def distances(expression: str, count: int) -> set[timedelta]:
    """Between the next `count` instants, by cronsim."""
    return {later - sooner for sooner, later in pairwise(islice(CronSim(expression, START), count))}


def uneven(expression: str) -> bool:
    """Whether the lint says so."""
    parsed = parse_schedule(expression, timezone="UTC", dst=Dst(), identity="default/hello")
    return any(warning.code == "JOB070" for warning in parsed.warnings)


@pytest.mark.parametrize("form", ["*/{}", "0-59/{}"])
@pytest.mark.parametrize("step", range(1, 61))
def test_minutes(form, step):
    expression = f"{form.format(step)} * * * *"
    assert uneven(expression) == (len(distances(expression, 130)) > 1)


@pytest.mark.parametrize("form", ["*/{}", "0-23/{}"])
@pytest.mark.parametrize("step", range(1, 25))
def test_hours(form, step):
    expression = f"0 {form.format(step)} * * *"
    assert uneven(expression) == (len(distances(expression, 60)) > 1)


@pytest.mark.parametrize("step", range(1, 8))
def test_weekdays(step):
    expression = f"0 0 * * */{step}"
    assert uneven(expression) == (len(distances(expression, 30)) > 1)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.integers(1, 60), st.sampled_from(["a", "b", "report", "x1", "y2"]))
def test_spread_minutes(step, name):
    """`H/7` as its numbers, by cronsim, with the odd distance that is told."""
    parsed = parse_schedule(f"H/{step} * * * *", timezone="UTC", dst=Dst(), identity=f"default/{name}")
    odd = distances(parsed.expression, 130) - {timedelta(minutes=step)}
    told = [warning.message for warning in parsed.warnings if warning.code == "JOB070"]
    assert [re.search(r"before it is (\d+),", message)[1] for message in told] == [
        str(distance // timedelta(minutes=1)) for distance in odd
    ]


@pytest.mark.parametrize("cron", ["0 8-17/3 * * *", "5-50/7 * * * *", "0 H(0-6)/4 * * *"])
def test_a_part_of_the_day_has_no_round_to_be_even_in(cron):
    assert not uneven(cron)


def test_the_finding_says_the_odd_distance():
    (found,) = [
        each
        for each in findings_of('name: a\nschedule: "*/7 * * * *"\ntimeout: 1m\nrun: {command: [a]}\n')
        if each.code == "JOB070"
    ]
    assert found.message == "`*/7` starts again with every hour: the last step before it is 4, not 7"
    assert (found.column, found.end_column, found.help) == (12, 15, "`every 7m` keeps an even distance")
