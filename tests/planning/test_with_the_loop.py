"""What a plan says will happen is what the real loop then does: the next starts, and which schedules start anew."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.planning.before import of_records
from cli.planning.compare import make_plan
from cli.planning.plan import Origin, Plan
from state.reads import Reader
from tests.deciding.driving import Rig
from tests.planning.made_up import contents, side, some_jobs


@contextmanager
def applied(files: dict[str, bytes]) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder))
        try:
            write(rig, files)
            rig.look()
            yield rig
        finally:
            rig.close()


def write(rig: Rig, files: dict[str, bytes]) -> None:
    for path in rig.home.specs.iterdir():
        if path.name not in files:
            path.unlink()
    for name, data in files.items():
        (rig.home.specs / name).write_bytes(data)
    rig.clock.sleep(3)  # older than what a look distrusts


def plan_over(rig: Rig, files: dict[str, bytes], *, whole: bool = True) -> Plan:
    with Reader(rig.home.database) as reader:
        before = of_records(Origin("applied", ""), "UTC", reader.jobs(archived=None), reader.documents(), ())
    return make_plan(before, side(files, whole=whole), now=rig.clock.now(), guard=rig.world.prune_policy)


@given(some_jobs(), some_jobs(), st.sampled_from([60, 4000]))
@settings(derandomize=True, max_examples=25, deadline=None)
def test_what_is_planned_is_what_the_loop_does(old, new, passed):
    with applied(contents(old)) as rig:
        rig.until(rig.clock.at + passed * 1_000_000)
        before = {job.identity: job for job in rig.store.each_job()}
        files = contents(new)
        write(rig, files)
        plan = plan_over(rig, files)
        now = rig.clock.now()
        rig.look()
        after = {job.identity: job for job in rig.store.each_job()}
        for job in plan.jobs:
            if job.action in ("prune", "hold"):
                assert after[job.identity].missing_since is not None
                continue
            stored = after[job.identity]
            assert stored.applied_at == now, "the plan changes it, the loop did not"
            first = job.after.instants[0].start if job.after.instants else None
            assert stored.next_at == first, (job.identity, job.after)
            if job.identity in before:
                anew = before[job.identity].schedule_digest != stored.schedule_digest
                assert (job.reanchor is not None and bool(job.reanchor.why)) == anew
                assert (stored.anchor_at == now) == anew
        changed = {job.identity for job in plan.jobs}
        assert all(stored.applied_at < now for identity, stored in after.items() if identity not in changed)
        rig.wait(3)
        rig.look()
        for job in plan.jobs:
            if job.action in ("prune", "hold"):
                assert (rig.job(job.identity.partition("/")[2]).archived_at is not None) == (job.action == "prune")
        assert not plan_over(rig, files).counts.keys() - {"hold"}


OLD = b"name: a\nschedule: every 10m\nrun: {command: [x]}\n"


def changed(old: bytes, new: bytes):
    with applied({"a.yaml": old}) as rig:
        rig.wait(60)
        write(rig, {"a.yaml": new})
        (job,) = plan_over(rig, {"a.yaml": new}).jobs
        return job


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param(OLD, OLD.replace(b"10m", b"20m"), ("schedule",), id="schedule"),
        pytest.param(OLD, OLD + b"timezone: Asia/Tokyo\n", None, id="a_zone_that_means_nothing_to_an_interval"),
        pytest.param(OLD.replace(b"every 10m", b"0 0 * * *"), OLD.replace(b"every 10m", b"0 0 * * *")
                     + b"timezone: Asia/Tokyo\n", ("timezone",), id="timezone"),
        pytest.param(OLD.replace(b"every 10m", b"0 0 * * *") + b"timezone: Europe/Rome\n",
                     OLD.replace(b"every 10m", b"0 0 * * *") + b"timezone: Europe/Rome\ndst: {gap: skip}\n",
                     ("dst",), id="dst"),
        pytest.param(OLD, OLD.replace(b"every 10m", b"every 600s"), None, id="other_words_for_the_same"),
        pytest.param(OLD, OLD.replace(b"every 10m", b"{every: 10m, anchor: 2027-01-01T00:00:00Z}"), ("schedule",),
                     id="anchor"),
        pytest.param(OLD, OLD.replace(b"[x]", b"[y]"), None, id="what_runs"),
    ],
)  # fmt: skip
def test_tells_which_field_makes_the_schedule_start_anew(old, new, why):
    job = changed(old, new)
    assert (job.reanchor.why if job.reanchor else None) == why


def test_a_grid_is_counted_from_when_it_is_applied():
    job = changed(OLD, OLD.replace(b"10m", b"20m"))
    assert job.reanchor.grid
    assert job.after.instants[0].start - job.before.instants[0].start == (63 + 600) * 1_000_000


def test_a_grid_with_an_anchor_of_its_own_stays_where_it_is():
    job = changed(OLD, OLD.replace(b"every 10m", b"{every: 10m, anchor: 2027-01-01T00:00:00Z}"))
    assert not job.reanchor.grid


def test_another_timezone_of_the_daemon_changes_jobs_that_name_none():
    daily = OLD.replace(b"every 10m", b"0 0 * * *")
    files = {
        "a.yaml": daily,
        "b.yaml": daily.replace(b"a\n", b"b\ntimezone: UTC\n", 1),
        "c.yaml": OLD.replace(b": a", b": c"),
    }
    with applied(files) as rig:
        with Reader(rig.home.database) as reader:
            before = of_records(Origin("applied", ""), "Asia/Tokyo", reader.jobs(archived=None), (), ())
        after = side(files, timezone="Asia/Tokyo")
        (job,) = make_plan(before, after, now=rig.clock.now(), guard=rig.world.prune_policy).jobs
        assert (job.identity, job.fields, job.reanchor.why) == ("default/a", (), ("timezone of jobsctl.yaml",))
        rig.crash()


def test_an_earlier_start_makes_nothing_due():
    often = OLD.replace(b"10m", b"10s")
    assert changed(often + b"start_at: 2027-01-16T00:00:00Z\n", often).notes == ()


def test_a_calendar_moves_the_jobs_that_were_not_edited():
    files = contents({"ant": {"name": "ant", "schedule": "every 1h", "calendar": "shut", "run": {"command": ["x"]}}})
    with applied(files) as rig:
        shut = b'{"kind": "Calendar", "name": "shut", "dates": ["2027-01-15", "2027-01-17"]}'
        files["calendar-shut.json"] = shut
        write(rig, files)
        plan = plan_over(rig, files)
        (job,) = plan.touched
        assert (plan.jobs, job.touched_by, len(plan.documents)) == ((), ("Calendar:shut",), 1)
        rig.look()
        assert rig.job("ant").next_at == job.after.instants[0].start > job.before.instants[-1].start
        assert [each.same for each in job.after.instants] == [True] * 5, "they came after those that were shown before"
