"""`plan` against what the daemon applied: what it says, in which forms, and how it ends."""

from __future__ import annotations

import io
import json
import sys

import pytest

from specs.load import load_bytes
from state.records import DocumentRecord, RunState
from tests.commands.conftest import HELLO, NOW
from tests.commands.planned import DAILY, MINUTE, applied, edit

BAD = "name: broken\nrun: {comand: [a]}\n"


class TestWords:
    def test_nothing_to_do(self, jobsctl, known):
        known.job()
        done = jobsctl("plan")
        assert (done.code, done.out, done.err) == (0, "No changes. 1 job unchanged.\n", "")

    def test_before_any_daemon_ran_everything_is_new(self, jobsctl, home):
        (home.specs / "a.yaml").write_text(DAILY)
        done = jobsctl("plan")
        assert done.code == 0
        assert done.out == (
            "  + default/report  home/jobs/a.yaml:1\n"
            "\n"
            "+ default/report  home/jobs/a.yaml:1\n"
            '    + run.command: ["a"]\n'
            "    + schedule: 30 2 * * *\n"
            "    + timezone: Europe/Berlin\n"
            "    Daily at 02:30, Europe/Berlin\n"
            "    next: Sun 2026-11-22 02:30 CET, Mon 11-23 02:30, Tue 11-24 02:30, Wed 11-25 02:30, Thu 11-26 02:30\n"
            "    clock: 2027-03-28, Europe/Berlin: 02:30 does not exist that night: it runs once, right after, at 03:00"
            " CEST\n"
            "    clock: 2027-10-31, Europe/Berlin: 02:30 comes twice that night: it runs the first time only\n"
            "\n"
            "Note: nothing was applied yet: every job is new\n"
            "Plan: 1 to create, 0 to change, 0 to prune.\n"
        )

    def test_an_edit_is_told_field_by_field_with_the_starts_before_and_after(self, jobsctl, known, home):
        applied(known)
        edit(home, "hello.yaml", ("every 10m", "every 20m"), ("hello]", "hi]"))
        done = jobsctl("plan")
        assert done.code == 0
        assert done.out.splitlines() == [
            "  ~ default/hello  home/jobs/hello.yaml:1  run, schedule",
            "",
            "~ default/hello  home/jobs/hello.yaml:1",
            "    ~ run.command[1]: hello -> hi",
            "    ~ schedule: every 10m -> every 20m",
            "    the schedule starts anew when this is applied, because `schedule` changed: its interval is counted "
            "from then. Nothing fires by the edit itself.",
            "    next  before                      after",
            "          Sat 2026-11-21 08:10 UTC",
            "          Sat 2026-11-21 08:20 UTC  = Sat 2026-11-21 08:20 UTC",
            "          Sat 2026-11-21 08:30 UTC",
            "          Sat 2026-11-21 08:40 UTC  = Sat 2026-11-21 08:40 UTC",
            "          Sat 2026-11-21 08:50 UTC",
            "",
            "Plan: 0 to create, 1 to change, 0 to prune.",
        ]

    def test_starts_that_have_little_in_common_stand_below_each_other(self, jobsctl, known, home):
        applied(known)
        edit(home, "hello.yaml", ("every 10m", "0 12 * * *"))
        assert jobsctl("plan").out.splitlines()[5:11] == [
            "    next  before                      after",
            "          Sat 2026-11-21 08:10 UTC    Sat 2026-11-21 12:00 UTC (as before)",
            "          Sat 2026-11-21 08:20 UTC    Sun 2026-11-22 12:00 UTC (as before)",
            "          Sat 2026-11-21 08:30 UTC    Mon 2026-11-23 12:00 UTC (as before)",
            "          Sat 2026-11-21 08:40 UTC    Tue 2026-11-24 12:00 UTC (as before)",
            "          Sat 2026-11-21 08:50 UTC    Wed 2026-11-25 12:00 UTC (as before)",
        ]

    def test_another_command_keeps_the_grid(self, jobsctl, known, home):
        applied(known)
        edit(home, "hello.yaml", ("hello]", "hi]"))
        done = jobsctl("plan")
        assert "starts anew" not in done.out
        assert "next (as before): Sat 2026-11-21 08:10 UTC" in done.out

    def test_a_rename_is_one_change(self, jobsctl, known, home):
        known.job()
        edit(home, "hello.yaml", ("name: hello", "name: hi\nrenamed_from: hello"))
        done = jobsctl("plan")
        assert done.out.splitlines()[0] == "  > default/hi (was default/hello)  home/jobs/hello.yaml:1"
        assert done.out.splitlines()[-1] == "Plan: 0 to create, 0 to change, 0 to prune, 1 to rename."

    @pytest.mark.parametrize(
        ("before", "after", "said"),
        [
            pytest.param(HELLO, HELLO + "suspend: {reason: moving}\n",
                         "suspended by its file: moving. Its slots are recorded as skipped.", id="suspended"),
            pytest.param(HELLO + "suspend: true\n", HELLO, "resumed by its file: it starts with its next slot",
                         id="resumed"),
        ],
    )  # fmt: skip
    def test_a_pause_by_the_file(self, jobsctl, known, home, before, after, said):
        known.job(before)
        (home.specs / "hello.yaml").write_text(after)
        assert said in jobsctl("plan").out

    def test_a_pause_by_a_person_stays(self, jobsctl, known, home):
        known.job(suspended_at=NOW - MINUTE, suspended_by="ann")
        edit(home, "hello.yaml", ("hello]", "hi]"))
        assert "suspended by `jobsctl suspend`, and stays so" in jobsctl("plan").out

    def test_what_runs_goes_on(self, jobsctl, known, home):
        known.run(known.job(), ago=MINUTE, state=RunState.RUNNING)
        edit(home, "hello.yaml", ("hello]", "hi]"))
        assert "1 active run goes on under the spec it started with." in jobsctl("plan").out

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            pytest.param("", "1 active run will go on to the end", id="finish"),
            pytest.param("on_delete: cancel\n", "1 active run will be cancelled (`on_delete: cancel`)", id="cancel"),
        ],
    )
    def test_what_runs_of_a_job_that_goes(self, jobsctl, known, home, more, said):
        known.run(known.job(HELLO + more), ago=MINUTE, state=RunState.RUNNING)
        known.job(DAILY, path="report.yaml")
        (home.specs / "hello.yaml").unlink()
        done = jobsctl("plan")
        assert "  - default/hello  home/jobs/hello.yaml:1" in done.out.splitlines()
        assert said in done.out

    def test_a_slot_that_passed_is_caught_up_by_its_policy_or_not_at_all(self, jobsctl, known, home):
        applied(known, cursor_at=NOW - 61 * MINUTE, anchor_at=NOW - 120 * MINUTE)
        edit(home, "hello.yaml", ("hello]", "hi]"))
        out = jobsctl("plan").out
        assert "it is caught up as `missed` says, not by this edit" in out
        assert "next (as before): Sat 2026-11-21 08:10 UTC" in out
        edit(home, "hello.yaml", ("10m", "20m"))
        assert "it is not caught up, the schedule starts anew" in jobsctl("plan").out

    def test_a_job_that_is_kept(self, jobsctl, known, home):
        known.job(HELLO + "prune: false\n")
        known.job(DAILY, path="report.yaml")
        (home.specs / "hello.yaml").unlink()
        done = jobsctl("plan", "--detailed-exitcode")
        assert done.code == 0
        assert "  = default/hello  home/jobs/hello.yaml:1  kept" in done.out.splitlines()

    def test_the_prune_guard_is_told(self, jobsctl, known, home):
        for number in range(5):
            known.job(f"name: j{number}\nrun: {{command: [a]}}\n", path=f"{number}.yaml")
            if number:
                (home.specs / f"{number}.yaml").unlink()
        done = jobsctl("plan")
        assert done.out.splitlines()[-2:] == [
            "Note: the prune guard holds jobs back: more than 3 jobs and 30% of all would go at once; "
            "`jobsctl apply --confirm-prune` lets them go, once",
            "Plan: 0 to create, 0 to change, 0 to prune, 4 held back by the prune guard.",
        ]

    def test_a_job_that_comes_back(self, jobsctl, known):
        known.job(archived_at=NOW - MINUTE)
        done = jobsctl("plan")
        assert done.out.splitlines()[0].startswith("  + default/hello")
        assert "it was archived: it comes back with its history." in done.out

    def test_lint_speaks_of_what_changes_only(self, jobsctl, known, home):
        known.job(HELLO)
        known.job("name: quiet\nschedule: every 10m\ntimeout: 20m\nrun: {command: [a]}\n", path="quiet.yaml")
        edit(home, "hello.yaml", ("every 10m", "every 10m\ntimeout: 20m"))
        done = jobsctl("plan")
        assert done.out.count("warning[JOB") == 1

    def test_another_timezone_of_the_home(self, jobsctl, known, home):
        applied(known, HELLO.replace("every 10m", "daily at 9:00"), next_at=NOW + 60 * MINUTE)
        home.config.write_text("timezone: Asia/Tokyo\n")
        out = jobsctl("plan").out
        assert out.splitlines()[0].endswith("  timezone of jobsctl.yaml")
        assert "because `timezone of jobsctl.yaml` changed" in out
        assert "          Sat 2026-11-21 18:00 JST    Sun 2026-11-22 09:00 JST\n" in out


