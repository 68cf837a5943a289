"""Finding what changed: the diff of the files against what is applied, whole and of named jobs only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from benchmarks import corpus
from benchmarks.figures import Figure, Target, compared
from benchmarks.timing import interleaved
from benchmarks.workshop import Bench
from reconciler.sync import Change, PrunePolicy, SyncPlan, plan_sync
from reconciler.table import JobTable
from specs.desired import Desired, DesiredJob
from specs.load import load_bytes
from state.records import JobRecord

BESIDE = "dict of digests, all compared"


def whole(bench: Bench) -> Iterator[Figure]:
    """full diff"""
    yield from _diff(bench, bench.size(10_000, 10_000), full=True)


def named(bench: Bench) -> Iterator[Figure]:
    """diff of 100 named jobs"""
    yield from _diff(bench, bench.size(100_000, 20_000), full=False)


def _diff(bench: Bench, count: int, *, full: bool) -> Iterator[Figure]:
    (template,) = load_bytes(corpus.spec(0), "report.yaml").jobs
    table, desired = JobTable("UTC"), {}
    for number in range(count):
        name = f"report-{number:05d}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        table.put(
            JobRecord(
                id=number + 1, project="p", name=name, spec=template.spec, digest=digest, path=f"{name}.yaml", line=1,
                created_at=0, applied_at=0, anchor_at=0, cursor_at=0,
            )
        )  # fmt: skip
        changed = hashlib.sha256(b"new").hexdigest() if number % (count // 100) == 0 else digest
        desired[f"p/{name}"] = DesiredJob("p", name, template.spec, changed, f"{name}.yaml", 1)
    dirty = [f"p/report-{number:05d}" for number in range(0, count, count // 100)]
    look = Desired(
        sequence=1, scanned_at=0, started_at=0, root="/", revision=None, jobs=desired, invalid={}, files=count
    )
    candidates = list(desired) if full else dirty
    policy = PrunePolicy()

    def ours() -> SyncPlan:
        return plan_sync(table, look, candidates=candidates, live=count, now=0, policy=policy)

    assert ours().counts[Change.CONFIGURED] == 100
    old = {entry.identity: entry.digest for entry in table}
    new = {identity: job.digest for identity, job in desired.items()}

    def floor() -> list[str]:
        found = [identity for identity, digest in new.items() if old.get(identity) != digest]
        return [*found, *(old.keys() - new.keys())]

    assert len(floor()) == 100
    taken = interleaved({"ours": ours, "floor": floor}, bench.size(15, 7))
    yield compared(
        f"full diff, 100 changed of {count:,}" if full else f"diff of the 100 dirty jobs of {count:,}",
        taken["ours"],
        taken["floor"],
        beside=BESIDE,
        target=Target(8) if full else Target(0.2),
    )


PARTS = (whole, named)
