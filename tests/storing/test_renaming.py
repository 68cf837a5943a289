"""A job under another name: its history follows, its files stay where they are, readers hear of both names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from state.changes import RunEnd, RunStarted
from state.errors import Conflict
from state.home import Home
from state.reads import Reader
from state.records import JobRecord, Reason, Run, RunState, SilenceRecord
from state.store import Store
from tests.storing.making import DAY, NOON, a_job, a_run

HOME = Home(Path("/home/ann"))


def end(store: Store, run: Run) -> None:
    store.finished([RunEnd(run_id=run.id, at=run.created_at, state=RunState.FAILED, reason=Reason.EXIT_CODE)])


def an_ended_run(store: Store, job: JobRecord, at: int) -> Run:
    run = a_run(job, at, at=at)
    store.insert_runs([run])
    end(store, run)
    return run


def doomed(store: Store) -> list[tuple[str, str | None, bool]]:
    return [(f"{one.project}/{one.job}", one.run_id, one.job_lives) for one in store.doomed_directories()]


def test_a_renamed_job_keeps_its_history_and_its_runs_their_folders(store: Store, reader: Reader) -> None:
    job = store.put_job(a_job("old"))
    ended, active = an_ended_run(store, job, NOON), a_run(job, NOON + 1)
    store.insert_runs([active])
    store.started([RunStarted(run_id=active.id, at=NOON)])
    seen = reader.seq()
    renamed = store.put_job(replace(job, project="data", name="new"))
    assert (renamed.id, renamed.identity, renamed.active_runs) == (job.id, "data/new", 1)
    assert [changed.identity for changed in reader.changed_since(seen)] == ["data/new"]
    assert reader.removed_since(seen) == ["default/old"]
    assert store.job_by_identity("default/old") is None
    for run_id in (ended.id, active.id):
        run = reader.run(run_id)
        assert (run.identity, run.filed_under) == ("data/new", "default/old")
        assert HOME.run_dir_of(run) == HOME.run_dir("default", "old", run_id)
    # Known by its new name also to the writer, and it goes on as if nothing had been.
    assert [run.identity for run in store.active_runs()] == ["data/new"]
    (over,) = store.finished([RunEnd(run_id=active.id, at=NOON, state=RunState.SUCCEEDED, reason=Reason.SUCCEEDED)])
    assert (over.identity, over.filed_under) == ("data/new", "default/old")
    fresh = a_run(renamed, NOON + 2)
    store.insert_runs([fresh])
    assert HOME.run_dir_of(reader.run(fresh.id)) == HOME.run_dir("data", "new", fresh.id)


def test_a_renamed_job_keeps_its_silence_and_leaves_none_to_the_next_of_its_name(store: Store, reader: Reader) -> None:
    job = store.put_job(a_job("old"))
    for identity in ("default/old", None):
        silence = SilenceRecord(
            id=f"of {identity}", identity=identity, since=NOON, until=NOON + DAY, reason="moves", silenced_by="ann"
        )
        store.add_silence(silence, now=NOON)
    store.put_job(replace(job, project="data", name="new"))
    store.put_job(a_job("old"))
    assert {each.identity for each in reader.silences(after=NOON)} == {"data/new", None}


def test_a_name_that_is_taken_is_refused_and_nothing_changes(store: Store, reader: Reader) -> None:
    job, _ = store.put_job(a_job("old")), store.put_job(a_job("new"))
    an_ended_run(store, job, NOON)
    seen = reader.seq()
    with pytest.raises(Conflict, match="default/new is stored already"):
        store.put_job(replace(job, name="new"))
    assert (reader.seq(), reader.removed_since(0), doomed(store)) == (seen, [], [])
    assert reader.runs()[0].filed_under is None


def test_a_run_stays_where_it_was_filed_first_also_after_two_names(store: Store, reader: Reader) -> None:
    job = store.put_job(a_job("a"))
    first = an_ended_run(store, job, NOON)
    job = store.put_job(replace(job, name="b"))
    second = an_ended_run(store, job, NOON + 1)
    job = store.put_job(replace(job, name="a"))
    third = an_ended_run(store, job, NOON + 2)
    folders = [HOME.run_dir_of(reader.run(run.id)).parent.name for run in (first, second, third)]
    assert folders == ["a", "b", "a"]
    assert reader.removed_since(0) == ["default/a", "default/b"]


def test_what_is_pruned_is_deleted_where_it_is_filed_and_the_old_folder_with_the_last(store: Store) -> None:
    job = store.put_job(a_job("old"))
    first, second = an_ended_run(store, job, NOON), an_ended_run(store, job, NOON + 1)
    # Noted at once for a job that has no run, and left alone while a run is filed there.
    job = store.put_job(replace(job, name="new"))
    assert doomed(store) == [("default/old", None, True)]
    store.directories_removed([one.id for one in store.doomed_directories()])
    third, last = an_ended_run(store, job, NOON + 2), an_ended_run(store, job, NOON + 3)
    assert store.prune(NOON + DAY, max_age_us=1, limit=1) == [("default", "old", first.id)]
    assert doomed(store) == [("default/old", first.id, True), ("default/old", None, True)]
    store.directories_removed([one.id for one in store.doomed_directories()])
    while store.prune(NOON + DAY, max_age_us=1) is not None:
        pass
    assert doomed(store) == [
        ("default/old", second.id, False), ("default/new", third.id, True), ("default/old", None, False)
    ]  # fmt: skip
    store.put_job(a_job("old"))
    assert doomed(store)[2] == ("default/old", None, True), "somebody else has the name now"
    assert store.run(last.id) is not None


def test_purging_a_renamed_job_dooms_all_its_folders(store: Store) -> None:
    job = store.put_job(a_job("old"))
    first = an_ended_run(store, job, NOON)
    job = store.put_job(replace(job, name="new", project="data"))
    second = an_ended_run(store, job, NOON + 1)
    store.directories_removed([one.id for one in store.doomed_directories()])
    assert store.purge_job(job.id or 0) == [first.id, second.id]
    assert doomed(store) == [
        ("default/old", first.id, False), ("data/new", second.id, False),
        ("data/new", None, False), ("default/old", None, False),
    ]  # fmt: skip
    assert not any(one.project_lives for one in store.doomed_directories())


def test_a_project_lives_as_long_as_runs_are_filed_in_it(store: Store) -> None:
    job = store.put_job(a_job("old"))
    an_ended_run(store, job, NOON)
    store.put_job(replace(job, project="default-2"))
    assert [one.project_lives for one in store.doomed_directories()] == [True]
    store.purge_job(job.id or 0)
    assert not any(one.project_lives for one in store.doomed_directories())
