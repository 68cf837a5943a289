"""The loop keeps its promises when the database refuses, a job is poisoned, a daemon dies, or a request comes twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runners.stub import Script
from state import runfiles
from state.errors import DiskFull, Unwritable
from state.inbox import RequestKind
from state.records import Health, Reason, RunState, Trigger
from tests.deciding.driving import EVERY_10S, MANUAL, SECOND, Rig


def states(rig: Rig, name: str = "a") -> list[RunState]:
    return [run.state for run in rig.runs(name)]


def test_a_file_becomes_a_job_and_its_slots_become_runs(rig: Rig) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    assert states(rig) == []
    rig.wait(10)
    (run,) = rig.runs("a")
    assert (run.state, run.trigger, run.scheduled_for) == (RunState.SUCCEEDED, Trigger.SCHEDULE, rig.clock.now())
    job = rig.job("a")
    assert (job.health, job.active_runs, job.counts[RunState.SUCCEEDED]) == (Health.HEALTHY, 0, 1)


def test_nothing_starts_before_the_first_look(rig: Rig) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    rig.crash()
    rig.wait(30)
    assert states(rig) == []
    rig.look()
    assert states(rig) == [RunState.SUCCEEDED, RunState.SKIPPED]


def test_the_first_of_a_burst_wait_for_few_and_the_others_for_few_commits(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(150):
        rig.file(f"j{number}.yaml", EVERY_10S.format(name=f"j{number}"))
    rig.look()
    batches: list[int] = []
    launch = rig.runner.launch
    monkeypatch.setattr(rig.runner, "launch", lambda runs: (batches.append(len(runs)), launch(runs)))
    for _ in range(2):
        batches.clear()
        rig.wait(10)
        assert [number for number in batches if number] == [4, 8, 16, 32, 32, 32, 26]


def test_a_daemon_that_dies_between_claim_and_launch_starts_the_run_once_under_the_same_id(rig: Rig) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    rig.runner.launch = lambda launches: None  # type: ignore[method-assign]  # dies just before
    rig.ask(RequestKind.TRIGGER, "default/a")
    rig.settle()
    (claimed,) = rig.runs("a")
    assert claimed.state is RunState.PENDING
    rig.crash()
    rig.look()
    (run,) = rig.runs("a")
    assert (run.id, run.state) == (claimed.id, RunState.SUCCEEDED)
    assert [launch.run_id for launch in rig.runner.launched] == [claimed.id]


def test_a_run_claimed_under_an_older_spec_is_recorded_under_the_one_it_starts_with(rig: Rig) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    rig.runner.launch = lambda launches: None  # type: ignore[method-assign]
    rig.ask(RequestKind.TRIGGER, "default/a")
    rig.settle()
    rig.file("a.yaml", MANUAL.format(name="a").replace("[x]", "[y]"))
    rig.look()
    rig.crash()
    rig.look()
    (run,) = rig.runs("a")
    assert rig.runner.launched[0].argv == ("y",)
    assert (run.generation, run.digest) == (2, rig.job("a").digest)


def test_a_run_that_goes_on_without_a_daemon_is_taken_up_again_with_its_end(rig: Rig) -> None:
    rig.runner._script = lambda launch: Script(takes=60, exit_code=3)
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    rig.ask(RequestKind.TRIGGER, "default/a")
    rig.settle()
    rig.crash()
    rig.look()
    assert states(rig) == [RunState.RUNNING]
    rig.crash()
    rig.clock.sleep(100)
    rig.look()
    (run,) = rig.runs("a")
    assert (run.state, run.reason, run.exit_code) == (RunState.FAILED, Reason.EXIT_CODE, 3)


def test_what_is_asked_of_a_new_home_before_its_first_look_waits_for_it(rig: Rig) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.ask(RequestKind.TRIGGER, "default/a")
    rig.settle()
    rig.look()
    assert states(rig) == [RunState.SUCCEEDED]


def test_a_cancel_that_was_accepted_is_not_overwritten_by_a_late_success(rig: Rig) -> None:
    rig.runner._script = lambda launch: Script(takes=5, exit_code=0, ignores_term=True)
    rig.file("a.yaml", MANUAL.format(name="a") + "grace: 60s\n")
    rig.look()
    rig.ask(RequestKind.TRIGGER, "default/a")
    rig.settle()
    rig.ask(RequestKind.CANCEL, "default/a")
    rig.settle()
    rig.wait(10)
    (run,) = rig.runs("a")
    assert (run.state, run.reason) == (RunState.CANCELLED, Reason.CANCELLED)
    assert run.cancel_requested_by == "ann@desk"


def test_a_cancel_survives_the_daemon_that_took_it(rig: Rig) -> None:
    rig.runner._script = lambda launch: Script(takes=None)
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    rig.ask(RequestKind.TRIGGER, "default/a")
    rig.settle()
    rig.runner.stop = lambda run_id, *, grace: None  # type: ignore[method-assign]  # dies just before
    rig.ask(RequestKind.CANCEL, "default/a")
    rig.settle()
    rig.crash()
    rig.look()
    assert states(rig) == [RunState.CANCELLED]


def test_a_full_disk_stops_nothing_and_loses_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    rig.wait(10)
    refusals: list[int] = []

    def refuse(*_: Any, **__: Any) -> None:
        refusals.append(1)
        raise DiskFull(rig.home.database, "no space left", hint="free some")

    with monkeypatch.context() as context:
        context.setattr(rig.store, "insert_runs", refuse)
        context.setattr(rig.store, "finished", refuse)
        for _ in range(3):
            rig.clock.sleep(10)
            rig.loop.run_pass()
    assert refusals
    rig.wait(10)
    job = rig.job("a")
    accounted = sum(run.skipped_count or 1 for run in rig.runs("a"))
    assert accounted == (job.cursor_at - job.anchor_at) // (10 * SECOND) == 5
    assert {run.state for run in rig.runs("a")} == {RunState.SUCCEEDED, RunState.SKIPPED}


def test_ends_that_could_not_be_stored_are_stored_later(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    rig.ask(RequestKind.TRIGGER, "default/a")

    def refuse(*_: Any) -> None:
        raise DiskFull(rig.home.database, "no space left", hint="free some")

    with monkeypatch.context() as context:
        context.setattr(rig.store, "finished", refuse)
        rig.settle()
        assert states(rig) == [RunState.PENDING]
    rig.wait(60)
    assert states(rig) == [RunState.SUCCEEDED]


def test_a_poisoned_job_is_set_aside_and_the_others_go_on(rig: Rig) -> None:
    for name in ("a", "b"):
        rig.file(f"{name}.yaml", EVERY_10S.format(name=name))
    rig.look()
    entry = rig.world.jobs.by_identity("default/a")
    assert entry is not None
    sound, entry.schedule = entry.schedule, None  # type: ignore[assignment]
    rig.wait(10)
    assert (states(rig, "a"), states(rig, "b")) == ([], [RunState.SUCCEEDED])
    entry.schedule = sound
    rig.wait(20)
    assert RunState.SUCCEEDED in states(rig, "a")
    assert sum(run.skipped_count or 1 for run in rig.runs("a")) == 3


def test_a_request_whose_file_is_read_twice_is_done_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    from state import inbox

    monkeypatch.setattr(inbox, "remove_request", lambda home, request_id: None)
    request = rig.ask(RequestKind.TRIGGER, "default/a")
    rig.settle()
    rig.settle()
    rig.crash()
    rig.look()
    assert states(rig) == [RunState.SUCCEEDED]
    answer = rig.store.request(request)
    assert answer is not None
    assert (answer.outcome, answer.run_id) == ("done", rig.runs("a")[0].id)


def test_a_suspend_by_command_outlives_edits_and_restarts_and_its_slots_are_accounted_for(rig: Rig) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    rig.ask(RequestKind.SUSPEND, "default/a")
    rig.settle()
    rig.file("a.yaml", EVERY_10S.format(name="a") + "description: edited\n")
    rig.look()
    rig.wait(30)
    rig.crash()
    rig.look()
    rig.wait(30)
    (skipped,) = rig.runs("a")
    assert (skipped.state, skipped.reason) == (RunState.SKIPPED, Reason.SUSPENDED)
    job = rig.job("a")
    assert skipped.skipped_count == (job.cursor_at - job.anchor_at) // (10 * SECOND)
    rig.ask(RequestKind.RESUME, "default/a")
    rig.settle()
    rig.wait(10)
    assert states(rig)[-1] is RunState.SUCCEEDED


def test_editing_a_schedule_does_not_fire_and_editing_anything_else_keeps_the_next_slot(rig: Rig) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a").replace("10s", "1h"))
    rig.look()
    upcoming = rig.job("a").next_at
    rig.wait(600)
    rig.file("a.yaml", EVERY_10S.format(name="a").replace("10s", "1h") + "description: edited\n")
    rig.look()
    assert (rig.job("a").next_at, rig.job("a").generation) == (upcoming, 2)
    rig.file("a.yaml", EVERY_10S.format(name="a").replace("10s", "5m"))
    rig.look()
    assert states(rig) == []
    assert rig.job("a").next_at == rig.clock.now() + 300 * SECOND


def test_a_deleted_file_archives_after_two_looks_and_bringing_it_back_keeps_the_history(rig: Rig) -> None:
    for name in ("a", "b"):
        rig.file(f"{name}.yaml", EVERY_10S.format(name=name))
    rig.look()
    rig.wait(10)
    rig.file("a.yaml", None)
    rig.look()
    assert rig.job("a").archived_at is None
    rig.clock.sleep(3)
    rig.look()
    assert rig.job("a").archived_at is not None
    before = len(rig.runs("a"))
    rig.wait(100)
    assert len(rig.runs("a")) == before
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    assert len(rig.runs("a")) == before, "coming back does not fire"
    rig.wait(10)
    assert len(rig.runs("a")) == before + 1


def test_a_resumed_job_says_since_when_success_is_expected_again(rig: Rig) -> None:
    rig.file("a.yaml", EVERY_10S.format(name="a"))
    rig.look()
    rig.ask(RequestKind.SUSPEND, "default/a")
    rig.wait(86_400)
    assert rig.job("a").resumed_at is None
    rig.ask(RequestKind.RESUME, "default/a")
    rig.settle()
    assert rig.job("a").resumed_at == rig.clock.now()
    assert rig.job("a").skips[Reason.SUSPENDED] == 8640


def doomed_directory(rig: Rig, files: dict[str, str]) -> Path:
    """A job `a` with a run and these files in its folder, purged by a daemon that dies right after the commit."""
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    rig.ask(RequestKind.TRIGGER, "default/a")
    rig.settle()
    (run,) = rig.runs("a")
    directory = rig.home.run_dir("default", "a", run.id)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text)
    job_id = rig.job("a").id
    assert job_id is not None
    rig.file("a.yaml", None)
    rig.store.purge_job(job_id)
    rig.crash()
    assert directory.is_dir()
    return directory


def test_the_directories_of_a_purged_job_go_also_when_the_daemon_died_before_it_could(rig: Rig) -> None:
    directory = doomed_directory(rig, {"../../../elsewhere": "stays", "output.log": "hello"})
    rig.look()
    assert [path.name for path in rig.home.runs.iterdir()] == ["elsewhere"]
    assert not directory.exists()
    assert rig.store.doomed_directories() == []


def test_the_folder_of_a_job_made_anew_stays(rig: Rig) -> None:
    directory = doomed_directory(rig, {})
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    assert directory.parent.is_dir()
    assert list(directory.parent.iterdir()) == []


def test_files_of_somebody_else_in_the_folder_of_a_purged_job_stay(rig: Rig) -> None:
    directory = doomed_directory(rig, {"../notes.txt": "mine"})
    rig.look()
    assert [path.name for path in directory.parent.iterdir()] == ["notes.txt"]


def test_a_directory_that_cannot_be_removed_is_tried_again_and_keeps_nothing_else_waiting(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    directory = doomed_directory(rig, {"output.log": "hello"})
    real = runfiles.remove_run_dir

    def refuse(*_: object) -> None:
        raise Unwritable(directory, "Permission denied", hint="remove it by hand")

    monkeypatch.setattr(runfiles, "remove_run_dir", refuse)
    rig.look()
    assert caplog.text.count("Permission denied") == 1
    assert [one.run_id for one in rig.store.doomed_directories()] == [directory.name]
    monkeypatch.setattr(runfiles, "remove_run_dir", real)
    rig.wait(601)
    rig.settle()
    assert rig.store.doomed_directories() == []
    assert not directory.exists()
