"""`jobsctl silence`: what is asked of the daemon, what it makes of it, and where the silence shows."""

from __future__ import annotations

import json

import pytest

from state.inbox import RequestKind, read_requests
from state.records import SilenceRecord

SECOND = 1_000_000
HOUR = 3_600 * SECOND
NOW = 1_795_248_000_000_000


@pytest.fixture
def hello(known):
    return known.job()


@pytest.fixture
def silenced(known, hello):
    """Two silences that hold, one that is over, one that was ended."""
    for id, identity, until, ended in (
        ("a", "default/hello", NOW + 2 * HOUR, None),
        ("b", None, NOW + HOUR, None),
        ("c", "default/hello", NOW, None),
        ("d", "default/other", NOW + HOUR, NOW - SECOND),
    ):
        silence = SilenceRecord(
            id=id, identity=identity, since=NOW - HOUR, until=until, reason=f"because {id}", silenced_by="ann@desk",
            ended_at=ended, ended_by=None if ended is None else "bob@desk",
        )  # fmt: skip
        known.store.add_silence(silence, now=NOW)


class TestAsking:
    def test_a_silence_counts_from_now_also_without_a_daemon(self, jobsctl, home, hello):
        done = jobsctl("silence", "hello", "--for", "2h", "--reason", "database moves")
        assert (done.code, done.out) == (0, "job/default/hello silenced until 2026-11-21 10:00:00Z\n")
        assert "`jobsctl silence default/hello --end` ends it" in done.err
        (request,) = read_requests(home)
        assert (request.kind, request.identity, request.reason) == (
            RequestKind.SILENCE, "default/hello", "database moves",
        )  # fmt: skip
        assert request.params == {"until": NOW + 2 * HOUR}

    def test_all_jobs_are_one_request_that_names_none(self, jobsctl, home, hello):
        done = jobsctl("silence", "--all", "--for", "30m")
        assert (done.code, done.out) == (0, "all jobs silenced until 2026-11-21 08:30:00Z\n")
        (request,) = read_requests(home)
        assert (request.kind, request.identity) == (RequestKind.SILENCE, None)

    def test_jobs_are_chosen_by_label(self, jobsctl, home, known):
        known.job("name: a\nlabels: {team: data}\nrun: {command: [a]}\n")
        known.job("name: b\nrun: {command: [a]}\n")
        assert jobsctl("silence", "-l", "team=data", "--for", "1h").code == 0
        assert [request.identity for request in read_requests(home)] == ["default/a"]

    def test_the_end_is_asked_for(self, jobsctl, home, hello):
        assert (
            jobsctl("silence", "hello", "--end").out == "job/default/hello no longer silenced, when the daemon starts\n"
        )
        assert [request.kind for request in read_requests(home)] == [RequestKind.END_SILENCE]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            pytest.param(["hello"], "for how long?", id="no-length"),
            pytest.param(["--for", "1h"], "which job?", id="no-job"),
            pytest.param(["hello", "--all", "--for", "1h"], "--all means every job", id="job-and-all"),
            pytest.param(["hello", "--list"], "--list stands alone", id="list-and-job"),
            pytest.param(["hello", "--end", "--for", "1h"], "takes neither --for", id="end-and-length"),
            pytest.param(["hello", "--for", "soon"], "'soon'", id="no-duration"),
        ],
    )
    def test_what_contradicts_itself_is_refused(self, jobsctl, home, hello, arguments, said):
        done = jobsctl("silence", *arguments)
        assert done.code == 2
        assert said in done.err
        assert read_requests(home) == []

    def test_a_job_that_nothing_has_is_not_found(self, jobsctl, home, hello):
        assert jobsctl("silence", "helo", "--for", "1h").code == 4
        assert read_requests(home) == []


class TestShowing:
    def test_the_list_has_those_that_hold(self, jobsctl, silenced):
        done = jobsctl("silence", "--list")
        assert done.out.splitlines()[0].split() == ["JOB", "UNTIL", "LEFT", "BY", "REASON"]
        assert [line.split("  ")[0] for line in done.out.splitlines()[1:]] == ["all jobs", "default/hello"]
        assert "The daemon is not running: nobody is notified of anything." in done.err

    def test_the_list_as_data(self, jobsctl, silenced):
        items = json.loads(jobsctl("silence", "--list", "-o", "json").out)["items"]
        assert items[1] == {
            "job": "default/hello", "since": "2026-11-21T07:00:00.000Z", "until": "2026-11-21T10:00:00.000Z",
            "reason": "because a", "by": "ann@desk",
        }  # fmt: skip
        assert items[0]["job"] is None

    def test_without_any_it_says_so(self, jobsctl, hello):
        assert jobsctl("silence", "--list").err.startswith("No job is silenced.")

    def test_a_job_says_that_it_is_silenced_and_how_that_ends(self, jobsctl, silenced):
        for command in ("describe", "status"):
            told = jobsctl(command, "hello").out
            assert "Silenced     until 2026-11-21 10:00:00Z (in 2h), by ann@desk: because a" in told
            assert "-> jobsctl silence default/hello --end" in told

    def test_the_overview_says_that_nobody_is_told(self, jobsctl, silenced):
        assert "silent  nobody is notified of any job: jobsctl silence --list" in jobsctl("status").out
        assert len(json.loads(jobsctl("status", "-o", "json").out)["silences"]) == 2
