"""`events`: chosen by type, reason, time, label; and followed, one after another as they happen."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from cli import eventtail
from cli.eventtail import PAGE, EventWriter
from cli.options import Settings
from state.reads import Reader
from state.records import Event, Reason, RunState
from state.store import RunEnd, Store
from tests.commands.conftest import HOUR, MINUTE, NOW

OTHER = "name: other\nlabels: {team: data}\nschedule: every 10m\nrun: {command: [echo]}\n"


@pytest.fixture
def told(known):
    """Events of two jobs, an hour apart: numbers 1 to 6. The store adds none of its own."""
    hello, other = known.job(), known.job(OTHER, path="other.yaml")
    run = known.new_run(hello)
    rows = [
        (hello, run.id, "Normal", "started"), (hello, run.id, "Warning", "failed"), (other, None, "Normal", "created"),
        (other, None, "Warning", "stalled"), (None, None, "Normal", "daemon_started"),
        (hello, None, "Normal", "updated"),
    ]  # fmt: skip
    known.store.add_events(
        Event(at=NOW - (6 - place) * HOUR, job_id=job and job.id, run_id=run_id, type=type, reason=reason,
              message=f"Message {place + 1}.")
        for place, (job, run_id, type, reason) in enumerate(rows)
    )  # fmt: skip
    return hello, other


def shown(jobsctl, *arguments: object) -> list[int]:
    done = jobsctl("events", *arguments, "-o", "json")
    assert done.code == 0, done.err
    return [int(item["message"].split()[1].rstrip(".")) for item in json.loads(done.out)["items"]]


CHOICES = {
    "all": ((), [1, 2, 3, 4, 5, 6]),
    "the newest": (("-n", "2"), [5, 6]),
    "warnings": (("--warnings",), [2, 4]),
    "the newest warning, though others came after it": (("--warnings", "-n", "1"), [4]),
    "a type": (("--type", "warning"), [2, 4]),
    "both types": (("--type", "Warning", "--type", "Normal"), [1, 2, 3, 4, 5, 6]),
    "a reason": (("--reason", "stalled"), [4]),
    "any of two reasons": (("--reason", "stalled", "--reason", "updated"), [4, 6]),
    "since": (("--since", "3h"), [4, 5, 6]),
    "until": (("--until", "3h"), [1, 2, 3]),
    "a window": (("--since", "5h", "--until", "3h"), [2, 3]),
    "a label": (("-l", "team=data"), [3, 4]),
    "a project": (("-p", "default"), [1, 2, 3, 4, 6]),
    "of a job": (("hello",), [1, 2, 6]),
    "of a job, warnings": (("hello", "--warnings"), [2]),
    "after one": (("--after", "4"), [5, 6]),
    "before one, the newest": (("--before", "4", "-n", "2"), [2, 3]),
    "after one, the first": (("--after", "1", "-n", "2"), [2, 3]),
    "nothing": (("--reason", "nonsense"), []),
}


@pytest.mark.parametrize(("arguments", "expected"), CHOICES.values(), ids=CHOICES)
def test_events_are_chosen(jobsctl, told, arguments, expected):
    assert shown(jobsctl, *arguments) == expected


def test_nothing_found_is_told_apart_from_nothing_there(jobsctl, known):
    known.job()
    assert jobsctl("events").err == "No events yet.\n"
    assert jobsctl("events", "hello").err == "No events of hello.\n"
    assert jobsctl("events", "hello", "--reason", "nonsense").err == "No event fits.\n"


REFUSED = {
    "a window without room": ("--since", "1h", "--until", "2h"),
    "ids without room": ("--after", "4", "--before", "4"),
    "an end of what goes on": ("-f", "--until", "1h"),
    "a page of what goes on": ("-f", "--before", "4"),
    "nothing at all": ("-n", "0"),
    "labels beside a job": ("hello", "-l", "team=ops"),
    "an unknown type": ("--type", "Error"),
}


@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused(jobsctl, told, arguments):
    done = jobsctl("events", *arguments)
    assert (done.code, done.out) == (2, "")


@pytest.fixture
def meanwhile(monkeypatch):
    """What happens between two looks, in place of the waits; after the last of it, Ctrl-C."""

    def set_steps(*steps) -> None:
        left = list(steps)

        def sleep(seconds: float) -> None:
            assert 0.05 <= seconds <= 1
            if not left:
                raise KeyboardInterrupt
            left.pop(0)()

        monkeypatch.setattr(eventtail, "rest", sleep)

    return set_steps


def event(known, number: int, **fields: object) -> None:
    given = {"at": NOW, "job_id": None, "run_id": None, "type": "Normal", "reason": "tested"} | fields
    known.store.add_events([Event(message=f"Message {number}.", **given)])


def messages(out: str) -> list[str]:
    return [json.loads(line)["message"] for line in out.splitlines()]


def test_following_prints_the_newest_and_then_what_comes_until_ctrl_c(jobsctl, known, told, meanwhile):
    meanwhile(lambda: event(known, 7), lambda: None, lambda: (event(known, 8), event(known, 9)))
    done = jobsctl("events", "-f", "-n", "2", "-o", "jsonl")
    assert done.code == 130
    assert messages(done.out) == [f"Message {number}." for number in (5, 6, 7, 8, 9)]
    assert done.err == "The daemon is not running: nothing happens until it is started.\n"


def test_following_from_now_on_or_from_an_event(jobsctl, known, told, meanwhile):
    meanwhile(lambda: event(known, 7))
    assert messages(jobsctl("events", "-f", "-n", "0", "-o", "json").out) == ["Message 7."]
    meanwhile()
    assert messages(jobsctl("events", "-f", "--after", "5", "-o", "jsonl").out) == ["Message 6.", "Message 7."]


def test_following_keeps_to_what_was_asked_for(jobsctl, known, told, meanwhile):
    hello, other = told
    meanwhile(
        lambda: event(known, 7, type="Warning", job_id=other.id),
        lambda: event(known, 8, type="Warning", job_id=hello.id),
        lambda: event(known, 9, job_id=other.id),
    )
    assert messages(jobsctl("events", "-f", "-l", "team=data", "--warnings", "-o", "jsonl").out) == [
        "Message 4.", "Message 7.",
    ]  # fmt: skip


def test_following_a_run_ends_with_it_and_shows_its_last_event(jobsctl, known, meanwhile):
    run = known.run(known.job(), state=RunState.RUNNING)
    end = RunEnd(run_id=run.id, at=NOW, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED, exit_code=0)
    meanwhile(lambda: None, lambda: known.store.finished([end]))
    done = jobsctl("events", "-f", run.id)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split() == ["TIME", "TYPE", "REASON", "JOB", "MESSAGE"]
    assert lines[-1].endswith("Succeeded")
    assert len({line.index("default/hello") for line in lines[1:]}) == 1


def test_following_a_run_that_is_over_ends_at_once(jobsctl, known, meanwhile):
    meanwhile()
    assert jobsctl("events", "-f", known.run(known.job()).id).code == 0


def test_following_goes_on_when_the_history_before_it_is_pruned(jobsctl, known, home, meanwhile):
    run = known.run(known.job())
    known.run(known.store.job(run.job_id), ago=MINUTE)

    def prune() -> None:
        assert known.store.prune(NOW, max_age_us=0, max_runs=1) is not None
        with Reader(home.database) as reader:
            assert reader.events(run_id=run.id) == []

    meanwhile(prune, lambda: event(known, 7), lambda: event(known, 8))
    done = jobsctl("events", "-f", "-n", "0", "-o", "jsonl")
    assert messages(done.out)[-2:] == ["Message 7.", "Message 8."]


def test_following_goes_on_through_a_restart_of_the_daemon(jobsctl, known, home, told, meanwhile):
    def restart() -> None:
        known.store.close()
        known.store = Store.open(home.database, now=NOW)

    meanwhile(restart, lambda: event(known, 7))
    assert messages(jobsctl("events", "-f", "-n", "0", "-o", "jsonl").out) == ["Message 7."]


def test_following_goes_on_in_a_database_that_was_put_in_place_of_it(jobsctl, known, home, told, meanwhile, tmp_path):
    """A restored backup: an open file does not see it, and its numbers begin where the backup ended."""
    known.store.close()
    shutil.copy(home.database, tmp_path / "backup.db")
    known.store = Store.open(home.database, now=NOW)
    event(known, 7)

    def restore() -> None:
        known.store.close()
        for path in home.database.parent.glob(f"{home.database.name}-*"):
            path.unlink()
        (tmp_path / "backup.db").rename(home.database)
        known.store = Store.open(home.database, now=NOW)

    meanwhile(restore, lambda: event(known, 70))
    done = jobsctl("events", "-f", "-n", "1", "-o", "jsonl")
    assert messages(done.out) == ["Message 7.", "Message 70."]


def test_more_events_than_a_page_holds_come_without_a_pause(jobsctl, known, told, meanwhile):
    def many() -> None:
        known.store.add_events(
            Event(at=NOW, job_id=None, run_id=None, type="Normal", reason="tested", message=f"Message {number}.")
            for number in range(PAGE + 5)
        )

    meanwhile(many)
    assert len(messages(jobsctl("events", "-f", "-n", "0", "-o", "jsonl").out)) == PAGE + 5


FORMS = {
    "json": ('{"id": 1', 1), "jsonl": ('{"id": 1', 1), "yaml": ("---\nid: 1\n", 2), "name": ("event/1\n", 1),
    "table": ("TIME", 2), "wide": ("TIME", 2),
}  # fmt: skip


@pytest.mark.parametrize(("output", "expected"), FORMS.items(), ids=FORMS)
def test_each_form_can_be_read_while_it_comes(capsysbinary, output, expected):
    begins, least = expected
    view = {"id": 1, "message": "Message 1."}
    writer = EventWriter(Settings(output=output), lambda _: view, lambda _: "default/hello")
    one = Event(id=1, at=NOW, job_id=1, run_id=None, type="Normal", reason="tested", message="Message 1.\x1b[2J")
    writer.write([one])
    first = capsysbinary.readouterr().out.decode()
    assert first.startswith(begins)
    assert len(first.splitlines()) >= least
    assert "\x1b" not in first
    writer.write([one])
    again = capsysbinary.readouterr().out.decode()
    assert "TIME" not in again
    assert again


def test_every_event_is_written_at_once(monkeypatch):
    flushed: list[str] = []

    class Out:
        def __init__(self) -> None:
            self.text = ""

        def isatty(self) -> bool:
            return False

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None:
            flushed.append(self.text)

    monkeypatch.setattr(sys, "stdout", Out())
    writer = EventWriter(Settings(output="name"), dict, str)
    writer.write([Event(id=3, at=NOW, job_id=1, run_id=None, type="Normal", reason="r", message="m")])
    assert flushed == ["event/3\n"]
