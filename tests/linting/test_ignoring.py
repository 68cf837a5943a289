"""Comments silence the warnings they name, where they stand, and nothing else."""

from __future__ import annotations

import pytest

from specs.load import load_bytes
from tests.linting.texts import codes_of, findings_of

OFTEN = "schedule: every 1m"
RUN = "name: hello\nrun: {command: [echo]}\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{RUN}{OFTEN} # jobsctl: ignore[JOB072]\n", id="on-the-line"),
        pytest.param(f"{RUN}{OFTEN} #jobsctl:ignore[JOB072]\n", id="without-spaces"),
        pytest.param(f"{RUN}{OFTEN}   # a poller # jobsctl: ignore[JOB072]\n", id="after-a-comment"),
        pytest.param(f"{RUN}{OFTEN} # jobsctl: ignore[JOB072] it ends by itself\n", id="with-a-reason"),
        pytest.param(f"{RUN}{OFTEN} # jobsctl: ignore[JOB041, JOB072]\n", id="one-of-two"),
        pytest.param(f"{RUN}# jobsctl: ignore[JOB072]\n{OFTEN}\n", id="on-the-line-above"),
        pytest.param(f"{RUN}# jobsctl: ignore[JOB072]\n# it ends by itself\n{OFTEN}\n", id="above-a-comment"),
        pytest.param(f"# jobsctl: ignore-file[JOB072]\n{RUN}{OFTEN}\n", id="the-whole-file"),
        pytest.param(f"{RUN}{OFTEN}\n# jobsctl: ignore-file[JOB072]\n", id="the-whole-file-from-its-end"),
        pytest.param(f"{RUN}{OFTEN} # jobsctl: ignore[JOB072]\r\n".replace("\n", "\r\n"), id="windows-lines"),
    ],
)
def test_silent(text):
    assert codes_of(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{RUN}{OFTEN} # jobsctl: ignore[JOB071]\n", id="another-code"),
        pytest.param(f"{RUN}# jobsctl: ignore[JOB072]\ntags: [a]\n{OFTEN}\n", id="another-line"),
        pytest.param(f"{RUN}{OFTEN}\n# jobsctl: ignore[JOB072]\n", id="the-line-after"),
        pytest.param(f"{RUN}{OFTEN}# jobsctl: ignore[JOB072]\n".replace("1m#", "1m #x"), id="no-comment-of-ours"),
        pytest.param(f"{RUN}{OFTEN} # ignore[JOB072]\n", id="without-the-name"),
    ],
)
def test_told(text):
    assert codes_of(text) == {"JOB072"}


def test_in_a_script_the_comment_is_the_shells():
    script = (
        "run:\n  script: |\n    export DB_PASSWORD=hunter2 # jobsctl: ignore[JOB074]\n    export PASSWORD=hunter3\n"
    )
    (found,) = findings_of(f"name: a\n{script}")
    assert found.line == 5


def test_other_warnings_can_be_silenced_too():
    assert codes_of(f'{RUN}schedule: "0 0 1 * 1" # jobsctl: ignore[JOB041]\n') == set()


def test_an_error_cannot_be_silenced():
    found = findings_of(f"{RUN}timout: 5m # jobsctl: ignore[JOB030]\n")
    assert [(each.code, each.message) for each in found] == [
        ("JOB030", "unknown key `timout`"),
        ("JOB077", "`JOB030` is an error, which cannot be ignored"),
    ]


@pytest.mark.parametrize(
    ("comment", "message", "under"),
    [
        ("# jobsctl: ignore[JOB072, JOB999]", "there is no code `JOB999`", "JOB999"),
        ("# jobsctl: ignore[job072]", "there is no code `job072`", "job072"),
        ("# jobsctl: ignore", "the codes to be ignored are missing", "ignore"),
        ("# jobsctl: ignore-file", "the codes to be ignored are missing", "ignore-file"),
        ("# jobsctl: ignore[]", "the codes to be ignored are missing", "ignore"),
        ("# jobsctl: disable[JOB072]", "a comment cannot ask for `disable`", "disable"),
    ],
)
def test_a_comment_that_cannot_work(comment, message, under):
    line = f"tags: [a] {comment}"
    (found,) = findings_of(f"{RUN}{line}\n")
    assert (found.code, found.severity, found.message) == ("JOB077", "warning", message)
    assert line[found.column - 1 : (found.end_column or 0) - 1] == under


def test_every_line_is_judged_by_itself():
    text = f"{RUN}{OFTEN} # jobsctl: ignore[JOB072]\n---\nname: b\nrun: {{command: [a]}}\n{OFTEN}\n"
    assert [each.identity for each in findings_of(text)] == ["default/b"]


def test_the_daemon_heeds_them_too():
    """What it tells of a file is what `validate` does, as far as it looks."""
    text = f'{RUN}schedule: "0 0 1 * 1"'
    assert [each.code for each in load_bytes(f"{text}\n".encode(), "a.yaml").diagnostics] == ["JOB041"]
    silent = load_bytes(f"{text} # jobsctl: ignore[JOB041]\n".encode(), "a.yaml")
    assert silent.diagnostics == ()
    assert [job.name for job in silent.jobs] == ["hello"]
