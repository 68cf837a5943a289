"""Specs as people write them: nothing that counts is left out, and what is shown can be read back."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.planning.spoken import beyond_defaults, with_units
from specs.load import load_bytes
from specs.notation import parse_duration, parse_size, write_duration, write_size
from status.words.yaml import dump_yaml

JOBS = [
    pytest.param("name: a\nrun: {command: [a]}\n", id="the least"),
    pytest.param("name: a\ntimeout: none\nschedule: every 10m\nrun: {command: [a]}\n", id="no timeout"),
    pytest.param("name: a\ntimeout: 30m\nretry: {attempts: 2, delay: 90s}\nrun: {command: [a]}\n", id="times"),
    pytest.param("name: a\nrun: {command: [a], limits: {memory: 512Mi, output: 1000}}\n", id="sizes"),
    pytest.param("name: a\nenv: {timeout: '90', delay: '5'}\nlabels: {grace: '1'}\nrun: {command: [a]}\n", id="names"),
    pytest.param(
        "name: a\nproject: b\noverlap: allow\nmissed: {policy: all, grace: 1h}\nrun: {script: x}\n", id="many"
    ),
    pytest.param("name: a\njitter: {random: 10m}\nsuspend: true\nschedule: '@daily'\nrun: {command: [a]}\n", id="rest"),
]


def canonical(text: str) -> dict[str, object]:
    (job,) = load_bytes(text.encode(), "a.yaml").jobs
    spec: dict[str, object] = orjson.loads(job.spec)
    return spec


@pytest.mark.parametrize("text", JOBS)
def test_what_is_said_defines_the_same_job(text: str) -> None:
    spec = canonical(text)
    assert canonical(dump_yaml(with_units(beyond_defaults(spec, None)))) == spec


@pytest.mark.parametrize("before", JOBS)
@pytest.mark.parametrize("after", JOBS)
def test_two_jobs_look_alike_only_when_they_are(before: str, after: str) -> None:
    old, new = canonical(before), canonical(after)
    shown = [dump_yaml(with_units(beyond_defaults(*pair))) for pair in ((old, new), (new, old))]
    assert (shown[0] == shown[1]) is (old == new)


def test_a_default_is_said_where_the_other_side_differs() -> None:
    old, new = canonical("name: a\nrun: {command: [a]}\n"), canonical("name: a\ntimeout: 1h\nrun: {command: [a]}\n")
    assert beyond_defaults(old, new)["timeout"] == "none"
    assert with_units(beyond_defaults(new, old))["timeout"] == "1h"
    assert "timeout" not in beyond_defaults(old, old)


@given(st.integers(1, 315_360_000_000))
@settings(derandomize=True, max_examples=200)
def test_a_duration_is_read_as_it_was_written(millis: int) -> None:
    assert parse_duration(write_duration(millis / 1000)) == pytest.approx(millis / 1000, abs=1e-6)


@given(st.integers(1, 2**50) | st.integers(1, 2**20).map(lambda count: count << 20))
@settings(derandomize=True, max_examples=200)
def test_a_size_is_read_as_it_was_written(count: int) -> None:
    assert parse_size(write_size(count)) == count
