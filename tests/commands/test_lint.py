"""The lint on the command line: who shows it, of which jobs, under which path."""

from __future__ import annotations

import json
import os

import pytest

from cli.machine import ThisMachine, base_dir
from runners.supervisor.spawn import StartError, resolve

OFTEN = "name: often\nschedule: every 1m\nrun: {command: [echo]}\n"
BOTH_DAYS = 'name: both\nschedule: "0 0 1 * 1" # jobsctl: ignore[JOB041]\nrun: {command: [echo]}\n'
MANUAL = "name: manual\nrun: {command: [echo]}\n"
OPS = "kind: Notifier\nname: ops\nurls: [{from_file: /etc/ops}]\n"
WAITS = "name: waits\ndepends_on: [manual]\nrun: {command: [echo]}\n"


def told(done):
    return [(found["code"], found["path"], found["line"]) for found in json.loads(done.out)]


class TestValidate:
    def test_tells_place_and_what_to_do_and_ends_well(self, jobsctl, home):
        (home.specs / "a.yaml").write_text(OFTEN)
        done = jobsctl("validate")
        assert (done.code, done.err) == (0, "1 file, 1 valid job: 1 warning\n")
        assert done.out == (
            "home/jobs/a.yaml:2:11: warning[JOB072]: it can start every minute and has no `timeout`: "
            "after a run that hangs every slot is skipped\n"
            "  |\n"
            "2 | schedule: every 1m\n"
            "  |           ^^^^^^^^\n"
            "  = help: give it one, like `timeout: 1m`; `timeout: none` says that it is meant\n"
        )

    @pytest.mark.parametrize("what", ["the home", "the folder", "the file"])
    def test_the_same_however_it_is_named(self, jobsctl, home, what):
        (home.specs / "sub").mkdir()
        (home.specs / "sub" / "a.yaml").write_text(OFTEN + "---\n" + WAITS)
        (home.specs / "b.yaml").write_text(MANUAL)
        paths = {"the home": [], "the folder": [home.specs / "sub"], "the file": [home.specs / "sub" / "a.yaml"]}
        done = jobsctl("validate", "--format", "json", *paths[what])
        assert told(done) == [("JOB072", "home/jobs/sub/a.yaml", 2), ("JOB076", "home/jobs/sub/a.yaml", 6)]

    @pytest.mark.parametrize("what", ["the home", "the folder", "the file"])
    def test_a_notifier_that_no_job_of_the_home_names(self, jobsctl, home, what):
        (home.specs / "sub").mkdir()
        (home.specs / "sub" / "ops.yaml").write_text(OPS)
        (home.specs / "b.yaml").write_text(MANUAL)
        paths = {"the home": [], "the folder": [home.specs / "sub"], "the file": [home.specs / "sub" / "ops.yaml"]}
        validate = ["validate", "--format", "json", *paths[what]]
        assert told(jobsctl(*validate)) == [("JOB079", "home/jobs/sub/ops.yaml", 2)]
        (home.specs / "b.yaml").write_text(f"{MANUAL}notify: [{{to: ops}}]\n")
        assert told(jobsctl(*validate)) == []

    def test_a_notifier_is_not_told_of_while_a_job_cannot_be_read(self, jobsctl, home):
        (home.specs / "ops.yaml").write_text(OPS)
        (home.specs / "a.yaml").write_text(MANUAL)
        (home.specs / "b.yaml").write_text(f"{MANUAL.replace('manual', 'b')}notify: [{{to: ops}}]\nsurprise: 1\n")
        assert [code for code, *_ in told(jobsctl("validate", "--format", "json"))] == ["JOB030"]

    def test_the_defaults_of_a_folder_name_one_for_its_jobs(self, jobsctl, home):
        (home.specs / "_defaults.yaml").write_text("kind: Defaults\njob: {notify: [{to: ops}]}\n")
        (home.specs / "ops.yaml").write_text(OPS)
        (home.specs / "a.yaml").write_text(MANUAL)
        assert told(jobsctl("validate", "--format", "json")) == []

    def test_standard_input(self, jobsctl, home, monkeypatch):
        import io
        import sys

        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(OFTEN.encode())))
        assert told(jobsctl("validate", "--format", "json", "-")) == [("JOB072", "-", 2)]

    def test_a_secret_of_the_folder_is_told_once_where_it_stands(self, jobsctl, home):
        (home.specs / "_defaults.yaml").write_text("kind: Defaults\njob:\n  env: {DB_PASSWORD: s3cret}\n")
        for name in ("a", "b", "c"):
            (home.specs / f"{name}.yaml").write_text(MANUAL.replace("manual", name))
        done = jobsctl("validate", "--format", "json")
        assert told(done) == [("JOB074", "home/jobs/_defaults.yaml", 3)]
        assert "s3cret" not in done.out
        assert told(jobsctl("validate", "--format", "json", home.specs / "b.yaml")) == told(done)

    def test_a_comment_in_the_folders_file_silences_it(self, jobsctl, home):
        line = "  env: {DB_PASSWORD: s3cret} # jobsctl: ignore[JOB074]"
        (home.specs / "_defaults.yaml").write_text(f"kind: Defaults\njob:\n{line}\n")
        (home.specs / "a.yaml").write_text(MANUAL)
        assert told(jobsctl("validate", "--format", "json")) == []
        assert told(jobsctl("validate", "--format", "json", home.specs / "a.yaml")) == []

    def test_what_the_folder_decides_is_not_asked_of_its_jobs(self, jobsctl, home):
        (home.specs / "_defaults.yaml").write_text(
            "kind: Defaults\njob: {timeout: none, dst: {gap: skip, repeat: once}}\n"
        )
        (home.specs / "a.yaml").write_text(OFTEN)
        (home.specs / "b.yaml").write_text(
            "name: b\nschedule: daily at 02:30\ntimezone: Europe/Berlin\nrun: {command: [echo]}\n"
        )
        assert told(jobsctl("validate", "--format", "json")) == []

    def test_a_timeout_of_the_folder_is_told_at_the_schedule(self, jobsctl, home):
        (home.specs / "_defaults.yaml").write_text("kind: Defaults\njob: {timeout: 1h}\n")
        (home.specs / "a.yaml").write_text(OFTEN)
        assert told(jobsctl("validate", "--format", "json")) == [("JOB071", "home/jobs/a.yaml", 2)]


