"""`timers`: what starts next, the soonest first; what starts nothing by itself at the end, and why."""

from __future__ import annotations

import json
import random

import pytest

from state.reads import Reader
from state.records import Reason, RunState
from status.timers import timer_of
from tests.commands.conftest import HOUR, MINUTE, NOW


def spec(name: str, rest: str = "schedule: every 10m", **more: str) -> str:
    lines = [f"name: {name}", rest, "run: {command: [echo]}", *(f"{key}: {value}" for key, value in more.items())]
    return "\n".join(line for line in lines if line) + "\n"


@pytest.fixture
def add(known):
    """Stores the job of a spec; by default it starts in five minutes."""

    def add(name: str, rest: str = "schedule: every 10m", *, more: dict[str, str] | None = None, **fields: object):
        return known.job(spec(name, rest, **(more or {})), path=f"{name}.yaml", **fields)

    return add


def rows(out: str) -> list[str]:
    return [line for line in out.splitlines()[1:] if line]


def jobs(jobsctl, *arguments: object) -> list[str]:
    done = jobsctl("timers", *arguments, "-o", "json")
    assert done.code == 0
    return [item["name"] for item in json.loads(done.out)["items"]]


def test_the_soonest_stands_first_and_what_is_due_before_it(jobsctl, add, known):
    add("later", next_at=NOW + 3 * HOUR)
    known.run(add("soon", next_at=NOW + MINUTE), ago=2 * HOUR)
    add("due", next_at=NOW - MINUTE)
    done = jobsctl("timers")
    due, soon, later = rows(done.out)
    assert due.split()[:4] == ["2026-11-21", "07:59:00Z", "1m", "ago"]
    assert "default/due" in due
    assert soon == ("2026-11-21 08:01:00Z  in 1m   2026-11-21 06:00:00Z  2h ago  default/soon   Every 10 minutes")
    assert "in 3h" in later
    assert "The daemon is not running: nothing starts." in done.err


NOTES = {
    "suspended in its file": ("suspend: {reason: it moves}\nschedule: every 10m", {},
                              "suspended in its file: it moves"),
    "suspended by somebody": (
        "schedule: every 10m",
        {"suspended_at": NOW, "suspended_by": "ann@desk", "suspended_reason": "it moves"},
        "suspended by ann@desk: it moves",
    ),
    "suspended by somebody silent": ("schedule: every 10m", {"suspended_at": NOW}, "suspended"),
    "at boot": ("schedule: '@reboot'", {"next_at": None}, "starts at the next boot"),
    "at each of several boots": ("schedule: ['@reboot']", {"next_at": None}, "starts at the next boot"),
    "complete": ("schedule: every 10m\nrepeat: 3", {"next_at": None, "completed_at": NOW, "repeat_done": 3},
                 "complete: All 3 runs are done."),
    "a one-shot that is over": ("schedule: '2026-01-01T00:00:00Z'", {"next_at": None, "completed_at": NOW},
                                "complete: no further instants"),
    "counted from the end of its run": ("schedule: every 10m from finish", {"active_runs": 1},
                                        "its next start depends on when its run ends"),
    "continuous": ("schedule: {continuous: true}", {"active_runs": 1}, "its next start depends on when its run ends"),
    "its calendar never opens": ("schedule: every 10m\ncalendar: never", {"next_at": None},
                                 "its calendars never let it run"),
    "stalled": ("schedule: every 10m", {"next_at": None, "stalled": "zone Mars/Phobos is gone"},
                "stalled: zone Mars/Phobos is gone"),
    "no instant left": ("schedule: every 10m", {"next_at": None}, "no instant is left"),
}  # fmt: skip


@pytest.mark.parametrize(("rest", "fields", "note"), NOTES.values(), ids=NOTES)
def test_what_starts_nothing_stands_at_the_end_with_the_reason(jobsctl, add, known, rest, fields, note):
    given = dict(fields)
    active = given.pop("active_runs", 0)
    odd = add("aaa", rest, **given)
    if active:
        known.run(odd, state=RunState.RUNNING)
    add("usual", next_at=NOW + HOUR)
    usual, last = rows(jobsctl("timers").out)
    assert "default/usual" in usual
    assert last.split()[0] == "-"
    assert last.endswith(f"  {note}")


