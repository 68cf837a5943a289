"""Equal jobs have equal bytes, however they are written; different jobs have different ones."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.desired import DesiredJob
from specs.load import load_bytes
from specs.model import Job

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Cn")), max_size=30)
ENV_VALUES = st.one_of(
    TEXTS,
    st.fixed_dictionaries({"from_file": st.just("/run/secrets/x")}),
    st.fixed_dictionaries({"from_env": st.just("TOKEN")}),
    st.fixed_dictionaries({"credential": st.just("token")}),
)
JOBS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "run": st.one_of(
            st.fixed_dictionaries({"command": st.lists(TEXTS, min_size=1, max_size=4)}),
            st.fixed_dictionaries(
                {"script": TEXTS.filter(bool), "limits": st.fixed_dictionaries({"pids": st.integers(1, 99)})}
            ),
        ),
    },
    optional={
        "project": NAMES,
        "description": TEXTS,
        "labels": st.dictionaries(NAMES, TEXTS, max_size=3),
        "tags": st.lists(TEXTS.filter(bool), max_size=3),
        "schedule": st.sampled_from(
            [
                "every 10m",
                "0 9 * * *",
                {"every": "5m"},
                {"continuous": True, "delay": "2s"},
                ["@daily", {"cron": "1 2 3 4 *"}],
            ]
        ),
        "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
        "suspend": st.one_of(st.booleans(), st.fixed_dictionaries({"reason": TEXTS})),
        "env": st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), ENV_VALUES, max_size=3),
        "timeout": st.sampled_from(["none", "90s", 90, 90.0, "1m30s"]),
        "grace": st.sampled_from([10, "10s", 2.5]),
        "dst": st.just({"gap": "skip"}),
        "capture": st.just({"streams": "separate"}),
        "retry": st.sampled_from([{"attempts": 1}, {"attempts": 3, "delay": "1m30s"}]),
        "missed": st.sampled_from(["latest", "all", {"policy": "all", "grace": 90.0}]),
        "jitter": st.sampled_from(["1s", 2.0, {"spread": "1s"}, {"random": 1, "spread": 2}]),
        "success_codes": st.sampled_from([[0], [0, 3]]),
        "depends_on": st.sampled_from([["b"], ["b", {"job": "c/d", "max_age": "6h"}]]),
        "params": st.sampled_from([{}, {"x": {"default": "1"}}]),
        "retention": st.sampled_from([{}, {"max_age": "30d", "output_max": "1Gi"}]),
        "prune": st.booleans(),
    },
)


def only_job(text: str | bytes, path: str = "job.yaml") -> DesiredJob:
    found = load_bytes(text.encode() if isinstance(text, str) else text, path)
    assert not [each for each in found.diagnostics if each.severity == "error"], found.diagnostics
    (job,) = found.jobs
    return job


def shuffled(value: Any, draw: Any) -> Any:
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    return [shuffled(each, draw) for each in value] if isinstance(value, list) else value


@settings(max_examples=80, derandomize=True, deadline=None)
@given(JOBS, st.data())
def test_layout_order_and_language_do_not_change_a_job(document: dict[str, Any], data: st.DataObject) -> None:
    # PyYAML writes and json writes: two independent writers, neither of them our reader.
    other = shuffled(document, data.draw)
    block = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    flow = "# a comment\n" + yaml.safe_dump(other, default_flow_style=True, sort_keys=False, width=20)
    as_json = json.dumps(other, indent=data.draw(st.sampled_from([None, 1, "\t"])))
    jobs = [only_job(block), only_job(flow), only_job(as_json, "job.json"), only_job("---\n" + block + "...\n")]
    assert len({(job.spec, job.digest) for job in jobs}) == 1


@settings(max_examples=80, derandomize=True, deadline=None)
@given(JOBS)
def test_a_canonical_job_is_its_own_canonical_form(document: dict[str, Any]) -> None:
    job = only_job(json.dumps(document), "job.json")
    again = only_job(job.spec, "job.json")
    assert again.spec == job.spec
    assert orjson.dumps(orjson.loads(job.spec), option=orjson.OPT_SORT_KEYS) == job.spec
    written = orjson.dumps(Job.from_canonical(job.spec).canonical(), option=orjson.OPT_SORT_KEYS)
    assert written == job.spec


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("timeout: 90s", "timeout: 1m30s", id="durations-mean-seconds"),
        pytest.param("timeout: none", "", id="a-default-written-out"),
        pytest.param("project: default", "", id="the-default-project"),
        pytest.param("labels: {}", "", id="an-empty-mapping"),
        pytest.param("description: 'x'", "description: x", id="quotes"),
        pytest.param("grace: 10.0", "grace: 10", id="a-whole-number-with-a-point"),
        pytest.param("labels: {a: '1', b: '2'}", "labels: {b: '2', a: '1'}", id="order-of-keys"),
    ],
)
def test_the_same_job_written_otherwise(one: str, other: str) -> None:
    start = "name: a\nrun: {script: x}\n"
    assert only_job(start + one).digest == only_job(start + other).digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("tags: [a, b]", "tags: [b, a]", id="order-of-a-list"),
        pytest.param("timeout: 90s", "timeout: 91s", id="another-duration"),
        pytest.param("env: {A: '1'}", "env: {A: {from_env: '_1'}}", id="a-value-and-a-reference"),
        pytest.param("description: x", "description: 'x '", id="a-space"),
        pytest.param("suspend: false", "suspend: true", id="suspended"),
    ],
)
def test_another_job(one: str, other: str) -> None:
    start = "name: a\nrun: {script: x}\n"
    assert only_job(start + one).digest != only_job(start + other).digest
