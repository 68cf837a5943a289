"""`why` as a person calls it: the times it understands, the slots it finds, its exit codes and its data."""

from __future__ import annotations

import json

import pytest

from specs.zones import find_zone, rfc3339
from state.inbox import RequestKind
from state.records import DocumentRecord, Event, Reason, RunState, Trigger
from state.store import Skip
from status.why.moment import UnknownMoment, read_moment
from tests.commands.conftest import HOUR, MINUTE, NOW

BERLIN = find_zone("Europe/Berlin")
DAILY = "name: report\nschedule: daily at 09:00\ntimezone: Europe/Berlin\nrun: {command: [a]}\n"
"""NOW is 08:00Z, which is 09:00 in Berlin."""
HOURLY = "name: report\nschedule: hourly\nrun: {command: [a]}\n"


@pytest.mark.parametrize(
    ("text", "at", "width"),
    [
        pytest.param("09:00", "2026-11-21T08:00:00Z", 60, id="a time of today, a minute wide"),
        pytest.param("9:05:30", "2026-11-21T08:05:30Z", 1, id="with seconds"),
        pytest.param("yesterday 09:00", "2026-11-20T08:00:00Z", 60, id="yesterday"),
        pytest.param("tomorrow 9:00", "2026-11-22T08:00:00Z", 60, id="tomorrow"),
        pytest.param("-2h", "2026-11-21T06:00:00Z", 0, id="so long ago"),
        pytest.param("+90m", "2026-11-21T09:30:00Z", 0, id="in so long"),
        pytest.param("2026-11-20 09:00", "2026-11-20T08:00:00Z", 60, id="local, without offset"),
        pytest.param("2026-11-20T09:00Z", "2026-11-20T09:00:00Z", 60, id="with an offset"),
        pytest.param("2026-11-20T09:00:00+01:00", "2026-11-20T08:00:00Z", 1, id="RFC 3339"),
    ],
)
def test_a_time_is_understood(text: str, at: str, width: int) -> None:
    moment = read_moment(text, now=NOW, zone=BERLIN)
    assert (rfc3339(moment.at), moment.width, moment.notes) == (at, width * 1_000_000, ())


@pytest.mark.parametrize(
    ("text", "at", "note"),
    [
        pytest.param("2026-03-29 02:30", "2026-03-29T01:00:00Z", "there is no 02:30 on that day", id="gap"),
        pytest.param("2026-10-25 02:30", "2026-10-25T00:30:00Z", "there are two 02:30 on that day", id="repeat"),
        pytest.param("2026-10-25T02:30+01:00", "2026-10-25T01:30:00Z", None, id="the offset says which"),
    ],
)
def test_a_time_in_a_night_of_moved_clocks_is_told(text: str, at: str, note: str | None) -> None:
    moment = read_moment(text, now=NOW, zone=BERLIN)
    assert rfc3339(moment.at) == at
    assert [note in each for each in moment.notes] == ([] if note is None else [True])


