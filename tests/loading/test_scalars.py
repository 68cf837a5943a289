"""Plain scalars mean what YAML 1.2's core schema says, and nothing of YAML 1.1."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.document import read_documents
from specs.scalars import MAYBE_NOT_TEXT, NumberTooLong, plain
from specs.text import decode

TEXTS = [
    *("yes", "no", "on", "off", "y", "n", "Yes", "ON", "tRUE", "nUll", "NaN", "inf", "-.nan", "+.NaN"),
    *(
        "1_000",
        "0b11",
        "0o8",
        "0xg",
        "0x",
        "0o",
        "-0x1",
        "+0o7",
        "12:30",
        "190:20:30",
        "1e",
        "1e+",
        ".",
        "..",
        "-",
        "+",
    ),
    *("2026-11-21", "2026-11-21T08:00:00Z", "=", "<<", "0.1.2", "1,000", "1 000", "-.", "+.e1", "١٢"),
]
VALUES = [
    *[("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None)],
    *[("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False)],
    *[("0", 0), ("0777", 777), ("010", 10), ("-12", -12), ("+7", 7), ("0o777", 0o777), ("0xFf", 255)],
    *[("1.5", 1.5), ("-.5", -0.5), ("1.", 1.0), ("1e3", 1000.0), ("+1.5E-2", 0.015), ("0e0", 0.0)],
    *[(".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf)],
]


@pytest.mark.parametrize("text", TEXTS)
def test_stays_a_text(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text or "nothing" for text, _ in VALUES])
def test_becomes_a_value(text: str, value: object) -> None:
    found = plain(text)
    assert found == value
    assert type(found) is type(value)
    assert text[:1] in MAYBE_NOT_TEXT


def test_not_a_number_is_one_of_its_spellings() -> None:
    assert all(math.isnan(plain(text)) for text in (".nan", ".NaN", ".NAN"))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["9" * 5000, "0x" + "f" * 5000, "1." + "0" * 5000, "1e" + "9" * 5000])
def test_a_number_of_thousands_of_digits_is_refused(text: str) -> None:
    with pytest.raises(NumberTooLong):
        plain(text)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.from_regex(r"[-+.~0-9a-zA-Z_:]{1,8}", fullmatch=True).filter(lambda text: not text.endswith(":")))
def test_a_file_and_the_rule_agree(text: str) -> None:
    # The reader skips `plain` for most first characters: it must not matter.
    documents, findings = read_documents(decode(f"a: {text}\n".encode(), "x"))
    if findings:
        assert ":" in text or text.startswith("-")
        return
    assert repr(documents[0].value["a"]) == repr(plain(text))
