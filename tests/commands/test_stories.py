"""`status`, `status JOB` and `run`: what a person reads when something is wrong, and when nothing is."""

from __future__ import annotations

import json

import pytest

from state.records import Reason, RunState, Trigger

MINUTE = 60_000_000
HOUR = 60 * MINUTE
NOW = 1_795_248_000_000_000

FINDING = {
    "code": "JOB030", "message": "unknown key `comand` in `run`", "path": "hello.yaml", "line": 5, "column": 7,
    "help": "did you mean `command`?", "severity": "error", "identity": "default/hello",
}  # fmt: skip


def beat(home, **fields):
    home.state.mkdir(exist_ok=True)
    said = {
        "at": NOW - 1_000_000, "state": "ready", "pid": 77, "started_at": NOW - HOUR,
        "readers": {"listen": "127.0.0.1:8787", "failures": 0},
    }  # fmt: skip
    home.heartbeat.write_text(json.dumps(said | fields))


class TestStatus:
    def test_all_right_ends_with_0(self, jobsctl, home, known, daemon):
        known.run(known.job())
        known.source()
        beat(home)
        done = jobsctl("status")
        assert (done.code, done.err) == (0, "")
        assert done.out == (
            "Everything is all right.\n"
            "\n"
            "daemon  ready, pid 77, started 1h ago, http://127.0.0.1:8787\n"
            f"files   {home.specs} at main@1a2b3c4: 1 file, 1 job\n"
            "jobs    1: 1 active\n"
            "\n"
            "Next\n"
            "  in 5m     default/hello\n"
        )

    def test_a_failing_job_comes_first_and_ends_with_1(self, jobsctl, home, known, daemon):
        job = known.job()
        for minutes in (2, 1):
            known.run(job, ago=minutes * MINUTE, state=RunState.FAILED, exit_code=3, error="exit code 3")
        known.source()
        beat(home)
        done = jobsctl("status")
        assert done.code == 1
        assert done.out.startswith("1 thing to look at.\n")
        assert (
            "Problems\n"
            "  default/hello: failed 2 times, first 1m58s ago: exit code 3\n"
            "      jobsctl logs default/hello\n"
        ) in done.out

    def test_a_failing_job_fails_for_its_last_end_and_not_for_the_attempt_that_waits(self, jobsctl, home, known):
        job = known.job()
        failed = known.run(job, ago=MINUTE, state=RunState.FAILED, exit_code=3, error="exit code 3")
        known.waiting(job, Reason.BACKOFF, attempt=2, scheduled_for=failed.scheduled_for)
        known.source()
        beat(home)
        assert "  default/hello: failed 58s ago: exit code 3; attempt 2 follows\n" in jobsctl("status").out

    def test_readers_that_are_not_served_are_a_problem(self, jobsctl, home, known, daemon):
        known.run(known.job())
        known.source()
        beat(home, readers={"listen": "127.0.0.1:8787", "failures": 3})
        done = jobsctl("status")
        assert done.code == 1
        assert "  daemon: HTTP on 127.0.0.1:8787 and status files are not served" in done.out

    @pytest.mark.parametrize(
        ("make", "kind", "said"),
        [
            pytest.param(lambda k: (k.job(problem=(FINDING,), problem_since=NOW), k.source(diagnostics=(FINDING,))),
                         "file", "unknown key `comand` in `run`; the last good version runs on", id="wrong_file"),
            pytest.param(lambda k: k.home.config.write_text("timezon: UTC\n"), "config",
                         "the daemon will not start again", id="wrong_settings"),
            pytest.param(lambda k: k.job(stalled="ZeroDivisionError"), "stalled", "ZeroDivisionError", id="stalled"),
            pytest.param(lambda k: k.source(problem="no such directory"), "source", "what was applied last goes on",
                         id="directory_gone"),
            pytest.param(lambda k: k.source(prune_blocked=("default/a", "default/b")), "prune",
                         "2 jobs vanished from the files at once", id="prune_guard"),
            pytest.param(lambda k: k.job(next_at=NOW - 2 * HOUR, cursor_at=NOW - 2 * HOUR), "overdue",
                         "should have succeeded", id="overdue"),
        ],
    )  # fmt: skip
    def test_every_kind_of_trouble_is_told(self, jobsctl, home, known, daemon, make, kind, said):
        make(known)
        beat(home)
        done = jobsctl("status", "-o", "json")
        assert done.code == 1
        data = json.loads(done.out)
        assert [problem["kind"] for problem in data["problems"]] == [kind]
        assert said in data["problems"][0]["message"]
        assert data["ok"] is False

    def test_a_daemon_that_gives_no_sign_of_life_is_told(self, jobsctl, home, known, daemon):
        beat(home, at=NOW - 10 * MINUTE)
        assert "its last sign of life is 10m ago" in jobsctl("status").out

    def test_without_a_daemon_ends_with_5_and_still_tells(self, jobsctl, home, known):
        known.run(known.job(), state=RunState.RUNNING, ago=MINUTE)
        beat(home, at=NOW - HOUR)
        done = jobsctl("status")
        assert done.code == 5
        assert done.out.startswith("The daemon is not running: nothing is started.")
        assert "daemon  not running, last seen 1h ago\n" in done.out
        assert "default/hello  running for 1m00s" in done.out

    def test_names_are_those_of_what_is_wrong(self, jobsctl, home, known, daemon):
        for name in "ab":
            text = f"name: {name}\nrun: {{command: [a]}}\n"
            known.run(known.job(text, path=f"{name}.yaml", next_at=None), state=RunState.FAILED)
        assert sorted(jobsctl("status", "-o", "name").out.split()) == ["default/a", "default/b"]

    def test_a_thousand_problems_leave_the_screen_readable(self, jobsctl, known, daemon):
        known.source(diagnostics=tuple({**FINDING, "line": line} for line in range(200)))
        done = jobsctl("status")
        assert len(done.out.splitlines()) < 40
        assert "and 190 more" in done.out


