"""What a run is given besides its spec: params, and the runs of other jobs that it follows. Called by
`runners.process`.

Params reach the program as `JOBSCTL_PARAM_<NAME>`, and where `{{ params.NAME }}` stands in its arguments, environment
and working directory. Never in a script: text pasted into a program is how injections are made; a script reads the
variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from specs.stored import StoredJob

_PLACE = re.compile(r"\{\{\s*params\.([A-Za-z][A-Za-z0-9_]*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class UpstreamRun:
    """A run that is followed."""

    identity: str
    run_id: str
    run_dir: str | None
    """None when its files are gone."""


def values_of(job: StoredJob, given: Mapping[str, str]) -> dict[str, str]:
    """The params of a run: what was given, else the defaults. One with neither is left out."""
    params = job.params
    values = {name: param.default for name, param in params.items() if param.default is not None}
    return values | {name: value for name, value in given.items() if name in params}


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in their places. A name that is no param stays as it is written."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text) if values and "{{" in text else text


def environment(values: Mapping[str, str], upstream: tuple[UpstreamRun, ...], project: str) -> dict[str, str]:
    """The variables that tell a program its params and what it follows.

    For a job `extract` of the same project `JOBSCTL_UPSTREAM_EXTRACT_RUN_ID`, `_OUTPUT_DIR` and `_RESULT_FILE`; for one
    of another project its name comes first: `JOBSCTL_UPSTREAM_SALES_EXTRACT_RUN_ID`.
    """
    env = {f"JOBSCTL_PARAM_{name.upper()}": value for name, value in values.items()}
    for run in upstream:
        name = run.identity.removeprefix(f"{project}/")
        prefix = "JOBSCTL_UPSTREAM_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
        env[f"{prefix}_RUN_ID"] = run.run_id
        if run.run_dir is not None:
            env[f"{prefix}_OUTPUT_DIR"] = f"{run.run_dir}/outputs"
            env[f"{prefix}_RESULT_FILE"] = f"{run.run_dir}/result.json"
    return env
