"""The composite action: its steps, done by bash as a runner does them, on the merge of a pull request.

Only the first step is left out here: it downloads. What it installs is on PATH instead.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.reviewing.repository import BAD, CHANGED, GOOD, ODD, ROOT, Repository

ACTION = yaml.safe_load((ROOT / "deploy/github-action/action.yml").read_text())
SCHEMA = ROOT / "tests/commands/formats/schemas/github-action.json"
INSTALL, CHECK, PLAN = ACTION["runs"]["steps"]


@dataclass(frozen=True)
class Step:
    """What one step left behind."""

    code: int
    out: str
    err: str


class Runner:
    """GitHub's, as far as the action needs one: inputs, two contexts, two files."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        self.repository = repository
        self.temp = folder / "temp"
        self.summary, self.output = folder / "summary.md", folder / "output"
        for path in (self.summary, self.output):
            path.touch()
        (self.temp / "jobsctl" / "bin").mkdir(parents=True)
        (self.temp / "jobsctl" / "bin" / "jobsctl").symlink_to(repository.program)

    def do(self, step: dict[str, object], **inputs: str) -> Step:
        """One step, with the shell that runners have for `shell: bash`."""
        assert step["shell"] == "bash"
        values = {f"inputs.{name}": str(each["default"]) for name, each in ACTION["inputs"].items()}
        values |= {f"inputs.{name}": value for name, value in inputs.items()}
        values |= {"runner.temp": str(self.temp), "github.action_path": str(ROOT / "deploy/github-action")}

        def filled(text: str) -> str:
            return re.sub(r"\$\{\{ ([a-z_.]+) \}\}", lambda found: values[found[1]], text)

        env = {name: filled(text) for name, text in step["env"].items()}
        env |= {"GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_OUTPUT": str(self.output)}
        script = self.temp / "step.sh"
        script.write_text(str(step["run"]))
        done = self.repository.run("bash", "--noprofile", "--norc", "-eo", "pipefail", str(script), env=env)
        return Step(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def runner(repository, tmp_path):
    return Runner(repository, tmp_path)


def test_the_action_is_valid():
    jsonschema.validate(ACTION, json.loads(SCHEMA.read_text()))


def test_no_input_is_pasted_into_a_script():
    """A value with a quote in it would else be a program."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_it_uses_nobody_elses_action():
    assert all("uses" not in step for step in ACTION["runs"]["steps"])


def test_it_installs_what_is_locked_from_its_own_checkout():
    source = Path(INSTALL["env"]["SOURCE"].replace("${{ github.action_path }}", str(ROOT / "deploy/github-action")))
    assert source.resolve() == ROOT
    assert (source / "requirements.lock").is_file()
    assert '--require-hashes -r "$SOURCE/requirements.lock"' in INSTALL["run"]


def test_a_good_change_is_planned(runner):
    runner.repository.pull_request({"jobs/hello.yaml": GOOD}, {"jobs/hello.yaml": CHANGED})
    assert runner.do(CHECK).code == 0
    done = runner.do(PLAN)
    assert (done.code, done.err) == (0, "")
    assert "default/hello" in runner.summary.read_text()
    file = Path(runner.output.read_text().removeprefix("file=").strip())
    assert file.read_text() == runner.summary.read_text()


def test_a_mistake_is_an_annotation_and_the_rest_is_planned(runner):
    new = GOOD.replace("hello", "new", 1)
    runner.repository.pull_request({"jobs/hello.yaml": GOOD}, {"jobs/hello.yaml": BAD, "jobs/new.yaml": new})
    done = runner.do(CHECK)
    assert done.code == 3
    assert done.out == (
        "::error file=jobs/hello.yaml,line=2,col=7,endColumn=13,title=JOB030::"
        "unknown key `comand` in `run`%0Ahelp: did you mean `command`?\n"
    )
    assert runner.do(PLAN).code == 0
    assert "default/new" in runner.summary.read_text()


@pytest.mark.parametrize(("strict", "code"), [("false", 0), ("true", 3)])
def test_strict(runner, strict, code):
    runner.repository.pull_request({"jobs/hello.yaml": GOOD}, {"jobs/hello.yaml": ODD})
    done = runner.do(CHECK, strict=strict)
    assert (done.code, done.out.split(" ")[0]) == (code, "::warning")


def test_a_home_in_a_folder(runner):
    runner.repository.pull_request({"ops/jobs/hello.yaml": GOOD}, {"ops/jobs/hello.yaml": BAD})
    assert "file=ops/jobs/hello.yaml," in runner.do(CHECK, home="ops").out
    assert runner.do(PLAN, home="ops").code == 0


def test_a_shallow_checkout_fetches_what_it_compares_with(runner, tmp_path):
    runner.repository.pull_request({"jobs/hello.yaml": GOOD}, {"jobs/hello.yaml": CHANGED})
    runner.repository.git("branch", "merge")
    clone = ["git", "clone", "--quiet", "--depth=1", "--branch=merge", f"file://{runner.repository.folder}"]
    subprocess.run([*clone, str(tmp_path / "shallow")], check=True, env=runner.repository.env)
    runner.repository.folder = tmp_path / "shallow"
    done = runner.do(PLAN)
    assert (done.code, done.err) == (0, "")
    assert "default/hello" in runner.summary.read_text()


def test_the_first_commit_of_all_has_no_plan(runner):
    runner.repository.commit({"jobs/hello.yaml": GOOD})
    assert runner.do(PLAN).code == 0
    assert (runner.summary.read_text(), runner.output.read_text()) == ("", "")


def test_a_revision_that_is_not_there_fails(runner):
    runner.repository.commit({"jobs/hello.yaml": GOOD})
    done = runner.do(PLAN, against="no-such-branch")
    assert done.code not in (0, 3)
    assert "no-such-branch" in done.err