class TestShared:
    CALENDAR = "kind: Calendar\nname: holidays\ndates: ['12-25']\n"

    @pytest.fixture
    def shared(self, known, home):
        (home.specs / "calendar.yaml").write_text(self.CALENDAR)
        (home.specs / "pool.yaml").write_text("kind: Pool\nname: db\nslots: 2\n")
        known.job(DAILY + "calendar: holidays\npool: db\n", path="report.yaml")
        for path in ("calendar.yaml", "pool.yaml"):
            (each,) = load_bytes((home.specs / path).read_bytes(), path).documents
            record = DocumentRecord(
                kind=each.kind, name=each.name, spec=each.spec, digest=each.digest, path=path, line=1
            )
            known.store.put_documents([record], [])

    def test_that_stay_are_no_change(self, jobsctl, shared):
        assert jobsctl("plan", "--detailed-exitcode").code == 0

    def test_a_calendar_moves_jobs_that_were_not_edited(self, jobsctl, home, shared):
        edit(home, "calendar.yaml", ("'12-25'", "'12-25', '2026-11-23'"))
        done = jobsctl("plan")
        assert done.out.splitlines()[:2] == [
            "  ~ Calendar holidays  home/jobs/calendar.yaml:1  matters to 1 job",
            '    ~ dates: ["12-25"] -> ["12-25", "2026-11-23"]',
        ]
        assert "Not edited, but their next instants change:\n  default/report (Calendar:holidays)" in done.out
        assert "          Mon 2026-11-23 02:30 CET\n" in done.out
        assert done.out.splitlines()[-1] == "Plan: 0 to create, 0 to change, 0 to prune. 1 shared document changed."

    def test_a_pool_is_told_with_who_shares_it(self, jobsctl, home, shared):
        edit(home, "pool.yaml", ("2", "5"))
        done = jobsctl("plan", "-o", "json", "--detailed-exitcode")
        assert done.code == 2
        told = json.loads(done.out)
        (document,) = told["documents"]
        assert (document["fields"], document["jobs"]) == (
            [{"path": "slots", "change": "changed", "old": 2, "new": 5}],
            ["default/report"],
        )
        assert told["touched"] == []


