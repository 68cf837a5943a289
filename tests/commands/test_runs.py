"""`jobsctl runs`: what can be chosen by, cursors, all of them as a stream, and their order."""

from __future__ import annotations

import json

import pytest

from cli.commands.runs import ORDERS, STATES, TRIGGERS
from state.records import Reason, RunState, Trigger
from tests.commands.conftest import HOUR, MINUTE


@pytest.fixture
def town(known):
    """Run ids by what is special about them, of two jobs; made in this order."""
    hello = known.job()
    other = known.job("name: other\nrun: {command: [echo, other]}\n", path="other.yaml")
    return {
        "quick": known.run(hello, ago=5 * HOUR, took=900_000).id,
        "slow": known.run(hello, ago=4 * HOUR, took=10 * MINUTE, peak_memory=9 << 20).id,
        "oom": known.run(hello, ago=3 * HOUR, state=RunState.FAILED, reason=Reason.OOM).id,
        "asked": known.run(other, ago=2 * HOUR, trigger=Trigger.MANUAL, scheduled_for=None, output_bytes=900).id,
        "retried": known.run(other, ago=HOUR, trigger=Trigger.RETRY, state=RunState.EXPIRED, reason=Reason.TIMEOUT).id,
        "going": known.run(hello, ago=30 * MINUTE, state=RunState.RUNNING).id,
    }


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param(["--reason", "oom"], {"oom"}, id="a reason"),
        pytest.param(["--reason", "oom", "--reason", "timeout"], {"oom", "retried"}, id="either reason"),
        pytest.param(["--trigger", "manual"], {"asked"}, id="a trigger"),
        pytest.param(["--trigger", "retry", "--status", "failed"], set(), id="both must hold"),
        pytest.param(["--longer-than", "10m"], {"slow", "going"}, id="those that still run count until now"),
        pytest.param(["--longer-than", "29m59s"], {"going"}, id="longer still"),
        pytest.param(["--attempt", "2"], set(), id="no second attempts"),
        pytest.param(["hello", "--status", "failed"], {"oom"}, id="one job"),
        pytest.param(["hello", "other", "--since", "150m"], {"asked", "retried", "going"}, id="two jobs"),
        pytest.param(["-p", "nothing"], set(), id="a project without jobs"),
    ],
)
def test_runs_are_chosen(jobsctl, town, options, found):
    listed = jobsctl("runs", *options, "-o", "name").out.split()
    assert set(listed) == {f"run/{town[name]}" for name in found}


@pytest.mark.parametrize("order", [[], ["--oldest-first"]], ids=["newest first", "oldest first"])
def test_pages_put_together_by_their_cursor_are_all_runs(jobsctl, town, order):
    whole = [each["id"] for each in json.loads(jobsctl("runs", *order, "-o", "json").out)["items"]]
    cursor, found = [], []
    while True:
        page = json.loads(jobsctl("runs", "-n", "2", *order, *cursor, "-o", "json").out)
        found += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = ["--after" if order else "--before", page["next"]]
    assert found == whole
    assert len(whole) == len(town)


@pytest.mark.parametrize("form", ["jsonl", "name"])
def test_all_runs_are_streamed_a_page_at_a_time(jobsctl, town, form, monkeypatch):
    from cli import runlisting

    monkeypatch.setattr(runlisting, "STREAMED", 2)
    streamed = jobsctl("runs", "--all", "-o", form)
    assert streamed.out == jobsctl("runs", "-n", "100", "-o", form).out
    assert streamed.out.count("\n") == len(town)


def test_all_can_be_listed_up_to_the_limit(jobsctl, town):
    assert json.loads(jobsctl("runs", "-n", "10000", "-o", "json").out)["next"] is None


@pytest.mark.parametrize(
    ("order", "names"),
    [
        pytest.param("duration", ["going", "slow", "oom", "asked", "retried", "quick"], id="duration"),
        pytest.param("memory", ["slow", "oom", "asked", "retried", "quick", "going"], id="memory, unknown last"),
        pytest.param("started", ["going", "retried", "asked", "oom", "slow", "quick"], id="started"),
    ],
)
def test_a_page_is_sorted(jobsctl, town, order, names):
    listed = jobsctl("runs", "--sort-by", order, "-o", "name").out.split()
    places = {f"run/{id}": name for name, id in town.items()}
    same = {"oom", "asked", "retried"}  # alike but for their names
    shown = [places[each] for each in listed]
    assert [name if name not in same else "" for name in shown] == [name if name not in same else "" for name in names]


def test_equal_ones_stay_in_the_order_they_were_made(jobsctl, town):
    for order in ORDERS:
        assert len(jobsctl("runs", "--sort-by", order, "-o", "name").out.split()) == len(town)
    states = jobsctl("runs", "--sort-by", "job", "-o", "name").out.split()
    assert states[:4] == [f"run/{town[name]}" for name in ("going", "oom", "slow", "quick")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--all"], "-o jsonl", id="a stream as a table"),
        pytest.param(["--all", "-o", "jsonl", "-n", "3"], "has no --limit", id="all, and some"),
        pytest.param(["--all", "-o", "jsonl", "--watch"], "has no --watch", id="all, for ever"),
        pytest.param(["--reason", "timout"], "did you mean timeout", id="a reason mistyped"),
        pytest.param(["hello", "-l", "a=b"], "a job is named already", id="a job and a label"),
    ],
)
def test_what_makes_no_sense_is_refused(jobsctl, town, arguments, said):
    done = jobsctl("runs", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_the_words_are_those_of_the_records():
    assert set(STATES) == {*RunState}
    assert set(TRIGGERS) == {*Trigger}
