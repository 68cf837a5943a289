"""The thread that looks: soon after a change, of whatever kind, and also when the watch has died."""

from __future__ import annotations

import itertools
import os
import queue
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from specs import watch
from specs.source import Look, SourceThread
from specs.watch import Places, anchors_of, hear

from .conftest import Specs, names

RESYNC = 3600.0
"""No sweep helps in these tests, but where it is asked for."""


class Looks:
    """The looks of a running thread."""

    def __init__(self, specs: Specs, resync: float = RESYNC) -> None:
        self.specs = specs
        self.told: queue.Queue[Look] = queue.Queue()
        self.thread = SourceThread(specs.source, self.told.put, resync=resync)
        self.last: Look | None = None

    def until(self, holds: Callable[[Look], bool], seconds: float = 10.0) -> Look:
        """The first look for which this holds; the newest one counts too."""
        deadline = time.monotonic() + seconds
        while self.last is None or not holds(self.last):
            try:
                self.last = self.told.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"never came: {self.last and names(self.last)}") from None
        return self.last

    def jobs(self, *wanted: str) -> Look:
        return self.until(lambda look: names(look) == set(wanted) and look.desired.problem is None)

    def settle(self) -> None:
        """Until the watch is up and nothing more is told."""
        deadline = time.monotonic() + 10
        while not self.thread.watch_up and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.thread.watch_up, self.thread.watch_error
        while True:
            try:
                self.last = self.told.get(timeout=0.15)
            except queue.Empty:
                return


@pytest.fixture
def start(specs: Specs) -> Iterator[Callable[..., Looks]]:
    running: list[Looks] = []

    def begin(of: Specs = specs, **options: Any) -> Looks:
        looks = Looks(of, **options)
        running.append(looks)
        looks.thread.start()
        return looks

    yield begin
    for looks in running:
        looks.thread.stop()


Start = Callable[..., Looks]


def test_a_save_is_seen_at_once(specs: Specs, start: Start) -> None:
    specs.write("a.yaml", "a")
    looks = start()
    looks.jobs("a")
    looks.settle()
    begun = time.monotonic()
    specs.write("b.yaml", "b")
    looks.jobs("a", "b")
    assert time.monotonic() - begun < 0.5  # 20 ms on a quiet machine


def test_looking_rings_no_bell(specs: Specs, start: Start) -> None:
    specs.write("a.yaml", "a")
    looks = start()
    looks.jobs("a")
    looks.settle()
    looks.thread.look_now()
    looks.told.get(timeout=5)
    with pytest.raises(queue.Empty):
        looks.told.get(timeout=0.4)


def test_new_folders_removed_ones_and_ones_that_come_again(specs: Specs, start: Start) -> None:
    looks = start()
    looks.jobs()
    looks.settle()
    specs.write("x/y/a.yaml", "a")
    looks.jobs("a")
    looks.settle()
    specs.write("x/y/b.yaml", "b")
    looks.jobs("a", "b")
    shutil.rmtree(specs.root / "x")
    looks.jobs()
    specs.write("x/y/c.yaml", "c")
    looks.jobs("c")
    looks.settle()
    specs.write("x/y/c.yaml", "d")
    looks.jobs("d")


def test_a_folder_moved_in(specs: Specs, start: Start, tmp_path: Path) -> None:
    (tmp_path / "new/deep").mkdir(parents=True)
    (tmp_path / "new/deep/a.yaml").write_text("name: a\nrun: {script: x}\n")
    looks = start()
    looks.jobs()
    looks.settle()
    (tmp_path / "new").rename(specs.root / "new")
    looks.jobs("a")


def test_a_slow_writer(specs: Specs, start: Start) -> None:
    looks = start()
    looks.jobs()
    looks.settle()
    with (specs.root / "a.yaml").open("w") as writing:
        for line in ("name: a\n", "run: {script: x}\n", "timeout: 5m\n"):
            writing.write(line)
            writing.flush()
            time.sleep(0.15)
    look = looks.jobs("a")
    assert b'"timeout":300' in look.desired.jobs["default/a"].spec


def test_a_root_that_goes_and_comes_again(specs: Specs, start: Start) -> None:
    specs.write("a.yaml", "a")
    looks = start()
    looks.jobs("a")
    looks.settle()
    shutil.rmtree(specs.root)
    gone = looks.until(lambda look: look.desired.problem is not None)
    assert names(gone) <= {"a"}
    specs.write("b.yaml", "b")
    looks.jobs("b")
    looks.settle()
    specs.write("c.yaml", "c")
    looks.jobs("b", "c")


def test_a_root_that_comes_late(tmp_path: Path, start: Start) -> None:
    late = Specs(tmp_path / "not/yet/jobs")
    looks = start(late)
    looks.until(lambda look: look.desired.problem is not None)
    late.write("a.yaml", "a")
    looks.jobs("a")


def test_a_flipped_link(tmp_path: Path, start: Start) -> None:
    for stamp in ("1", "2"):
        Specs(tmp_path / f"tree-{stamp}/jobs").write("a.yaml", f"job-{stamp}")
    (tmp_path / "current").symlink_to("tree-1")
    looks = start(Specs(tmp_path / "current/jobs"))
    looks.jobs("job-1")
    looks.settle()
    (tmp_path / "next").symlink_to("tree-2")
    (tmp_path / "next").rename(tmp_path / "current")
    looks.jobs("job-2")
    shutil.rmtree(tmp_path / "tree-1")
    looks.settle()
    Specs(tmp_path / "tree-2/jobs").write("b.yaml", "b")
    looks.jobs("job-2", "b")


