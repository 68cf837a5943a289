"""A copy of an example repository in git, with the test's paths and hosts in the jobs' `env`, and its jobs run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run of a job ended."""

    exit_code: int
    output: str
    result: dict[str, Any] | None
    outputs: Path

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0


def git(directory: Path, *arguments: str) -> str:
    """Runs git without the developer's own configuration."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "Test" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "test@example.com" for who in ("AUTHOR", "COMMITTER")},
    }
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def copy_example(name: str, to: Path, env: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
    """Copies `examples/<name>`, replaces values of `env` as an operator would by hand ({job: {name: value}}), commits.

    A name that the job's `env` does not have is a mistake in the test.
    """
    shutil.copytree(EXAMPLES / name, to)
    edits = {job: dict(values) for job, values in (env or {}).items()}
    for path in sorted((to / "jobs").glob("*.yaml")):
        documents = list(YAML().load_all(path))
        for document in documents:
            for variable, value in edits.pop(document["name"], {}).items():
                assert variable in document["env"], (document["name"], variable)
                document["env"][variable] = value
        YAML().dump_all(documents, path)
    assert not edits
    git(to, "init", "--quiet")
    git(to, "add", ".")
    git(to, "commit", "--quiet", "--message", "Jobs for the test")
    return to


def run_job(repository: Path, name: str, run_dir: Path) -> Ended:
    """Runs the job's command as the runner would: from the repository's root, with the spec's environment only."""
    documents = [document for path in (repository / "jobs").glob("*.yaml") for document in YAML().load_all(path)]
    spec = next(document for document in documents if document["name"] == name)
    shutil.rmtree(run_dir, ignore_errors=True)
    (run_dir / "outputs").mkdir(parents=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(run_dir), "LANG": "C.UTF-8"}
    for variable, value in spec["env"].items():
        env[variable] = value if isinstance(value, str) else Path(value["from_file"]).read_text().removesuffix("\n")
    env["JOBSCTL_OUTPUT_DIR"] = str(run_dir / "outputs")
    env["JOBSCTL_RESULT_FILE"] = str(run_dir / "result.json")
    env["JOBSCTL_PROGRESS_FILE"] = str(run_dir / "progress.json")
    command = list(spec["run"]["command"])
    done = subprocess.run(
        command, cwd=repository, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    result = run_dir / "result.json"
    return Ended(
        done.returncode,
        done.stdout.decode(),
        json.loads(result.read_text()) if result.exists() else None,
        run_dir / "outputs",
    )
