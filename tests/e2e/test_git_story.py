"""A repository's life, end to end: commit, edit, mistake, fix, delete. Real git, real daemon, seen as users see it."""

from __future__ import annotations

import json
from typing import Any

from state.records import RunState, Trigger
from tests.household import Household, eventually

HELLO = """\
name: hello
schedule: every 1s
run:
  command: [echo, hello]
"""
BROKEN = """\
name: hello
schedule: evry 1s
run:
  command: [echo, hello]
"""


def status(household: Household, name: str = "hello") -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(household.jobsctl("status", name, "-o", "json", check=False).stdout or "{}")
    return answer


def succeeded(household: Household) -> int:
    return sum(run.state is RunState.SUCCEEDED for run in household.runs("default/hello"))


def test_a_commit_becomes_runs_a_mistake_stops_nothing_a_fix_applies_and_a_deletion_archives(
    household: Household,
) -> None:
    first = household.commit({"hello.yaml": HELLO, "other.yaml": HELLO.replace("hello", "other")}, "hello")
    household.start()
    eventually(lambda: household.job("default/hello") and succeeded(household), "hello ran")
    job = household.job("default/hello")
    assert job is not None
    assert job.revision == f"main@sha1:{first}"
    run = next(run for run in household.runs("default/hello") if run.state is RunState.SUCCEEDED)
    assert (run.revision, run.trigger, run.exit_code) == (f"main@sha1:{first}", Trigger.SCHEDULE, 0)
    assert household.jobsctl("logs", run.id).stdout == "hello\n"

    household.commit({"hello.yaml": BROKEN}, "a slip")
    broken = eventually(lambda: (job := household.job("default/hello")) and job.problem, "the mistake is seen")
    assert broken[0]["path"] == "hello.yaml"
    assert broken[0]["line"] == 2
    assert "hello.yaml:2:" in household.jobsctl("status", "hello", check=False).stdout
    before = succeeded(household)
    eventually(lambda: succeeded(household) > before, "the last good spec goes on")

    fixed = household.commit({"hello.yaml": HELLO.replace("[echo, hello]", "[echo, fixed]")}, "fix")
    eventually(lambda: (job := household.job("default/hello")) and job.generation == 2 and not job.problem, "fixed")
    eventually(lambda: (job := household.job("default/hello")) and job.revision == f"main@sha1:{fixed}", "from there")

    household.commit({"hello.yaml": None}, "remove")
    eventually(lambda: (job := household.job("default/hello")) and job.archived_at, "hello is archived")
    assert status(household)["phase"] == "archived"
    assert household.runs("default/hello"), "its history stays"
    count = len(household.runs("default/hello"))
    other_before = len(household.runs("default/other"))
    eventually(lambda: len(household.runs("default/other")) > other_before + 1, "the other job goes on")
    assert len(household.runs("default/hello")) <= count + 1
    assert household.stop() == 0


def test_a_revision_is_never_said_to_hold_what_it_does_not(household: Household) -> None:
    first = household.commit({"hello.yaml": HELLO})
    household.start()
    eventually(lambda: (job := household.job("default/hello")) and job.revision == f"main@sha1:{first}", "applied")
    household.write("hello.yaml", HELLO.replace("[echo, hello]", "[echo, edited]"))
    eventually(lambda: (job := household.job("default/hello")) and job.generation == 2, "the edit is applied")
    job = household.job("default/hello")
    assert job is not None
    assert job.revision == f"main@sha1:{first}-dirty"
    household.kill()
    household.git("commit", "-q", "-a", "-m", "the edit")
    second = household.git("rev-parse", "HEAD")
    household.start()
    eventually(lambda: (job := household.job("default/hello")) and job.revision == f"main@sha1:{second}", "settled")
    job = household.job("default/hello")
    assert job is not None
    assert job.generation == 2
    eventually(
        lambda: [run for run in household.runs("default/hello") if run.revision == f"main@sha1:{second}"], "runs say so"
    )
    assert household.stop() == 0


def test_a_run_outlives_a_killed_daemon_and_its_output_and_exit_status_are_there(household: Household) -> None:
    household.commit(
        {"slow.yaml": "name: slow\nrun:\n  script: |\n    echo begin\n    sleep 2\n    echo end\n    exit 3\n"}
    )
    household.start()
    eventually(lambda: household.job("default/slow"), "slow is known")
    household.jobsctl("trigger", "slow")
    eventually(lambda: [run for run in household.runs("default/slow") if run.state is RunState.RUNNING], "it runs")
    household.kill()
    household.start()
    (run,) = household.runs("default/slow")
    eventually(lambda: household.runs("default/slow")[0].finished_at, "its end is known")
    (run,) = household.runs("default/slow")
    assert (run.state, run.exit_code) == (RunState.FAILED, 3)
    assert run.cpu_seconds is not None
    assert run.peak_memory is not None
    assert household.jobsctl("logs", run.id).stdout == "begin\nend\n"


def test_what_is_asked_while_no_daemon_runs_is_done_when_one_starts(household: Household) -> None:
    household.commit({"once.yaml": "name: once\nrun:\n  command: [echo, asked]\n"})
    household.start()
    eventually(lambda: household.job("default/once"), "known")
    household.stop()
    asked = household.jobsctl("trigger", "once")
    assert "daemon" in asked.stderr
    household.start()
    eventually(lambda: [run for run in household.runs("default/once") if run.state is RunState.SUCCEEDED], "done")


def test_a_directory_that_vanishes_prunes_nothing(household: Household) -> None:
    household.commit({"hello.yaml": HELLO})
    household.start()
    eventually(lambda: household.job("default/hello") and succeeded(household), "hello ran")
    aside = household.home.root / "aside"
    household.home.specs.rename(aside)
    eventually(lambda: household.heartbeat().get("scan", {}).get("problem"), "the daemon says so")
    before = succeeded(household)
    eventually(lambda: succeeded(household) > before + 1, "hello goes on")
    job = household.job("default/hello")
    assert job is not None
    assert job.archived_at is None
    aside.rename(household.home.specs)
    eventually(lambda: not household.heartbeat()["scan"]["problem"], "the directory is back")
