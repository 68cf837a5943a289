"""Logs by offset, time, tail, match and as they grow, with and without a cut in the middle."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.rundir import Growing, RunDirectory
from state import logs
from state.errors import InvalidQuery, NotFound
from state.logs import Log, containing, lines_of, matching, size_words, streams

SECOND = 1_000_000
START = 1_800_000_000 * SECOND


class Capture:
    """Writes a log as the supervisor does: bytes, samples, a cut."""

    def __init__(self, run_dir: Path, stream: str = "output") -> None:
        self.run_dir = run_dir
        self.stem = run_dir / stream
        self.size = 0

    def write(self, data: bytes, second: int | None = None) -> None:
        with self.stem.with_suffix(".log").open("ab") as file:
            file.write(data)
        self.size += len(data)
        if second is not None:
            with self.stem.with_suffix(".idx").open("a") as file:
                file.write(f"{START + second * SECOND} {self.size}\n")

    def cut(self, start: int, end: int) -> None:
        self.stem.with_suffix(".gap").write_text(f"{start} {end}\n")
        with self.stem.with_suffix(".log").open("r+b") as file:
            file.seek(start)
            file.write(b"\0" * (end - start))


@pytest.fixture
def capture(tmp_path: Path) -> Capture:
    return Capture(tmp_path)


def whole(run_dir: Path, start: int = 0, end: int | None = None) -> bytes:
    with Log(run_dir) as log:
        return b"".join(log.read(start, end))


def test_every_byte_comes_back(capture: Capture) -> None:
    data = bytes(range(256)) * 2048
    capture.write(data)
    assert whole(capture.run_dir) == data
    assert whole(capture.run_dir, 300, 400_000) == data[300:400_000]
    assert whole(capture.run_dir, -5, 10**9) == data
    assert whole(capture.run_dir, 10**9) == b""


def test_a_cut_is_one_line(capture: Capture) -> None:
    capture.write(b"head\n" + b"x" * 5_000_000 + b"tail\n")
    capture.cut(5, 5_000_005)
    marker = b"[jobsctl: 4.8 MiB cut here]\n"
    assert whole(capture.run_dir) == b"head\n" + marker + b"tail\n"
    assert whole(capture.run_dir, 0, 3) == b"hea"
    assert whole(capture.run_dir, 0, 1000) == b"head\n" + marker
    assert whole(capture.run_dir, 1000, 2000) == marker
    assert whole(capture.run_dir, 1000) == marker + b"tail\n"
    assert whole(capture.run_dir, 5_000_005) == b"tail\n"


def test_a_cut_between_read_and_yield_is_noticed(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    capture.write(b"head\n" + b"x" * 1000 + b"tail\n")
    with Log(capture.run_dir) as log:
        real = log.gap

        def late() -> logs.Gap | None:
            capture.cut(5, 1005)
            return real()

        monkeypatch.setattr(Log, "gap", lambda self: late())
        assert b"".join(log.read()) == b"head\n[jobsctl: 1000 B cut here]\ntail\n"


TEXT = st.lists(st.sampled_from([b"", b"a", b"line", b"x" * 50]), max_size=12).map(b"\n".join)


@given(TEXT, st.integers(1, 15), st.sampled_from([1, 3, 7, 4096]))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_the_tail_is_what_tail_prints(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, count: int, chunk: int
) -> None:
    capture = Capture(tmp_path_factory.mktemp("run"))
    capture.write(text)
    with pytest.MonkeyPatch.context() as patch, Log(capture.run_dir) as log:
        patch.setattr(logs, "CHUNK", chunk)
        assert b"".join(log.read(log.tail_offset(count))) == b"".join(text.splitlines(keepends=True)[-count:])


@given(TEXT, TEXT, st.integers(1, 15), st.sampled_from([1, 3, 7, 4096]))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_the_tail_over_a_cut_counts_it_as_a_line(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: bytes, count: int, chunk: int
) -> None:
    capture = Capture(tmp_path_factory.mktemp("run"))
    capture.write(head + b"?" * 100 + tail)
    capture.cut(len(head), len(head) + 100)
    pieces = [*head.splitlines(keepends=True), b"[jobsctl: 100 B cut here]\n", *tail.splitlines(keepends=True)]
    with pytest.MonkeyPatch.context() as patch, Log(capture.run_dir) as log:
        patch.setattr(logs, "CHUNK", chunk)
        assert b"".join(log.read(log.tail_offset(count))) == b"".join(pieces[-count:])


def test_no_lines_is_the_end(capture: Capture) -> None:
    capture.write(b"a\nb\n")
    with Log(capture.run_dir) as log:
        assert log.tail_offset(0) == 4


@given(
    st.lists(st.sampled_from([b"one\n", b"\n", b"x" * 70_000, b"last"]), max_size=8),
    st.integers(1, 6),
    st.integers(-9, 400_000),
)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_the_last_lines_are_looked_for_no_further_than_told(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], count: int, floor: int
) -> None:
    run_dir = tmp_path_factory.mktemp("run")
    (run_dir / "output.log").write_bytes(b"".join(pieces))
    with Log(run_dir) as log:
        floor = min(floor, log.size)
        assert log.tail_offset(count, floor=floor) == max(log.tail_offset(count), floor)


def test_a_line_as_long_as_the_disk_costs_what_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "output.log").touch()
    os.truncate(tmp_path / "output.log", 1 << 40)
    with Log(tmp_path) as log:
        assert log.tail_offset(10, floor=log.size - 100_000) == (1 << 40) - 100_000


@pytest.mark.parametrize("index", ["-5 -5\n", f"{1 << 70} {1 << 70}\n", "5 -1\n"])
def test_an_index_that_a_job_wrote_leads_nowhere_else(tmp_path: Path, index: str) -> None:
    (tmp_path / "output.log").write_bytes(b"one\ntwo\n")
    (tmp_path / "output.idx").write_text(index)
    with Log(tmp_path) as log:
        for at in (-10, 0, 10, 1 << 62):
            assert 0 <= log.offset_since(at) <= 8
            assert 0 <= log.offset_until(at) <= 8


@pytest.mark.parametrize(
    ("since", "until", "lines"),
    [
        pytest.param(None, None, "0123456789", id="all"),
        pytest.param(5, None, "56789", id="since a sample"),
        pytest.param(5.5, None, "56789", id="since between samples begins at the one before"),
        pytest.param(None, 5, "01234", id="until a sample"),
        pytest.param(None, 4.5, "01234", id="until between samples ends at the one after"),
        pytest.param(3, 6, "345", id="a window"),
        pytest.param(-10, 100, "0123456789", id="wider than the run"),
        pytest.param(100, None, "", id="after the run"),
        pytest.param(None, -10, "", id="before the run"),
    ],
)
def test_a_window_of_time(capture: Capture, since: float | None, until: float | None, lines: str) -> None:
    """Line n is written in second n, and seen by the sample at second n + 1; second 0 begins with nothing."""
    capture.write(b"", 0)
    for number in range(10):
        capture.write(b"%d\n" % number, number + 1)
    with Log(capture.run_dir) as log:
        start = 0 if since is None else log.offset_since(START + int(since * SECOND))
        end = None if until is None else log.offset_until(START + int(until * SECOND))
        assert b"".join(log.read(start, end)).decode().replace("\n", "") == lines


def test_a_window_has_whole_lines(capture: Capture) -> None:
    capture.write(b"one\ntw", 1)
    capture.write(b"o\nthree\n", 2)
    with Log(capture.run_dir) as log:
        assert log.offset_since(START + 1 * SECOND) == 4
        assert log.offset_until(START + 1 * SECOND) == 8


@given(st.integers(1, 3000), st.randoms(use_true_random=False), st.integers(0, 2))
@settings(max_examples=40, derandomize=True, deadline=None)
def test_a_long_index_is_searched_and_says_what_reading_it_says(
    tmp_path_factory: pytest.TempPathFactory, count: int, chance: random.Random, longest: int
) -> None:
    capture = Capture(tmp_path_factory.mktemp("run"))
    capture.write(b"\n" * count)
    samples, at = [], 0
    for size in range(1, count + 1):
        at += chance.randint(0, longest)
        samples.append((START + at * SECOND, size))
    capture.stem.with_suffix(".idx").write_text("".join(f"{time} {size}\n" for time, size in samples))
    with Log(capture.run_dir) as log:
        for second in [-1, at + 1, *(chance.randint(0, at) for _ in range(20))]:
            time = START + second * SECOND
            assert log.offset_since(time) == max([size for at, size in samples if at <= time], default=0)
            assert log.offset_until(time) == min([size for at, size in samples if at >= time], default=count)


@pytest.mark.parametrize("index", ["", "garbage\n1 2 3\nx y\n", f"{START} ", None], ids=["empty", "bad", "half", "no"])
def test_without_a_sound_index_a_window_is_the_whole_log(capture: Capture, index: str | None) -> None:
    capture.write(b"a\nb\n")
    if index is not None:
        capture.stem.with_suffix(".idx").write_text(index)
    with Log(capture.run_dir) as log:
        assert (log.offset_since(START), log.offset_until(START)) == (0, 4)


@pytest.mark.parametrize("gap", ["", "5", "9 3\n", "x y\n", "-3 4\n"])
def test_a_bad_gap_file_is_no_gap(capture: Capture, gap: str) -> None:
    capture.write(b"0123456789")
    capture.stem.with_suffix(".gap").write_text(gap)
    assert whole(capture.run_dir) == b"0123456789"


def growing(capture: Capture, *, start: int = 0) -> Growing:
    return Growing(RunDirectory(capture.run_dir), "output", start=start)


def test_a_follower_gets_every_byte_once(capture: Capture) -> None:
    follower = growing(capture)
    assert follower.poll() == b""
    got = []
    for piece in (b"one\n", b"tw", b"o\n", b"x" * 3_000_000):
        capture.write(piece)
        got.append(follower.poll())
    while data := follower.poll():
        got.append(data)
    assert b"".join(got) == b"one\ntwo\n" + b"x" * 3_000_000
    follower.close()


def test_a_follower_that_falls_behind_a_cut_says_so_and_goes_on(capture: Capture) -> None:
    follower = growing(capture)
    capture.write(b"one\n")
    assert follower.poll() == b"one\n"
    capture.write(b"x" * 5_000_000 + b"two\n")
    capture.cut(2, 5_000_004)
    got = []
    while data := follower.poll():
        got.append(data)
    assert b"".join(got) == b"[jobsctl: 4.8 MiB cut here]\ntwo\n"
    capture.write(b"three\n")
    assert follower.poll() == b"three\n"
    follower.close()


def test_a_follower_may_begin_at_the_tail(capture: Capture) -> None:
    capture.write(b"a\nb\nc\n")
    with Log(capture.run_dir) as log:
        follower = growing(capture, start=log.tail_offset(2))
    assert follower.poll() == b"b\nc\n"
    assert follower.poll() == b""
    follower.close()


@given(st.lists(st.binary(max_size=9), max_size=9))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_lines_do_not_depend_on_pieces(pieces: list[bytes]) -> None:
    lines = list(lines_of(pieces))
    assert b"".join(lines) == b"".join(pieces)
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines[:-1])


def test_a_line_without_end_is_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_LINE", 10)
    assert list(lines_of([b"x" * 25, b"y\nz"])) == [b"x" * 10, b"x" * 10, b"xxxxxy\n", b"z"]


LINES = [b"alpha error\n", b"beta \xff\xfe\n", "gamma Fehler üb\n".encode(), b"delta error"]


@pytest.mark.parametrize(
    ("choose", "what", "found"),
    [
        pytest.param(matching, "error", [0, 3], id="a word"),
        pytest.param(matching, "error$", [0, 3], id="at the end of the line"),
        pytest.param(matching, "^(alpha|beta)", [0, 1], id="at its beginning"),
        pytest.param(matching, "üb", [2], id="not ascii"),
        pytest.param(matching, "\udcff\udcfe", [1], id="bytes that are no text"),
        pytest.param(matching, "(?i)ERROR", [0, 3], id="any case"),
        pytest.param(containing, "error", [0, 3], id="text"),
        pytest.param(containing, "err.r", [], id="text is no pattern"),
        pytest.param(containing, "üb", [2], id="text that is not ascii"),
    ],
)
def test_lines_that_match(choose: Callable[[list[bytes], str], list[bytes]], what: str, found: list[int]) -> None:
    assert [line.rstrip(b"\n") for line in choose(LINES, what)] == [LINES[number].rstrip(b"\n") for number in found]


@pytest.mark.parametrize("pattern", ["(", "*", "a{9999999999}", "[z-a]", "(?P<x"])
def test_what_is_no_pattern_is_refused_at_once(pattern: str) -> None:
    with pytest.raises(InvalidQuery, match="pattern"):
        matching([], pattern)


def test_streams_kept_apart_are_found_by_name(tmp_path: Path) -> None:
    assert streams(tmp_path) == ()
    with pytest.raises(NotFound, match="no log"):
        Log(tmp_path)
    for name in ("stdout", "stderr"):
        Capture(tmp_path, name).write(name.encode())
    assert streams(tmp_path) == ("stdout", "stderr")
    with Log(tmp_path, "stderr") as log:
        assert b"".join(log.read()) == b"stderr"
    with pytest.raises(NotFound) as missing:
        Log(tmp_path, "output")
    assert "stdout and stderr" in (missing.value.hint or "")
    with pytest.raises(InvalidQuery):
        Log(tmp_path, "../../etc/passwd")


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "output.log").symlink_to(tmp_path / "secret")
    with pytest.raises(NotFound):
        Log(tmp_path)


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (12_897_485, "12.3 MiB"), (2**50, "1024.0 TiB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert size_words(size) == words
