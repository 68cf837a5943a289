"""A copy of an example repository in git, with the test's paths and hosts in the jobs' `env`, and its jobs run."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run of a job ended."""

    state: str
    output: str
    result: dict[str, Any] | None
    outputs: Path

    @property
    def succeeded(self) -> bool:
        return self.state == "succeeded"


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

    A name that the job's `env` does not have is a mistake in the test. Schedules are taken out: a job runs when a test
    says so. No HTTP: the port may be somebody else's.
    """
    shutil.copytree(EXAMPLES / name, to)
    edits = {job: dict(values) for job, values in (env or {}).items()}
    for path in sorted((to / "jobs").glob("*.yaml")):
        documents = list(YAML().load_all(path))
        for document in documents:
            document.pop("schedule", None)
            for variable, value in edits.pop(document.get("name"), {}).items():
                assert variable in document["env"], (document["name"], variable)
                document["env"][variable] = value
        YAML().dump_all(documents, path)
    assert not edits
    (to / "jobsctl.yaml").write_text("http: null\n")
    git(to, "init", "--quiet")
    git(to, "add", ".")
    git(to, "commit", "--quiet", "--message", "Jobs for the test")
    return to


@dataclass(frozen=True, slots=True)
class Jobsctl:
    """The command line on one home."""

    home: Path

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "jobsctl", "--home", str(self.home), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def json(self, *arguments: str) -> Any:
        return json.loads(self("-o", "json", *arguments, check=False).stdout)

    def run(self, job: str) -> Ended:
        """Triggers the job and waits for its end."""
        run = self.json("trigger", job, "--wait", "--timeout", "50s")
        directory = self.home / ".jobsctl" / "runs" / run["project"] / run["job"] / run["id"]
        return Ended(run["state"], (directory / "output.log").read_text(), run["result"], directory / "outputs")


@contextlib.contextmanager
def daemon(home: Path) -> Iterator[Jobsctl]:
    """A daemon on `home` that knows its jobs; asked to end afterwards, and killed if it does not."""
    jobsctl = Jobsctl(home)
    log = home.with_name(f"{home.name}.daemon.log")
    with log.open("ab") as out:
        command = [sys.executable, "-m", "jobsctl", "--home", str(home), "daemon"]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 20
        while jobsctl("list", check=False).returncode != 0:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield jobsctl
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