def test_a_volume_of_kubernetes(specs: Specs, start: Start) -> None:
    def publish(stamp: str) -> None:
        (specs.root / f"..{stamp}").mkdir()
        (specs.root / f"..{stamp}/a.yaml").write_text(f"name: job-{stamp}\nrun: {{script: x}}\n")
        (specs.root / "..data_tmp").symlink_to(f"..{stamp}")
        (specs.root / "..data_tmp").rename(specs.root / "..data")

    publish("1")
    (specs.root / "a.yaml").symlink_to("..data/a.yaml")
    looks = start()
    looks.jobs("job-1")
    looks.settle()
    publish("2")
    looks.jobs("job-2")


def test_a_name_that_is_not_utf_8_ends_the_watch_and_not_the_looking(
    specs: Specs, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "FIRST_PAUSE", 0.2)
    looks = start()
    looks.jobs()
    looks.settle()
    with open(os.fsencode(specs.root) + b"/caf\xe9.yaml", "w") as file:
        file.write("name: a\nrun: {script: x}\n")
    looks.jobs("a")
    assert looks.thread.watch_restarts == 1
    assert looks.thread.watch_error is not None and "decode" in looks.thread.watch_error
    looks.settle()
    specs.write("b.yaml", "b")
    looks.jobs("a", "b")


def test_a_watch_that_cannot_begin_is_tried_again_with_longer_pauses(
    specs: Specs, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = watchfiles.watch, []

    def failing(*paths: str, **options: Any) -> Any:
        tries.append(time.monotonic())
        if len(tries) <= 3:
            raise OSError("OS file watch limit reached")
        return real(*paths, **options)

    monkeypatch.setattr(watchfiles, "watch", failing)
    monkeypatch.setattr(watch, "FIRST_PAUSE", 0.05)
    specs.write("a.yaml", "a")
    looks = start()
    looks.jobs("a")
    looks.settle()
    assert looks.thread.watch_restarts == 3
    assert looks.thread.watch_error == "OSError: OS file watch limit reached"
    pauses = [later - sooner for sooner, later in itertools.pairwise(tries)]
    assert pauses[0] >= 0.05 and pauses[1] >= 0.1 and pauses[2] >= 0.2


def test_a_lost_event_is_repaired_by_the_next_sweep(
    specs: Specs, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "hear", lambda changed, places: watch.Heard())
    looks = start(resync=0.3)
    looks.jobs()
    specs.write("a.yaml", "a")
    looks.jobs("a")


def test_a_look_that_fails_is_told_and_not_the_last(
    specs: Specs, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs.write("a.yaml", "a")
    looks = start()
    looks.jobs("a")
    looks.settle()
    real = specs.source.look
    monkeypatch.setattr(specs.source, "look", lambda dirty: 1 / 0)
    looks.thread.look_now()
    broken = looks.until(lambda look: look.desired.problem is not None)
    assert "ZeroDivisionError" in str(broken.desired.problem)
    assert names(broken) == {"a"}
    monkeypatch.setattr(specs.source, "look", real)
    specs.write("b.yaml", "b")
    looks.jobs("a", "b")


def test_stopping_is_prompt_and_final(specs: Specs, start: Start) -> None:
    looks = start()
    looks.jobs()
    looks.settle()
    begun = time.monotonic()
    looks.thread.stop()
    assert time.monotonic() - begun < 1
    assert not looks.thread.watch_up
    specs.write("a.yaml", "a")
    with pytest.raises(queue.Empty):
        looks.told.get(timeout=0.2)


PLACES = Places(
    "/srv/jobs",
    frozenset({("", 1), ("x", 2)}),
    frozenset({("/srv", "jobs")}),
    frozenset({"/srv/.git", "/srv/.git/refs/heads"}),
)


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        pytest.param("/srv/jobs", watch.Heard(everywhere=True), id="the-root"),
        pytest.param("/srv/jobs/a.yaml", watch.Heard(frozenset({"a.yaml"})), id="a-spec"),
        pytest.param("/srv/jobs/x", watch.Heard(frozenset({"x"})), id="a-folder-that-was-known"),
        pytest.param("/srv/jobs/x/a.json", watch.Heard(frozenset({"x/a.json"})), id="below"),
        pytest.param("/srv/jobs/x/..data", watch.Heard(frozenset({"x/..data"})), id="a-volume"),
        pytest.param("/srv/jobs/.a.yaml.swp", watch.Heard(), id="hidden"),
        pytest.param("/srv/jobs/a.log", watch.Heard(), id="something-else"),
        pytest.param("/srv/other.yaml", watch.Heard(), id="beside-the-root"),
        pytest.param("/srv/.git/index.lock", watch.Heard(), id="git-begins"),
        pytest.param("/srv/.git/index", watch.Heard(revision=True), id="git-ends"),
        pytest.param("/srv/.git/refs/heads/main", watch.Heard(revision=True), id="a-branch-moves"),
        pytest.param("/srv/.git/refs/heads/main.lock", watch.Heard(), id="a-branch-is-about-to-move"),
    ],
)
def test_what_an_event_is_about(path: str, heard: watch.Heard) -> None:
    assert hear([path], PLACES) == heard


def test_what_leads_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "trees/one/jobs").mkdir(parents=True)
    (tmp_path / "current").symlink_to("trees/one")
    (tmp_path / "loop").symlink_to("loop")
    base = str(tmp_path)
    assert anchors_of(f"{base}/current/jobs") == {(base, "current"), (f"{base}/trees/one", "jobs")}
    assert anchors_of(f"{base}/trees/one") == {(f"{base}/trees", "one")}
    assert anchors_of(f"{base}/not/there/yet") == {(base, "not")}
    assert anchors_of(f"{base}/loop/x") == {(base, "loop")}
