"""Ids sort by time, only go up, and bound a query by time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state import ids
from state.ids import first_id, is_id, is_prefix, new_id, time_of


@pytest.fixture(autouse=True)
def _a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last", 0)


AT = 1_800_000_000_123_000
INSTANTS = st.integers(min_value=0, max_value=2**48 * 1000 - 1000)


def decoded(id: str) -> int:
    """Crockford's base 32 by the book: digits and letters without i, l, o, u."""
    letters = [c for c in "0123456789abcdefghijklmnopqrstuvwxyz" if c not in "ilou"]
    value = 0
    for character in id:
        value = value * 32 + letters.index(character)
    return value


@given(INSTANTS)
@settings(max_examples=50, derandomize=True, deadline=None)
def test_the_bound_of_an_instant_holds_its_time_and_no_chance(at: int) -> None:
    assert decoded(first_id(at)) >> 80 == -(-at // 1000)
    assert decoded(first_id(at)) % 2**80 == 0


def test_an_id_is_a_ulid_of_its_millisecond() -> None:
    id = new_id(AT + 456)
    assert is_id(id)
    assert decoded(id) >> 80 == AT // 1000
    assert time_of(id) == AT
    assert first_id(AT - 1000) <= id < first_id(AT + 1000)


def test_ids_only_go_up_also_when_the_clock_is_corrected() -> None:
    made = [new_id(AT - step) for step in (0, 0, 1_000, 60_000_000, 0)]
    assert made == sorted(set(made))


def test_ids_follow_a_clock_that_was_far_ahead() -> None:
    ahead, right = new_id(AT + 10**15), new_id(AT)
    assert time_of(ahead) == AT + 10**15
    assert time_of(right) == AT


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        pytest.param("01m7yjck70b57cph9jqfh017wj", True, id="an id"),
        pytest.param("01M7YJCK70B57CPH9JQFH017WJ", False, id="upper case is for people"),
        pytest.param("01m7yjck70b57cph9jqfh017w", False, id="one short"),
        pytest.param("81m7yjck70b57cph9jqfh017wj", False, id="more than 128 bits"),
        pytest.param("01m7yjck70b57cph9jqfh017wl", False, id="l is no digit"),
        pytest.param("01m7yjck70b57cph9jqfh017wj\n", False, id="a newline behind"),
        pytest.param("../../../../../../../../etc", False, id="a path"),
    ],
)
def test_what_is_an_id(text: str, whole: bool) -> None:
    assert is_id(text) is whole


@pytest.mark.parametrize(("text", "good"), [("01M7", True), ("", False), ("01%", False), ("0" * 27, False)])
def test_what_can_begin_an_id(text: str, good: bool) -> None:
    assert is_prefix(text) is good
