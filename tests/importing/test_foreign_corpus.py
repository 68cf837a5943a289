"""Real manifests and configurations: all are imported, accepted, and due exactly when their systems start them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importing.corpora import sound
from tests.importing.foreign import DATA, judge, read_file

FILES = [
    pytest.param(system, file, id=f"{system}-{file.stem}")
    for system in ("kubernetes", "yacron", "term-llm")
    for file in sorted((DATA / system).iterdir())
    if file.suffix in (".yaml", ".json")
]
NOT_COMPARED = {"kube-hunter", "by-hand"}
DIFFERENT = {"superstition"}
"""term-llm itself stops at a gap of more than a year between two Fridays that are the 13th; the report says so."""


@pytest.mark.parametrize(("system", "file"), FILES)
def test_a_real_file_is_imported_accepted_and_due_when_its_system_starts_it(system: str, file: Path) -> None:
    made = read_file(system, file)
    assert not made.unreadable
    assert made.jobs or file.name == "_inc.yaml"
    assert sound(made)
    for job in made.jobs:
        judged = judge(job)
        expected = "different" if job.name in DIFFERENT else "incomparable" if job.name in NOT_COMPARED else "same"
        assert judged.checked.state == expected, judged.checked
        if system == "kubernetes":
            assert judged.spec.suspend_reason(), "a program that ran in a container would run on this machine"


def test_the_corpus_has_what_was_promised() -> None:
    systems = [param.values[0] for param in FILES]
    assert systems.count("kubernetes") >= 20
    assert systems.count("yacron") >= 8


@pytest.mark.parametrize(("system", "file"), FILES)
def test_importing_twice_gives_the_same(system: str, file: Path) -> None:
    first, second = read_file(system, file), read_file(system, file)
    assert [job.tree for job in first.jobs] == [job.tree for job in second.jobs]
    assert [job.notes for job in first.jobs] == [job.notes for job in second.jobs]
