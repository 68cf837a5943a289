"""`describe` and the tables: policies in words, what a job takes, what waits and for what."""

from __future__ import annotations

import json

import pytest

from specs.policy import policy_of
from state.records import Reason, RunState
from state.store import Skip
from status.words.policy import policy_pairs
from tests.commands.conftest import HOUR, MINUTE, NOW
from tests.commands.telling import record_of

FULL = """\
name: report
schedule: hourly
overlap: queue
missed: {policy: all, max: 5, grace: 2h}
retry: {attempts: 3, backoff: exponential, delay: 10s, exit_codes: [3]}
on_lost: rerun
timeout: 15m
success_codes: [0, 3]
end_at: 2026-12-24T00:00:00Z
repeat: 10
pool: db
priority: 5
depends_on: [extract]
on_dependency_failure: fail
prune: false
params:
  day: {default: today, allowed: [today, monday], description: which day}
run: {command: [a]}
"""


@pytest.mark.parametrize(
    ("spec", "name", "words"),
    [
        pytest.param({"notify": [{"to": "ops"}]}, "Notify", "ops: on failure, recovery, missed", id="notify"),
        pytest.param(
            {"notify": [{"to": ["ops", "boss"], "on": ["slow", "still_failing"], "slower_than": "45m", "failures": 9}]},
            "Notify", "ops, boss: on still failing, slow (longer than 45m00s) (every 9 failures)", id="notify_more",
        ),
        pytest.param(
            {"callback": {"url": "https://example.com/s3cret", "secret": {"from_env": "KEY"}, "on": ["failed"]}},
            "Callback", "https://example.com/***: failed", id="callback",
        ),
        pytest.param(
            {"callback": {"url": {"from_file": "/etc/hook"}, "secret": {"from_env": "KEY"}}},
            "Callback", "from_file /etc/hook: every end", id="callback_from_outside",
        ),
        pytest.param({}, "Overlap", "a slot that comes while a run is active is skipped", id="overlap_skip"),
        pytest.param({"overlap": "allow", "max_concurrent": 3}, "Overlap",
                     "up to 3 runs at once; a slot beyond that is skipped", id="overlap_allow"),
        pytest.param({}, "Missed", "of slots that passed while nothing could run, the latest is caught up",
                     id="missed"),
        pytest.param({"missed": "skip"}, "Missed", "slots that passed while nothing could run are not caught up",
                     id="missed_skip"),
        pytest.param({}, "Retry", "none: one attempt", id="no_retry"),
        pytest.param({"retry": {"attempts": 2, "on": ["expired"]}}, "Retry",
                     "up to 2 attempts, 10s apart; after a timeout", id="retry_fixed"),
        pytest.param({}, "Timeout", "none", id="no_timeout"),
        pytest.param({"timeout": "15m"}, "Timeout", "15m00s, then TERM, and KILL 10s later", id="timeout"),
        pytest.param({"jitter": {"random": "5m"}}, "Jitter", "each slot starts up to 5m00s later, by chance",
                     id="random"),
        pytest.param({"until": "run.attempt > 1"}, "Until", "complete when this is true after a run: run.attempt > 1",
                     id="until"),
        pytest.param({"on_delete": "cancel"}, "Deleting", "an active run is cancelled when its file goes", id="delete"),
        pytest.param({"retention": {"max_runs": 5, "max_age": "2d"}}, "History", "5 runs, 2d0h", id="retention"),
        pytest.param({"calendar": ["a", "b"]}, "Calendar", "a, b", id="calendar"),
    ],
)  # fmt: skip
def test_a_policy_is_said_in_words(spec, name, words):
    record = record_of(spec)
    from specs.stored import StoredJob

    job = StoredJob.of(record.spec)
    assert dict(policy_pairs(record, job, policy_of(job.fields)))[name] == words


