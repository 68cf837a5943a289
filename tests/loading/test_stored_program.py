"""The program that a run is started with is the one its model says, read from the stored spec without the model."""

from __future__ import annotations

import orjson
import pytest
from pydantic_core import to_jsonable_python

from specs.model import Job
from specs.stored import StoredJob, Unreadable
from specs.storedprogram import StoredProgram
from tests.loading.test_stored import canonical_specs

FULL = {
    "name": "full",
    "run": {
        "script": "echo", "interpreter": ["/bin/bash"], "working_dir": "reports", "user": "backup", "group": "adm",
        "umask": "027", "limits": {"memory": "512Mi", "cpu": 0.5, "pids": 20, "nofile": 64, "output": "10Mi"},
    },
    "env": {"A": "b", "C": {"from_file": "c"}, "D": {"from_env": "E"}, "F": {"credential": "g"}},
    "capture": {"streams": "separate", "timestamps": "line"},
}  # fmt: skip


def test_it_is_what_the_model_says():
    specs = [*canonical_specs(), orjson.dumps(Job.model_validate(FULL).canonical())]
    for spec in specs:
        model = Job.from_canonical(spec)
        program, run = StoredProgram.of(StoredJob.of(spec)), model.run
        for name in ("command", "script", "interpreter", "working_dir", "user", "group"):
            assert getattr(program, name) == getattr(run, name), name
        assert program.umask == (None if run.umask is None else int(run.umask, 8))
        for name in ("memory", "cpu", "pids", "nofile"):
            assert getattr(program, name) == getattr(run.limits, name), name
        assert program.output_max == run.limits.output
        assert program.env == to_jsonable_python(model.env)
        assert program.separate_streams == (model.capture.streams == "separate")
        assert program.stamp_lines == (model.capture.timestamps == "line")


def test_what_is_left_out_has_the_default_of_the_model():
    said = {"project": "p", "name": "a", "schedule": None, "dst": {}, "run": {"command": ["a"]}}
    model = Job.model_validate({"name": "a", "run": {"command": ["a"]}})
    whole = StoredProgram.of(StoredJob.of(orjson.dumps(model.canonical())))
    assert StoredProgram.of(StoredJob.of(orjson.dumps(said))) == whole


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param({}, id="no_program"),
        pytest.param({"run": {"command": ["a"], "umask": "rwx"}}, id="a_umask_that_is_none"),
        pytest.param({"run": {"command": ["a"], "limits": 5}}, id="limits_that_are_none"),
    ],
)
def test_a_program_of_no_use_is_told(rest):
    said = {"project": "p", "name": "a", "schedule": None, "dst": {}, **rest}
    with pytest.raises(Unreadable):
        StoredProgram.of(StoredJob.of(orjson.dumps(said)))
