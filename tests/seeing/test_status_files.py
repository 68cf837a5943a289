"""Status files: whole, only when changed, at most once a second, never outside their directory."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from status.picture.files import SPACING, SPARES, StatusFiles
from tests.seeing.conftest import until


@pytest.fixture
def files(tmp_path: Path) -> StatusFiles:
    found = StatusFiles(tmp_path / "status")
    found.open()
    return found


def test_a_new_view_is_written_at_once_below_its_project(files: StatusFiles) -> None:
    files.put("data/report", "phase: pending\n", 0.0)
    text = (files.root / "data" / "report.yaml").read_text()
    assert text.startswith("# Written by jobsctl")
    assert text.endswith("\nphase: pending\n")


def test_an_unchanged_view_is_not_written(files: StatusFiles) -> None:
    files.put("a/b", "same\n", 0.0)
    before = files.path("a/b").stat()
    files.put("a/b", "same\n", 10.0)
    assert files.writes == 1
    assert files.path("a/b").stat().st_ino == before.st_ino


def test_a_view_found_at_the_start_is_not_written_again(files: StatusFiles) -> None:
    files.put("a/b", "same\n", 0.0)
    again = StatusFiles(files.root)
    again.open()
    again.put("a/b", "same\n", 0.0)
    assert again.writes == 0
    again.put("a/b", "other\n", 0.0)
    assert again.writes == 1


def test_what_changes_fast_is_written_once_a_second_with_the_last_word(files: StatusFiles) -> None:
    for step in range(300):
        files.put("a/b", f"step {step}\n", step / 100)
        files.flush(step / 100)
    assert files.writes <= 1 + 3 / SPACING
    left = files.flush(2.99)
    assert left is not None
    assert 0 < left <= SPACING
    assert files.flush(2.99 + left) is None
    assert files.path("a/b").read_text().endswith("step 299\n")


def test_a_view_that_changed_back_before_its_second_is_not_written(files: StatusFiles) -> None:
    files.put("a/b", "one\n", 0.0)
    files.put("a/b", "two\n", 0.1)
    files.put("a/b", "one\n", 0.2)
    files.flush(5.0)
    assert files.writes == 1


@pytest.mark.parametrize("identity", ["../etc/x", "a/../../x", "a", "a/", "/a", "a/b\n", "A/b", "a/b/c", ""])
def test_a_name_cannot_lead_out_of_the_directory(files: StatusFiles, identity: str) -> None:
    with pytest.raises(ValueError, match="is not project/name"):
        files.put(identity, "x\n", 0.0)
    assert list(files.root.iterdir()) == []


def test_a_purged_job_takes_its_file_and_an_empty_folder_along(files: StatusFiles) -> None:
    files.put("a/b", "x\n", 0.0)
    files.put("a/c", "x\n", 0.0)
    files.put("a/b", "y\n", 0.1)
    files.remove("a/b")
    assert files.flush(9.0) is None
    assert [path.name for path in (files.root / "a").iterdir()] == ["c.yaml"]
    files.remove("a/c")
    files.remove("a/c")
    assert [path.name for path in files.root.rglob("*")] == [SPARES]


@pytest.mark.parametrize("can_exchange", [True, False], ids=["exchanged", "renamed"])
def test_a_longer_and_a_shorter_text_replace_each_other_whole(
    files: StatusFiles, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr("status.picture.files.exchange", lambda one, other: False)
    for turn, text in enumerate(["short\n", "long " * 5000 + "\n", "short\n", "shorter\n"]):
        files.put("a/b", text, float(2 * turn))
        assert files.path("a/b").read_text().partition("\n")[2] == text
    assert files.writes == 4


def test_rewriting_makes_and_frees_no_files(files: StatusFiles) -> None:
    files.put("a/b", "0\n", 0.0)
    files.put("a/b", "1\n", 1.0)
    inodes = {path.stat().st_ino for path in files.root.rglob("b.yaml")}
    for turn in range(2, 6):
        files.put("a/b", f"{turn}\n", float(turn))
    assert {path.stat().st_ino for path in files.root.rglob("b.yaml")} == inodes
    assert len(inodes) == 2


def test_at_the_start_files_of_jobs_that_are_gone_go_and_what_others_put_there_stays(files: StatusFiles) -> None:
    for identity in ("a/gone", "a/here"):
        files.put(identity, "x\n", 0.0)
    (files.root / "a" / "notes.txt").write_text("mine")
    (files.root / "a" / "link.yaml").symlink_to("/etc/passwd")
    again = StatusFiles(files.root)
    again.open()
    again.keep_only({"a/here"})
    assert sorted(path.name for path in (files.root / "a").iterdir()) == ["here.yaml", "link.yaml", "notes.txt"]


def test_a_write_that_fails_is_tried_again(files: StatusFiles) -> None:
    files.root.rmdir()
    files.root.write_text("in the way")
    with pytest.raises(OSError):
        files.put("a/b", "x\n", 0.0)
    files.root.unlink()
    assert files.flush(0.5) is None
    assert files.path("a/b").read_text().endswith("x\n")


def test_a_reader_never_sees_half_a_file(files: StatusFiles) -> None:
    texts = [f"{digit * 20_000}\n" for digit in "0123456789"]
    files.put("a/b", texts[0], 0.0)
    torn: list[str] = []
    reads = 0
    ended = threading.Event()

    def read() -> None:
        nonlocal reads
        while not ended.is_set():
            text = files.path("a/b").read_text().partition("\n")[2]
            reads += 1
            if text not in texts:
                torn.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(1, 150):
            files.put("a/b", texts[turn % 10], turn * SPACING)
            # What a second is for: who had opened the file before is through with it when its inode is used again.
            seen = reads
            until(lambda seen=seen: reads >= seen + 2, "two more reads")  # type: ignore[misc]
    finally:
        ended.set()
        reader.join()
    assert torn == []
