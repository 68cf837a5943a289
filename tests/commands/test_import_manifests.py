"""`jobsctl import kubernetes|yacron|term-llm` as it is called: what goes where, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

DATA = Path(__file__).parents[1] / "importing" / "data"
HELLO = str(DATA / "kubernetes" / "kubernetes-website-hello.yaml")


@pytest.mark.parametrize(
    ("system", "files", "names"),
    [
        ("kubernetes", ["kubernetes/kubernetes-website-hello.yaml", "kubernetes/ecr-gc.yaml"], ["hello", "ecr-gc"]),
        ("yacron", ["yacron/drinking-mate.yaml"], ["deactivate-mates"]),
        ("term-llm", ["term-llm/run-once-at-midnight.json"], ["run-once-at-midnight"]),
    ],
)
def test_jobs_go_to_stdout_and_the_rest_to_stderr(jobsctl, system, files, names) -> None:
    done = jobsctl("import", system, *(str(DATA / file) for file in files), "--check")
    assert done.code == 0
    assert [document["name"] for document in YAML(typ="safe", pure=True).load_all(done.out)] == names
    assert "check: " + names[0] in done.err
    assert f"Imported {len(names)} job" in done.err


def test_what_was_written_is_a_valid_home(jobsctl, tmp_path) -> None:
    files = [str(file) for file in sorted((DATA / "kubernetes").glob("*.yaml"))]
    assert jobsctl("import", "kubernetes", *files, "--write", "jobs").code == 0
    assert jobsctl("validate", "jobs").code == 0
    assert len(list(Path("jobs").glob("*.yaml"))) == len(files)


def test_a_manifest_that_cannot_be_read_ends_with_3_and_the_others_are_written(jobsctl, tmp_path) -> None:
    (tmp_path / "chart.yaml").write_text("kind: CronJob\nmetadata:\n  name: {{ .Values.name }}\n")
    done = jobsctl("import", "kubernetes", str(tmp_path / "chart.yaml"), HELLO)
    assert done.code == 3
    assert f"{tmp_path / 'chart.yaml'}:3:9: error[IMPORT]" in done.err
    assert "helm template CHART | jobsctl import kubernetes -" in done.err
    assert done.out.startswith("name: hello\n")


def test_a_check_that_fails_ends_with_1(jobsctl) -> None:
    done = jobsctl("import", "term-llm", str(DATA / "term-llm" / "friday.yaml"), "--check")
    assert done.code == 1
    assert "DIFFERENT" in done.err


def test_the_report_is_data_with_o_json(jobsctl) -> None:
    done = jobsctl("-o", "json", "import", "kubernetes", HELLO, "--check")
    report = json.loads(done.out)
    (job,) = report["jobs"]
    assert job["check"]["state"] == "same"
    assert {"lost", "info"} == {note["level"] for note in job["notes"]}


@pytest.mark.parametrize("system", ["kubernetes", "yacron", "term-llm"])
def test_a_file_that_is_not_there_ends_with_4(jobsctl, system) -> None:
    assert jobsctl("import", system, "nowhere.yaml").code == 4


@pytest.mark.parametrize("system", ["kubernetes", "yacron", "term-llm"])
def test_help_says_what_it_reads_with_examples(jobsctl, system) -> None:
    done = jobsctl("import", system, "--help")
    assert done.code == 0
    assert f"jobsctl import {system} " in done.out
