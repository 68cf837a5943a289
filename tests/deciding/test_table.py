"""What the loop holds of a job is what its whole model says, and a start needs nothing that is not in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.table import JobTable
from specs.load import load_bytes
from specs.model import Job
from specs.schedule import compile_schedule
from state.records import JobRecord
from tests.deciding.driving import THE_HOUR, Rig

CRON = "name: {name}\nschedule: '0 * * * *'\nrun: {{command: [x]}}\n"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def record(text: str) -> JobRecord:
    (job,) = load_bytes(text.encode(), "a.yaml").jobs
    return JobRecord(
        id=7, project=job.project, name=job.name, spec=job.spec, digest=job.digest, path=job.path, line=1,
        created_at=THE_HOUR, applied_at=THE_HOUR, anchor_at=THE_HOUR, cursor_at=THE_HOUR,
    )  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("", id="manual"),
        pytest.param("schedule: '30 4 * * 1-5'\ntimezone: Europe/Berlin", id="cron-in-a-zone"),
        pytest.param("schedule: 'H H * * *'\nproject: p", id="hashed"),
        pytest.param("schedule: '30 2 * * *'\ntimezone: Europe/Berlin\ndst: {gap: skip, repeat: twice}", id="dst"),
        pytest.param("schedule: every 90s", id="interval"),
        pytest.param("schedule: {every: 5m, anchor: '2026-01-01T00:00:00Z'}", id="parts"),
        pytest.param("schedule: ['@daily', {cron: '1 2 3 4 *'}]", id="list"),
        pytest.param("schedule: '@reboot'", id="reboot"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_schedule_is_that_of_the_whole_model(lines: str, zone: str) -> None:
    stored = record(f"name: a\nrun: {{command: [x]}}\n{lines}\n")
    expected = compile_schedule(Job.from_canonical(stored.spec), default_timezone=zone)
    table = JobTable(zone)
    assert table.put(stored).schedule == expected
    assert table.meaning_of(stored.spec)[0] == expected


@pytest.mark.parametrize("suspend", ["false", "true", "{reason: x}", "{reason: ''}"])
def test_a_declared_suspend_is_that_of_the_whole_model(suspend: str) -> None:
    stored = record(f"name: a\nrun: {{command: [x]}}\nsuspend: {suspend}\n")
    expected = Job.from_canonical(stored.spec).suspend_reason() is not None
    assert JobTable("UTC").put(stored).declared_suspend is expected


def test_a_schedule_that_no_longer_compiles_stalls_its_job() -> None:
    stored = record("name: a\nrun: {command: [x]}\nschedule: '@daily'\ntimezone: Europe/Berlin\n")
    gone = stored.spec.replace(b"Europe/Berlin", b"Mars/Olympus")
    entry = JobTable("UTC").put(replace(stored, spec=gone))
    assert (entry.stalled, entry.schedule.kind) == (True, "manual")


def test_the_table_knows_whether_a_job_calls_back() -> None:
    plain = record("name: a\nrun: {command: [x]}\ndescription: '\"callback\":{'\n")
    calling = record(
        "name: a\nrun: {command: [x]}\ncallback: {url: 'https://hooks.example/done', secret: {from_file: /etc/key}}\n"
    )
    table = JobTable("UTC")
    known = []
    for stored in (plain, calling, plain, calling, replace(calling, archived_at=THE_HOUR), calling):
        table.put(stored, read_spec=lambda _: b"")
        known.append(table.calls_back)
    table.remove(7)
    assert (known, table.calls_back) == ([False, True, False, True, False, True], False)


def test_after_the_first_look_every_spec_is_in_memory(rig: Rig) -> None:
    for name in ("sound", "broken", "broken-before", "gone", "edited"):
        rig.file(f"{name}.yaml", CRON.format(name=name))
    rig.look()
    rig.file("broken-before.yaml", "name: broken-before\n")
    rig.look()
    rig.crash()
    assert all(entry.kept_spec == b"" for entry in rig.world.jobs)
    rig.file("broken.yaml", "name: broken\n")
    rig.file("gone.yaml", None)
    rig.file("edited.yaml", CRON.format(name="edited").replace("[x]", "[y]"))
    rig.look()
    kept = {entry.name: Job.from_canonical(entry.kept_spec).run.command for entry in rig.world.jobs}
    assert kept == {"sound": ["x"], "broken": ["x"], "broken-before": ["x"], "gone": ["x"], "edited": ["y"]}


def test_a_spec_that_both_sides_know_is_in_memory_once(rig: Rig) -> None:
    rig.file("a.yaml", CRON.format(name="a"))
    rig.look()
    rig.crash()
    look = rig.source.look()
    rig.looks.append(look)
    rig.settle()
    (entry,) = rig.world.jobs
    assert entry.spec is look.desired.jobs["default/a"].spec


def test_before_the_first_look_a_spec_is_read_where_it_is_needed(rig: Rig) -> None:
    rig.file("a.yaml", CRON.format(name="a"))
    rig.look()
    rig.crash()
    (entry,) = rig.world.jobs
    assert Job.from_canonical(entry.spec).run.command == ["x"]