class TestStatusOfAJob:
    def test_tells_all_about_it(self, jobsctl, known):
        job = known.job()
        run = known.run(job)
        done = jobsctl("status", "hello")
        assert (done.code, done.err) == (0, "")
        assert done.out == (
            "Job          default/hello\n"
            "Description  Says hello.\n"
            "Phase        active\n"
            "Schedule     Every 10 minutes\n"
            "Next run     2026-11-21 08:05:00Z (in 5m)\n"
            "Last success 2026-11-21 07:50:01Z (9m58s ago)\n"
            "File         hello.yaml:1\n"
            "Applied      generation 1, applied 1d ago, Synced\n"
            "Labels       team=ops\n"
            "Runs ever    1 succeeded\n"
            "\n"
            "Conditions\n"
            "  Ready        True     Applied         Generation 1 is applied.\n"
            "  Reconciling  False    UpToDate\n"
            "  Stalled      False    UpToDate\n"
            "  Healthy      True     Succeeded       The last run succeeded.\n"
            "  Complete     False    InstantsRemain\n"
            "\n"
            "Last runs\n"
            f"  {run.id}  succeeded  10m ago     1.5s\n"
        )

    def test_a_wrong_file_ends_with_1_and_says_where(self, jobsctl, known):
        known.job(problem=(FINDING,), problem_since=NOW)
        done = jobsctl("status", "hello")
        assert done.code == 1
        assert "Its file is wrong; generation 1 runs on\n  hello.yaml:5:7: JOB030: unknown key" in done.out
        assert "help: did you mean `command`?" in done.out

    def test_a_pause_says_who_and_why(self, jobsctl, known):
        known.job(suspended_at=NOW - HOUR, suspended_by="eva@box", suspended_reason="moving\x1b[2J")
        assert "Suspended    1h ago by eva@box: moving\\x1b[2J\n" in jobsctl("status", "hello").out

    def test_json_is_the_shape_of_the_status_file(self, jobsctl, known):
        known.run(known.job(), state=RunState.FAILED)
        done = jobsctl("status", "hello", "-o", "json")
        assert done.code == 1
        data = json.loads(done.out)
        assert (data["kind"], data["phase"], data["lastRun"]["exitCode"]) == ("JobStatus", "failed", 1)


