"""A Notifier that no job names is told; not where nobody can know."""

from __future__ import annotations

import pytest

from tests.linting.texts import codes_of, findings_of

NOTIFIERS = "---\nkind: Notifier\nname: ops\nurls: [{from_file: /etc/ops}]\n"
HELLO = "name: hello\nrun: {command: [echo]}\n"


def test_it_is_told_where_it_is_named_and_says_what_to_do():
    text = HELLO + NOTIFIERS
    (found,) = findings_of(text)
    assert (found.code, found.severity, found.line, found.column) == ("JOB079", "warning", 5, 7)
    assert found.message == "no job names Notifier `ops`: nobody is told anything by it"
    assert found.help == "write `notify: [{to: ops}]` into a job, or into the folder's Defaults for all"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HELLO + "notify: [{to: ops}]\n" + NOTIFIERS, id="a_job_names_it"),
        pytest.param(HELLO + "notify: [{to: ann}, {to: [bob, ops], on: [success]}]\n" + NOTIFIERS, id="one_of_several"),
        pytest.param(NOTIFIERS.removeprefix("---\n"), id="there_are_no_jobs"),
        pytest.param(HELLO + "---\nkind: Pool\nname: ops\nslots: 1\n", id="a_pool_is_none"),
        pytest.param(
            HELLO + NOTIFIERS.replace("name: ops", "name: ops # jobsctl: ignore[JOB079] for the next team"),
            id="a_comment_silences_it",
        ),
    ],
)
def test_it_is_not_told(text):
    assert "JOB079" not in codes_of(text)


def test_each_is_told_and_only_those():
    other = NOTIFIERS.replace("ops", "ann")
    text = HELLO + "notify: [{to: ops}]\n" + NOTIFIERS + other
    assert [found.message for found in findings_of(text)] == [
        "no job names Notifier `ann`: nobody is told anything by it"
    ]
