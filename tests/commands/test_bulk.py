"""Several jobs at once: chosen by name or label, one question, each failure told, the right exit code."""

from __future__ import annotations

import json

import pytest

from state.inbox import RequestKind, read_requests
from state.records import Reason, RunState
from state.store import RunEnd
from tests.commands.conftest import NOW

SPEC = "name: {name}\nlabels: {{team: {team}}}\nschedule: every 10m\nrun: {{command: [a]}}\n"


@pytest.fixture
def three(known):
    """Two jobs of one team, one of another."""
    for name, team in (("one", "ops"), ("two", "ops"), ("three", "data")):
        known.job(SPEC.format(name=name, team=team), path=f"{name}.yaml")
    return known


@pytest.fixture
def asked(daemon):
    """What the daemon was asked: (kind, job)."""
    return lambda: [(request.kind, request.identity) for request in daemon.asked]


@pytest.fixture
def person(monkeypatch):
    """Somebody sits there and types `answer`."""

    def sit(answer: bool) -> list[str]:
        questions: list[str] = []

        def read_answer(prompt: str) -> bool:
            questions.append(prompt.removesuffix(" [y/N] "))
            return answer

        monkeypatch.setattr("cli.confirming.can_ask", lambda: True)
        monkeypatch.setattr("cli.confirming.read_answer", read_answer)
        return questions

    return sit


@pytest.mark.parametrize("command", ["suspend", "resume", "trigger"])
def test_by_label_is_each_of_them_and_nobody_has_to_be_there(three, daemon, asked, jobsctl, command):
    done = jobsctl(command, "-l", "team=ops")
    assert done.code == 0, done.err
    assert asked() == [(command, "default/one"), (command, "default/two")]


def test_several_names_and_a_failure_among_them(three, daemon, asked, jobsctl):
    done = jobsctl("suspend", "one", "nobody", "three", "one")
    assert done.out == "job/default/one suspended\njob/default/three suspended\n"
    assert "error: there is no job nobody" in done.err
    assert "1 of 3 jobs failed" in done.err
    assert (done.code, len(asked())) == (4, 2)


def test_failures_of_different_kinds_end_with_1(three, daemon, jobsctl):
    daemon.answer = lambda request, store: ("refused", "not now", None)
    done = jobsctl("resume", "one", "nobody", "-o", "json")
    data = json.loads(done.out)
    assert [(failure["job"], failure["exitCode"]) for failure in data["failed"]] == [("one", 7), ("nobody", 4)]
    assert (done.code, data["items"]) == (1, [])


def test_json_of_several_is_a_list_and_of_one_that_was_named_is_not(three, daemon, jobsctl):
    assert json.loads(jobsctl("suspend", "one", "-o", "json").out)["outcome"] == "done"
    data = json.loads(jobsctl("suspend", "one", "two", "-o", "json").out)
    assert [item["outcome"] for item in data["items"]] == ["done", "done"]
    assert jobsctl("suspend", "-l", "team=ops", "-o", "name").out == "job/default/one\njob/default/two\n"
    assert len(jobsctl("suspend", "one", "two", "-o", "jsonl").out.splitlines()) == 2


def test_of_several_runs_it_is_said_whose_they_are(three, daemon, jobsctl):
    daemon.answer = lambda request, store: ("done", "", f"run-of-{request.identity.partition('/')[2]}")
    assert jobsctl("trigger", "one", "two").out == "run-of-one  default/one\nrun-of-two  default/two\n"
    assert jobsctl("trigger", "one", "two", "-o", "name").out == "run-of-one\nrun-of-two\n"


def test_deleting_several_needs_yes_where_nobody_can_be_asked(three, daemon, asked, jobsctl, home):
    done = jobsctl("delete", "-l", "team=ops")
    assert (done.code, asked()) == (7, [])
    assert "Delete 2 jobs (default/one, default/two)?" in done.err
    assert "--yes" in done.err
    assert jobsctl("delete", "one", "two").code == 7
    assert (home.specs / "one.yaml").exists()
    assert jobsctl("delete", "-l", "team=ops", "--yes").code == 0
    assert [path.name for path in home.specs.iterdir()] == ["three.yaml"]