def test_a_job_is_described_whole(jobsctl, known, daemon):
    extract = known.job("name: extract\nschedule: hourly\nrun: {command: [a]}\n", path="extract.yaml")
    known.run(extract, ago=2 * HOUR, state=RunState.FAILED)
    job = known.job(FULL, path="report.yaml", cursor_at=NOW, repeat_done=4)
    waiting = known.waiting(job, Reason.BACKOFF, attempt=2, not_before=NOW + 34_000_000)
    done = jobsctl("describe", "report")
    assert (done.code, done.err) == (0, "")
    assert (
        "Policies\n"
        "  Overlap    a slot that comes while a run is active waits for its end; one waits, others are skipped\n"
        "  Missed     of slots that passed while nothing could run, the latest 5 are caught up, in order; "
        "none that is more than 2h00m late\n"
        "  Retry      up to 3 attempts, 10s apart, doubling each time, at most 5m00s; "
        "after a failure (3 only), a timeout, a lost run\n"
        "  Lost       a run whose end nobody saw is run again\n"
        "  Timeout    15m00s, then TERM, and KILL 10s later\n"
        "  Success    exit codes 0, 3\n"
        "  Pool       db, priority 5\n"
        "  Ends at    2026-12-24 00:00:00Z\n"
        "  Repeat     complete after 10 runs; 4 done\n"
        "  Failure    a failure of one fails the run (`on_dependency_failure`)\n"
        "  Pruning    it stays when its file goes\n"
    ) in done.out
    assert "Params\n  day        default 'today'; one of today, monday; which day\n" in done.out
    assert "Depends on\n  default/extract, which has never succeeded and has been failing for 1h59m\n" in done.out
    assert "Pool\n  db, which no file defines\n" in done.out
    assert f"    {waiting.id}  attempt 2  blocked (backoff)\n" in done.out


def test_a_run_is_described_as_run_does(jobsctl, known):
    run = known.run(known.job())
    assert jobsctl("describe", run.id).out == jobsctl("run", run.id).out


class TestTables:
    def test_a_blocked_run_says_what_for_everywhere(self, jobsctl, known, daemon):
        job = known.job()
        run = known.waiting(job, Reason.BACKOFF, not_before=NOW + 34_000_000, attempt=2)
        assert "blocked (backoff)" in jobsctl("list").out
        assert "blocked (backoff)" in jobsctl("runs").out
        assert "the delay before its next attempt, in 34s" in jobsctl("runs", "-o", "wide").out
        assert f"Waiting\n  default/hello  for the delay before its next attempt, in 34s  {run.id}" in (
            jobsctl("status").out
        )
        told = jobsctl("status", "hello").out
        assert "Ready        True     BackingOff" in told
        assert "waits for the delay before its next attempt, in 34s" in told
        assert "Waits for  the delay before its next attempt, in 34s" in jobsctl("run", run.id).out
        assert json.loads(jobsctl("status", "hello", "-o", "json").out)["blocked"] == {
            "run": run.id, "reason": "backoff", "message": "waits for the delay before its next attempt",
            "notBefore": "2026-11-21T08:00:34.000Z",
        }  # fmt: skip

    def test_a_job_that_only_follows_others_says_whom_in_place_of_a_schedule(self, jobsctl, known):
        known.job("name: load\ndepends_on: [extract]\nrun: {command: [a]}\n", next_at=None)
        assert "default/load  After default/extract  pending" in jobsctl("list").out

    def test_skipped_slots_have_their_range_and_count(self, jobsctl, known):
        job = known.job()
        known.store.skip([Skip(job_id=job.id, first=NOW - 3 * HOUR, last=NOW - HOUR, count=13, at=NOW,
                               reason=Reason.DAEMON_DOWN, generation=1)])  # fmt: skip
        out = jobsctl("runs", "-o", "wide").out
        assert "skipped (daemon_down, 13 slots)" in out
        assert "2026-11-21 05:00:00Z .. 2026-11-21 07:00:00Z" in out

    def test_what_a_run_follows_and_was_given_is_in_its_story(self, jobsctl, known):
        job = known.job()
        run = known.waiting(job, Reason.POOL, params={"day": "monday"}, upstream={"default/extract": "01abc"})
        out = jobsctl("run", run.id).out
        assert "Params     day=monday\n" in out
        assert "Follows    default/extract, run 01abc\n" in out

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            pytest.param({"suspended_at": NOW - 3 * HOUR, "suspended_by": "ann@desk", "suspended_reason": "audit"},
                         "Suspended    3h ago by ann@desk: audit\n", id="by command"),
            pytest.param({"text": "suspend: {reason: no disk}"},
                         "Suspended    by its file, hello.yaml:1, 1d ago: no disk\n", id="by file"),
            pytest.param({"text": "suspend: true", "suspended_at": NOW - 5 * MINUTE, "suspended_by": "ann@desk"},
                         "Suspended    5m ago by ann@desk: no reason given (and by its file, hello.yaml:1)\n",
                         id="both"),
        ],
    )  # fmt: skip
    def test_a_suspension_says_who_and_when_and_whether_the_file_does_too(self, jobsctl, known, fields, words):
        text = fields.pop("text", "")
        known.job(f"name: hello\n{text}\nrun: {{command: [a]}}\n", **fields)
        assert words in jobsctl("describe", "hello").out