@pytest.mark.parametrize("text", ["", "noon", "25:00", "2026-13-01 09:00", "yesterday", "-2x", "2026-11-20", "1"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UnknownMoment):
        read_moment(text, now=NOW, zone=BERLIN)


def answers(done) -> list[dict]:
    assert done.err == ""
    return json.loads(done.out)["answers"]


class TestFindingTheSlot:
    @pytest.fixture
    def report(self, known):
        """Hourly; the last hours: ran, 3 slots no daemon, caught up, ran."""
        job = known.job(HOURLY, path="report.yaml", cursor_at=NOW, next_at=NOW + HOUR)
        known.run(job, ago=6 * HOUR)
        first, last = NOW - 5 * HOUR, NOW - 3 * HOUR
        known.store.skip([Skip(job_id=job.id, first=first, last=last, count=3, reason=Reason.DAEMON_DOWN,
                               at=NOW - 2 * HOUR, generation=1)])  # fmt: skip
        known.run(job, ago=2 * HOUR - 5 * MINUTE, scheduled_for=NOW - 2 * HOUR, trigger=Trigger.CATCH_UP)
        known.run(job, ago=HOUR, scheduled_for=NOW - HOUR, state=RunState.FAILED)
        known.run(job, ago=0, scheduled_for=NOW, state=RunState.RUNNING)
        return job

    @pytest.mark.parametrize(
        ("at", "slot", "verdict"),
        [
            pytest.param("02:00", "2026-11-21T02:00:00.000Z", "succeeded", id="a run"),
            pytest.param("04:00", "2026-11-21T04:00:00.000Z", "skipped", id="inside a gap"),
            pytest.param("05:00", "2026-11-21T05:00:00.000Z", "skipped", id="the end of a gap"),
            pytest.param("06:00", "2026-11-21T06:00:00.000Z", "succeeded", id="caught up"),
            pytest.param("-1h", "2026-11-21T07:00:00.000Z", "failed", id="an hour ago"),
            pytest.param("-90m", "2026-11-21T06:00:00.000Z", "succeeded", id="the last one until then"),
            pytest.param("-200m", "2026-11-21T04:00:00.000Z", "skipped", id="the last one, in a gap"),
            pytest.param("08:00", "2026-11-21T08:00:00.000Z", "running", id="now"),
            pytest.param("+30m", "2026-11-21T09:00:00.000Z", "may_wait", id="the first one after"),
            pytest.param("tomorrow 09:00", "2026-11-22T09:00:00.000Z", "may_wait", id="far ahead, no daemon"),
        ],
    )
    def test_a_time_names_a_slot(self, jobsctl, report, at, slot, verdict):
        done = jobsctl("why", "report", "--at", at, "-o", "json")
        assert done.code == 0
        (answer,) = answers(done)
        assert (answer["about"], answer["scheduledFor"], answer["verdict"]) == ("slot", slot, verdict)

    def test_between_slots_there_is_none_and_the_nearest_are_told(self, jobsctl, report):
        done = jobsctl("why", "report", "--at", "04:30")
        assert done.code == 4
        assert "No slot at Sat 2026-11-21 04:30 UTC" in done.out
        assert "The nearest are Sat 2026-11-21 04:00 UTC (4h ago) and Sat 2026-11-21 05:00 UTC (3h ago)" in done.out

    def test_a_gap_tells_which_run_caught_up(self, jobsctl, known, report):
        done = jobsctl("why", "report", "--at", "04:00")
        caught = known.store.last_slot_run(report.id, NOW - 2 * HOUR)
        assert (
            "3 slots from Sat 2026-11-21 03:00 UTC to Sat 2026-11-21 05:00 UTC were not run: no daemon was" in done.out
        )
        assert f"was caught up by run {caught.id}, which succeeded" in done.out

    def test_without_a_time_the_last_slot_what_is_active_and_the_next_are_told(self, jobsctl, report):
        found = answers(jobsctl("why", "report", "-o", "json"))
        assert [(each["about"], each["verdict"]) for each in found] == [
            ("last", "failed"), ("now", "running"), ("next", "may_wait")
        ]  # fmt: skip

    def test_where_no_slot_is_the_run_that_started_then_is_told(self, jobsctl, known, report):
        late = known.run(report, ago=7 * HOUR - 20 * MINUTE, scheduled_for=NOW - 7 * HOUR)
        done = jobsctl("why", "report", "--at", "01:20")
        assert done.code == 0
        assert (
            "Note: no slot is at Sat 2026-11-21 01:20 UTC; the run of slot Sat 2026-11-21 01:00 UTC start" in done.out
        )
        assert f"    {late.id}  succeeded" in done.out
        asked = known.run(report, ago=7 * HOUR - 30 * MINUTE, scheduled_for=None, trigger=Trigger.MANUAL,
                          requested_by="ann@desk")  # fmt: skip
        out = jobsctl("why", "report", "--at", "01:30").out
        assert "the run that somebody asked for started then." in out
        assert "Run, asked for by ann@desk Sat 2026-11-21 01:30 UTC" in out
        assert asked.id in out

    def test_a_slot_of_an_earlier_schedule_is_found_by_its_run(self, jobsctl, known):
        job = known.job(HOURLY, path="report.yaml", cursor_at=NOW)
        known.run(job, ago=90 * MINUTE)
        (answer,) = answers(jobsctl("why", "report", "--at", "06:30", "-o", "json"))
        assert answer["verdict"] == "succeeded"


class TestWhatIsGathered:
    def test_who_suspended_it_then_is_known_after_it_was_resumed(self, jobsctl, known):
        job = known.job(HOURLY, path="report.yaml", cursor_at=NOW)
        said = Event(at=NOW - 3 * HOUR, job_id=job.id, run_id=None, type="Normal", reason="suspended",
                     message="by ann@desk: disk is full")  # fmt: skip
        known.store.add_events([said])
        known.store.skip([Skip(job_id=job.id, first=NOW - HOUR, last=NOW - HOUR, count=1, reason=Reason.SUSPENDED,
                               at=NOW - HOUR, generation=1)])  # fmt: skip
        out = jobsctl("why", "report", "--at", "-1h").out
        assert "It was not run: the job was suspended by ann@desk on Sat 2026-11-21 05:00 UTC (disk is full)." in out

    def test_the_run_that_was_in_the_way_is_named(self, jobsctl, known):
        job = known.job(HOURLY, path="report.yaml", cursor_at=NOW)
        long = known.run(job, ago=2 * HOUR, took=90 * MINUTE)
        known.store.skip([Skip(job_id=job.id, first=NOW - HOUR, last=NOW - HOUR, count=1, reason=Reason.OVERLAP,
                               at=NOW - HOUR, generation=1)])  # fmt: skip
        assert f"(`overlap: skip`): {long.id} ran from" in jobsctl("why", "report", "--at", "-1h").out

    def test_a_pool_tells_who_holds_it(self, jobsctl, known, daemon):
        spec = b'{"kind":"Pool","name":"db","slots":1}'
        known.store.put_documents(
            [DocumentRecord(kind="Pool", name="db", spec=spec, digest="d", path="pools.yaml", line=1)], []
        )
        holder = known.job("name: holder\npool: db\nrun: {command: [a]}\n", path="holder.yaml", next_at=None)
        held = known.run(holder, state=RunState.RUNNING)
        job = known.job(HOURLY + "pool: db\n", path="report.yaml", cursor_at=NOW)
        waiting = known.waiting(job, Reason.POOL, scheduled_for=NOW)
        for name, reason in (("second", Reason.POOL), ("third", Reason.BACKOFF)):
            other = known.job(f"name: {name}\npool: db\nrun: {{command: [a]}}\n", path=f"{name}.yaml", next_at=None)
            known.waiting(other, reason)
        known.waiting(known.job(next_at=None), Reason.OVERLAP)
        done = jobsctl("why", "report")
        taken = f"waits for a slot of pool db: 1 of 1 is taken, by default/holder ({held.id})"
        assert f"{taken}; 1 other run waits for one too, priority 0." in done.out
        assert f"{waiting.id}  blocked (pool)" in done.out

    def test_a_dependency_is_told_with_its_last_success(self, jobsctl, known, daemon):
        extract = known.job("name: extract\nschedule: hourly\nrun: {command: [a]}\n", path="extract.yaml")
        known.run(extract, ago=2 * HOUR)
        known.run(extract, ago=HOUR, state=RunState.FAILED)
        job = known.job(HOURLY + "depends_on: [extract]\n", path="report.yaml", cursor_at=NOW,
                        consumed={"default/extract": NOW - HOUR})  # fmt: skip
        known.waiting(job, Reason.DEPENDENCY, scheduled_for=NOW)
        out = jobsctl("why", "report").out
        assert "waits for a success of default/extract, which last succeeded 1h59m ago and has been failing for" in out

    def test_a_calendar_is_looked_up(self, jobsctl, known, daemon):
        spec = b'{"kind":"Calendar","name":"sundays","windows":[{"days":"sat"}],"action":"skip"}'
        known.store.put_documents(
            [DocumentRecord(kind="Calendar", name="sundays", spec=spec, digest="d", path="c.yaml", line=1)], []
        )
        known.job(HOURLY + "calendar: sundays\n", path="report.yaml", cursor_at=NOW)
        out = jobsctl("why", "report").out
        assert "It will not run: calendar sundays does not let it run then; it is recorded as skipped." in out

    def test_with_a_daemon_and_nothing_in_the_way_it_will_run(self, jobsctl, known, daemon):
        known.job(DAILY, path="report.yaml", cursor_at=NOW, next_at=NOW + 24 * HOUR)
        out = jobsctl("why", "report").out
        assert "Next slot, Sun 2026-11-22 09:00 CET (in 1d)\n  It will run.\n" in out


class TestExitCodes:
    def test_no_such_job_is_4(self, jobsctl, known):
        known.job(DAILY, path="report.yaml")
        done = jobsctl("why", "reprot")
        assert (done.code, done.out) == (4, "")
        assert "did you mean default/report?" in done.err

    def test_no_time_is_2(self, jobsctl, known):
        known.job(DAILY, path="report.yaml")
        done = jobsctl("why", "report", "--at", "noon")
        assert (done.code, done.out) == (2, "")
        assert "'noon' is not a time: write" in done.err

    def test_a_name_only(self, jobsctl, known):
        known.job(DAILY, path="report.yaml")
        assert jobsctl("why", "report", "-o", "name").out == "job/default/report\n"


def test_nothing_of_it_asks_the_daemon(jobsctl, known, daemon):
    known.job(DAILY, path="report.yaml")
    jobsctl("why", "report")
    assert [request.kind for request in daemon.asked if request.kind in set(RequestKind)] == []
