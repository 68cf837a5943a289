"""The part of a log that a page shows: whole lines, next to each other, none lost, found by text and by time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from status.page.logwindow import LINES, WINDOW, matches_of, offset_at, window_of


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def write(place: Path, data: bytes) -> None:
    (place / "output.log").write_bytes(data)


def texts(lines: object) -> list[str]:
    return [str(line) for line in lines]  # type: ignore[attr-defined]


def test_a_small_log_is_shown_whole(place: Path) -> None:
    write(place, b"a\nb\nc")
    window = window_of(place, "output")
    assert (texts(window.lines), window.start, window.end, window.size, window.at_end) == (
        ["a", "b", "c"],
        0,
        5,
        5,
        True,
    )


def test_of_a_run_that_goes_on_the_open_line_is_left_to_come(place: Path) -> None:
    write(place, b"a\nhalf")
    window = window_of(place, "output", grows=True)
    assert (texts(window.lines), window.end, window.at_end) == (["a"], 2, True)


def test_a_log_that_is_not_there_is_told_so(place: Path) -> None:
    window = window_of(place, "stderr")
    assert (window.there, window.lines, window.size) == (False, (), 0)


def test_going_back_from_the_end_reads_every_line_once(place: Path) -> None:
    lines = [f"line {number} {'x' * (number % 90)}" for number in range(6000)]
    write(place, "".join(f"{line}\n" for line in lines).encode())
    window = window_of(place, "output")
    assert len(window.lines) <= LINES
    found = texts(window.lines)
    while window.start:
        earlier = window_of(place, "output", until=window.start)
        assert earlier.end == window.start
        assert earlier.end - earlier.start < WINDOW + 200  # to the beginning of a line
        found = texts(earlier.lines) + found
        window = earlier
    assert found == lines


def test_going_on_from_the_beginning_reads_every_line_once(place: Path) -> None:
    lines = [f"line {number} {'y' * (number % 70)}" for number in range(5000)]
    write(place, "".join(f"{line}\n" for line in lines).encode())
    window = window_of(place, "output", begin=0)
    found = texts(window.lines)
    while not window.at_end:
        window = window_of(place, "output", begin=window.end)
        found += texts(window.lines)
    assert found == lines


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=200), st.integers(-5, 400_000))
def test_from_any_place_a_window_begins_with_a_line_and_holds_it(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], begin: int
) -> None:
    place = tmp_path_factory.mktemp("log")
    data = b"".join(b"%d %s\n" % (number, b"z" * length) for number, length in enumerate(lengths))
    write(place, data)
    window = window_of(place, "output", begin=begin)
    assert window.start == 0 or data[window.start - 1 : window.start] == b"\n"
    assert 0 <= window.start <= window.end <= len(data)
    assert window.start <= max(begin, 0)
    if begin < 0:
        assert window.start == 0


def test_a_line_longer_than_the_window_does_not_hang_it(place: Path) -> None:
    write(place, b"q" * (3 * WINDOW))
    window = window_of(place, "output")
    seen = 1
    while window.start and seen < 9:
        window = window_of(place, "output", until=window.start)
        seen += 1
    assert window.start == 0
    first = window_of(place, "output", begin=0)
    assert first.end > 0


def test_lines_with_a_text_are_listed_with_their_places(place: Path) -> None:
    write(place, b"one\nERROR <two>\nthree\nERROR four\n")
    found = matches_of(place, "output", "ERROR")
    assert [(at, str(line)) for at, line in found.lines] == [(4, "ERROR &lt;two&gt;"), (22, "ERROR four")]
    assert found.complete
    assert texts(window_of(place, "output", begin=22).lines) == ["ERROR four"]
    assert matches_of(place, "output", "nothing").lines == []


def test_too_many_matches_are_told_to_be_more(place: Path) -> None:
    write(place, b"hit\n" * 1000)
    found = matches_of(place, "output", "hit")
    assert len(found.lines) == 300
    assert not found.complete


def test_a_time_leads_to_what_was_written_then(place: Path) -> None:
    write(place, b"first\nsecond\nthird\n")
    (place / "output.idx").write_text("1000 6\n2000 13\n3000 19\n")
    assert offset_at(place, "output", 2000) == 13
    assert offset_at(place, "output", 500) == 0
    assert offset_at(place, "stderr", 500) == 0
