"""Commands that change something: a request, its answer, and what is said with no daemon running."""

from __future__ import annotations

import getpass
import json
import socket

import pytest

from state.inbox import RequestKind, read_requests
from state.records import Reason, RunState
from state.store import RunEnd, RunStarted

MINUTE = 60_000_000
NOW = 1_795_248_000_000_000

CHANGES = [
    pytest.param(["trigger", "hello", "--reason", "now"], RequestKind.TRIGGER, id="trigger"),
    pytest.param(["suspend", "hello", "--reason", "now"], RequestKind.SUSPEND, id="suspend"),
    pytest.param(["resume", "hello"], RequestKind.RESUME, id="resume"),
    pytest.param(["cancel", "hello"], RequestKind.CANCEL, id="cancel"),
    pytest.param(["delete", "hello"], RequestKind.DELETE, id="delete"),
    pytest.param(["apply"], RequestKind.RECONCILE, id="apply"),
    pytest.param(["apply", "--confirm-prune"], RequestKind.CONFIRM_PRUNE, id="confirm_prune"),
]


@pytest.fixture
def hello(known):
    """A job with an active run."""
    job = known.job()
    known.run(job, state=RunState.RUNNING, ago=MINUTE)
    return job


class TestNoDaemon:
    @pytest.mark.parametrize(("arguments", "kind"), CHANGES)
    def test_the_request_waits_in_the_inbox_and_this_is_said(self, jobsctl, home, hello, arguments, kind):
        done = jobsctl(*arguments)
        assert done.code == 0, done.err
        assert "The daemon is not running: this is done when it starts" in done.err
        (request,) = read_requests(home)
        assert request.kind == kind
        assert request.requested_by == f"{getpass.getuser()}@{socket.gethostname()}"
        assert request.requested_at == NOW
        assert request.identity == (None if arguments[0] == "apply" else "default/hello")
        assert request.reason == ("now" if "--reason" in arguments else None)

    def test_a_job_that_is_only_in_a_file_can_be_triggered(self, jobsctl, home):
        (home.specs / "a.yaml").write_text("name: fresh\nrun: {command: [a]}\n")
        done = jobsctl("trigger", "fresh")
        assert (done.code, done.out) == (0, "job/default/fresh runs when the daemon starts\n")
        assert [request.identity for request in read_requests(home)] == ["default/fresh"]

    def test_a_name_that_nothing_has_is_not_asked_for(self, jobsctl, home, hello):
        done = jobsctl("trigger", "helo")
        assert (done.code, done.out) == (4, "")
        assert "did you mean default/hello?" in done.err
        assert read_requests(home) == []

    def test_waiting_for_a_run_is_refused(self, jobsctl, hello):
        done = jobsctl("trigger", "hello", "--wait")
        assert (done.code, done.out) == (5, "")
        assert "start the daemon" in done.err

    def test_json_says_that_it_waits(self, jobsctl, home, hello):
        data = json.loads(jobsctl("suspend", "hello", "-o", "json").out)
        assert data["outcome"] == "waiting"
        assert [request.id for request in read_requests(home)] == [data["request"]]

    def test_the_state_directory_it_makes_is_private(self, jobsctl, home):
        (home.specs / "a.yaml").write_text("name: fresh\nrun: {command: [a]}\n")
        jobsctl("trigger", "fresh")
        assert home.state.stat().st_mode & 0o777 == 0o700
        assert home.requests.stat().st_mode & 0o777 == 0o700


class TestAnswered:
    def test_suspending_again_says_who_did_and_whether_the_file_does_too(self, jobsctl, known, daemon):
        known.job("name: hello\nsuspend: true\nrun: {command: [a]}\n", suspended_at=NOW - 5 * MINUTE,
                  suspended_by="ann@desk", suspended_reason="audit")  # fmt: skip
        daemon.answer = lambda request, store: ("done", "suspended already", None)
        done = jobsctl("suspend", "hello")
        assert done.out == "job/default/hello unchanged\n"
        assert done.err == "suspended already\nsuspended 5m ago by ann@desk: audit (and by its file, hello.yaml:1)\n"

    def test_suspend_says_what_was_done(self, jobsctl, hello, daemon):
        daemon.answer = lambda request, store: ("done", "default/hello suspended", None)
        done = jobsctl("suspend", "hello", "--reason", "moving")
        told = "default/hello suspended\n`jobsctl resume default/hello` ends it\n"
        assert (done.code, done.out, done.err) == (0, "job/default/hello suspended\n", told)
        assert [(request.kind, request.reason) for request in daemon.asked] == [("suspend", "moving")]

    def test_a_refusal_ends_with_7_and_the_daemons_words(self, jobsctl, hello, daemon):
        daemon.answer = lambda request, store: ("refused", "default/hello is suspended by its file", None)
        done = jobsctl("resume", "hello")
        assert (done.code, done.out, done.err) == (7, "", "error: default/hello is suspended by its file\n")

    def test_no_answer_in_time_ends_with_6(self, jobsctl, hello, daemon):
        daemon.answer = lambda request, store: ("silence", "", None)
        done = jobsctl("resume", "hello", "--timeout", "0.1")
        assert (done.code, done.out) == (6, "")
        assert "the daemon did not answer within 0.1s" in done.err
        assert "may still be done" in done.err

    def test_a_request_that_the_daemon_put_aside_is_refused(self, jobsctl, home, hello, daemon):
        def put_aside(request, store):
            folder = home.requests / "rejected"
            folder.mkdir()
            (folder / f"{request.id}.json.reason").write_text("owned by uid 7\n")
            return "silence", "", None

        daemon.answer = put_aside
        done = jobsctl("resume", "hello")
        assert (done.code, done.err) == (7, "error: the daemon does not take the request: owned by uid 7\n")


