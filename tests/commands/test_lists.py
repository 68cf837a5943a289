"""`list`, `runs` and `events`: tables, data, filters, pages."""

from __future__ import annotations

import json

import pytest
import yaml
from click import Choice

from cli.commands import list as list_command
from cli.commands import runs as runs_command
from cli.options import Settings
from cli.output import Column, print_table
from state.records import Event, Reason, RunState, Trigger
from status.phase import Phase

MINUTE = 60_000_000
HOUR = 60 * MINUTE
NOW = 1_795_248_000_000_000

REPORT = """\
name: report
project: sales
schedule: weekdays at 9:30am
timezone: Europe/Berlin
run: {script: exit 3}
"""


@pytest.fixture
def two_jobs(known):
    """`default/hello`, which is well, and `sales/report`, which failed three times."""
    hello = known.job()
    known.run(hello, ago=10 * MINUTE)
    report = known.job(REPORT, path="report.yaml", next_at=NOW + HOUR)
    for minutes in (3, 2, 1):
        known.run(report, ago=minutes * MINUTE, state=RunState.FAILED, exit_code=3, error="exit code 3", took=500_000)
    return hello, report


class TestList:
    def test_shows_one_line_per_job(self, jobsctl, two_jobs):
        done = jobsctl("list")
        assert (done.code, done.err) == (0, "")
        assert done.out == (
            "JOB            SCHEDULE                          PHASE   LAST RUN             NEXT\n"
            "default/hello  Every 10 minutes                  active  succeeded 9m58s ago  in 5m\n"
            "sales/report   Weekdays at 09:30, Europe/Berlin  failed  failed 59s ago       in 1h\n"
        )

    def test_wide_shows_more(self, jobsctl, two_jobs):
        done = jobsctl("list", "-o", "wide", "-p", "default")
        assert done.out.splitlines()[0].split() == [
            "JOB", "SCHEDULE", "PHASE", "LAST", "RUN", "NEXT", "SYNC", "LAST", "SUCCESS", "FILE", "GEN", "REVISION",
            "DESCRIPTION",
        ]  # fmt: skip
        assert done.out.splitlines()[1].endswith("Synced  9m58s ago     hello.yaml:1    1  -         Says hello.")

    def test_json_and_yaml_and_json_lines_say_the_same(self, jobsctl, two_jobs):
        items = json.loads(jobsctl("list", "-o", "json").out)["items"]
        assert [item["metadata"]["identity"] for item in items] == ["default/hello", "sales/report"]
        assert items[1]["lastRun"]["exitCode"] == 3
        assert [json.loads(line) for line in jobsctl("list", "-o", "jsonl").out.splitlines()] == items
        loaded = yaml.load(jobsctl("list", "-o", "yaml").out, yaml.BaseLoader)["items"]
        assert [item["phase"] for item in loaded] == ["active", "failed"]

    def test_names_can_be_given_to_other_commands(self, jobsctl, two_jobs):
        assert jobsctl("list", "-o", "name").out == "job/default/hello\njob/sales/report\n"
        assert jobsctl("status", "job/sales/report", "-o", "name").out == "job/sales/report\n"

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            pytest.param(["-p", "sales"], ["job/sales/report"], id="project"),
            pytest.param(["-l", "team=ops"], ["job/default/hello"], id="label"),
            pytest.param(["-l", "team!=ops"], ["job/sales/report"], id="other_label"),
            pytest.param(["--phase", "failed"], ["job/sales/report"], id="phase"),
            pytest.param(["--phase", "failed", "--phase", "active"], ["job/default/hello", "job/sales/report"], id="2"),
            pytest.param(["-a"], ["job/default/hello", "job/default/old", "job/sales/report"], id="archived_too"),
            pytest.param(["--phase", "archived"], ["job/default/old"], id="archived"),
        ],
    )  # fmt: skip
    def test_filters(self, jobsctl, known, two_jobs, arguments, expected):
        known.job("name: old\nrun: {command: [a]}\n", path="old.yaml", archived_at=NOW - HOUR, next_at=None)
        assert jobsctl("list", "-o", "name", *arguments).out.split() == expected

    def test_a_selector_that_makes_no_sense_ends_with_2(self, jobsctl, two_jobs):
        done = jobsctl("list", "-l", "a b")
        assert (done.code, done.out) == (2, "")
        assert "label selector 'a b' is not understood" in done.err

    def test_without_jobs_says_what_to_do_and_prints_nothing(self, jobsctl, known):
        done = jobsctl("list")
        assert (done.code, done.out) == (0, "")
        assert "No jobs yet" in done.err

    def test_that_no_job_fits_is_said(self, jobsctl, two_jobs):
        assert jobsctl("list", "--phase", "blocked").err == "No job fits.\n"

    def test_a_wrong_file_is_seen(self, jobsctl, known):
        finding = {"path": "hello.yaml", "line": 3, "column": 1, "message": "unknown key"}
        known.job(problem=(finding,), problem_since=NOW)
        assert "pending (invalid)" in jobsctl("list").out

    def test_phases_of_the_option_are_those_there_are(self):
        assert set(list_command.PHASES) == set(Phase)


