"""A file counts as committed when the commit holds exactly its bytes. Real git."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from specs.committed import CommittedFiles, Provenance, blob_id
from specs.revision import find_work_tree


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    for number in range(250):
        (tmp_path / f"job {number}.yaml").write_text(f"name: job-{number}\n", encoding="utf-8")
    (tmp_path / "ü.yaml").write_text("name: u\n", encoding="utf-8")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


@pytest.fixture
def committed(repository: Path) -> Iterator[CommittedFiles]:
    files = CommittedFiles(str(repository / ".git"))
    yield files
    files.close()


def blobs(repository: Path) -> dict[str, str]:
    return {path.name: blob_id(path.read_bytes(), "sha1") for path in repository.glob("*.yaml")}


def test_what_was_committed_is_so_and_an_edit_or_a_new_file_is_not(repository: Path, committed: CommittedFiles) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert committed.differing(head, blobs(repository)) == set()
    (repository / "job 7.yaml").write_text("edited\n", encoding="utf-8")
    (repository / "new.yaml").write_text("name: new\n", encoding="utf-8")
    git(repository, "add", "new.yaml")
    assert committed.differing(head, blobs(repository)) == {"job 7.yaml", "new.yaml"}


def test_a_commit_made_after_the_first_question_is_known(repository: Path, committed: CommittedFiles) -> None:
    committed.differing(git(repository, "rev-parse", "HEAD"), blobs(repository))
    (repository / "job 7.yaml").write_text("edited\n", encoding="utf-8")
    git(repository, "commit", "-q", "-a", "-m", "second")
    assert committed.differing(git(repository, "rev-parse", "HEAD"), blobs(repository)) == set()


def test_a_path_git_cannot_be_asked_about_is_not_called_committed(repository: Path, committed: CommittedFiles) -> None:
    head = git(repository, "rev-parse", "HEAD")
    odd = {"a\nb.yaml": "0" * 40, "x" * 600: "0" * 40}
    assert committed.differing(head, odd) == set(odd)


def test_no_answer_is_no_verdict(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CommittedFiles(str(tmp_path / "nowhere")).differing("0" * 40, {"a": "b"}) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert CommittedFiles(str(repository / ".git")).differing("0" * 40, {"a": "b"}) is None


def test_a_killed_git_is_replaced(repository: Path, committed: CommittedFiles) -> None:
    head = git(repository, "rev-parse", "HEAD")
    committed.differing(head, blobs(repository))
    assert committed._git is not None
    committed._git.kill()
    committed._git.wait()
    assert committed.differing(head, blobs(repository)) is None
    assert committed.differing(head, blobs(repository)) == set()


@pytest.mark.parametrize("folder", ["", "jobs/of the team"], ids=["at the top", "below a folder"])
def test_listing_a_commit_says_of_every_file_what_asking_for_each_says(
    folder: str, repository: Path, committed: CommittedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that are as committed, edited, new, unreadable, links, of other folders, and of names that need quoting."""
    specs = repository / folder
    (specs / "deeper").mkdir(parents=True)
    for path in ("-a.yaml", "tab\t.yaml", "é \x01.yaml", ":(glob)*.yaml", "deeper/a.yaml", "deeper/edited.yaml"):
        (specs / path).write_text(f"name: {len(path)}\n", encoding="utf-8")
    (specs / "link.yaml").symlink_to("-a.yaml")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "second")
    (specs / "deeper/edited.yaml").write_text("edited\n", encoding="utf-8")
    (specs / "new.yaml").write_text("name: new\n", encoding="utf-8")
    files = list(specs.rglob("*.yaml"))
    asked = {str(path.relative_to(repository)): blob_id(path.read_bytes(), "sha1") for path in files}
    asked[f"{folder}/unreadable.yaml".removeprefix("/")] = ""
    head = git(repository, "rev-parse", "HEAD")
    one_by_one = committed.differing(head, asked)
    monkeypatch.setattr("specs.committed.LISTED_ABOVE", 0)
    assert committed.differing(head, asked) == one_by_one
    assert one_by_one is not None
    assert {Path(path).name for path in one_by_one} == {"edited.yaml", "new.yaml", "unreadable.yaml", "link.yaml"}


def test_a_listing_that_fails_is_no_verdict(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specs.committed.LISTED_ABOVE", 0)
    assert CommittedFiles(str(tmp_path / "nowhere")).differing("0" * 40, {"a": "b"}) is None
    assert CommittedFiles(str(repository / ".git")).differing("0" * 40, {"a": "b"}) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert CommittedFiles(str(repository / ".git")).differing("0" * 40, {"a": "b"}) is None


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_what_was_read_is_compared_not_what_the_file_says_since(tmp_path: Path, algorithm: str) -> None:
    """A repository of SHA-256 has no use for the SHA-1 of what was read: there the file is read once more."""
    git(tmp_path, "init", "-q", "-b", "main", f"--object-format={algorithm}")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("name: a\n", encoding="utf-8")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    tree = find_work_tree(str(tmp_path))
    read = {"a.yaml": blob_id(b"name: a\n", "sha1"), "b.yaml": blob_id(b"edited\n", "sha1")}
    (tmp_path / "a.yaml").write_text("edited since\n", encoding="utf-8")
    provenance = Provenance()
    try:
        provenance.update(tree, str(tmp_path), read, ())
        assert provenance.differing == {"b.yaml" if algorithm == "sha1" else "a.yaml"}
    finally:
        provenance.close()
