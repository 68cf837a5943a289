"""The nights on which zones move their clocks, lived through by a real daemon: a fixed time runs once, a wildcard
follows real time.

The clock is set to just before each instant that matters, and the instant then comes by itself: a slot is started by
an ordinary timer. What is expected is written out by hand, in UTC, after Debian's cron(8) and the tz database.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from state.records import Run, RunState
from tests.faults.ticking import ended
from tests.faults.wallclock import WallClock
from tests.household import Household, eventually

BEFORE = 300_000
"""Microseconds before an instant to which the clock is set."""

Night = dict[tuple[str, str], str]
"""(zone, schedule) and the instants of its runs in this night, as HH:MM in UTC."""

NIGHTS: dict[str, tuple[str, Night]] = {
    "spring-berlin-and-troll": (
        "2027-03-28T00:05",
        {
            ("Europe/Berlin", "30 2 * * *"): "01:00",
            ("Europe/Berlin", "0,30 2 * * *"): "01:00",
            ("Europe/Berlin", "30 * * * *"): "00:30 01:30",
            ("Europe/Berlin", "*/30 2 * * *"): "",
            ("Antarctica/Troll", "30 1 * * *"): "01:00",
            ("Antarctica/Troll", "15 2 * * *"): "01:00",
        },
    ),
    "autumn-berlin-and-troll": (
        "2027-10-30T23:05",
        {
            ("Europe/Berlin", "30 2 * * *"): "00:30",
            ("Europe/Berlin", "30 * * * *"): "23:30 00:30 01:30",
            ("Europe/Berlin", "*/30 2 * * *"): "00:00 00:30 01:00 01:30",
            ("Antarctica/Troll", "30 1 * * *"): "23:30",
            ("Antarctica/Troll", "30 2 * * *"): "00:30",
        },
    ),
    "spring-new-york-and-st-johns": (
        "2027-03-14T05:05",
        {
            ("America/New_York", "30 2 * * *"): "07:00",
            ("America/New_York", "30 * * * *"): "05:30 06:30 07:30",
            ("America/New_York", "*/30 2 * * *"): "",
            ("America/St_Johns", "30 2 * * *"): "05:30",
            ("America/St_Johns", "0 * * * *"): "05:30 06:30 07:30",
        },
    ),
    "autumn-new-york-and-st-johns": (
        "2027-11-07T03:35",
        {
            ("America/New_York", "30 1 * * *"): "05:30",
            ("America/New_York", "*/30 1 * * *"): "05:00 05:30 06:00 06:30",
            ("America/St_Johns", "30 1 * * *"): "04:00",
            ("America/St_Johns", "30 * * * *"): "04:00 05:00 06:00",
        },
    ),
    "spring-lord-howe-half-an-hour": (
        "2027-10-02T14:50",
        {
            ("Australia/Lord_Howe", "15 2 * * *"): "15:30",
            ("Australia/Lord_Howe", "*/15 2 * * *"): "15:30 15:45",
            ("Australia/Lord_Howe", "45 * * * *"): "15:15 15:45",
        },
    ),
    "autumn-lord-howe-half-an-hour": (
        "2027-04-03T13:55",
        {
            ("Australia/Lord_Howe", "45 1 * * *"): "14:45",
            ("Australia/Lord_Howe", "*/15 1 * * *"): "14:00 14:15 14:30 14:45 15:00 15:15",
        },
    ),
}
JOB = 'name: job-{number}\ntimezone: {zone}\nschedule: "{schedule}"\nrun: {{command: ["true"]}}\n'


def micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000


def instants(start: datetime, hours: str) -> list[int]:
    """Each HH:MM as the first such instant after `start`, in microseconds."""
    found = []
    for hour in hours.split():
        at = datetime.combine(start.date(), datetime.strptime(hour, "%H:%M").time(), UTC)  # noqa: DTZ007
        found.append(micros(at if at >= start else at + timedelta(days=1)))
    return found


def slots(runs: list[Run]) -> list[int]:
    return sorted(run.scheduled_for for run in runs if run.scheduled_for is not None)


def begin(house: Household, clock: WallClock, name: str) -> tuple[dict[str, list[int]], int]:
    """A daemon at the start of the night; the expected instants of each job, and the last that matters."""
    night, jobs = NIGHTS[name]
    start = datetime.fromisoformat(night).replace(tzinfo=UTC)
    clock.set(micros(start))
    expected = {}
    for number, ((zone, schedule), hours) in enumerate(jobs.items()):
        house.write(f"job-{number}.yaml", JOB.format(number=number, zone=zone, schedule=schedule))
        expected[f"default/job-{number}"] = instants(start, hours)
    house.start()
    eventually(lambda: all(house.job(identity) for identity in expected), "the jobs are known")
    return expected, max(chain.from_iterable(expected.values()))


def accounted(house: Household, expected: dict[str, list[int]], through: int) -> bool:
    """Every slot up to an instant is decided on."""
    wanted = {identity: [at for at in ats if at <= through] for identity, ats in expected.items()}
    return all(not ats or slots(house.runs(identity))[-1:] >= ats[-1:] for identity, ats in wanted.items())


@pytest.mark.parametrize("name", NIGHTS)
def test_a_night_is_lived_through(name: str, timed: Household, clock: WallClock) -> None:
    expected, _ = begin(timed, clock, name)
    for instant in sorted(set(chain.from_iterable(expected.values()))):
        clock.set(instant - BEFORE, timed)
        eventually(lambda at=instant: accounted(timed, expected, at), f"{instant}\n{timed.log()}")  # type: ignore[misc]
        # Before the clock is set on: a run that takes real time would overlap the next slot.
        eventually(lambda: all(ended(timed, identity) for identity in expected), "all ended")
    for identity, ats in expected.items():
        assert slots(timed.runs(identity)) == ats, identity
        assert {run.state for run in timed.runs(identity)} <= {RunState.SUCCEEDED}
    assert timed.stop() == 0


@pytest.mark.parametrize("name", ["spring-new-york-and-st-johns", "autumn-berlin-and-troll"])
def test_a_machine_that_slept_through_the_night_starts_each_job_once_and_counts_the_rest(
    name: str, timed: Household, clock: WallClock
) -> None:
    expected, last = begin(timed, clock, name)
    clock.set(last + BEFORE, timed)
    eventually(lambda: accounted(timed, expected, last), f"all is decided\n{timed.log()}")
    eventually(lambda: all(ended(timed, identity) for identity in expected), "all ended")
    for identity, ats in expected.items():
        rows = timed.runs(identity)
        ran = [run for run in rows if run.state is RunState.SUCCEEDED]
        assert slots(ran) == ats[-1:], identity
        assert sum(run.skipped_count or 0 for run in rows) == max(len(ats) - 1, 0), identity
    assert timed.stop() == 0
