"""The filter itself: however a stream is cut into pieces, the same comes out, and no needle with it."""

from __future__ import annotations

import base64
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from runners.supervisor.redact import MASK, Redactor, forms

few = st.integers(0, 2).map(lambda number: b"ab*"[number : number + 1])
text = st.lists(few, max_size=60).map(b"".join)
needle = st.lists(few, min_size=1, max_size=7).map(b"".join)


def oracle(data: bytes, needles: list[bytes]) -> bytes:
    """Byte by byte: which needles are at each place; overlapping ones are one mask."""
    spans = sorted(
        (start, start + len(one))
        for one in needles
        for start in range(len(data))
        if data[start : start + len(one)] == one
    )
    merged: list[list[int]] = []
    for start, stop in spans:
        if merged and start < merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], stop)
        else:
            merged.append([start, stop])
    out, at = b"", 0
    for start, stop in merged:
        out += data[at:start] + MASK
        at = stop
    return out + data[at:]


@settings(derandomize=True, max_examples=600, deadline=None)
@given(text, st.lists(needle, min_size=1, max_size=4), st.lists(st.integers(0, 60), max_size=8))
def test_cuts_change_nothing(data: bytes, needles: list[bytes], cuts: list[int]) -> None:
    redactor = Redactor(needles)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    out = b"".join(redactor.feed(piece) for piece in pieces) + redactor.feed(b"", last=True)
    assert out == oracle(data, needles)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(text, st.lists(needle, min_size=1, max_size=4))
def test_no_more_is_held_back_than_may_become_a_needle(data: bytes, needles: list[bytes]) -> None:
    redactor = Redactor(needles)
    redactor.feed(data)
    held = redactor._held
    assert held == b"" or any(one.startswith(held) and len(held) < len(one) for one in needles)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.text(min_size=8, max_size=40, alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n")),
    st.binary(max_size=5),
    st.binary(max_size=5),
)
def test_a_secret_inside_longer_base64_is_found(secret: str, before: bytes, after: bytes) -> None:
    if len(secret.strip()) < 8 or len(secret.splitlines()) != 1:
        return
    encoded = base64.b64encode(before + secret.encode() + after)
    assert MASK in Redactor(forms([secret])).feed(encoded, last=True)


def test_short_values_are_left_alone() -> None:
    assert forms(["abc", ""]) == []


def test_each_line_of_a_long_value_counts() -> None:
    found = forms(["-----BEGIN-----\nc2VjcmV0\n"])
    assert b"c2VjcmV0" in found
