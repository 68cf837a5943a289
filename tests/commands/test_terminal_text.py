"""Text that cannot drive a terminal, and times in words."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.terminal import VisibleBytes, one_line, safe_json, visible
from status.words.runs import short_revision
from status.words.times import precise, relative, size, span, stamp

SECOND = 1_000_000
NOW = 1_795_248_000_000_000
DRIVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@given(st.text())
@settings(derandomize=True, max_examples=200)
def test_nothing_that_drives_a_terminal_is_left(text):
    assert not DRIVES.search(visible(text))
    assert not DRIVES.search(one_line(text))
    assert "\n" not in one_line(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cf", "Zl", "Zp", "Cs"])))
@settings(derandomize=True, max_examples=200)
def test_other_text_stays_as_it_is(text):
    assert visible(text) == text == one_line(text)


@given(st.dictionaries(st.text(), st.text()))
@settings(derandomize=True, max_examples=200)
def test_json_stays_the_same_json(value):
    text = json.dumps(value, ensure_ascii=False, indent=2)
    assert json.loads(safe_json(text)) == value
    assert not DRIVES.search(safe_json(text).replace("\n", ""))


@given(st.one_of(st.binary(), st.text("a\r\n\x1b\x9bä").map(str.encode)), st.integers(1, 5))
@settings(derandomize=True, max_examples=200)
def test_a_log_reads_the_same_in_pieces_of_any_length(data, length):
    pieces = VisibleBytes()
    text = "".join(pieces.feed(data[at : at + length]) for at in range(0, len(data), length))
    text += pieces.feed(b"", final=True)
    assert text == VisibleBytes().feed(data, final=True)
    assert not DRIVES.search(text)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        pytest.param(0, "now", id="now"),
        pytest.param(0.9, "now", id="within_a_second"),
        pytest.param(1, "1s ago", id="a_second"),
        pytest.param(59.4, "59s ago", id="seconds"),
        pytest.param(59.6, "1m ago", id="rounds_into_a_minute"),
        pytest.param(192, "3m12s ago", id="minutes_and_seconds"),
        pytest.param(599, "9m59s ago", id="just_below_ten_minutes"),
        pytest.param(600, "10m ago", id="ten_minutes"),
        pytest.param(3600, "1h ago", id="an_hour"),
        pytest.param(7 * 3600 + 29 * 60, "7h29m ago", id="hours_and_minutes"),
        pytest.param(86_399, "23h ago", id="just_below_a_day"),
        pytest.param(90_000, "1d1h ago", id="a_day_and_an_hour"),
        pytest.param(40 * 86_400, "40d ago", id="days"),
        pytest.param(-300, "in 5m", id="to_come"),
    ],
)
def test_relative_times_are_short(ago, words):
    assert relative(NOW - int(ago * SECOND), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        pytest.param(0, "0ms", id="nothing"),
        pytest.param(0.25, "250ms", id="milliseconds"),
        pytest.param(0.9999, "1.0s", id="rounds_into_a_second"),
        pytest.param(1.5, "1.5s", id="tenths"),
        pytest.param(9.96, "10s", id="seconds"),
        pytest.param(59.7, "1m00s", id="rounds_into_a_minute"),
        pytest.param(3725, "1h02m", id="hours"),
        pytest.param(273_600, "3d4h", id="days"),
    ],
)
def test_spans_have_two_units(seconds, words):
    assert span(seconds) == words


def test_instants_are_utc():
    assert stamp(NOW) == "2026-11-21 08:00:00Z"
    assert stamp(None) == "-"
    assert precise(NOW + 1234) == "2026-11-21 08:00:00.001Z"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        pytest.param(None, "-", id="unknown"),
        pytest.param(512, "512 B", id="bytes"),
        pytest.param(1536, "1.5 KiB", id="tenths"),
        pytest.param(20 << 20, "20 MiB", id="megabytes"),
        pytest.param(3 << 40, "3.0 TiB", id="terabytes"),
    ],
)
def test_sizes_are_binary(count, words):
    assert size(count) == words


@pytest.mark.parametrize(
    ("revision", "short"),
    [
        pytest.param("main@sha1:" + "1a2b3c4d5e" * 4, "main@1a2b3c4", id="branch"),
        pytest.param("sha1:" + "1a2b3c4d5e" * 4, "1a2b3c4", id="detached"),
        pytest.param("main@sha1:" + "1a2b3c4d5e" * 4 + "-dirty", "main@1a2b3c4-dirty", id="not-as-committed"),
        pytest.param(None, "-", id="outside-git"),
    ],
)
def test_a_revision_is_shortened_as_git_does_and_keeps_its_mark(revision: str | None, short: str) -> None:
    assert short_revision(revision) == short
