"""The revision is what git says it is, without starting git; and no look falls into the middle of a checkout."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from specs.revision import find_work_tree
from specs.source import GIT_PATIENCE, Source

from .conftest import SECOND, Specs, names

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    environment = {
        **{f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
    }

    def run(*arguments: str, at: Path = tmp_path) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=at, env=environment, check=True, capture_output=True, text=True, timeout=30
        )
        return done.stdout.strip()

    return run


@pytest.fixture
def repository(tmp_path: Path, git: Git, specs: Specs) -> Specs:
    git("init", "-q", "-b", "main")
    specs.write("a.yaml", "a")
    git("add", "jobs")
    git("commit", "-q", "-m", "one")
    return specs


def revision(folder: Path) -> str | None:
    found = find_work_tree(str(folder))
    return None if found is None else found.revision()


class TestRevision:
    def test_of_a_branch(self, repository: Specs, git: Git) -> None:
        assert repository.look().desired.revision == f"main@sha1:{git('rev-parse', 'HEAD')}"

    def test_follows_a_commit_that_changes_no_spec(self, repository: Specs, git: Git) -> None:
        repository.look()
        git("commit", "-q", "--allow-empty", "-m", "two")
        look = repository.source.look(frozenset())
        assert look.desired.revision == f"main@sha1:{git('rev-parse', 'HEAD')}"
        assert (look.desired.parsed, look.desired.changed) == (0, frozenset())

    def test_of_packed_refs(self, repository: Specs, git: Git) -> None:
        git("branch", "other/main")
        git("pack-refs", "--all")
        assert not (repository.root.parent / ".git/refs/heads/main").exists()
        assert revision(repository.root) == f"main@sha1:{git('rev-parse', 'HEAD')}"

    def test_of_a_branch_with_a_slash(self, repository: Specs, git: Git) -> None:
        git("checkout", "-q", "-b", "team/nightly")
        assert revision(repository.root) == f"team/nightly@sha1:{git('rev-parse', 'HEAD')}"

    def test_of_a_detached_head(self, repository: Specs, git: Git) -> None:
        git("checkout", "-q", "--detach")
        assert revision(repository.root) == f"sha1:{git('rev-parse', 'HEAD')}"

    def test_of_a_linked_work_tree(self, repository: Specs, git: Git, tmp_path: Path) -> None:
        git("worktree", "add", "-q", "-b", "linked", str(tmp_path / "tree"))
        git("commit", "-q", "--allow-empty", "-m", "two", at=tmp_path / "tree")
        assert revision(tmp_path / "tree/jobs") == f"linked@sha1:{git('rev-parse', 'linked')}"
        assert revision(repository.root) == f"main@sha1:{git('rev-parse', 'main')}"

    def test_of_a_tree_as_git_sync_lays_it_out(self, repository: Specs, git: Git, tmp_path: Path) -> None:
        head = git("rev-parse", "HEAD")
        git("worktree", "add", "-q", "--detach", str(tmp_path / f".worktrees/{head}"))
        (tmp_path / "current").symlink_to(f".worktrees/{head}")
        assert Specs(tmp_path / "current/jobs").look().desired.revision == f"sha1:{head}"

    def test_before_the_first_commit_and_outside_git(self, specs: Specs, git: Git) -> None:
        assert specs.look().desired.revision is None
        git("init", "-q")
        assert specs.look().desired.revision is None

    @pytest.mark.parametrize(
        "head", ["", "ref: ../../etc/passwd", "ref: refs/../HEAD", "x" * 40, "ref: refs/heads/a b"]
    )
    def test_a_strange_head_is_no_revision(self, repository: Specs, head: str) -> None:
        (repository.root.parent / ".git/HEAD").write_text(head)
        assert revision(repository.root) is None


class TestGitAtWork:
    def test_a_look_waits_for_the_index(self, repository: Specs) -> None:
        before = repository.look().desired
        lock = repository.root.parent / ".git/index.lock"
        lock.touch()
        (repository.root / "a.yaml").unlink()
        waiting = repository.look()
        assert (waiting.postponed, waiting.desired) == (True, before)
        assert waiting.again_in is not None and waiting.again_in < 0.1
        repository.write("b.yaml", "b")
        lock.unlink()
        after = repository.source.look(frozenset())  # the sweep that was put off is not forgotten
        assert (after.postponed, names(after), after.desired.gone) == (False, {"b"}, {"default/a"})

    def test_but_not_for_a_git_that_died(self, repository: Specs) -> None:
        repository.look()
        (repository.root.parent / ".git/index.lock").touch()
        assert repository.look().postponed
        repository.later(GIT_PATIENCE / SECOND + 1)
        repository.write("b.yaml", "b")
        assert names(repository.look()) == {"a", "b"}
        repository.write("c.yaml", "c")
        assert names(repository.look()) == {"a", "b", "c"}

    def test_who_cannot_wait_says_for_how_long(self, repository: Specs) -> None:
        """A hook of `git commit --all`: git is at work until the look has ended."""
        (repository.root.parent / ".git/index.lock").touch()
        now = [0]
        source = Source(repository.root, now=lambda: now[0], git_patience=300_000)
        assert source.look().postponed
        now[0] += 299_999
        assert source.look().postponed
        now[0] += 1
        assert names(source.look()) == {"a"}

    def test_the_first_look_waits_without_claiming_that_there_is_nothing(self, repository: Specs) -> None:
        (repository.root.parent / ".git/index.lock").touch()
        look = repository.look()
        assert look.postponed
        assert look.desired.problem == "git is at work here"

    def test_every_look_during_checkouts_is_one_revision(self, repository: Specs, git: Git) -> None:
        """200 jobs on each of two branches, none in common; git switches between them, and we look all the time."""
        sets: dict[str, set[str]] = {}
        for branch in ("red", "blue"):
            git("checkout", "-q", "-B", branch, "main")
            sets[branch] = {f"{branch}-{n}" for n in range(200)} | {"a"}
            for name in sets[branch] - {"a"}:
                repository.write(f"{name}.yaml", name)
            git("add", "jobs")
            git("commit", "-q", "-m", branch)
        done = threading.Event()

        def switch() -> None:
            for turn in range(12):
                git("checkout", "-q", ("red", "blue")[turn % 2])
            done.set()

        switching = threading.Thread(target=switch)
        switching.start()
        seen: list[set[str]] = []
        while not done.is_set():
            look = repository.look()
            if not look.postponed:
                seen.append(names(look))
        switching.join()
        seen.append(names(repository.look()))
        mixed = [each for each in seen if each not in sets.values()]
        assert mixed == []


def test_a_job_is_not_of_a_commit_that_does_not_hold_its_defaults(repository: Specs, git: Git) -> None:
    repository.write("in/b.yaml", "b")
    git("add", "jobs")
    git("commit", "-q", "-m", "two")
    source = Source(repository.root, now=repository.now, unsettled=())
    try:
        assert source.look().desired.uncommitted == frozenset()
        repository.put("in/d.yaml", "kind: Defaults\njob: {timeout: 5m}\n")
        assert source.look().desired.uncommitted == {"default/b"}
        git("add", "jobs")
        git("commit", "-q", "-m", "three")
        desired = source.look().desired
        assert desired.uncommitted == frozenset()
        assert desired.changed == {"default/b"}
    finally:
        source.close()
