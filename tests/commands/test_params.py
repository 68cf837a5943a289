"""`trigger --param`: what a job takes is checked before anybody is asked, and reaches the daemon as it was given."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cli.errors import UsageError
from cli.params import check_params, read_params
from specs.policies import Param
from state.inbox import read_requests
from state.records import Reason, RunState
from state.store import RunEnd

TAKES = """\
name: report
params:
  day: {pattern: "\\\\d{4}-\\\\d\\\\d-\\\\d\\\\d", description: "which day, 2026-11-21"}
  format: {default: html, allowed: [html, pdf]}
  title: {default: ""}
run: {command: [a]}
"""


@pytest.fixture
def report(known):
    return known.job(TAKES, path="report.yaml", next_at=None)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param(["day=monday"], {"day": "monday"}, id="one"),
        pytest.param(["day=a=b"], {"day": "a=b"}, id="an equals sign in the value"),
        pytest.param(["day="], {"day": ""}, id="an empty value"),
        pytest.param(["a=1", "b=2"], {"a": "1", "b": "2"}, id="several"),
        pytest.param([], {}, id="none"),
    ],
)
def test_params_are_read(given, found):
    assert read_params(given) == found


@pytest.mark.parametrize("given", [["day"], ["=x"], ["day=1", "day=2"]])
def test_what_cannot_be_read_is_refused(given):
    with pytest.raises(UsageError, match="--param"):
        read_params(given)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        pytest.param(["--param", "dya=2026-11-21"], "--param dya: default/report takes day, format, title",
                     "did you mean day?", id="unknown name"),
        pytest.param(["--param", "day=monday"], r"--param day=monday: day must match \d{4}-\d\d-\d\d",
                     "which day, 2026-11-21", id="pattern"),
        pytest.param(["--param", "day=2026-11-21", "--param", "format=doc"],
                     "--param format=doc: format must be one of html, pdf", "`params` of default/report", id="allowed"),
        pytest.param([], "default/report needs day, which has no default",
                     "jobsctl trigger default/report --param day=...", id="missing"),
        pytest.param(["--param", "day"], "--param day: write it as NAME=VALUE", "", id="no value"),
    ],
)  # fmt: skip
def test_what_the_job_does_not_take_is_told_and_nobody_is_asked(jobsctl, home, report, arguments, message, hint):
    done = jobsctl("trigger", "report", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert hint in done.err
    assert read_requests(home) == []


def test_a_job_without_params_takes_none(jobsctl, known):
    known.job()
    done = jobsctl("trigger", "hello", "--param", "a=1")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: --param a: default/hello declares no `params`")


def test_they_reach_the_daemon_as_given_without_the_defaults(jobsctl, home, report):
    assert jobsctl("trigger", "report", "--param", "day=2026-11-21", "--param", "title=a = b").code == 0
    (request,) = read_requests(home)
    assert request.params == {"params": {"day": "2026-11-21", "title": "a = b"}}


def test_without_any_the_request_is_what_it_was(jobsctl, home, known):
    known.job()
    jobsctl("trigger", "hello")
    assert [request.params for request in read_requests(home)] == [{}]


def test_those_of_a_job_that_is_only_in_a_file_are_checked_too(jobsctl, home):
    (home.specs / "report.yaml").write_text(TAKES)
    assert jobsctl("trigger", "report").code == 2
    assert jobsctl("trigger", "report", "--param", "day=2026-11-21").code == 0


def test_all_that_is_refused_by_the_model_is_refused_here():
    param = Param(allowed=["a", "b"])
    for value in ("c", "", "a\0"):
        with pytest.raises(UsageError):
            check_params("default/x", {"p": value}, {"p": param})
    check_params("default/x", {"p": "a"}, {"p": param})


def test_waiting_for_a_run_that_is_blocked_says_what_for(jobsctl, known, daemon):
    job = known.job("name: hello\npool: db\nrun: {command: [a]}\n", next_at=None)

    def answer(request, store):
        run = known.new_run(job, requested_by=request.requested_by)
        blocked = replace(run, state=RunState.BLOCKED, reason=Reason.POOL)
        store.insert_runs([blocked])
        return "done", "created", run.id

    daemon.answer = answer
    done = jobsctl("trigger", "hello", "--wait", "--timeout", "0.3")
    assert done.code == 6
    assert "is blocked: it waits for a slot of its pool" in done.err
    run = known.store.active_runs()[0]
    end = RunEnd(run_id=run.id, at=run.created_at, state=RunState.CANCELLED, reason=Reason.CANCELLED)
    known.store.finished([end])
    view = json.loads(jobsctl("run", run.id, "-o", "json").out)
    assert (view["params"], view["upstream"]) == (None, None)
