"""`retention.output_max`: of the output of a job's runs the newest is kept; the rows stay."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.errors import Unwritable
from state.home import Home
from state.ids import new_id
from state.reads import Reader
from state.records import JobRecord, Reason, RunState
from state.runfiles import remove_output
from state.store import RunEnd, Store
from tests.storing.making import DAY, NOON, SECOND, a_job, a_run

KIB = 1024


def a_keeping_job(store: Store, most: int | None, name: str = "report", **more: Any) -> JobRecord:
    spec = {"retention": {"output_max": most}, **more}
    return store.put_job(replace(a_job(name), spec=orjson.dumps(spec)))


def wrote(store: Store, job: JobRecord, sizes: list[int | None]) -> list[str]:
    """Runs that wrote so many bytes, one after the other; None: is active."""
    ids = []
    for number, size in enumerate(sizes):
        run = a_run(job, at=NOON + number)
        store.insert_runs([run])
        if size is not None:
            store.finished(
                [RunEnd(run_id=run.id, at=NOON, state=RunState.FAILED, reason=Reason.LOST, output_bytes=size)]
            )
        ids.append(run.id)
    return ids


def prune(store: Store, limit: int = 12, **more: int) -> None:
    while (pruned := store.prune(NOON + SECOND, limit=limit, **more)) is not None:
        assert pruned == []


def doomed(store: Store) -> set[str | None]:
    found = store.doomed_directories(limit=1000)
    assert all(one.output_only for one in found)
    return {one.run_id for one in found}


@given(
    st.lists(st.none() | st.integers(0, 9), max_size=20),
    st.lists(st.none() | st.integers(0, 9), max_size=5),
    st.integers(1, 30),
    st.integers(1, 6),
)
@settings(max_examples=40, derandomize=True, deadline=None)
def test_the_newest_output_within_the_limit_stays_and_nothing_goes_twice(
    sizes: list[int | None], more: list[int | None], most: int, limit: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "jobsctl.db", now=NOON)
        store._connection.execute("PRAGMA synchronous = OFF")
        other = a_keeping_job(store, 1, "other")
        job = a_keeping_job(store, most)
        wrote(store, other, [1, 1])
        ids = wrote(store, job, sizes)
        expected: set[str | None] = set()
        for added in ([], more):
            ids += wrote(store, job, added)
            written = [*sizes, *(more if added else [])]
            prune(store, limit)
            total = 0
            for place in reversed(range(len(written))):
                if ids[place] in expected:
                    continue
                total += written[place] or 0
                if total > most and place != len(written) - 1 and written[place]:
                    expected.add(ids[place])
            mine = doomed(store) & set(ids)
            assert mine == expected
            assert len(doomed(store) - mine) == 1
        assert len(store.doomed_directories(limit=1000)) == len(expected) + 1
        with Reader(store.path) as reader:
            assert len(reader.runs(job_id=job.id, limit=100)) == len(ids)
        store.close()


def test_what_the_limit_of_a_run_has_cut_does_not_count(store: Store) -> None:
    limits = {"run": {"limits": {"output": KIB}}}
    wrote(store, a_keeping_job(store, 3 * KIB, "merged", **limits), [KIB << 20] * 3)
    wrote(store, a_keeping_job(store, 3 * KIB, "apart", capture={"streams": "separate"}, **limits), [KIB << 20] * 3)
    wrote(store, a_keeping_job(store, None, "free"), [KIB << 20] * 3)
    prune(store)
    assert [one.job for one in store.doomed_directories()] == ["apart", "apart"]


def test_a_long_history_of_output_is_looked_at_in_bites(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("state.retention.SUMMED", 3)
    first = wrote(store, a_keeping_job(store, 4, "first"), [1] * 10)
    second = wrote(store, a_keeping_job(store, 8, "second"), [1] * 10)
    prune(store, 2)
    assert doomed(store) == {*first[:-4], *second[:-8]}


def test_a_run_that_is_deleted_is_not_told_of_its_output(store: Store, reader: Reader) -> None:
    job = a_keeping_job(store, 1)
    ids = wrote(store, job, [5, 5, 5])
    while store.prune(NOON + SECOND, max_runs=2) is not None:
        pass
    assert [(one.run_id, one.output_only) for one in store.doomed_directories()] == [(ids[0], False), (ids[1], True)]
    assert [event.reason for event in reader.events(run_id=ids[1])] == ["created", "lost", "output_pruned"]
    assert reader.events(run_id=ids[0]) == []


def test_a_limit_that_is_gone_from_the_spec_holds_no_more(store: Store) -> None:
    job = a_keeping_job(store, 1)
    wrote(store, job, [5, 5, 5])
    store.put_job(replace(job, spec=b"{}"))
    prune(store)
    assert doomed(store) == set()
    store.put_job(replace(job, spec=orjson.dumps({"retention": {"max_age": 86_400, "output_max": None}})))
    while store.prune(NOON + 2 * DAY) is not None:
        pass
    assert len(store.doomed_directories()) == 2, "the age of its spec holds from the same moment on"


def test_removing_output_leaves_the_rest_of_the_directory(tmp_path: Path) -> None:
    home, run_id = Home(tmp_path), new_id(NOON)
    directory = home.run_dir("default", "report", run_id)
    (directory / "outputs").mkdir(parents=True)
    going = ["output.log", "output.idx", "output.gap", "stdout.log", "stderr.idx"]
    for name in (*going, "run.json", "result.json", "outputs/output.log", "myoutput.log"):
        (directory / name).write_text("text")
    (tmp_path / "victim").write_text("mine")
    (directory / "stderr.log").symlink_to(tmp_path / "victim")
    for _ in range(2):
        remove_output(home, "default", "report", run_id)
        assert sorted(path.name for path in directory.iterdir()) == [
            "myoutput.log", "outputs", "result.json", "run.json"
        ]  # fmt: skip
    assert (directory / "outputs" / "output.log").exists()
    assert (tmp_path / "victim").read_text() == "mine"
    remove_output(home, "default", "report", new_id(NOON))
    remove_output(home, "default", "never", run_id)


def test_removing_output_follows_no_link_in_place_of_the_directory(tmp_path: Path) -> None:
    home, run_id, victim = Home(tmp_path), new_id(NOON), tmp_path / "victim"
    victim.mkdir()
    (victim / "output.log").touch()
    directory = home.run_dir("default", "report", run_id)
    directory.parent.mkdir(parents=True)
    directory.symlink_to(victim)
    with pytest.raises(Unwritable):
        remove_output(home, "default", "report", run_id)
    assert (victim / "output.log").exists()
    with pytest.raises(ValueError, match="not the directory"):
        remove_output(home, "..", "report", run_id)