def test_a_note_also_says_what_keeps_a_next_start_from_happening(known, add):
    record = add("pooled", "schedule: every 10m", more={"pool": "db"})
    run = known.waiting(record, Reason.POOL)
    stored = known.store.job(record.id)
    assert timer_of(stored, run).note == "its run waits for a slot of its pool"
    assert timer_of(stored, run).next_at == NOW + 5 * MINUTE
    wrong = known.update(record, problem=({"message": "unknown key", "path": "p.yaml", "line": 3, "column": 1},))
    assert timer_of(wrong).note == "its file is wrong, the last good version runs: p.yaml:3:1: unknown key"


def test_jobs_without_a_schedule_are_listed_on_demand(jobsctl, add):
    add("timed")
    add("chain", "depends_on: [timed]", next_at=None)
    add("byhand", "", next_at=None)
    add("gone", next_at=None, archived_at=NOW - HOUR)
    assert jobs(jobsctl) == ["timed"]
    assert jobs(jobsctl, "--all") == ["timed", "byhand", "chain"]
    out = jobsctl("timers", "-a").out
    assert "starts after timed" in out
    assert "starts when it is triggered" in out


def test_labels_project_and_number_choose(jobsctl, add):
    add("one", more={"labels": "{team: ops}"}, next_at=NOW + MINUTE)
    add("two", more={"labels": "{team: data}"}, next_at=NOW + 2 * MINUTE)
    add("three", more={"project": "other"}, next_at=NOW + 3 * MINUTE)
    assert jobs(jobsctl, "-l", "team=data") == ["two"]
    assert jobs(jobsctl, "-p", "other") == ["three"]
    assert jobs(jobsctl, "-n", "2") == ["one", "two"]
    done = jobsctl("timers", "-n", "2")
    assert "There are more: `-n 20` shows more of them." in done.err
    assert "There are more" not in jobsctl("timers", "-n", "3").err
    assert jobsctl("timers", "-l", "team=none").err == "No job fits.\n"
    assert jobsctl("timers", "-o", "name").out == "job/default/one\njob/default/two\njob/other/three\n"


def test_the_shape_is_a_timer(jobsctl, add, known):
    record = add("one")
    run = known.run(record)
    (item,) = json.loads(jobsctl("timers", "-o", "json").out)["items"]
    assert item == {
        "apiVersion": "jobsctl/v1", "kind": "Timer", "job": "default/one", "project": "default", "name": "one",
        "phase": "active", "next": "2026-11-21T08:05:00.000Z", "last": "2026-11-21T07:50:00.020Z", "lastRun": run.id,
        "lastState": "succeeded", "schedule": "Every 10 minutes", "note": None,
    }  # fmt: skip


def test_an_empty_home_says_what_to_do(jobsctl, known):
    done = jobsctl("timers")
    assert (done.code, done.out) == (0, "")
    assert done.err == "No job has a schedule; `jobsctl list` shows all.\n"


def test_the_database_orders_as_counting_by_hand_does(home, add):
    """Against a plain sort, over jobs of every kind mixed."""
    chance = random.Random(4)
    made = []
    for number in range(60):
        name = f"job-{number:02}"
        rest = chance.choice(["schedule: every 10m", "schedule: every 10m\nsuspend: true", ""])
        next_at = None if not rest or chance.random() < 0.3 else NOW + chance.randrange(-5, 5) * MINUTE
        paused = NOW if chance.random() < 0.2 else None
        project = {"project": chance.choice(["one", "two"])}
        made.append((add(name, rest, more=project, next_at=next_at, suspended_at=paused), rest))

    def rank(item):
        job, rest = item
        quiet = job.next_at is None or job.suspended_at is not None or "suspend" in rest
        return (quiet, 0 if quiet else job.next_at, job.identity)

    expected = [job.identity for job, _ in sorted(made, key=rank)]
    scheduled = {job.identity for job, rest in made if rest}
    with Reader(home.database) as reader:
        assert [job.identity for job in reader.timetable(scheduled=False)] == expected
        found = [job.identity for job in reader.timetable(scheduled=True)]
        assert found == [identity for identity in expected if identity in scheduled]
        assert [job.identity for job in reader.timetable(scheduled=False, limit=7)] == expected[:7]
