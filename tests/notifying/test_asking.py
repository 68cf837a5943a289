"""What the notify process asks of the daemon's database, on a real one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from state.ids import new_id
from state.records import JobRecord, Reason, Run, RunState, SilenceRecord, Trigger
from state.store import RunEnd, Skip
from state.telling import TellingReader
from status.notify.digest import Coming, Failing, Slow
from status.notify.summing import digest_facts
from status.notify.watching import Watch
from status.words.instants import SECOND
from tests.notifying.rig import Rig, job, notifier

NOON = 1_800_014_400 * SECOND
HOUR = 3600 * SECOND


@pytest.fixture
def reader(rig: Rig) -> Iterator[TellingReader]:
    with TellingReader(rig.home.database) as reader:
        assert isinstance(reader, TellingReader)
        yield reader


def watching(reader: TellingReader) -> Watch:
    watch = Watch(default_timezone="UTC")
    while watch.refresh(reader, limit=2)[1]:
        pass
    return watch


def asked_for(rig: Rig, record: JobRecord, *, at: int, attempt: int = 1, by: str = "ann", ended: bool = True) -> Run:
    """A run that somebody asked for, which has failed; or its retry, which waits."""
    assert record.id is not None
    run = Run(
        id=new_id(at), job_id=record.id, project=record.project, job=record.name, generation=1, digest=record.digest,
        revision=None, state=RunState.PENDING, created_at=at, scheduled_for=None, requested_by=by, attempt=attempt,
        trigger=Trigger.MANUAL if attempt == 1 else Trigger.RETRY,
    )  # fmt: skip
    rig.store.insert_runs([run])
    if ended:
        rig.store.finished([RunEnd(run_id=run.id, at=at, state=RunState.FAILED, reason=Reason.EXIT_CODE, exit_code=1)])
    return rig.store.run(run.id)


def test_only_jobs_that_tell_are_watched_as_they_are_now(rig: Rig, reader: TellingReader) -> None:
    rig.apply(notifier("json://127.0.0.1:1"))
    told, called, silent = rig.apply(
        job("told") + "name: called\nrun: {command: ['true']}\n"
        "callback: {url: 'https://h.example/', secret: {from_env: KEY}}\n---\n"
        + "name: silent\nrun: {command: ['true']}\ndescription: 'says \"notify\":[ and \"callback\":{'\n"
    )
    watch = watching(reader)
    assert [each.id in watch for each in (told, called, silent)] == [True, True, False]
    assert told.id is not None and called.id is not None
    assert (watch[told.id].calls, watch[called.id].calls) == (False, True)
    rig.store.put_job(replace(rig.store.job(told.id), spec=silent.spec))
    rig.store.put_job(replace(rig.store.job(called.id), archived_at=NOON))
    touched, _ = watch.refresh(reader, limit=100)
    assert touched == {called.id}
    assert told.id not in watch and watch[called.id].idle


def test_an_attempt_of_a_slot_is_retried_when_the_next_is_stored(rig: Rig, reader: TellingReader) -> None:
    (record,) = rig.apply(job())
    first = rig.run(record, at=NOON)
    assert not reader.is_retried(rig.store.run(first.id))
    rig.run(record, at=NOON, attempt=2)
    assert reader.is_retried(rig.store.run(first.id))


def test_an_attempt_that_was_asked_for_is_retried_by_one_made_since(rig: Rig, reader: TellingReader) -> None:
    (record,) = rig.apply(job())
    first = asked_for(rig, record, at=NOON)
    asked_for(rig, record, at=NOON + SECOND)
    assert not reader.is_retried(first)
    asked_for(rig, record, at=NOON + 2 * SECOND, attempt=2, by="bob", ended=False)
    assert not reader.is_retried(first)
    asked_for(rig, record, at=NOON + 3 * SECOND, attempt=2, ended=False)
    assert reader.is_retried(first)


def test_a_silence_lasts_until_it_ends_or_is_ended(rig: Rig, reader: TellingReader) -> None:
    for id, identity, until in (("s1", "default/report", NOON + HOUR), ("s2", None, NOON + 2 * HOUR)):
        rig.store.add_silence(
            SilenceRecord(id=id, identity=identity, since=NOON, until=until, reason="work", silenced_by="ann"), now=NOON
        )
    rig.store.end_silences(None, "ann", NOON + SECOND)
    assert [(each.identity, each.since, each.over_at) for each in reader.silences(after=NOON)] == [
        ("default/report", NOON, NOON + HOUR),
        (None, NOON, NOON + SECOND),
    ]
    assert reader.silences(after=NOON + HOUR) == []


def test_a_digest_sums_up_the_jobs_that_name_its_notifier(rig: Rig, reader: TellingReader) -> None:
    files = job("mine") + job("other", "[{to: else}]") + job("held", more="suspend: true")
    mine, other, _ = rig.apply(files, at=NOON - 30 * HOUR, next_at=NOON + HOUR)
    assert mine.id is not None
    for ago in (30, 20, 10):
        rig.run(mine, at=NOON - ago * HOUR)
    done = rig.run(mine, RunState.SUCCEEDED, at=NOON - 5 * HOUR)
    last = rig.run(mine, at=NOON - HOUR)
    rig.run(other, at=NOON - HOUR)
    skip = Skip(job_id=mine.id, first=NOON - 4 * HOUR, last=NOON - 2 * HOUR, count=3, reason=Reason.OVERLAP,
                at=NOON - HOUR, generation=1)  # fmt: skip
    rig.store.skip([skip])
    facts = digest_facts(reader, watching(reader), "ops", since=NOON - 24 * HOUR, until=NOON)
    assert (facts.jobs, facts.counts) == (2, {"failed": 3, "skipped": 3, "succeeded": 1})
    assert facts.failing == [Failing("default/mine", NOON - HOUR, 1)]
    assert facts.coming == [Coming("default/mine", NOON + HOUR)]
    assert {each.run_id for each in facts.slowest if isinstance(each, Slow)} >= {done.id, last.id}
    everything = digest_facts(reader, watching(reader), "nobody-names-it", since=NOON - 24 * HOUR, until=NOON)
    assert (everything.jobs, everything.counts["failed"]) == (3, 4)


def test_a_snapshot_is_of_one_moment(rig: Rig, reader: TellingReader) -> None:
    (record,) = rig.apply(job())
    with reader.snapshot():
        before = reader.newest_event()
        rig.run(record, at=NOON)
        assert reader.newest_event() == before
    assert reader.newest_event()[0] > before[0]