class TestPaths:
    def test_a_file_of_the_home_is_asked_about_alone(self, jobsctl, known, home):
        known.job()
        known.job(DAILY, path="report.yaml")
        edit(home, "hello.yaml", ("10m", "20m"))
        edit(home, "report.yaml", ("30 2", "31 2"))
        assert jobsctl("plan", home.specs / "report.yaml", "-o", "name").out == "job/default/report\n"
        assert jobsctl("plan", home.specs, "-o", "name").out == "job/default/hello\njob/default/report\n"

    def test_what_a_folder_lost_is_told_with_it(self, jobsctl, known, home):
        (home.specs / "deep").mkdir()
        known.job(path="deep/hello.yaml")
        known.job(DAILY, path="report.yaml")
        (home.specs / "deep" / "hello.yaml").unlink()
        (home.specs / "report.yaml").unlink()
        (home.specs / "other.yaml").write_text("name: other\nrun: {command: [a]}\n")
        assert jobsctl("plan", home.specs / "deep", "-o", "name").out == "job/default/hello\n"

    def test_a_file_from_elsewhere_adds_and_prunes_nothing(self, jobsctl, known, tmp_path):
        known.job()
        (tmp_path / "new.yaml").write_text(DAILY)
        assert jobsctl("plan", "new.yaml", "-o", "name").out == "job/default/report\n"

    def test_standard_input(self, jobsctl, known, monkeypatch):
        known.job()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(HELLO.replace("10m", "20m").encode())))
        assert jobsctl("plan", "-", "-o", "name").out == "job/default/hello\n"

    def test_a_file_that_is_gone_may_be_asked_about(self, jobsctl, known, home):
        known.job()
        known.job(DAILY, path="report.yaml")
        (home.specs / "report.yaml").unlink()
        edit(home, "hello.yaml", ("10m", "20m"))
        assert jobsctl("plan", home.specs / "report.yaml", "-o", "name").out == "job/default/report\n"

    @pytest.mark.parametrize("place", ["", "home/jobs/"], ids=["elsewhere", "among_the_specs"])
    def test_a_path_that_never_was_there_ends_with_4(self, jobsctl, known, place):
        known.job()
        done = jobsctl("plan", f"{place}nowhere.yaml")
        assert (done.code, done.out) == (4, "")
        assert "nowhere.yaml: no such file or directory" in done.err

    def test_a_project_is_asked_about_alone(self, jobsctl, known, home):
        known.job()
        (home.specs / "a.yaml").write_text(f"project: ops\n{DAILY}")
        assert jobsctl("plan", "-p", "ops", "-o", "name").out == "job/ops/report\n"
        assert jobsctl("plan", "-p", "nobody").out == "No changes. 0 jobs unchanged.\n"


