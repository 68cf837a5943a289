"""A timeout longer than the distance of two slots, and none where a program runs often."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.linting.texts import codes_of, findings_of

RUN = "name: hello\nrun: {command: [echo, hello]}\n"


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        pytest.param("schedule: every 5m\ntimeout: 10m\n", {"JOB071"}, id="timeout-of-two-periods"),
        pytest.param("schedule: every 5m\ntimeout: 5m\n", set(), id="timeout-of-one-period"),
        pytest.param("schedule: every 5m\ntimeout: 4m\n", set(), id="timeout-below-the-period"),
        pytest.param("schedule: daily at 03:00\ntimeout: 2d\n", {"JOB071"}, id="two-days-for-a-daily-job"),
        pytest.param("schedule: daily at 03:00\ntimeout: 23h\n", set(), id="a-day-for-a-daily-job"),
        pytest.param('schedule: "*/10 8-17 * * *"\ntimeout: 1h\n', {"JOB071"}, id="only-by-day"),
        pytest.param('schedule: "50 23,0 * * *"\ntimeout: 2h\n', {"JOB071"}, id="over-midnight"),
        pytest.param('schedule: ["0 6 * * *", "30 6 * * 1"]\ntimeout: 1h\n', {"JOB071"}, id="two-entries-that-meet"),
        pytest.param("schedule: every 5m\ntimeout: 1h\noverlap: skip\n", set(), id="overlap-decided-skip"),
        pytest.param("schedule: every 5m\ntimeout: 1h\noverlap: queue\n", set(), id="overlap-decided-queue"),
        pytest.param("schedule: every 5m\ntimeout: 1h\noverlap: allow\n", set(), id="overlap-decided-allow"),
        pytest.param("schedule: every 5m\ntimeout: 1h\noverlap: replace\n", {"JOB071"}, id="never-reached"),
        pytest.param("schedule: every 5m from finish\ntimeout: 1h\n", set(), id="counted-from-the-end"),
        pytest.param("schedule: continuous\ntimeout: 1h\n", set(), id="continuous"),
        pytest.param("timeout: 1h\n", set(), id="manual"),
        pytest.param("schedule: every 5m\n", {"JOB072"}, id="every-5m"),
        pytest.param("schedule: every 10m\n", set(), id="every-10m"),
        pytest.param('schedule: "* * * * *"\n', {"JOB072"}, id="every-minute"),
        pytest.param('schedule: "0,5 3 * * *"\n', {"JOB072"}, id="twice-at-night"),
        pytest.param("schedule: every 1m from finish\n", {"JOB072"}, id="often-from-the-end"),
        pytest.param("schedule: continuous\n", set(), id="continuous-without"),
        pytest.param("schedule: every 1m\ntimeout: none\n", set(), id="none-on-purpose"),
        pytest.param("schedule: every 1m\noverlap: replace\n", set(), id="the-next-slot-ends-it"),
        pytest.param("schedule: every 1m\noverlap: allow\n", {"JOB072"}, id="they-pile-up"),
    ],
)
def test_what_is_told(fields, codes):
    assert codes_of(RUN + fields) == codes


def test_the_finding_says_what_happens_and_what_to_write():
    (found,) = findings_of(f"{RUN}schedule: every 5m\ntimeout: 1h\n")
    assert (found.line, found.column, found.end_column, found.identity) == (4, 10, 12, "default/hello")
    assert found.message == (
        "`timeout` is 1 hour, and two slots are only 5 minutes apart: slots are skipped while a run takes longer"
    )
    assert found.help == "give it a `timeout` of at most 5 minutes, or write `overlap: skip`: then it is meant"


@pytest.mark.parametrize(
    ("schedule", "timeout"), [("every 90s", "90s"), ("every 2m", "2m"), ('"*/7 * * * *"', "4m"), ("every 1s", "1s")]
)
def test_the_timeout_it_proposes_is_accepted_and_ends_the_matter(schedule, timeout):
    found = [each for each in findings_of(f"{RUN}schedule: {schedule}\n") if each.code == "JOB072"]
    assert f"`timeout: {timeout}`" in str(found[0].help)
    assert codes_of(f"{RUN}schedule: {schedule}\ntimeout: {timeout}\n") <= {"JOB070"}


times = st.sets(st.integers(0, 59), min_size=1, max_size=4)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(times, st.sets(st.integers(0, 23), min_size=1, max_size=3), st.integers(1, 30 * 60))
@example({0, 55}, {23, 0}, 6)
@example({59}, {5}, 24 * 60)
@example({0}, {0}, 24 * 60 + 1)
def test_told_exactly_when_two_slots_are_closer(minutes, hours, timeout):
    """Against every minute of three days, counted out."""
    slots = [minute for minute in range(3 * 1440) if minute % 60 in minutes and minute // 60 % 24 in hours]
    shortest = min(later - sooner for sooner, later in pairwise(slots))
    cron = f"{','.join(map(str, sorted(minutes)))} {','.join(map(str, sorted(hours)))} * * *"
    assert codes_of(f'{RUN}schedule: "{cron}"\ntimeout: {timeout}m\n') == ({"JOB071"} if shortest < timeout else set())
    assert codes_of(f'{RUN}schedule: "{cron}"\n') == ({"JOB072"} if shortest < 10 else set())
