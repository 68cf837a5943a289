"""What a folder gives to its jobs, pools and calendars: the commands on files read them as the daemon does."""

from __future__ import annotations

import io
import os
import sys

import pytest

from specs.source import Source
from state.inbox import read_requests

GIVEN = "kind: Defaults\njob: {timeout: 5m, project: team}\n"
JOB = "name: a\nrun: {command: [x]}\n"
POOL = "kind: Pool\nname: db\nslots: 2\n"


@pytest.fixture
def team(home):
    """A folder of the specs directory with defaults, and a job."""
    folder = home.specs / "team"
    folder.mkdir()
    (folder / "_defaults.yaml").write_text(GIVEN)
    (folder / "a.yaml").write_text(JOB)
    return folder


def digests(home) -> dict[str, str]:
    """As the daemon sees it."""
    return {identity: job.digest for identity, job in Source(home.specs, now=lambda: 0).look().desired.jobs.items()}


class TestValidate:
    @pytest.mark.parametrize("command", [["validate"], ["plan"], ["diff"]], ids=lambda words: words[0])
    def test_a_named_pipe_is_told_and_not_waited_for(self, jobsctl, team, command):
        os.mkfifo(team / "pipe.yaml")
        done = jobsctl(*command)
        assert done.code == 3
        assert "error[JOB001]: cannot be read: is not a regular file" in done.out + done.err

    def test_a_file_has_what_its_folder_gives(self, jobsctl, team):
        (team / "a.yaml").write_text(f"{JOB}max_concurrent: 3\n")
        (team / "_defaults.yaml").write_text("kind: Defaults\njob: {overlap: allow}\n")
        assert jobsctl("validate", team / "a.yaml").code == 0

    def test_a_mistake_that_a_default_makes_is_told_in_its_file(self, jobsctl, team):
        (team / "_defaults.yaml").write_text("kind: Defaults\njob: {max_concurrent: 3}\n")
        done = jobsctl("validate", team / "a.yaml", "--format", "concise")
        assert done.code == 3
        assert "team/_defaults.yaml:2:7: error[JOB037]" in done.out

    def test_a_folder_in_the_specs_directory_knows_the_names_outside_of_it(self, jobsctl, home, team):
        (home.specs / "pools.yaml").write_text(POOL)
        (team / "a.yaml").write_text(f"{JOB}pool: db\n")
        done = jobsctl("validate", team)
        assert (done.code, done.err) == (0, "2 files, 1 valid job: no errors\n")
        (home.specs / "b.yaml").write_text("name: b\n")
        assert jobsctl("validate", team).code == 0
        (home.specs / "_defaults.yaml").write_text("kind: Defaults\njob: {timeout: soon}\n")
        assert "_defaults.yaml:2:16: error[JOB035]" in jobsctl("validate", team, "--format", "concise").out
        (home.specs / "_defaults.yaml").unlink()
        (home.specs / "pools.yaml").unlink()
        assert "there is no pool `db`" in jobsctl("validate", team).out

    def test_a_file_elsewhere_is_read_as_if_it_stood_at_the_top(self, jobsctl, home, tmp_path):
        (home.specs / "_defaults.yaml").write_text("kind: Defaults\njob: {overlap: allow}\n")
        (tmp_path / "a.yaml").write_text(f"{JOB}max_concurrent: 3\n")
        assert jobsctl("validate", tmp_path / "a.yaml").code == 0

    def test_a_file_knows_the_names_of_the_home_and_of_the_other_files(self, jobsctl, home, tmp_path):
        (home.specs / "pools.yaml").write_text(POOL)
        (tmp_path / "a.yaml").write_text(f"{JOB}pool: db\ndepends_on: [b]\n")
        (tmp_path / "b.yaml").write_text("name: b\nrun: {command: [x]}\n")
        done = jobsctl("validate", tmp_path / "a.yaml", "--format", "concise")
        assert (done.code, done.out) == (3, "a.yaml:4:14: error[JOB051]: there is no job `default/b`\n")
        assert jobsctl("validate", tmp_path / "a.yaml", tmp_path / "b.yaml").code == 0
        assert jobsctl("apply", "-f", tmp_path / "a.yaml").code == 3
        assert not (home.specs / "a.yaml").exists()


class TestApply:
    def test_expects_the_spec_that_the_daemon_will_see(self, jobsctl, home, team):
        assert "job/team/a created" in jobsctl("diff", team / "a.yaml").out
        assert jobsctl("apply", "-f", team / "a.yaml").out == "job/team/a created when the daemon starts\n"
        assert set(digests(home)) == {"team/a"}

    def test_finds_a_job_by_the_project_that_its_folder_gives(self, jobsctl, home, team, known, tmp_path):
        known.job(f"project: team\n{JOB}", path="team/a.yaml")
        (team / "a.yaml").write_text(JOB)
        (tmp_path / "new.yaml").write_text(f"project: team\n{JOB}grace: 1s\n")
        assert jobsctl("apply", "-f", tmp_path / "new.yaml").code == 0
        assert (team / "a.yaml").read_text() == f"project: team\n{JOB}grace: 1s\n"

    def test_puts_pools_and_calendars_beside_the_jobs(self, jobsctl, home, tmp_path):
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "pools.yaml").write_text(POOL)
        (tmp_path / "more" / "a.yaml").write_text(f"{JOB}pool: db\n")
        assert jobsctl("apply", "-f", tmp_path / "more").code == 0
        assert {path.name for path in home.specs.iterdir()} == {"pools.yaml", "a.yaml"}

    def test_a_pool_from_standard_input_is_named_after_it(self, jobsctl, home, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(POOL.encode())))
        assert jobsctl("apply", "-f", "-").code == 0
        assert (home.specs / "db.yaml").read_text() == POOL

    def test_never_replaces_a_file_that_holds_more(self, jobsctl, home, known, tmp_path):
        known.job(JOB, path="a.yaml")
        (home.specs / "a.yaml").write_text(f"{JOB}---\n{POOL}")
        (tmp_path / "a.yaml").write_text(f"{JOB}grace: 1s\n")
        done = jobsctl("apply", "-f", tmp_path / "a.yaml")
        assert done.code == 7
        assert "defines Pool:db too" in done.err

    @pytest.mark.parametrize("what", ["more/d.yaml", "more"], ids=["file", "folder"])
    def test_defaults_are_not_moved_to_where_they_would_mean_other_jobs(self, jobsctl, home, tmp_path, what):
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "d.yaml").write_text(GIVEN)
        (tmp_path / "more" / "a.yaml").write_text(JOB)
        done = jobsctl("apply", "-f", tmp_path / what)
        assert done.code == 7
        assert "gives defaults to the jobs of its folder" in done.err
        assert list(home.specs.iterdir()) == []
        assert read_requests(home) == []


class TestDelete:
    def test_never_removes_a_file_that_holds_more(self, jobsctl, home, known):
        known.job(JOB, path="a.yaml")
        (home.specs / "a.yaml").write_text(f"{JOB}---\nkind: Defaults\njob: {{timeout: 5m}}\n")
        done = jobsctl("delete", "a")
        assert done.code == 7
        assert (home.specs / "a.yaml").exists()


def test_a_file_without_end_is_refused_before_it_fills_the_memory(jobsctl):
    done = jobsctl("validate", "/dev/zero")
    assert (done.code, done.out) == (1, "")
    assert "/dev/zero is larger than 16 MiB" in done.err