class TestRun:
    def test_tells_the_whole_story(self, jobsctl, home, known):
        run = known.run(
            known.job(), state=RunState.FAILED, exit_code=3, error="exit code 3", trigger=Trigger.MANUAL,
            scheduled_for=None, requested_by="eva@box", result={"rows": 7},
        )  # fmt: skip
        directory = home.run_dir("default", "hello", run.id)
        (directory / "outputs").mkdir(parents=True)
        (directory / "outputs" / "a.csv").write_bytes(b"x" * 2000)
        done = jobsctl("run", run.id)
        assert (done.code, done.err) == (0, "")
        assert done.out.split("\nEvents\n")[0] == (
            f"Run        {run.id}\n"
            "Job        default/hello (generation 1, revision -)\n"
            "State      failed (exit code 3)\n"
            "Error      exit code 3\n"
            "Trigger    manual, by eva@box\n"
            "Created    2026-11-21 07:50:00Z (10m ago)\n"
            "Started    2026-11-21 07:50:00Z (10m ago)\n"
            "Finished   2026-11-21 07:50:01Z (9m58s ago)\n"
            "Duration   1.5s\n"
            "CPU        250ms\n"
            "Memory     3.0 MiB at most\n"
            "Output     6 B\n"
            'Result     {"rows": 7}\n'
            f"Directory  {directory}\n"
            "Files      outputs/a.csv (2.0 KiB)\n"
        )
        events, command = done.out.split("\nEvents\n")[1].split("\n\n")
        assert len(events.splitlines()) == 3
        assert command == f"-> jobsctl logs {run.id}\n"

    def test_of_a_job_is_its_newest(self, jobsctl, known):
        job = known.job()
        known.run(job, ago=20 * MINUTE)
        newest = known.run(job, ago=10 * MINUTE)
        assert jobsctl("run", "hello", "-o", "name").out == f"run/{newest.id}\n"

    def test_the_beginning_of_an_id_is_enough(self, jobsctl, known):
        run = known.run(known.job())
        assert jobsctl("run", run.id[:20].upper(), "-o", "name").out == f"run/{run.id}\n"

    def test_json_holds_the_events(self, jobsctl, known):
        run = known.run(known.job())
        data = json.loads(jobsctl("run", run.id, "-o", "json").out)
        assert data["id"] == run.id
        assert [event["run"] for event in data["events"]] == [run.id] * 3

    def test_of_a_live_run_shows_its_progress(self, jobsctl, home, known):
        run = known.run(known.job(), state=RunState.RUNNING)
        directory = home.run_dir("default", "hello", run.id)
        directory.mkdir(parents=True)
        (directory / "progress.json").write_text('{"percent": 40}')
        assert 'Progress   {"percent": 40}\n' in jobsctl("run", run.id).out

    def test_of_skipped_slots_says_which(self, jobsctl, known):
        known.skip(known.job(), reason=Reason.MISSED, count=3)
        run_id = jobsctl("runs", "-o", "name").out.strip()
        assert "Slots      3, from 2026-11-21 07:53:00Z to 2026-11-21 07:55:00Z\n" in jobsctl("run", run_id).out

    @pytest.mark.parametrize(
        ("target", "code", "said"),
        [
            pytest.param("hallo", 4, "did you mean default/hello?", id="mistyped"),
            pytest.param("01m7yj2wehy6x2qxvjab646gcj", 4, "there is no job or run", id="unknown_id"),
            pytest.param("hello", 4, "default/hello has no run yet", id="no_run"),
            pytest.param("../../etc", 4, "there is no job or run", id="no_name"),
        ],
    )
    def test_what_is_not_there_is_not_found(self, jobsctl, known, target, code, said):
        known.job()
        done = jobsctl("run", target)
        assert (done.code, done.out) == (code, "")
        assert said in done.err
