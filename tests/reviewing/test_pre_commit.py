"""The hook, run by pre-commit itself; only how it is installed is not as people do it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.reviewing.repository import BAD, CHANGED, GOOD, ROOT

(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
SCHEMA = ROOT / "tests/commands/formats/schemas/pre-commit-hooks.json"


def config(hook: dict[str, object]) -> str:
    """A repository's own hook: found on PATH, so that nothing is downloaded."""
    return yaml.safe_dump({"repos": [{"repo": "local", "hooks": [hook | {"language": "system"}]}]})


def shown_in_the_docs() -> str:
    """The `repo: local` configuration that the documentation proposes."""
    page = (ROOT / "docs/pull-requests.md").read_text()
    return next(block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "repo: local" in block)


def test_the_manifest_is_valid(repository):
    jsonschema.validate([HOOK], json.loads(SCHEMA.read_text()))
    done = repository.run("pre-commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_documentation_proposes_the_same_hook():
    (shown,) = yaml.safe_load(shown_in_the_docs())["repos"][0]["hooks"]
    assert shown == {key: value for key, value in HOOK.items() if key != "description"} | {"language": "system"}


def test_a_mistake_stops_the_commit(repository):
    """Also with `--all`, where git holds its lock while hooks run."""
    repository.commit({".pre-commit-config.yaml": config(HOOK), "jobs/hello.yaml": GOOD})
    assert repository.run("pre-commit", "install").returncode == 0
    (repository.folder / "jobs/hello.yaml").write_text(BAD)
    done = repository.run("git", "commit", "--all", "--message", "break it")
    assert done.returncode == 1
    assert "jobs/hello.yaml:2:7: error[JOB030]: unknown key `comand` in `run`" in done.stdout + done.stderr
    (repository.folder / "jobs/hello.yaml").write_text(CHANGED)
    done = repository.run("git", "commit", "--all", "--message", "change it")
    assert (done.returncode, "Passed" in done.stdout + done.stderr) == (0, True)


def test_a_job_that_is_missed_in_another_file_stops_it_too(repository):
    world = "name: world\ndepends_on: [hello]\nrun: {command: [echo]}\n"
    repository.commit({".pre-commit-config.yaml": config(HOOK), "jobs/hello.yaml": GOOD, "jobs/world.yaml": world})
    (repository.folder / "jobs/hello.yaml").write_text(GOOD.replace("hello", "hi", 1))
    repository.git("add", "--all")
    done = repository.run("pre-commit", "run")
    assert done.returncode == 1
    assert "jobs/world.yaml:2:14: error[JOB051]" in done.stdout


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("jobs/a.yaml", True),
        ("jobs/deep/er/a.yml", True),
        ("jobs/a.json", True),
        ("jobsctl.yaml", True),
        ("README.md", False),
        ("jobs/report.py", False),
        ("other/jobs/a.yaml", False),
        ("jobsctl.yaml.md", False),
    ],
)
def test_it_is_asked_for_files_of_jobs(path, asked):
    assert bool(re.search(HOOK["files"], path)) == asked


def test_the_documentation_names_the_hook():
    page = Path(ROOT / "docs/pull-requests.md").read_text()
    assert f"id: {HOOK['id']}" in page