class TestExit:
    def test_files_with_errors_end_with_3_and_the_others_are_planned(self, jobsctl, known, home):
        known.job()
        edit(home, "hello.yaml", ("10m", "20m"))
        (home.specs / "bad.yaml").write_text(BAD)
        done = jobsctl("plan", "--detailed-exitcode")
        assert done.code == 3
        assert done.out.splitlines()[0].startswith("  ~ default/hello")
        assert done.err.splitlines() == [
            "home/jobs/bad.yaml:2:7: error[JOB030]: unknown key `comand` in `run`",
            "1 error, 1 of them new; this is the plan of the others (`jobsctl validate` tells more)",
        ]

    def test_a_job_whose_file_broke_stays_as_it_is(self, jobsctl, known, home):
        known.job()
        edit(home, "hello.yaml", ("run:", "rum:"))
        done = jobsctl("plan")
        assert done.code == 3
        assert done.out.splitlines()[0] == "  ! default/hello  home/jobs/hello.yaml:5  has errors"
        assert "0 to prune, 1 with errors, kept as applied" in done.out

    def test_a_file_that_cannot_be_parsed_holds_its_jobs(self, jobsctl, known, home):
        known.job()
        (home.specs / "hello.yaml").write_text("name: [")
        done = jobsctl("plan")
        assert done.code == 3
        assert done.out.splitlines()[0].startswith("  ! default/hello  home/jobs/hello.yaml:1  has errors")
        assert "0 to prune, 1 with errors, kept as applied" in done.out

    @pytest.mark.parametrize(("new", "code"), [("10m", 0), ("20m", 2)], ids=["no_change", "change"])
    def test_detailed(self, jobsctl, known, home, new, code):
        known.job()
        edit(home, "hello.yaml", ("10m", new))
        assert jobsctl("plan", "--detailed-exitcode").code == code
        assert jobsctl("plan").code == 0

    def test_wrong_settings_end_with_3(self, jobsctl, known, home):
        known.job()
        home.config.write_text("timezon: UTC\n")
        done = jobsctl("plan")
        assert (done.code, done.out) == (3, "")
        assert "unknown key `timezon`" in done.err

    def test_without_a_home_it_ends_with_4(self, jobsctl, tmp_path):
        assert jobsctl("plan", "--home", tmp_path / "nowhere").code == 4
