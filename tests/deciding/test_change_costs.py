"""A change costs what changed: files parsed, jobs touched."""

from __future__ import annotations

from specs.source import Source
from tests.deciding.driving import MANUAL, Rig


def test_one_edit_among_many_parses_one_file_and_touches_one_job(rig: Rig) -> None:
    many = 300
    for number in range(many):
        (rig.home.specs / f"job-{number}.yaml").write_text(MANUAL.format(name=f"job-{number}"), encoding="utf-8")
    rig.clock.sleep(3)
    rig.look()
    untouched = {number: rig.job(f"job-{number}").seq for number in range(many)}
    rig.file("job-7.yaml", MANUAL.format(name="job-7") + "description: edited\n")
    look = rig.source.look()
    assert look.desired.parsed == 1
    assert look.desired.changed == {"default/job-7"}
    rig.looks.append(look)
    rig.settle()
    touched = {number for number in range(many) if rig.job(f"job-{number}").seq != untouched[number]}
    assert touched == {7}


def test_a_restart_with_unchanged_files_parses_none_and_touches_no_job(rig: Rig) -> None:
    for number in range(50):
        (rig.home.specs / f"job-{number}.yaml").write_text(MANUAL.format(name=f"job-{number}"), encoding="utf-8")
    rig.clock.sleep(3)
    rig.look()
    before = [rig.job(f"job-{number}").seq for number in range(50)]
    rig.crash()
    rig.source = Source(rig.home.specs, now=rig.clock.now, cache=rig.store.file_cache("test"))
    look = rig.source.look()
    assert look.desired.parsed == 0
    rig.looks.append(look)
    rig.settle()
    assert [rig.job(f"job-{number}").seq for number in range(50)] == before
