"""Findings as text: aligned, quiet without colour, and unable to drive a terminal or a code host."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.diagnostic import Diagnostic, Severity
from specs.render import WIDTH, render, width

FINDING = Diagnostic(
    "JOB030", "unknown key `x`", "jobs/a.yaml", 12, 3, 4, "did you mean `y`?", "  x: 1", Severity.ERROR, "default/a"
)


def test_full() -> None:
    assert render([FINDING]) == (
        "jobs/a.yaml:12:3: error[JOB030]: unknown key `x`\n   |\n12 |   x: 1\n   |   ^\n   = help: did you mean `y`?\n"
    )


def test_concise() -> None:
    assert render([FINDING], "concise") == "jobs/a.yaml:12:3: error[JOB030]: unknown key `x`\n"


def test_json() -> None:
    assert json.loads(render([FINDING], "json")) == [
        {
            "code": "JOB030",
            "severity": "error",
            "message": "unknown key `x`",
            "path": "jobs/a.yaml",
            "line": 12,
            "column": 3,
            "endColumn": 4,
            "help": "did you mean `y`?",
            "sourceLine": "  x: 1",
            "job": "default/a",
        }
    ]


def test_github() -> None:
    assert render([FINDING], "github") == (
        "::error file=jobs/a.yaml,line=12,col=3,endColumn=4,title=JOB030::unknown key `x`%0Ahelp: did you mean `y`?\n"
    )


def test_a_message_cannot_be_a_command_of_the_code_host() -> None:
    evil = Diagnostic("JOB030", "100%\n::set-env name=A::b", "a,b:c\n.yaml")
    (line,) = render([evil], "github").splitlines()
    assert line == "::error file=a%2Cb%3Ac%0A.yaml,line=1,col=1,title=JOB030::100%25%0A::set-env name=A::b"


@pytest.mark.parametrize(("format", "text"), [("full", ""), ("concise", ""), ("json", "[]\n"), ("github", "")])
def test_nothing_found(format: str, text: str) -> None:
    assert render([], format) == text  # type: ignore[arg-type]


def test_colour_only_when_asked() -> None:
    warning = Diagnostic("JOB041", "m", "a", 1, 1, severity=Severity.WARNING, source_line="x", help="h")
    assert "\x1b" not in render([FINDING, warning])
    coloured = render([FINDING, warning], color=True)
    assert "\x1b[1;31merror[JOB030]" in coloured
    assert "\x1b[1;33mwarning[JOB041]" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render([FINDING, warning])


@pytest.mark.parametrize(
    ("line", "column", "end", "carets"),
    [
        pytest.param("a: bc", 4, 6, "   ^^", id="ascii"),
        pytest.param("日: bc", 4, 6, "    ^^", id="after-a-wide-character"),
        pytest.param("a: 日本", 4, 6, "   ^^^^", id="under-wide-characters"),
        pytest.param("e\u0301: bc", 5, 7, "   ^^", id="after-a-combining-character"),
        pytest.param("\ta: b", 5, 6, " " * 7 + "^", id="after-a-tab"),
        pytest.param("a: bc", 4, None, "   ^", id="only-the-start-is-known"),
        pytest.param("a:", 9, 12, "  ^", id="past-the-end"),
    ],
)
def test_carets_stand_under_the_place(line: str, column: int, end: int | None, carets: str) -> None:
    shown = render([Diagnostic("JOB030", "m", "a", 1, column, end, source_line=line)])
    assert shown.splitlines()[3] == f"  | {carets}"


def test_a_long_line_is_cut_around_the_place() -> None:
    line = "x" * 300 + "HERE" + "y" * 300
    shown = render([Diagnostic("JOB030", "m", "a", 1, 301, 305, source_line=line)]).splitlines()
    assert width(shown[2]) <= WIDTH + 10
    start = shown[3].index("^")
    assert shown[2][start : start + shown[3].count("^")] == "HERE"


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text(max_size=40), st.integers(1, 45), st.integers(1, 45))
def test_no_character_of_a_file_acts(text: str, column: int, end: int) -> None:
    finding = Diagnostic("JOB030", text, text, 1, column, end, help=f"h{text}", source_line=text)
    for format in ("full", "concise"):
        shown = render([finding], format)  # type: ignore[arg-type]
        acting = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}
        assert not acting
        assert len(shown.splitlines()) == (5 if format == "full" else 1)