class TestRuns:
    def test_shows_the_newest_first(self, jobsctl, two_jobs):
        done = jobsctl("runs")
        assert (done.code, done.err) == (0, "")
        lines = [line.split(maxsplit=1)[1] for line in done.out.splitlines()]
        assert lines == [
            "JOB            STATE                 TRIGGER   STARTED  DURATION",
            "sales/report   failed (exit code 3)  schedule  1m ago      500ms",
            "sales/report   failed (exit code 3)  schedule  2m ago      500ms",
            "sales/report   failed (exit code 3)  schedule  3m ago      500ms",
            "default/hello  succeeded             schedule  10m ago      1.5s",
        ]

    def test_pages_follow_each_other(self, jobsctl, two_jobs):
        everything = jobsctl("runs", "-o", "name").out.split()
        first = json.loads(jobsctl("runs", "-n", "3", "-o", "json").out)
        assert [f"run/{item['id']}" for item in first["items"]] == everything[:3]
        second = json.loads(jobsctl("runs", "-n", "3", "--before", first["next"], "-o", "json").out)
        assert [f"run/{item['id']}" for item in second["items"]] == everything[3:]
        assert second["next"] is None
        assert jobsctl("runs", "-n", "3").err == f"There are more: `--before {first['next']}` shows older ones.\n"

    def test_oldest_first_turns_the_order_around(self, jobsctl, two_jobs):
        everything = jobsctl("runs", "-o", "name").out.split()
        assert jobsctl("runs", "--oldest-first", "-o", "name").out.split() == everything[::-1]

    @pytest.mark.parametrize(
        ("arguments", "count"),
        [
            pytest.param(["report"], 3, id="job"),
            pytest.param(["sales/report"], 3, id="project_and_job"),
            pytest.param(["-p", "default"], 1, id="project"),
            pytest.param(["--status", "failed"], 3, id="state"),
            pytest.param(["--status", "failed", "--status", "succeeded"], 4, id="two_states"),
            pytest.param(["--active"], 0, id="active"),
            pytest.param(["--since", "150s"], 2, id="since"),
            pytest.param(["--until", "2026-11-21T07:55:00Z"], 1, id="until"),
            pytest.param(["-l", "team=ops"], 1, id="label"),
        ],
    )
    def test_filters(self, jobsctl, two_jobs, arguments, count):
        done = jobsctl("runs", "-o", "jsonl", *arguments)
        assert (done.code, len(done.out.splitlines())) == (0, count), done.err

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            pytest.param(["reprot"], 4, "did you mean sales/report?", id="mistyped_job"),
            pytest.param(["--since", "yesterday"], 2, "is not an instant", id="no_instant"),
            pytest.param(["--since", "1h", "--until", "2h"], 2, "--since is not before --until", id="nothing_between"),
            pytest.param(["-n", "0"], 2, "0 is not in the range", id="no_limit"),
            pytest.param(["report", "-l", "a=b"], 2, "a job is named already", id="label_and_job"),
            pytest.param(["--before", "zz"], 4, "no run zz", id="no_such_page"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, jobsctl, two_jobs, arguments, code, said):
        done = jobsctl("runs", *arguments)
        assert (done.code, done.out) == (code, "")
        assert said in done.err

    def test_says_why_a_slot_was_skipped(self, jobsctl, known):
        job = known.job()
        known.skip(job, reason=Reason.OVERLAP, count=3)
        assert "skipped (overlap, 3 slots)" in jobsctl("runs").out

    @pytest.mark.parametrize(
        ("end", "shown"),
        [
            pytest.param({"state": RunState.FAILED, "signal": 9, "reason": Reason.SIGNAL}, "(SIGKILL)", id="killed"),
            pytest.param({"state": RunState.EXPIRED, "reason": Reason.TIMEOUT}, "expired (timeout)", id="timeout"),
            pytest.param({"state": RunState.CANCELLED, "reason": Reason.CANCELLED}, "cancelled ", id="cancelled"),
            pytest.param({"state": RunState.FAILED, "reason": Reason.LOST}, "failed (lost)", id="lost"),
            pytest.param({"state": RunState.RUNNING}, "running", id="running"),
            pytest.param({"state": RunState.PENDING}, "pending", id="pending"),
        ],
    )  # fmt: skip
    def test_says_how_a_run_ended(self, jobsctl, known, end, shown):
        known.run(known.job(), **end)
        assert shown in jobsctl("runs").out

    def test_states_of_the_option_are_those_there_are(self):
        assert set(runs_command.STATES) == set(RunState)
        (option,) = [param for param in runs_command.command.params if param.name == "states"]
        assert isinstance(option.type, Choice)


