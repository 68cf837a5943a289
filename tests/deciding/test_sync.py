"""Which changes a look at the files makes, and which absences it refuses to believe."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.sync import Change, PrunePolicy, SyncPlan, plan_sync
from specs.desired import Desired, DesiredJob
from specs.diagnostic import Diagnostic

NOON = 1_800_000_000_000_000
SECOND = 1_000_000
POLICY = PrunePolicy(grace=2 * SECOND, jobs=3, share=0.3)
FINDING = Diagnostic(code="JOB001", message="wrong", path="a.yaml")


@dataclass
class Known:
    identity: str
    digest: str = "old"
    path: str = "a.yaml"
    line: int = 1
    archived: bool = False
    missing_since: int | None = None
    has_problem: bool = False
    kept: bool = False


class KnownJobs(dict[str, Known]):
    def by_identity(self, identity: str) -> Known | None:
        return self.get(identity)


def job(name: str, digest: str = "old") -> DesiredJob:
    return DesiredJob("default", name, b"{}", digest, "a.yaml", 1)


def look(*jobs: DesiredJob, invalid: tuple[str, ...] = (), unreadable: tuple[str, ...] = (), files: int = 1,
         problem: str | None = None) -> Desired:  # fmt: skip
    return Desired(
        sequence=1,
        scanned_at=NOON,
        started_at=NOON,
        root="/specs",
        revision=None,
        jobs={one.identity: one for one in jobs},
        invalid=dict.fromkeys(invalid, (FINDING,)),
        unreadable_paths=frozenset(unreadable),
        files=files,
        problem=problem,
    )


def sync(known: list[Known], desired: Desired, *, now: int = NOON, confirmed: bool = False,
         wanted_gone: frozenset[str] = frozenset()) -> SyncPlan:  # fmt: skip
    jobs = KnownJobs({one.identity: one for one in known})
    return plan_sync(
        jobs,
        desired,
        candidates=set(jobs) | set(desired.jobs) | set(desired.invalid),
        live=sum(not one.archived for one in known),
        now=now,
        policy=POLICY,
        confirmed=confirmed,
        wanted_gone=wanted_gone,
    )


def changes(plan: SyncPlan) -> dict[str, Change]:
    return {change.identity: change.change for change in plan.changes}


@pytest.mark.parametrize(
    ("known", "desired", "expected"),
    [
        pytest.param([], look(job("a")), Change.CREATED, id="a new file creates"),
        pytest.param([Known("default/a")], look(job("a", "new")), Change.CONFIGURED, id="another digest configures"),
        pytest.param([Known("default/a")], look(job("a")), Change.UNCHANGED, id="the same digest changes nothing"),
        pytest.param(
            [Known("default/a", archived=True)], look(job("a")), Change.RESTORED, id="an archived job comes back"
        ),
        pytest.param(
            [Known("default/a")], look(invalid=("default/a",)), Change.INVALID, id="a mistake keeps the job and says so"
        ),
        pytest.param([Known("default/a")], look(), Change.MISSING, id="the first absence only marks"),
    ],
)
def test_one_look_makes_one_change(known: list[Known], desired: Desired, expected: Change) -> None:
    assert changes(sync(known, desired)) == {"default/a": expected}


def test_a_mistake_in_a_job_nobody_knows_changes_nothing() -> None:
    assert sync([], look(invalid=("default/a",))).changes == ()


def test_a_job_in_a_file_that_cannot_be_parsed_is_not_missing() -> None:
    assert sync([Known("default/a")], look(unreadable=("a.yaml",))).changes == ()


def test_a_job_is_pruned_when_a_second_look_past_the_grace_does_not_find_it() -> None:
    gone = Known("default/a", missing_since=NOON)
    just_before, just_after = NOON + 2 * SECOND - 1, NOON + 2 * SECOND
    others = [Known("default/b")]
    assert sync([gone, *others], look(job("b")), now=just_before).look_again_at == just_after
    assert Change.PRUNED not in changes(sync([gone, *others], look(job("b")), now=just_before)).values()
    assert changes(sync([gone, *others], look(job("b")), now=just_after))["default/a"] is Change.PRUNED


def vanished(count: int) -> list[Known]:
    return [Known(f"default/gone-{n}", missing_since=NOON - 10 * SECOND) for n in range(count)]


@pytest.mark.parametrize(
    ("gone", "stay", "pruned"),
    [
        pytest.param(3, 1, 3, id="three may always go"),
        pytest.param(4, 4, 0, id="four of eight are too many"),
        pytest.param(4, 10, 4, id="four of fourteen are within the share"),
    ],
)
def test_the_guard_lets_a_few_go_and_blocks_a_mass_deletion(gone: int, stay: int, pruned: int) -> None:
    kept = [job(f"stay-{n}") for n in range(stay)]
    plan = sync([*vanished(gone), *(Known(one.identity) for one in kept)], look(*kept))
    assert sum(change is Change.PRUNED for change in changes(plan).values()) == pruned
    assert len(plan.prune_blocked) == gone - pruned


def test_an_empty_directory_prunes_nothing() -> None:
    plan = sync(vanished(1), look(files=0))
    assert (plan.changes, plan.prune_blocked) == ((), ("default/gone-0",))


def test_confirming_lifts_the_guard_but_not_for_a_directory_that_cannot_be_read() -> None:
    assert set(changes(sync(vanished(9), look(files=0), confirmed=True)).values()) == {Change.PRUNED}
    assert sync(vanished(9), look(files=0, problem="gone"), confirmed=True).changes == ()


def test_a_job_somebody_asked_to_delete_goes_at_once() -> None:
    plan = sync([Known("default/a")], look(), wanted_gone=frozenset({"default/a"}))
    assert changes(plan) == {"default/a": Change.PRUNED}


names = st.sampled_from(["a", "b", "c", "d", "e", "f"])


@given(
    known=st.dictionaries(names, st.tuples(st.booleans(), st.none() | st.integers(0, 5)), max_size=6),
    valid=st.sets(names),
    wrong=st.sets(names),
    confirmed=st.booleans(),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_what_a_file_names_is_never_pruned(
    known: dict[str, tuple[bool, int | None]], valid: set[str], wrong: set[str], confirmed: bool
) -> None:
    jobs = [
        Known(f"default/{name}", archived=archived, missing_since=None if age is None else NOON - age * SECOND)
        for name, (archived, age) in known.items()
    ]
    desired = look(*(job(name) for name in valid - wrong), invalid=tuple(f"default/{name}" for name in wrong))
    plan = sync(jobs, desired, confirmed=confirmed)
    named = {f"default/{name}" for name in valid | wrong}
    for identity, change in changes(plan).items():
        assert not (change in (Change.PRUNED, Change.MISSING) and identity in named)
        assert not (change is Change.PRUNED and plan.prune_blocked)
