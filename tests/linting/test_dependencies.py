"""A job that waits for one that does not run by itself is told where it says so."""

from __future__ import annotations

import pytest

from tests.linting.texts import codes_of, findings_of

WORLD = "---\nname: world\ndepends_on: [hello]\nrun: {command: [echo]}\n"


def hello(fields: str) -> str:
    return f"name: hello\nrun: {{command: [echo]}}\n{fields}"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param("", "runs only when triggered", id="no-schedule"),
        pytest.param("schedule: manual\n", "runs only when triggered", id="manual"),
        pytest.param("schedule: every 1h\nsuspend: true\n", "is suspended", id="suspended"),
        pytest.param(
            "schedule: every 1h\nsuspend: {reason: the disk is full}\n",
            "is suspended (the disk is full)",
            id="with-reason",
        ),
        pytest.param(
            "schedule: 2026-01-01T00:00:00Z\n",
            "has no slot any more; its last was 2026-01-01T00:00:00Z",
            id="once-past",
        ),
        pytest.param(
            "schedule: every 1h\nend_at: 2026-01-01T00:00:00Z\n",
            "has ended, by its `end_at` 2026-01-01T00:00:00Z",
            id="ended",
        ),
        pytest.param(
            'schedule: "0 0 24 12 *"\nend_at: 2026-12-01T00:00:00Z\n', "has no slot any more", id="ends-before-the-next"
        ),
        pytest.param(
            'schedule: ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]\n',
            "has no slot any more; its last was 2026-02-01T00:00:00Z",
            id="a-list-that-is-over",
        ),
    ],
)
def test_waits_for_what_does_not_come(fields, why):
    text = hello(fields) + WORLD
    (found,) = findings_of(text)
    assert (found.code, found.identity, found.severity) == ("JOB076", "default/world", "warning")
    assert text.splitlines()[found.line - 1][found.column - 1 : (found.end_column or 0) - 1] == "hello"
    assert found.message.startswith(f"`default/hello` {why}")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param("schedule: every 1h\n", id="scheduled"),
        pytest.param("schedule: 2027-01-01T00:00:00Z\n", id="once-to-come"),
        pytest.param("schedule: every 1h\nend_at: 2027-01-01T00:00:00Z\n", id="ends-later"),
        pytest.param("schedule: every 1h\nstart_at: 2027-01-01T00:00:00Z\n", id="starts-later"),
        pytest.param("schedule: '@reboot'\n", id="reboot"),
        pytest.param("schedule: continuous\n", id="continuous"),
        pytest.param("schedule: ['2026-01-01T00:00:00Z', '@daily']\n", id="a-list-that-goes-on"),
    ],
)
def test_waits_for_what_comes(fields):
    assert codes_of(hello(fields) + WORLD) == set()


def test_only_the_first_of_a_chain_is_told():
    """What waits for a job that waits is no mistake of its own."""
    text = hello("") + WORLD + "---\nname: last\ndepends_on: [world]\nrun: {command: [echo]}\n"
    assert [each.identity for each in findings_of(text)] == ["default/world"]


def test_a_suspended_job_waits_for_nothing():
    assert codes_of(hello("") + WORLD + "suspend: true\n") == set()


def test_the_place_of_the_long_form():
    text = hello("") + "---\nname: world\ndepends_on:\n  - {job: hello, max_age: 6h}\nrun: {command: [echo]}\n"
    (found,) = findings_of(text)
    assert (found.line, found.column, found.end_column) == (6, 11, 16)
