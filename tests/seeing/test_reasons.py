"""The closed set of reasons: each has words, and docs/reasons.md is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate_reasons import document
from state.records import SKIP_REASONS, WAIT_REASONS, Reason
from status.phase import WAITING
from status.words.reasons import EXPLAINED, advice_words, skip_words, wait_words

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_has_words_and_advice(reason: Reason) -> None:
    words = EXPLAINED[reason]
    said = [each for each in (words.end, words.skip, words.wait, words.decision) if each is not None]
    assert said
    assert words.advice
    assert all(each[0].islower() or each[0] == "`" for each in said), "a clause, not a sentence"
    assert not any(each.endswith(".") for each in (*said, words.advice))


def test_what_a_reason_is_said_of_is_what_the_store_takes_it_for() -> None:
    assert {reason for reason, words in EXPLAINED.items() if words.skip} == set(SKIP_REASONS)
    assert {reason for reason, words in EXPLAINED.items() if words.wait} == set(WAIT_REASONS)
    assert set(WAITING) == set(WAIT_REASONS)


def test_the_page_says_what_the_code_says() -> None:
    """`python -m docs.generate_reasons` writes it anew."""
    assert (DOCS / "reasons.md").read_text(encoding="utf-8") == document()


def test_advice_names_the_job_and_is_empty_when_there_is_nothing_to_do() -> None:
    assert advice_words(Reason.SUSPENDED, "default/a").startswith("`jobsctl resume default/a`")
    assert advice_words(Reason.BACKOFF, "default/a") == ""
    assert advice_words(None, "default/a") == ""


def test_a_reason_of_another_version_is_told_as_unknown() -> None:
    assert "not known" in skip_words(None)
    assert "does not know" in wait_words(None)