class TestHere:
    def test_a_missing_program_is_told_only_when_asked(self, jobsctl, home):
        (home.specs / "a.yaml").write_text("name: a\nrun: {command: [no-such-program-here]}\n")
        assert told(jobsctl("validate", "--format", "json")) == []
        assert told(jobsctl("validate", "--format", "json", "--here")) == [("JOB075", "home/jobs/a.yaml", 2)]

    def test_apply_beside_a_daemon_asks(self, jobsctl, home, known, daemon):
        (home.specs / "a.yaml").write_text("name: a\nrun: {command: [no-such-program-here]}\n")
        assert "warning[JOB075]: `no-such-program-here` is not in PATH" in jobsctl("apply", "--dry-run").err

    @pytest.mark.parametrize(
        ("program", "why"),
        [
            pytest.param("tool", None, id="on-the-path"),
            pytest.param("plain", "is not executable", id="no-program"),
            pytest.param("folder", "is a folder", id="a-folder"),
            pytest.param("nothing", "is not in the job's PATH", id="nowhere"),
            pytest.param("./here", None, id="in-the-working-directory"),
            pytest.param("./nothing", "is not there", id="not-in-the-working-directory"),
            pytest.param("/no/such/thing", "is not there", id="absolute"),
            pytest.param("second", None, id="in-the-second-folder"),
            pytest.param("broken", "is not in the job's PATH", id="a-link-to-nowhere"),
        ],
    )
    def test_finds_what_the_supervisor_finds(self, tmp_path, program, why):
        """Against `runners.supervisor.spawn.resolve`, which starts the programs."""
        for folder in ("bin/folder", "bin2", "work"):
            (tmp_path / folder).mkdir(parents=True)
        for path, mode in (("bin/tool", 0o755), ("bin/plain", 0o644), ("bin2/second", 0o755), ("work/here", 0o755)):
            (tmp_path / path).write_text("#!/bin/sh\n")
            (tmp_path / path).chmod(mode)
        (tmp_path / "bin/broken").symlink_to("nowhere")
        path = f"{tmp_path}/bin:{tmp_path}/bin2"
        found = ThisMachine(tmp_path, None).missing(program, path=path, working_dir="work", user=None)
        assert (found is None) if why is None else found.startswith(why)
        if "/" not in program:
            try:
                resolve(os.fsencode(program), {b"PATH": os.fsencode(path)})
            except StartError:
                assert found is not None
            else:
                assert found is None

    def test_relative_paths_start_at_the_repository(self, tmp_path):
        (tmp_path / "repo/ops/jobs").mkdir(parents=True)
        assert base_dir(tmp_path / "repo/ops/jobs", tmp_path / "repo/ops") == tmp_path / "repo/ops"
        (tmp_path / "repo/.git").mkdir()
        assert base_dir(tmp_path / "repo/ops/jobs", tmp_path / "repo/ops") == tmp_path / "repo"


class TestApply:
    def test_of_a_file_tells_its_warnings(self, jobsctl, home, tmp_path):
        (tmp_path / "a.yaml").write_text(OFTEN)
        done = jobsctl("apply", "-f", tmp_path / "a.yaml", "--no-wait")
        assert done.code == 0
        assert "warning[JOB072]" in done.err

    def test_of_everything_tells_those_of_what_changes(self, jobsctl, home, known):
        known.job(OFTEN, path="a.yaml")
        (home.specs / "b.yaml").write_text(OFTEN.replace("often", "new"))
        said = jobsctl("apply", "--dry-run").err
        assert "b.yaml:2:11: warning[JOB072]" in said
        assert "a.yaml" not in said


def test_diff_tells_no_lint_and_heeds_comments(jobsctl, home, known):
    (home.specs / "a.yaml").write_text(OFTEN)
    (home.specs / "b.yaml").write_text(BOTH_DAYS)
    assert "warning" not in jobsctl("diff").err