class TestEvents:
    def test_tells_what_happened_oldest_first(self, jobsctl, known):
        known.run(known.job(), ago=MINUTE, trigger=Trigger.MANUAL, state=RunState.FAILED)
        lines = [" ".join(line.split()) for line in jobsctl("events").out.splitlines()]
        assert lines[0] == "TIME TYPE REASON JOB MESSAGE"
        assert [line.split()[0:2] for line in lines[1:]] == [
            ["2026-11-21", "07:59:00.000Z"],
            ["2026-11-21", "07:59:00.020Z"],
            ["2026-11-21", "07:59:01.520Z"],
        ]
        assert "default/hello" in lines[1]
        assert "exit code 1" in lines[3]

    def test_of_a_job_or_run_alone(self, jobsctl, known, two_jobs):
        run_id = jobsctl("runs", "report", "-n", "1", "-o", "name").out.strip().removeprefix("run/")
        of_run = json.loads(jobsctl("events", run_id, "-o", "json").out)["items"]
        assert {event["run"] for event in of_run} == {run_id}
        of_job = json.loads(jobsctl("events", "hello", "-o", "json").out)["items"]
        assert {event["job"] for event in of_job} == {"default/hello"}

    def test_warnings_alone(self, jobsctl, two_jobs):
        items = json.loads(jobsctl("events", "--warnings", "-o", "json").out)["items"]
        assert [item["type"] for item in items] == ["Warning"] * 3

    def test_pages_follow_each_other(self, jobsctl, two_jobs):
        everything = json.loads(jobsctl("events", "-o", "json").out)["items"]
        page = json.loads(jobsctl("events", "--after", "0", "-n", "5", "-o", "json").out)
        rest = json.loads(jobsctl("events", "--after", page["next"], "-o", "json").out)
        assert page["items"] + rest["items"] == everything

    def test_none_is_said(self, jobsctl, known):
        known.job()
        done = jobsctl("events", "hello")
        assert (done.code, done.out, done.err) == (0, "", "No events of hello.\n")

    def test_a_message_cannot_drive_the_terminal(self, jobsctl, known):
        event = Event(at=NOW, job_id=None, run_id=None, type="Normal", reason="x", message="a\x1b[2Jb\nc\u202ed")
        known.store.add_events([event])
        assert "a\\x1b[2Jb\\nc\\u202ed" in jobsctl("events").out


class TestNoDatabase:
    @pytest.mark.parametrize("command", [["list"], ["runs"], ["events"], ["status"], ["run", "x"], ["logs", "x"]])
    def test_is_told_with_the_next_step(self, jobsctl, command):
        done = jobsctl(*command)
        assert (done.code, done.out) == (5, "")
        assert done.err.splitlines() == [
            "error: nothing is known yet: no daemon ever ran on this home",
            "hint: start one with `jobsctl daemon`; another home is named with --home DIR",
        ]

    def test_no_home_at_all_is_not_found(self, jobsctl, tmp_path):
        done = jobsctl("list", "--home", tmp_path / "elsewhere")
        assert done.code == 4
        assert "is not a jobsctl home" in done.err
        assert "jobsctl init" in done.err

    def test_a_file_that_is_no_database_is_one_clear_error(self, jobsctl, home):
        home.state.mkdir()
        home.database.write_bytes(b"not a database, but long enough to have a header of its own" * 20)
        done = jobsctl("list")
        assert (done.code, done.out) == (1, "")
        assert "not a" in done.err.lower()
        assert "Traceback" not in done.err


def test_wide_characters_keep_the_columns_straight(capsys):
    rows = [("日本語", 1), ("ascii", 10), ("é\u0301", 100)]
    columns = [Column("NAME", lambda row: row[0]), Column("N", lambda row: str(row[1]), right=True)]
    print_table(Settings(), rows, columns)
    assert capsys.readouterr().out == "NAME      N\n日本語    1\nascii    10\né\u0301       100\n"
