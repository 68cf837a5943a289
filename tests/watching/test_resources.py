"""Pools and calendars beside the jobs: found, changed, doubled, broken, remembered."""

from __future__ import annotations

import json

from .conftest import Specs, names, said

POOL = "kind: Pool\nname: db\nslots: 2\n"
CALENDAR = 'kind: Calendar\nname: holidays\ndates: ["12-25"]\n'
JOB = "name: a\nrun: {script: x}\n"


def test_are_found_with_their_canonical_form_and_place(specs: Specs) -> None:
    specs.put("shared.yaml", f"{JOB}---\n{POOL}---\n{CALENDAR}")
    desired = specs.look().desired
    assert set(desired.documents) == {("Pool", "db"), ("Calendar", "holidays")}
    pool = desired.documents["Pool", "db"]
    assert json.loads(pool.spec)["slots"] == 2
    assert (pool.path, pool.line) == ("shared.yaml", 4)
    assert desired.documents_changed
    assert set(desired.jobs) == {"default/a"} == desired.changed
    assert not desired.invalid_documents


def test_a_change_of_a_job_does_not_change_them(specs: Specs) -> None:
    specs.put("shared.yaml", f"{POOL}---\n{CALENDAR}")
    specs.write("a.yaml", "a")
    before = specs.look().desired
    specs.write("a.yaml", "a", extra="timeout: 5m\n")
    after = specs.look().desired
    assert not after.documents_changed
    assert after.documents is before.documents
    assert after.changed == {"default/a"}


def test_a_change_of_theirs_changes_no_job(specs: Specs) -> None:
    specs.put("shared.yaml", f"{JOB}---\n{POOL}")
    before = specs.look().desired.documents["Pool", "db"]
    specs.put("shared.yaml", f"{JOB}---\n{POOL.replace('2', '3')}")
    desired = specs.look().desired
    assert desired.documents_changed
    assert not desired.changed
    assert desired.documents["Pool", "db"].digest != before.digest


def test_the_same_in_other_words_is_no_change(specs: Specs) -> None:
    specs.put("shared.yaml", POOL)
    before = specs.look().desired.documents["Pool", "db"]
    specs.put("shared.yaml", '{"slots": 2, "name": "db", "kind": "Pool", "description": ""}')
    assert specs.look().desired.documents["Pool", "db"].digest == before.digest


def test_two_of_one_name_are_errors_at_both_and_neither_counts(specs: Specs) -> None:
    specs.put("a.yaml", POOL)
    specs.look()
    specs.put("b.yaml", f"description: x\n{POOL}")
    desired = specs.look().desired
    assert not desired.documents
    assert desired.invalid_documents == {("Pool", "db")}
    assert desired.documents_changed
    assert [str(each) for each in desired.diagnostics] == [
        "a.yaml:2:7: error[JOB050]: `Pool db` is also defined in b.yaml:1",
        "b.yaml:3:7: error[JOB050]: `Pool db` is also defined in a.yaml:1",
    ]
    specs.put("b.yaml", JOB)
    assert set(specs.look().desired.documents) == {("Pool", "db")}


def test_two_of_one_name_in_one_file(specs: Specs) -> None:
    specs.put("a.yaml", f"{POOL}---\n{POOL}")
    assert specs.look().desired.invalid_documents == {("Pool", "db")}


def test_a_pool_a_calendar_and_a_job_may_share_a_name(specs: Specs) -> None:
    specs.put("a.yaml", "kind: Pool\nname: a\nslots: 1\n---\nkind: Calendar\nname: a\n---\n" + JOB)
    desired = specs.look().desired
    assert len(desired.documents) == 2
    assert len(desired.jobs) == 1
    assert not desired.diagnostics


def test_an_unsound_one_is_told_at_its_place_and_keeps_back_no_job(specs: Specs) -> None:
    specs.put("a.yaml", f"{JOB}---\nkind: Pool\nname: db\nslots: 0\n")
    look = specs.look()
    assert said(look) == ["a.yaml:6:8: error[JOB033]: `slots` must be at least 1"]
    assert look.desired.invalid_documents == {("Pool", "db")}
    assert names(look) == {"a"}
    assert not look.desired.invalid


def test_a_file_that_cannot_be_read_any_more_holds_what_it_had(specs: Specs) -> None:
    specs.put("a.yaml", f"{JOB}---\n{POOL}")
    specs.look()
    specs.put("a.yaml", "kind: [")
    desired = specs.look().desired
    assert not desired.documents
    assert desired.invalid_documents == {("Pool", "db")}
    assert not desired.gone


def test_one_that_goes_is_gone(specs: Specs) -> None:
    file = specs.put("a.yaml", POOL)
    specs.look()
    file.unlink()
    desired = specs.look().desired
    assert not desired.documents
    assert not desired.invalid_documents
    assert desired.documents_changed


def test_they_are_remembered_across_a_restart_without_parsing(specs: Specs) -> None:
    specs.put("a.yaml", f"{JOB}---\n{POOL}---\nkind: Calendar\nname: broken\ndates: 3\n")
    before = specs.look().desired
    specs.later(10)
    specs.look()
    specs.restart()
    after = specs.look().desired
    assert after.parsed == 0
    assert after.documents == before.documents
    assert after.invalid_documents == before.invalid_documents == {("Calendar", "broken")}
    assert after.documents_changed
    assert after.jobs == before.jobs


def test_while_the_directory_is_missing_the_last_ones_stay(specs: Specs) -> None:
    specs.put("a.yaml", POOL)
    specs.look()
    specs.root.rename(specs.root.with_name("away"))
    desired = specs.look().desired
    assert desired.problem
    assert set(desired.documents) == {("Pool", "db")}
    assert not desired.documents_changed
