"""The picture and the status files follow the database, whatever bells are lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from state.home import Home
from state.records import DocumentRecord, RunState
from state.store import Store
from status.picture.board import Board
from status.picture.files import StatusFiles
from status.picture.refresh import MANY, QUIET, QUIET_AFTER_MANY, RESYNC, Refresher
from status.views import View
from tests.seeing.building import HOUR, NINE, SECOND, carry_out, record_of, source_state


class Seconds:
    """A monotonic clock that moves when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> int:
        """µs, at nine when it is 0."""
        return NINE + round(self.now * SECOND)


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def refresher(home: Home, clock: Seconds) -> Iterator[Refresher]:
    made = Refresher(home.database, Board(), StatusFiles(home.status), monotonic=clock, now=clock.wall)
    yield made
    made.stop()
    made.run()  # closes the reader


def view_of(refresher: Refresher, identity: str) -> View:
    view: View = orjson.loads(refresher.picture.entries[identity].fragment)
    return view


def status_file(home: Home, identity: str) -> Path:
    return home.status / f"{identity}.yaml"


def test_without_a_database_it_says_so_and_tries_again(home: Home, refresher: Refresher) -> None:
    assert refresher.round() <= 1
    assert "no database yet" in (refresher.problem or "")
    assert not refresher.picture.loaded
    store = Store.open(home.database, now=NINE)
    refresher.round()
    store.close()
    assert refresher.problem is None
    assert refresher.picture.loaded


def test_a_change_is_seen_in_the_next_round_and_costs_one_file(
    home: Home, store: Store, refresher: Refresher, clock: Seconds
) -> None:
    jobs = [store.put_job(record_of(f"job-{number}", spec={"schedule": "@hourly"})) for number in range(5)]
    refresher.round()
    assert refresher.files_written == 5
    clock.now = 10
    carry_out(store, jobs[3], state=RunState.FAILED)
    refresher.round()
    assert refresher.files_written == 6
    view = view_of(refresher, "default/job-3")
    assert (view["phase"], view["lastRun"]["exitCode"]) == ("failed", 3)
    assert "phase: failed\n" in status_file(home, "default/job-3").read_text()


def test_nothing_new_costs_nothing(store: Store, refresher: Refresher) -> None:
    store.put_job(record_of())
    refresher.round()
    before = refresher.picture
    assert refresher.round() == RESYNC
    assert refresher.picture is before


def test_changes_within_a_second_are_written_together(store: Store, refresher: Refresher, clock: Seconds) -> None:
    job = store.put_job(record_of())
    refresher.round()
    for number in range(20):
        clock.now += 0.01
        carry_out(store, job, at=NINE + number * HOUR)
        refresher.round()
    assert refresher.files_written == 1
    wait = refresher.round()
    assert 0 < wait <= 1
    clock.now += wait
    refresher.round()
    assert refresher.files_written == 2


def test_a_purged_job_goes_and_one_made_anew_stays(home: Home, store: Store, refresher: Refresher) -> None:
    gone, again = store.put_job(record_of("gone")), store.put_job(record_of("again"))
    refresher.round()
    for job in (gone, again):
        assert job.id is not None
        store.purge_job(job.id)
    store.put_job(record_of("again", spec={"description": "made anew"}))
    refresher.round()
    assert list(refresher.picture.entries) == ["default/again"]
    assert refresher.picture.keys == [("default", "again")]
    assert view_of(refresher, "default/again")["metadata"]["description"] == "made anew"
    assert not status_file(home, "default/gone").exists()
    assert status_file(home, "default/again").exists()


def test_an_archived_job_keeps_its_file_and_leaves_the_metrics(
    home: Home, store: Store, refresher: Refresher, clock: Seconds
) -> None:
    job = store.put_job(record_of(archived_at=NINE))
    refresher.round()
    assert "phase: archived\n" in status_file(home, job.identity).read_text()
    assert refresher.picture.entries[job.identity].sample is None


def test_while_the_specs_cannot_be_read_sync_is_unknown_for_every_job(store: Store, refresher: Refresher) -> None:
    for name in ("a", "b"):
        store.put_job(record_of(name))
    store.set_source(source_state())
    refresher.round()
    assert view_of(refresher, "default/a")["sync"] == "Synced"
    store.set_source(source_state(problem="no such directory"))
    refresher.round()
    assert {view_of(refresher, f"default/{name}")["sync"] for name in "ab"} == {"Unknown"}
    store.set_source(source_state())
    refresher.round()
    assert {view_of(refresher, f"default/{name}")["sync"] for name in "ab"} == {"Synced"}


def test_a_status_directory_that_cannot_be_written_does_not_stop_the_picture(
    home: Home, store: Store, refresher: Refresher
) -> None:
    home.status.write_text("in the way")
    store.put_job(record_of())
    assert refresher.round() <= 1
    assert refresher.files_problem is not None
    assert list(refresher.picture.entries) == ["default/hello"]
    home.status.unlink()
    refresher.round()
    assert refresher.files_problem is None
    assert status_file(home, "default/hello").exists()


def test_files_of_jobs_that_went_unseen_are_removed(home: Home, store: Store, refresher: Refresher) -> None:
    stray = status_file(home, "default/stray")
    stray.parent.mkdir(parents=True)
    stray.write_text("phase: active\n")
    store.put_job(record_of())
    refresher.round()
    assert not stray.exists()


def test_pictures_handed_out_do_not_change(store: Store, refresher: Refresher) -> None:
    store.put_job(record_of("a"))
    refresher.round()
    before = refresher.picture
    store.put_job(record_of("b"))
    refresher.round()
    assert (list(before.entries), before.keys) == (["default/a"], [("default", "a")])
    assert refresher.picture.keys == [("default", "a"), ("default", "b")]
    assert refresher.picture.version == before.version + 1


@pytest.mark.parametrize(
    ("bells", "wait"),
    [
        pytest.param(1, QUIET, id="one change is shown soon"),
        pytest.param(MANY - 1, QUIET, id="a few too"),
        pytest.param(MANY, QUIET_AFTER_MANY, id="a burst may pause as long as the supervisor tells nothing"),
    ],
)
def test_how_long_it_must_be_quiet_depends_on_how_much_happened(
    refresher: Refresher, monkeypatch: pytest.MonkeyPatch, bells: int, wait: float
) -> None:
    waits: list[float | None] = []
    monkeypatch.setattr(refresher._changed, "wait", waits.append)
    for _ in range(2):  # what happened before the last look does not count
        refresher.ring(bells)
        refresher._let_a_burst_pass()
    assert waits == [wait, wait]


def test_a_calendar_that_comes_or_changes_moves_the_deadlines_of_its_jobs(store: Store, refresher: Refresher) -> None:
    record = store.put_job(record_of(spec={"schedule": "@hourly", "calendar": "quiet"}))

    def deadline(windows: str | None, look: int) -> float | None:
        if windows is not None:
            spec = f'{{"kind":"Calendar","name":"quiet","windows":[{windows}]}}'.encode()
            made = DocumentRecord(kind="Calendar", name="quiet", spec=spec, digest=windows, path="c.yaml", line=1)
            store.put_documents([made], [])
        store.set_source(source_state(scanned_at=look))
        refresher.round()
        sample = refresher.picture.entries[record.identity].sample
        assert sample is not None
        return sample.deadline

    assert deadline(None, NINE) is None, "a calendar that is not known: no false alarm"
    assert deadline('{"to":"08:00"}', NINE + 1) == (NINE + 2 * HOUR) / SECOND
    assert deadline('{"to":"12:00"}', NINE + 2) == (NINE + 4 * HOUR) / SECOND
