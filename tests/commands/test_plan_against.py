"""`plan --against`: a git revision is read from git's objects, another folder as it is. Real git, no daemon."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

JOB = "name: {name}\nschedule: every 10m\nrun: {{command: [echo, {name}, again and again]}}\n"


def git(folder, *words):
    command = ["git", "-C", str(folder), "-c", "user.name=Ann", "-c", "user.email=ann@example.org",
               "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", *words]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(home):
    """The home is a repository with two jobs on `main`."""
    home.config.write_text("timezone: UTC\n")
    for name in ("one", "two"):
        (home.specs / f"{name}.yaml").write_text(JOB.format(name=name))
    git(home.root, "init", "-q")
    commit(home.root)
    return home


def commit(folder, message="change"):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


@pytest.fixture
def planned(jobsctl):
    """Action by job of `plan -o json`, with the whole answer."""

    def call(*arguments):
        done = jobsctl("plan", *arguments, "-o", "json")
        assert done.code in (0, 3), done.err
        told = json.loads(done.out)
        return {item["job"]: item["action"] for item in told["items"]}, told

    return call


class TestRevision:
    def test_the_same_files_are_no_change(self, jobsctl, repository):
        done = jobsctl("plan", "--against", "main")
        assert (done.code, done.out.splitlines()[-1]) == (0, "No changes. 2 jobs unchanged.")

    def test_needs_no_database_and_makes_none(self, planned, repository):
        planned("--against", "HEAD")
        assert sorted(path.name for path in repository.root.iterdir()) == [".git", "jobs", "jobsctl.yaml"]

    @pytest.mark.parametrize("name", ["main", "HEAD~1", "v1.2", "start", "HEAD^"])
    def test_understands_the_names_of_git(self, planned, repository, name):
        git(repository.root, "tag", "v1.2")
        git(repository.root, "branch", "start")
        git(repository.root, "checkout", "-q", "-b", "work")
        (repository.specs / "one.yaml").write_text(JOB.format(name="one").replace("10m", "20m"))
        (repository.specs / "three.yaml").write_text(JOB.format(name="three"))
        (repository.specs / "two.yaml").unlink()
        commit(repository.root)
        told, _ = planned("--against", name)
        assert told == {"default/one": "change", "default/three": "create", "default/two": "prune"}

    def test_what_main_got_since_is_left_out_with_three_dots(self, planned, repository):
        git(repository.root, "checkout", "-q", "-b", "work")
        (repository.specs / "mine.yaml").write_text(JOB.format(name="mine"))
        commit(repository.root)
        git(repository.root, "checkout", "-q", "main")
        (repository.specs / "theirs.yaml").write_text(JOB.format(name="theirs"))
        commit(repository.root)
        git(repository.root, "checkout", "-q", "work")
        assert planned("--against", "main")[0] == {"default/mine": "create", "default/theirs": "prune"}
        assert planned("--against", "main...")[0] == {"default/mine": "create"}

    def test_a_file_that_moved_is_no_change(self, jobsctl, repository):
        (repository.specs / "deep" / "down").mkdir(parents=True)
        (repository.specs / "one.yaml").rename(repository.specs / "deep" / "down" / "1.yml")
        assert jobsctl("plan", "--against", "main", "--detailed-exitcode").code == 0

    def test_a_specs_directory_that_was_renamed_is_no_change(self, jobsctl, repository):
        repository.specs.rename(repository.root / "specs")
        repository.config.write_text("timezone: UTC\nspecs: specs\n")
        done = jobsctl("plan", "--against", "main", "--detailed-exitcode")
        assert (done.code, done.out.splitlines()[-1]) == (0, "No changes. 2 jobs unchanged.")

    def test_another_timezone_of_the_home_changes_what_names_none(self, planned, repository):
        (repository.specs / "one.yaml").write_text(JOB.format(name="one").replace("every 10m", "daily at 9:00"))
        commit(repository.root)
        repository.config.write_text("timezone: Asia/Tokyo\n")
        told, whole = planned("--against", "HEAD")
        assert told == {"default/one": "change"}
        assert whole["items"][0]["reanchored"]["why"] == ["timezone of jobsctl.yaml"]
        assert whole["items"][0]["next"]["after"]["instants"][0]["local"].endswith("T09:00:00+09:00")

    def test_folders_give_defaults_as_they_do_on_the_disk(self, planned, repository):
        folder = repository.specs / "team"
        (folder / "inner").mkdir(parents=True)
        (folder / "defaults.yaml").write_text("kind: Defaults\njob: {timeout: 5m, labels: {team: a}}\n")
        (folder / "inner" / "three.yaml").write_text(JOB.format(name="three"))
        commit(repository.root)
        assert planned("--against", "HEAD")[0] == {}
        (folder / "defaults.yaml").write_text("kind: Defaults\njob: {timeout: 6m, labels: {team: a}}\n")
        told, whole = planned("--against", "HEAD")
        assert told == {"default/three": "change"}
        assert [field["path"] for field in whole["items"][0]["fields"]] == ["timeout"]
        (document,) = whole["documents"]
        assert (document["kind"], document["path"], document["jobs"]) == (
            "Defaults", "team/defaults.yaml", ["default/three"],
        )  # fmt: skip
        assert whole["items"][0]["touchedBy"] == ["Defaults:team/defaults.yaml"]

    def test_only_what_the_daemon_would_read_counts(self, planned, repository):
        (repository.specs / ".hidden").mkdir()
        (repository.specs / ".hidden" / "x.yaml").write_text(JOB.format(name="hidden"))
        (repository.specs / "notes.txt").write_text(JOB.format(name="notes"))
        (repository.root / "elsewhere.yaml").write_text(JOB.format(name="elsewhere"))
        (repository.specs / "link.yaml").symlink_to("../elsewhere.yaml")
        commit(repository.root)
        told, whole = planned("--against", "HEAD")
        assert (told, whole["summary"]["unchanged"]) == ({}, 2)

    def test_a_file_that_is_too_large_is_not_read(self, jobsctl, repository):
        (repository.specs / "large.json").write_text(" " * 300_000)
        commit(repository.root)
        (repository.specs / "large.json").unlink()
        assert jobsctl("plan", "--against", "HEAD", "--detailed-exitcode").code == 0

    def test_before_there_were_specs_everything_is_new(self, jobsctl, planned, repository):
        shutil.rmtree(repository.specs)
        commit(repository.root, "without")
        git(repository.root, "checkout", "-q", "HEAD~1")
        assert set(planned("--against", "main")[0].values()) == {"create"}
        assert "note: main has no jobs/: everything is new" in jobsctl("plan", "--against", "main").err

    def test_a_specs_directory_that_is_gone_prunes_nothing(self, jobsctl, repository):
        shutil.rmtree(repository.specs)
        done = jobsctl("plan", "--against", "main")
        assert done.code == 0
        assert done.out.splitlines()[-1] == (
            "Plan: 0 to create, 0 to change, 0 to prune, 2 held back by the prune guard."
        )
        assert "the daemon keeps what runs" in done.out

    def test_an_unknown_revision_ends_with_4_and_a_hint(self, jobsctl, repository):
        done = jobsctl("plan", "--against", "nowhere")
        assert (done.code, done.out) == (4, "")
        assert "git knows no revision 'nowhere'" in done.err
        assert "hint: `git branch -a`" in done.err

    @pytest.mark.parametrize("name", ["^main", "^HEAD"])
    def test_what_a_branch_has_not_is_no_revision(self, jobsctl, repository, name):
        done = jobsctl("plan", f"--against={name}")
        assert (done.code, done.out) == (4, "")
        assert f"git knows no revision '{name}'" in done.err

    @pytest.mark.parametrize("name", ["HEAD^{tree}", "HEAD:jobs", "HEAD:jobs/one.yaml"])
    def test_a_tree_or_blob_by_its_hash_is_no_commit(self, jobsctl, repository, name):
        there = git(repository.root, "rev-parse", "--verify", "-q", name).strip()
        done = jobsctl("plan", "--against", there)
        assert (done.code, done.out) == (4, "")
        assert f"'{there}' is a folder or file in git, and no commit" in done.err

    @pytest.mark.parametrize("name", ["--output=x", "-h", "main..work", "main:jobs", "HEAD --", "\x1b[31m"])
    def test_a_revision_is_never_an_option_of_git(self, jobsctl, repository, name):
        done = jobsctl("plan", f"--against={name}")
        assert done.code in (1, 4), done
        assert not (repository.root / "x").exists()
        assert "\x1b" not in done.err

    def test_no_name_is_a_mistake(self, jobsctl, repository):
        assert jobsctl("plan", "--against=").code == 2

    def test_a_branch_that_was_not_fetched_says_how(self, jobsctl, repository):
        git(repository.root, "remote", "add", "origin", "https://example.org/x.git")
        assert "hint: fetch it: `git fetch origin main`" in jobsctl("plan", "--against", "origin/main").err

    def test_a_shallow_clone_says_how_to_get_more(self, jobsctl, repository, tmp_path):
        commit_two = JOB.format(name="three")
        (repository.specs / "three.yaml").write_text(commit_two)
        commit(repository.root)
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository.root}", "shallow")
        home = tmp_path / "shallow"
        assert jobsctl("plan", "--home", home, "--against", "HEAD").code == 0
        done = jobsctl("plan", "--home", home, "--against", "HEAD~1")
        assert done.code == 4
        assert "`git fetch --unshallow` or `fetch-depth: 0` in CI" in done.err

    def test_a_pull_request_in_a_work_tree_of_a_bare_clone(self, jobsctl, repository, tmp_path, monkeypatch):
        git(repository.root, "checkout", "-q", "-b", "work")
        (repository.specs / "three.yaml").write_text(JOB.format(name="three"))
        commit(repository.root)
        git(tmp_path, "clone", "-q", "--bare", str(repository.root), "bare.git")
        git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "tree"), "work")
        (tmp_path / "far").mkdir()
        monkeypatch.chdir(tmp_path / "far")
        done = jobsctl("plan", "--home", tmp_path / "tree", "--against", "main")
        assert (done.code, done.out.splitlines()[-1]) == (0, "Plan: 1 to create, 0 to change, 0 to prune.")

    def test_variables_of_a_hook_do_not_make_it_another_repository(self, jobsctl, repository, tmp_path, monkeypatch):
        (tmp_path / "other").mkdir()
        git(tmp_path / "other", "init", "-q")
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
        monkeypatch.setenv("GIT_INDEX_FILE", "nothing")
        assert jobsctl("plan", "--against", "main").code == 0

    @pytest.mark.parametrize("path", ["jobs/one.yaml", "jobsctl.yaml"])
    def test_a_file_whose_object_is_missing_is_not_taken_for_none(self, jobsctl, repository, path):
        blob = git(repository.root, "rev-parse", f"HEAD:{path}")
        (repository.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        done = jobsctl("plan", "--against", "HEAD")
        assert (done.code, done.out) == (1, "")
        assert path in done.err

    def test_links_and_other_repositories_are_no_files_and_odd_names_are(self, planned, repository):
        root = repository.root
        odd = repository.specs / 'a "b"\t\\ü\n.yaml'
        odd.write_text(JOB.format(name="odd"))
        (repository.specs / "link.yaml").symlink_to("/etc/passwd")
        git(root, "add", "-A")
        git(root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},jobs/other.yaml")
        git(root, "commit", "-q", "-m", "odd")
        odd.unlink()
        assert planned("--against", "HEAD")[0] == {"default/odd": "prune"}

    def test_outside_git_it_says_so(self, jobsctl, home, monkeypatch):
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(home.root.parent))
        (home.specs / "a.yaml").write_text(JOB.format(name="a"))
        done = jobsctl("plan", "--against", "main")
        assert done.code == 1
        assert "not a git repository" in done.err
        assert "hint: a revision needs a git repository" in done.err

    def test_without_git_a_folder_can_be_compared(self, jobsctl, repository, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        assert "git is not installed" in jobsctl("plan", "--against", "main").err
        assert jobsctl("plan", "--against", f"{repository.specs}/").code == 0

    def test_what_was_broken_there_is_told(self, jobsctl, planned, repository):
        (repository.specs / "one.yaml").write_text("name: one\nrun: {comand: [x]}\n")
        (repository.specs / "bad.yaml").write_text("name: bad\nrun: {comand: [x]}\n")
        commit(repository.root)
        (repository.specs / "one.yaml").write_text(JOB.format(name="one"))
        told, whole = planned("--against", "HEAD")
        assert told == {"default/one": "create"}
        assert whole["items"][0]["notes"] == ["its file had errors before: what ran then is not known"]
        assert (whole["summary"]["errors"], whole["summary"]["newErrors"]) == (1, 0)
        assert jobsctl("plan", "--against", "HEAD").code == 3

    def test_touches_neither_index_nor_work_tree(self, planned, repository):
        (repository.specs / "one.yaml").write_text(JOB.format(name="one").replace("10m", "20m"))
        git(repository.root, "add", "-A")
        (repository.specs / "one.yaml").write_text(JOB.format(name="one").replace("10m", "30m"))
        before = git(repository.root, "status", "--porcelain")
        index = (repository.root / ".git" / "index").read_bytes()
        planned("--against", "HEAD")
        assert git(repository.root, "status", "--porcelain") == before
        assert (repository.root / ".git" / "index").read_bytes() == index


class TestFolder:
    def test_compares_with_a_folder_of_specs(self, planned, home, tmp_path):
        (home.specs / "a.yaml").write_text(JOB.format(name="a"))
        (tmp_path / "old").mkdir()
        (tmp_path / "old" / "b.yaml").write_text(JOB.format(name="b"))
        told, whole = planned("--against", "./old")
        assert told == {"default/a": "create", "default/b": "prune"}
        assert whole["before"] == {"kind": "directory", "name": "old", "revision": None}

    def test_compares_with_another_home_under_its_own_settings(self, planned, home, tmp_path):
        (home.specs / "a.yaml").write_text(JOB.format(name="a"))
        (tmp_path / "other" / "elsewhere").mkdir(parents=True)
        (tmp_path / "other" / "jobsctl.yaml").write_text("specs: elsewhere\n")
        (tmp_path / "other" / "elsewhere" / "a.yaml").write_text(JOB.format(name="a"))
        assert planned("--against", "other")[0] == {}

    def test_compares_two_folders_without_a_home(self, jobsctl, tmp_path):
        for folder, name in (("new", "a"), ("old", "b")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "x.yaml").write_text(JOB.format(name=name))
        done = jobsctl("plan", "new", "--against", "old/", "-o", "name", "--home", tmp_path / "nowhere")
        assert (done.code, done.out) == (0, "job/default/a\njob/default/b\n")

    def test_a_folder_is_taken_when_no_revision_is_called_so(self, planned, repository):
        shutil.copytree(repository.specs, "old")
        assert planned("--against", "old")[0] == {}

    def test_a_revision_comes_first_and_it_is_said(self, jobsctl, repository):
        Path("main").mkdir()
        done = jobsctl("plan", "--against", "main")
        assert "No changes" in done.out
        assert "note: comparing with the git revision main; the folder is `--against ./main`" in done.err
