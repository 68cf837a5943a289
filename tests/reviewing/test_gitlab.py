"""The GitLab jobs: their scripts, done by a shell as a runner does them."""

from __future__ import annotations

import json

import yaml

from tests.reviewing.repository import BAD, CHANGED, GOOD, ROOT

JOBS = yaml.safe_load((ROOT / "deploy/gitlab/jobsctl.gitlab-ci.yml").read_text())


def do(repository, name, **env):
    """The lines of `script`, one shell, ended by the first that fails."""
    script = "set -eo pipefail\n" + "\n".join(JOBS[name]["script"])
    return repository.run("bash", "--noprofile", "--norc", "-c", script, env={**JOBS["variables"], **env})


def test_reports_are_written_whatever_is_found(repository):
    repository.commit({"jobs/hello.yaml": BAD})
    assert do(repository, "jobsctl-validate").returncode == 3
    reports = JOBS["jobsctl-validate"]["artifacts"]["reports"]
    assert len(json.loads((repository.folder / reports["codequality"]).read_text())) == 1
    assert 'failures="1"' in (repository.folder / reports["junit"]).read_text()


def test_the_plan_is_an_artifact(repository):
    base = repository.commit({"jobs/hello.yaml": GOOD})
    repository.commit({"jobs/hello.yaml": CHANGED})
    done = do(repository, "jobsctl-plan", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    assert (done.returncode, done.stderr) == (0, "")
    (path,) = JOBS["jobsctl-plan"]["artifacts"]["paths"]
    assert "default/hello" in (repository.folder / path).read_text()