def test_one_question_for_all_and_no_means_nothing_is_done(three, daemon, asked, jobsctl, person):
    questions = person(False)
    assert jobsctl("suspend", "-l", "team").code == 7
    assert questions == ["Suspend 3 jobs (default/one, default/three, default/two)?"]
    assert asked() == []
    questions = person(True)
    assert jobsctl("suspend", "-l", "team").code == 0
    assert (len(questions), len(asked())) == (1, 3)


def test_cancelling_all_is_about_what_is_active(three, daemon, asked, jobsctl):
    for job in list(three.store.each_job()):
        if job.name != "two":
            three.run(three.store.job(job.id), state=RunState.RUNNING)
    assert jobsctl("cancel", "--all").code == 7
    assert jobsctl("cancel", "--all", "one").code == 2
    assert asked() == []
    assert jobsctl("cancel", "-l", "team=ops").code == 0
    assert asked() == [(RequestKind.CANCEL, "default/one")]
    assert jobsctl("cancel", "--all", "--yes").code == 0
    assert asked()[1:] == [(RequestKind.CANCEL, "default/one"), (RequestKind.CANCEL, "default/three")]
    assert jobsctl("cancel", "--all", "--yes", "-p", "other").err == "There are no active runs.\n"


@pytest.mark.usefixtures("three")
def test_cancelling_nothing_is_told_as_data_too(jobsctl):
    done = jobsctl("cancel", "--all", "-o", "json")
    assert (done.code, json.loads(done.out), done.err) == (
        0, {"items": [], "failed": []}, "There are no active runs.\n"
    )  # fmt: skip


def ending(job_of_run, state):
    """An answer of the daemon: the run ended by itself meanwhile."""

    def answer(request, store):
        store.finished([RunEnd(run_id=job_of_run.id, at=NOW, state=state, reason=Reason.SUCCEEDED, exit_code=0)])
        return "done", "it is over", None

    return answer


def test_a_run_that_was_faster_than_its_cancelling_is_told_as_it_ended(three, daemon, jobsctl):
    run = three.run(three.store.job_by_identity("default/one"), state=RunState.RUNNING)
    daemon.answer = ending(run, RunState.SUCCEEDED)
    done = jobsctl("cancel", "one", "--wait")
    assert (done.code, done.out) == (0, f"run/{run.id} succeeded\n")


def test_of_all_that_was_active_what_ended_by_itself_is_no_failure(three, daemon, asked, jobsctl):
    first = three.run(three.store.job_by_identity("default/one"), state=RunState.RUNNING)
    second = three.run(three.store.job_by_identity("default/two"), state=RunState.RUNNING)
    daemon.answer = ending(second, RunState.SUCCEEDED)
    done = jobsctl("cancel", "--all", "--yes")
    assert (done.code, done.out) == (0, f"run/{first.id} cancelling\njob/default/two has no active run any more\n")
    assert len(asked()) == 1


def test_which_job_must_be_said(three, jobsctl, home):
    assert jobsctl("suspend").code == 2
    assert jobsctl("suspend", "one", "-l", "team=ops").code == 2
    done = jobsctl("suspend", "-l", "team=nobody")
    assert (done.code, read_requests(home)) == (4, [])
    assert "no job has team=nobody" in done.err


def test_a_purge_that_cannot_be_leaves_the_file(jobsctl, known, home, daemon):
    job = known.job()
    known.run(job, state=RunState.RUNNING)
    done = jobsctl("delete", "hello", "--purge")
    assert (done.code, (home.specs / "hello.yaml").exists(), daemon.asked) == (7, True, [])
    assert "jobsctl cancel default/hello --wait" in done.err
