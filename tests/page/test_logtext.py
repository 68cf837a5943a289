"""What runs write, as text of a page: escaped, coloured by classes, odd characters shown."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from status.page.logtext import LONGEST, Look, line_of, lines_of_text
from status.page.plain import ODD, shown
from tests.page.markup import read

ALLOWED = re.compile(r'</?span(?: class="[a-z0-9 ]+")?>')


@pytest.mark.parametrize(
    ("line", "html"),
    [
        pytest.param("plain & <b>", "plain &amp; &lt;b&gt;", id="escaped"),
        pytest.param("\x1b[31mred\x1b[0m no", '<span class="c1">red</span> no', id="a-colour"),
        pytest.param("\x1b[1;4;92mx", '<span class="b u c10">x</span>', id="several-at-once"),
        pytest.param("\x1b[1mb\x1b[22mn", '<span class="b">b</span>n', id="off-again"),
        pytest.param("\x1b[38;5;9mx\x1b[39my", '<span class="c9">x</span>y', id="one-of-sixteen"),
        pytest.param("\x1b[38;5;208mx", '<span class="c9">x</span>', id="one-of-256-is-the-nearest"),
        pytest.param("\x1b[38;2;0;0;255mx", '<span class="c12">x</span>', id="any-colour-is-the-nearest"),
        pytest.param("\x1b[48;5;4mx", '<span class="g4">x</span>', id="a-ground"),
        pytest.param("\x1b[2J\x1b[H\x1b[?25lx", "x", id="what-moves-the-cursor-is-left-out"),
        pytest.param("\x1b]0;title\x07x", "x", id="a-title-is-left-out"),
        pytest.param("\x1b]8;;javascript:alert(1)\x1b\\here\x1b]8;;\x1b\\", "here", id="a-link-is-its-words"),
        pytest.param("\x1b]0;never closed", "", id="a-title-without-end"),
        pytest.param("10%\r50%\r100%", "100%", id="a-bar-drawn-over-itself"),
        pytest.param("100%\r", "100%", id="a-dos-line"),
        pytest.param("a\x08\x00", 'a<span class="odd">␈</span><span class="odd">␀</span>', id="controls-are-pictures"),
        pytest.param("x\u202eexe", 'x<span class="odd">[U+202E]</span>exe', id="no-turning-round"),
        pytest.param("a\tb", "a\tb", id="a-tab-stays"),
        pytest.param("👩‍👧 e\u0301", "👩‍👧 e\u0301", id="joined-and-combined-letters-stay"),
        pytest.param("\x1b[mx\x1b[;;mx\x1b[99999mx", "xxx", id="odd-parameters"),
    ],
)
def test_a_line(line: str, html: str) -> None:
    assert str(line_of(line, Look())) == html


def test_colours_go_on_into_the_next_line() -> None:
    lines = list(lines_of_text("\x1b[31ma\nb\n\x1b[0mc\n", Look()))
    assert [str(line) for line in lines] == ['<span class="c1">a</span>', '<span class="c1">b</span>', "c"]


def test_a_line_without_its_end_counts_and_an_empty_one_too() -> None:
    assert [str(line) for line in lines_of_text("a\n\nb", Look())] == ["a", "", "b"]
    assert list(lines_of_text("", Look())) == []


def test_of_a_giant_line_the_beginning_is_shown_and_how_much_more_there_is() -> None:
    html = str(line_of("y" * (LONGEST + 1234), Look()))
    assert html == "y" * LONGEST + '<span class="odd">[1,234 more characters]</span>'


hostile = st.text(
    st.sampled_from("ab<>&\"'`=/;:[]m0123456789\\ \t\r\x00\x07\x08\x1b\x9b\x7f\u202e\u2066\u200b\ufeff]javscript")
    | st.characters()
)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(hostile)
def test_no_text_becomes_markup(line: str) -> None:
    html = str(line_of(line.replace("\n", ""), Look()))
    bare = ALLOWED.sub("", html)
    assert "<" not in bare
    assert ">" not in bare
    text = unescape(bare)
    assert ODD.search(text) is None
    assert read(f"<p>{html}</p>").one("p")  # its elements are closed in order


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_characters="\n\r\x1b")))
def test_without_control_sequences_nothing_is_lost(line: str) -> None:
    text = unescape(ALLOWED.sub("", str(line_of(line, Look()))))
    assert text == shown(line)