class TestApply:
    def test_no_wait_does_not_wait(self, jobsctl, home, known, daemon):
        daemon.answer = lambda request, store: ("silence", "", None)
        (home.specs / "a.yaml").write_text("name: fresh\nrun: {command: [a]}\n")
        done = jobsctl("apply", "--no-wait")
        assert (done.code, done.out) == (0, "job/default/fresh created when the daemon looks\n")

    def test_what_is_not_applied_in_time_is_named(self, jobsctl, home, known, daemon):
        (home.specs / "a.yaml").write_text("name: fresh\nrun: {command: [a]}\n")
        done = jobsctl("apply", "--timeout", "0.2")
        assert (done.code, done.out) == (6, "")
        assert "not applied yet: default/fresh" in done.err


def start_run(known, state, **end):
    """An answer that makes a run which ends at once in `state`."""

    def answer(request, store):
        job = store.job_by_identity(request.identity)
        run = known.new_run(job, requested_by=request.requested_by)
        store.insert_runs([run])
        store.started([RunStarted(run_id=run.id, at=NOW + 1)])
        if state is not None:
            store.finished([RunEnd(run_id=run.id, at=NOW + 2, state=state, **end)])
        return "done", f"run {run.id} created", run.id

    return answer


class TestTrigger:
    def test_prints_the_id_of_the_run(self, jobsctl, known, hello, daemon):
        daemon.answer = start_run(known, None)
        done = jobsctl("trigger", "hello")
        assert (done.code, done.err) == (0, f"`jobsctl logs -f {done.out.strip()}` follows it\n")
        assert jobsctl("run", done.out.strip()).code == 0

    def test_says_when_the_run_waits(self, jobsctl, hello, daemon):
        daemon.answer = lambda request, store: ("done", "run 01m7 created; it waits for the run before", "01m7")
        done = jobsctl("trigger", "hello")
        assert done.err == "default/hello: it waits for the run before; `jobsctl why 01m7` tells more\n"

    def test_wait_ends_with_0_when_the_run_succeeded(self, jobsctl, known, hello, daemon):
        daemon.answer = start_run(known, RunState.SUCCEEDED, reason=Reason.SUCCEEDED, exit_code=0)
        done = jobsctl("trigger", "hello", "--wait", "-o", "json")
        assert done.code == 0
        assert json.loads(done.out)["state"] == "succeeded"

    def test_wait_ends_with_1_when_the_run_failed(self, jobsctl, known, hello, daemon):
        daemon.answer = start_run(known, RunState.FAILED, reason=Reason.EXIT_CODE, exit_code=3, error="exit code 3")
        done = jobsctl("trigger", "hello", "--wait")
        assert done.code == 1
        assert done.err.splitlines()[-1] == f"run {done.out.strip()} failed: exit code 3"

    def test_wait_gives_up_at_the_timeout(self, jobsctl, known, hello, daemon):
        daemon.answer = start_run(known, None)
        done = jobsctl("trigger", "hello", "--wait", "--timeout", "0.3")
        assert done.code == 6
        assert "is still running; it goes on" in done.err


class TestCancel:
    def test_names_the_runs_it_cancels(self, jobsctl, hello, daemon):
        run_id = jobsctl("runs", "--active", "-o", "name").out.strip()
        done = jobsctl("cancel", "hello")
        assert (done.code, done.out) == (0, f"{run_id} cancelling\n")
        (request,) = daemon.asked
        assert (request.identity, request.run_id) == ("default/hello", None)

    def test_of_a_run_names_the_run(self, jobsctl, hello, daemon):
        run_id = jobsctl("runs", "--active", "-o", "name").out.strip().removeprefix("run/")
        jobsctl("cancel", run_id)
        assert [request.run_id for request in daemon.asked] == [run_id]

    def test_wait_returns_when_it_is_over(self, jobsctl, hello, daemon):
        run_id = jobsctl("runs", "--active", "-o", "name").out.strip().removeprefix("run/")

        def end(request, store):
            end = RunEnd(run_id=run_id, at=NOW, state=RunState.CANCELLED, reason=Reason.CANCELLED)
            store.finished([end])
            return "done", "", None

        daemon.answer = end
        done = jobsctl("cancel", "hello", "--wait")
        assert (done.code, done.out) == (0, f"run/{run_id} cancelled\n")

    def test_of_a_job_without_an_active_run_is_refused(self, jobsctl, known, daemon):
        known.job()
        done = jobsctl("cancel", "hello")
        assert (done.code, daemon.asked) == (7, [])
        assert "default/hello has no active run" in done.err

    def test_of_a_run_that_is_over_is_refused(self, jobsctl, known, daemon):
        run = known.run(known.job())
        done = jobsctl("cancel", run.id)
        assert (done.code, daemon.asked) == (7, [])
        assert f"run {run.id} is over: it succeeded" in done.err


class TestNames:
    def test_a_name_in_two_projects_must_say_which(self, jobsctl, known, hello):
        known.job("name: hello\nproject: sales\nrun: {command: [a]}\n", path="b.yaml")
        done = jobsctl("suspend", "hello")
        assert (done.code, done.out) == (2, "")
        assert "default/hello, sales/hello" in done.err
        assert jobsctl("suspend", "hello", "-p", "sales").out.startswith("job/sales/hello ")
        assert jobsctl("suspend", "default/hello").out.startswith("job/default/hello ")
