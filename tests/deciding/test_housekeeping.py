"""What may go goes in bites, from the database and the disk, also when the daemon dies in between."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from reconciler import housekeeping
from reconciler.housekeeping import BITE
from state import runfiles
from state.changes import RunEnd
from state.ids import new_id
from state.records import Reason, Run, RunState, Trigger
from tests.deciding.driving import MANUAL, Rig

ROUND = 601
"""Seconds: the next round has begun."""


def ended(rig: Rig, count: int, **retention: int) -> list[Run]:
    """Ended runs of a job with this retention, the oldest first, each with a kilobyte of output on the disk."""
    rig.file("a.yaml", MANUAL.format(name="a"))
    rig.look()
    job = rig.job("a")
    assert job.id is not None
    rig.store.put_job(replace(job, spec=orjson.dumps(orjson.loads(job.spec) | {"retention": retention})))
    for _ in range(count):
        at = rig.clock.now()
        run = Run(
            id=new_id(at), job_id=job.id, project="default", job="a", generation=1, digest=job.digest, revision=None,
            trigger=Trigger.MANUAL, scheduled_for=None, state=RunState.PENDING, created_at=at,
        )  # fmt: skip
        rig.store.insert_runs([run])
        end = RunEnd(run_id=run.id, at=at, state=RunState.FAILED, reason=Reason.EXIT_CODE, output_bytes=1024)
        rig.store.finished([end])
        directory = rig.home.run_dir_of(run)
        directory.mkdir(parents=True)
        (directory / "output.log").write_bytes(b"x" * 1024)
        (directory / "result.json").write_text("{}")
    return rig.runs("a")


def files(rig: Rig) -> list[set[str]]:
    return [{path.name for path in rig.home.run_dir_of(run).iterdir()} for run in rig.runs("a")]


def test_a_job_keeps_as_many_runs_as_its_spec_says_and_no_files_of_the_others(rig: Rig) -> None:
    runs = ended(rig, 3 * BITE, max_runs=5)
    rig.wait(ROUND)
    rig.settle()
    assert [run.id for run in rig.runs("a")] == [run.id for run in runs[-5:]]
    assert {path.name for path in (rig.home.runs / "default" / "a").iterdir()} == {run.id for run in runs[-5:]}


def test_output_that_is_too_much_goes_and_the_rest_of_the_run_stays(rig: Rig) -> None:
    runs = ended(rig, BITE + 3, output_max=2048)
    rig.wait(ROUND)
    rig.settle()
    assert [run.id for run in rig.runs("a")] == [run.id for run in runs]
    assert files(rig) == [{"result.json"}] * (BITE + 1) + [{"result.json", "output.log"}] * 2
    assert rig.store.doomed_directories() == []


def test_output_that_is_too_much_goes_also_when_the_daemon_died_before_it_could(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(name: str) -> None:
        if name == "history-pruned" and rig.store.doomed_directories():
            raise Killed

    ended(rig, 3, output_max=1024)
    with monkeypatch.context() as dying:
        dying.setattr(housekeeping, "crashpoint", killed)
        with pytest.raises(Killed):
            rig.wait(ROUND)
    assert len(rig.store.doomed_directories()) == 2
    rig.crash()
    rig.look()
    assert files(rig) == [{"result.json"}, {"result.json"}, {"result.json", "output.log"}]
    assert rig.store.doomed_directories() == []


def test_the_runs_of_a_renamed_job_go_from_the_folder_of_its_old_name_and_the_folder_with_them(rig: Rig) -> None:
    runs = ended(rig, 3, max_runs=1)
    rig.store.put_job(replace(rig.job("a"), name="b"))
    assert all(rig.home.run_dir_of(run).is_dir() for run in rig.runs("b"))
    rig.wait(ROUND)
    rig.settle()
    assert [path.name for path in (rig.home.runs / "default").iterdir()] == ["a"]
    assert [path.name for path in (rig.home.runs / "default" / "a").iterdir()] == [runs[-1].id]
    rig.store.purge_job(rig.job("b").id or 0)
    rig.settle()
    assert list(rig.home.runs.iterdir()) == []


def test_a_slow_disk_ends_a_pass_after_one_directory(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = ended(rig, 6, max_runs=1)
    while rig.store.prune(rig.clock.now()) is not None:
        pass
    removed: list[str] = []

    def slow(home: object, project: str, job: str, run_id: str) -> None:
        removed.append(run_id)
        rig.clock.passed += 0.005

    monkeypatch.setattr(runfiles, "remove_run_dir", slow)
    keeper = housekeeping.Housekeeping(max_age=1 << 60, max_runs=1000)
    for turn in range(1, 4):
        assert keeper.step(rig.world, rig.clock.now(), idle=True)
        assert removed == [run.id for run in runs[:turn]]
    assert not keeper.step(rig.world, rig.clock.now(), idle=False)
