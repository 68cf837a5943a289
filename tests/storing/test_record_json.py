"""Records travel as JSON and come back as they were: any of them, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import EnumType
from typing import Any, get_args, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.recordjson import UnreadableRecord, record_of, to_plain
from state.records import DocumentRecord, Event, JobRecord, Run, RunState, SourceState

KINDS = [JobRecord, Run, Event, DocumentRecord, SourceState]
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
DATA = st.dictionaries(TEXT, st.none() | st.booleans() | TEXT | st.integers(-(2**53), 2**53), max_size=3)
WHOLE = st.integers(0, 2**53)


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    """What a field may hold, within what JSON can say."""
    if hint is type(None):
        return st.none()
    plain = {int: WHOLE, str: TEXT, bytes: TEXT.map(str.encode), float: st.floats(0, 1e9), Any: st.none() | DATA}
    if hint in plain:
        return plain[hint]
    if isinstance(hint, EnumType):
        return st.sampled_from(hint)
    arguments = get_args(hint)
    if get_origin(hint) is tuple:
        return st.lists(of_type(arguments[0]), max_size=2).map(tuple)
    if get_origin(hint) is Mapping:
        return (
            DATA if arguments[1] is Any else st.dictionaries(of_type(arguments[0]), of_type(arguments[1]), max_size=3)
        )
    return st.one_of([of_type(each) for each in arguments])


def records(kind: type) -> st.SearchStrategy[object]:
    """Any record of a kind."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{each.name: of_type(hints[each.name]) for each in fields(kind)})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(derandomize=True, max_examples=30, deadline=None)
@given(data=st.data())
def test_a_record_comes_back_as_it_was(kind, data):
    record = data.draw(records(kind))
    back = record_of(kind, orjson.loads(orjson.dumps(to_plain(record))))
    assert back == record
    assert repr(back) == repr(record)  # a word of an enum equals its text


RUN = Run(
    id="1", job_id=1, project="p", job="j", generation=1, digest="d", revision=None, trigger="schedule",
    scheduled_for=None, state=RunState.RUNNING, created_at=1,
)  # fmt: skip


def test_what_is_usual_is_left_out_and_what_is_not_known_passed_over():
    plain = to_plain(RUN)
    assert "exit_code" not in plain
    assert record_of(Run, {**plain, "mood": "good"}) == RUN


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param([], id="no record"),
        pytest.param({"id": "1"}, id="a record that lacks fields"),
        pytest.param({**to_plain(RUN), "state": "dreaming"}, id="a word of another version"),
    ],
)
def test_a_record_that_cannot_be_understood_is_refused(plain):
    with pytest.raises(UnreadableRecord, match="Run"):
        record_of(Run, plain)
