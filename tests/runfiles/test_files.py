"""The run directory: what a job leaves there is read without trust, and removed without leaving the house."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import orjson
import pytest

from state.home import Home
from state.records import Reason, Run, RunState, Trigger
from state.runfiles import (
    Sample,
    last_series,
    list_outputs,
    open_output,
    read_progress,
    read_result,
    remove_run_dir,
    samples_of,
    write_run_json,
)

RUN_ID = "01m7yjck70b57cph9jqfh017wj"


def _link(path: Path) -> None:
    (path.parent / "real").write_text('{"a": 1}')
    path.symlink_to(path.parent / "real")


def _text(text: str | bytes) -> Callable[[Path], object]:
    data = text.encode() if isinstance(text, str) else text
    return lambda path: path.write_bytes(data)


def _deep(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("put", "value"),
    [
        pytest.param(_text('{"percent": 40, "message": "half"}'), {"percent": 40, "message": "half"}, id="sound"),
        pytest.param(_text("{}"), {}, id="an empty object"),
        pytest.param(_text('{"percent": 4'), None, id="half written"),
        pytest.param(_text(""), None, id="empty"),
        pytest.param(_text("[1]"), None, id="no object"),
        pytest.param(_text('{"a": NaN}'), None, id="not a number"),
        pytest.param(_text(b'{"a": "\xff"}'), None, id="not UTF-8"),
        pytest.param(_text('{"a": ' + "[" * 30_000 + "]" * 30_000 + "}"), None, id="nested deep"),
        pytest.param(_text('{"a": ' + "[" * 230 + "]" * 230 + "}"), None, id="too deep to be written within others"),
        pytest.param(_text('{"a": ' + "[" * 600 + "]" * 600 + "}"), None, id="too deep to be written"),
        pytest.param(_text('{"a": ' + "[" * 200 + "]" * 200 + "}"), {"a": _deep(200)}, id="deep"),
        pytest.param(_text('{"a": "' + "x" * 65_526 + '"}'), {"a": "x" * 65_526}, id="as large as allowed"),
        pytest.param(_text('{"a": "' + "x" * 70_000 + '"}'), None, id="too large"),
        pytest.param(_link, None, id="a link"),
        pytest.param(lambda path: os.mkfifo(path), None, id="a pipe"),
        pytest.param(lambda path: path.mkdir(), None, id="a folder"),
        pytest.param(lambda path: None, None, id="missing"),
    ],
)
@pytest.mark.parametrize(("read", "name"), [(read_progress, "progress.json"), (read_result, "result.json")])
def test_a_jobs_own_word_is_an_object_or_nothing(
    tmp_path: Path, read: Callable[[Path], object], name: str, put: Callable[[Path], object], value: object
) -> None:
    put(tmp_path / name)
    assert read(tmp_path) == value


def series(run_dir: Path, *records: tuple[int, int, int], rest: bytes = b"") -> None:
    (run_dir / "series.bin").write_bytes(b"".join(struct.pack("<qQQ", *record) for record in records) + rest)


def test_a_series_comes_back(tmp_path: Path) -> None:
    series(tmp_path, (1, 500_000, 10), (2, 1_000_000, 30), rest=b"cut")
    assert samples_of(last_series(tmp_path)) == [Sample(1, 0.5, 10), Sample(2, 1.0, 30)]
    assert samples_of(last_series(tmp_path, 1)) == [Sample(2, 1.0, 30)]
    assert samples_of(last_series(tmp_path, 5)) == samples_of(last_series(tmp_path))


@pytest.mark.parametrize("looks", [4, 5, 6, 9, 10, 11, 30])
def test_of_a_long_series_a_few_stand_for_all(tmp_path: Path, looks: int) -> None:
    series(tmp_path, *((at, at * 1_000_000, at) for at in range(1, looks + 1)))
    found = [sample.at for sample in samples_of(last_series(tmp_path, most=5))]
    assert (len(found) <= 5, found[-1], found) == (True, looks, sorted(set(found)))
    steps = {later - earlier for earlier, later in pairwise(found)}
    assert len(steps) == 1 and found[0] <= max(steps)  # evenly, from the beginning on
    assert [sample.at for sample in samples_of(last_series(tmp_path, 3, most=5))] == [looks - 2, looks - 1, looks]


def test_a_series_of_any_size_costs_what_is_read_of_it(tmp_path: Path) -> None:
    series(tmp_path, (1, 1, 1))
    os.truncate(tmp_path / "series.bin", 24 << 34)
    assert len(samples_of(last_series(tmp_path, most=100))) == 100


@pytest.mark.parametrize("put", [lambda path: None, lambda path: path.touch(), lambda path: path.mkdir()])
def test_no_series_is_an_empty_one(tmp_path: Path, put: Callable[[Path], object]) -> None:
    put(tmp_path / "series.bin")
    assert samples_of(last_series(tmp_path)) == []


def test_outputs_are_regular_files_below_the_folder(tmp_path: Path) -> None:
    assert list_outputs(tmp_path) == []
    outputs = tmp_path / "outputs"
    (outputs / "deep" / "er").mkdir(parents=True)
    (outputs / "deep" / "er" / "b.csv").write_text("123")
    (outputs / "a.txt").write_text("1")
    (tmp_path / "secret").write_text("secret")
    (outputs / "link").symlink_to(tmp_path / "secret")
    (outputs / "folder").symlink_to("/etc")
    os.mkfifo(outputs / "pipe")
    (outputs / os.fsdecode(b"odd \xff")).touch()
    assert [(file.path, file.size) for file in list_outputs(tmp_path)] == [
        ("a.txt", 1), ("deep/er/b.csv", 3), ("odd \\xff", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["link", "folder/passwd", "../secret", "deep/../a.txt", "/etc/passwd", "", ".", "deep", "pipe", "a.txt\0", "none"],
)
def test_an_output_that_is_not_one_is_not_opened(tmp_path: Path, path: str) -> None:
    outputs = tmp_path / "outputs"
    (outputs / "deep").mkdir(parents=True)
    (outputs / "a.txt").write_text("1")
    (tmp_path / "secret").write_text("secret")
    (outputs / "link").symlink_to(tmp_path / "secret")
    (outputs / "folder").symlink_to("/etc")
    os.mkfifo(outputs / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert open_output(tmp_path, path) is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_an_output_is_opened(tmp_path: Path) -> None:
    (tmp_path / "outputs" / "deep").mkdir(parents=True)
    (tmp_path / "outputs" / "deep" / "b.csv").write_text("123")
    descriptor = open_output(tmp_path, "deep/b.csv")
    assert descriptor is not None
    with open(descriptor) as file:
        assert file.read() == "123"


def a_run() -> Run:
    return Run(
        id=RUN_ID, job_id=1, project="default", job="report", generation=1, digest="d", revision=None,
        trigger=Trigger.SCHEDULE, scheduled_for=5, state=RunState.FAILED, reason=Reason.EXIT_CODE, created_at=5,
        result={"rows": 3},
    )  # fmt: skip


def test_run_json_holds_run_and_spec(tmp_path: Path) -> None:
    for _ in range(2):
        write_run_json(tmp_path / "new", a_run(), b'{"name":"report"}')
    value = orjson.loads((tmp_path / "new" / "run.json").read_bytes())
    assert value["spec"] == {"name": "report"}
    assert (value["run"]["state"], value["run"]["reason"], value["run"]["result"]) == (
        "failed",
        "exit_code",
        {"rows": 3},
    )
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["run.json"]


def test_run_json_does_not_write_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    for name in ("run.json", ".run.json.tmp"):
        (tmp_path / name).symlink_to(tmp_path / "victim")
    write_run_json(tmp_path, a_run(), None)
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "run.json").is_symlink()


def test_removing_a_run_removes_what_is_in_it_and_no_more(tmp_path: Path) -> None:
    home = Home(tmp_path)
    run_dir = home.run_dir("default", "report", RUN_ID)
    (run_dir / "outputs" / "deep").mkdir(parents=True)
    (run_dir / "outputs" / "deep" / "file").touch()
    neighbour = home.run_dir("default", "report", RUN_ID[:-1] + "k")
    neighbour.mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").touch()
    (run_dir / "outputs" / "link").symlink_to(tmp_path / "victim")
    remove_run_dir(home, "default", "report", RUN_ID)
    assert not run_dir.exists()
    assert neighbour.exists()
    assert (tmp_path / "victim" / "file").exists()
    remove_run_dir(home, "default", "report", RUN_ID)
    remove_run_dir(home, "default", "never-ran", RUN_ID)


@pytest.mark.parametrize("level", ["run", "job", "project"])
def test_removing_follows_no_link_put_in_place_of_a_folder(tmp_path: Path, level: str) -> None:
    home = Home(tmp_path)
    victim = tmp_path / "victim"
    run_dir = home.run_dir("default", "report", RUN_ID)
    place = {"run": run_dir, "job": run_dir.parent, "project": run_dir.parent.parent}[level]
    inside = victim / run_dir.relative_to(place)
    inside.mkdir(parents=True)
    (inside / "file").touch()
    place.parent.mkdir(parents=True)
    place.symlink_to(victim)
    with pytest.raises(Exception, match=r"symbolic link|Not a directory|remove|Too many levels"):
        remove_run_dir(home, "default", "report", RUN_ID)
    assert (inside / "file").exists()


@pytest.mark.parametrize(
    ("project", "job", "run_id"),
    [("..", "report", RUN_ID), ("default", "a/b", RUN_ID), ("default", "", RUN_ID), ("default", "report", "..")],
)
def test_removing_takes_names_only(tmp_path: Path, project: str, job: str, run_id: str) -> None:
    with pytest.raises(ValueError, match="not the directory of a run"):
        remove_run_dir(Home(tmp_path), project, job, run_id)
