"""Field by field: what a plan says of two specs is all that differs, and nothing else."""

from __future__ import annotations

from copy import deepcopy

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli.planning.compare import make_plan
from cli.planning.fields import MISSING, changed_fields, complete, path_text, said_fields
from reconciler.sync import PrunePolicy
from specs.load import load_bytes
from specs.model import Job
from tests.planning.made_up import contents, side, some_jobs, was

NOW = 1_800_000_000_000_000
GUARD = PrunePolicy(jobs=100)
scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b\nc", 1.5])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner)
)
mappings = st.dictionaries(st.sampled_from(["a", "b", "c.d", ""]), values)


def put(tree, path, value):
    """Set or remove one path, knowing nothing of how it was found."""
    *above, last = path
    for step in above:
        tree = tree[step]
    if value is MISSING:
        del tree[last]
    else:
        tree[last] = value


def same(one, other):
    """Equal as JSON: `true` is not 1."""
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


@given(mappings, mappings)
@example({"a": [True]}, {"a": [1]})
@example({"a": {}}, {"a": None})
@settings(derandomize=True, max_examples=120)
def test_putting_in_every_path_makes_the_old_the_new(old, new):
    changes = changed_fields(old, new)
    assert bool(changes) is not same(old, new)
    made = deepcopy(old)
    for change in changes:
        put(made, change.path, deepcopy(change.new))
    assert same(made, new)


@given(some_jobs(), some_jobs())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_doing_what_a_plan_says_gives_what_the_files_say(old, new):
    before, after = was(contents(old)), side(contents(new))
    plan = make_plan(before, after, now=NOW, guard=GUARD)
    made = {identity: deepcopy(complete(orjson.loads(job.spec))) for identity, job in before.jobs.items()}
    for job in plan.jobs:
        match job.action:
            case "create":
                made[job.identity] = job.new
            case "prune":
                del made[job.identity]
            case "change":
                for change in job.fields:
                    put(made[job.identity], change.path, change.new)
            case other:
                raise AssertionError(other)
    assert made == {identity: complete(orjson.loads(job.spec)) for identity, job in after.desired.jobs.items()}
    assert plan.unchanged + len(plan.jobs) - plan.counts.get("prune", 0) == len(new)


@given(some_jobs())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_of_the_same_files_there_is_nothing_to_plan(jobs):
    plan = make_plan(was(contents(jobs)), side(contents(jobs)), now=NOW, guard=PrunePolicy())
    assert (plan.jobs, plan.documents, plan.touched, plan.notes, plan.differs) == ((), (), (), (), False)
    assert plan.unchanged == len(jobs)


def test_a_default_that_was_never_written_is_what_it_was():
    (old,) = load_bytes(b"name: a\nrun: {command: [x]}\n", "a.yaml").jobs
    (new,) = load_bytes(b"name: a\nrun: {command: [x]}\noverlap: queue\nretry: {attempts: 3}\n", "a.yaml").jobs
    changes = changed_fields(complete(orjson.loads(old.spec)), complete(orjson.loads(new.spec)))
    assert [(change.name, change.old, change.new) for change in changes] == [
        ("overlap", "skip", "queue"),
        ("retry.attempts", 1, 3),
    ]


def test_of_a_new_job_only_what_it_says_is_told():
    (job,) = load_bytes(b"name: a\nschedule: every 1h\nrun: {command: [x], limits: {memory: 1G}}\n", "a.yaml").jobs
    assert [(change.name, change.new) for change in said_fields(complete(orjson.loads(job.spec)))] == [
        ("run.command", ["x"]),
        ("run.limits.memory", 1_000_000_000),
        ("schedule", "every 1h"),
    ]


def test_every_field_of_a_job_is_in_a_complete_spec():
    (job,) = load_bytes(b"name: a\nrun: {command: [x]}\n", "a.yaml").jobs
    assert set(complete(orjson.loads(job.spec))) == set(Job.model_fields)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(("run", "command", 2), "run.command[2]", id="place_in_a_list"),
        pytest.param(("labels", "a.b/c"), 'labels."a.b/c"', id="key_with_a_dot"),
        pytest.param(("env", ""), 'env.""', id="empty_key"),
    ],
)
def test_paths_are_written_as_people_write_them(path, text):
    assert path_text(path) == text
