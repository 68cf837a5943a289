"""What the past left: run directories nobody knows, runs without theirs, processes of runs that are over."""

from __future__ import annotations

import os
from collections.abc import Iterator

import orjson

from cli.health.finding import DAY, SECOND, Check, Finding, Patient, ok, warning
from specs.frozen import frozen
from state.errors import StateError
from state.home import Home
from state.ids import is_id, time_of
from state.runfiles import remove_run_dir
from status.words.times import size

GRACE = 60 * SECOND
"""A run's directory is made, and goes, a moment before or after its row does."""
HOUR = 3600 * SECOND
KEPT_ASIDE = 7 * DAY
CHUNK = 20_000
"""Ids in one question: a house may have a million."""
LOOKED_AT = 1_000
"""Newest runs whose directory is looked for."""


@frozen
class RunDir:
    """A directory that a run of this name may have."""

    project: str
    job: str
    run_id: str


def check_directories(patient: Patient) -> Iterator[Finding]:
    """Directories without a row. Those older than what is kept anyway may go; younger ones may be all that is left
    of runs that a restored backup does not know."""
    if patient.database_error or not patient.home.runs.is_dir():
        return
    # Directories first: a row is written before its directory is made.
    there = list(_run_dirs(patient.home))
    unknown = _unknown(patient, [one.run_id for one in there])
    orphans = [one for one in there if one.run_id in unknown and time_of(one.run_id) < patient.now - GRACE]
    age = max(int(patient.config.retention.max_age * SECOND), _longest_of_jobs(patient))
    kept = patient.now - age
    old = [one for one in orphans if time_of(one.run_id) < kept]
    young = len(orphans) - len(old)
    where = patient.home.runs
    if old:

        def remove() -> str:
            bytes_ = sum(_size(patient.home, one) for one in old)
            failed = 0
            for one in old:
                try:
                    remove_run_dir(patient.home, one.project, one.job, one.run_id)
                except StateError:
                    failed += 1
            left = f"; {failed} could not be" if failed else ""
            return f"removed run directories of unknown runs: {len(old) - failed} ({size(bytes_)}){left}"

        yield warning(
            f"run directories of no known run below {where}: {len(old)}, older than what is kept ({age / DAY:g} days)",
            "doctor --fix removes them",
            fix=remove,
        )
    if young:
        yield warning(
            f"run directories of no known run below {where}: {young}, younger than what is kept",
            "runs of after a restored backup look so; their output can be read there; they may go once they are old",
        )
    if not orphans:
        yield ok(f"{len(there)} run directories, each of a known run")


def _longest_of_jobs(patient: Patient) -> int:
    """Microseconds for which any job keeps its runs by a `retention` of its own; 0 when none has one."""
    ((age,),) = patient.rows("SELECT coalesce(max(retention_age_us), 0) FROM job")
    return age if isinstance(age, int) else 0


def _unknown(patient: Patient, ids: list[str]) -> set[str]:
    """Of these ids those that no run has, and no directory that the daemon is about to remove."""
    found: set[str] = set()
    for first in range(0, len(ids), CHUNK):
        rows = patient.rows(
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM run) "
            "AND value NOT IN (SELECT run_id FROM doomed_directory WHERE run_id IS NOT NULL)",
            (orjson.dumps(ids[first : first + CHUNK]).decode(),),
        )
        found.update(str(row[0]) for row in rows)
    return found


def check_missing(patient: Patient) -> Iterator[Finding]:
    """Runs that started and have no directory: somebody deleted it, and the output with it."""
    if patient.reader is None:
        return
    gone = []
    for run in patient.reader.runs(limit=LOOKED_AT):
        started = run.started_at is not None and run.pid is not None
        if started and not patient.home.run_dir_of(run).is_dir():
            gone.append(run)
    if gone:
        # Retention may have taken one between the two looks.
        still = patient.reader.runs_of_ids(run.id for run in gone)
        gone = [run for run in gone if run.id in still]
    if gone:
        yield warning(
            f"{len(gone)} of the last {LOOKED_AT} runs have lost their directory, as {gone[0].identity} {gone[0].id}: "
            "their output is gone",
            "a restored backup without run files looks so; else something deletes below .jobsctl/runs",
        )


def check_processes(patient: Patient) -> Iterator[Finding]:
    """Processes that carry the id of a run that is over: they escaped when it ended."""
    if patient.reader is None:
        return
    found: dict[str, list[int]] = {}
    for folder in patient.proc.glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        for entry in environment:
            run_id = entry.removeprefix(b"JOBSCTL_RUN_ID=").decode("ascii", "replace")
            if entry.startswith(b"JOBSCTL_RUN_ID=") and is_id(run_id) and int(folder.name) != os.getpid():
                found.setdefault(run_id, []).append(int(folder.name))
    ended = patient.reader.runs_of_ids(found)
    for run_id, pids in sorted(found.items()):
        run = ended.get(run_id)
        if run is not None and run.finished_at is not None and run.finished_at < patient.now - GRACE:
            yield warning(
                f"processes of {run.identity} that live on after run {run.id} ended: "
                f"{', '.join(map(str, sorted(pids)[:5]))}",
                f"right if the job started a service on purpose; else kill {' '.join(map(str, sorted(pids)[:5]))}",
            )


def check_restores(patient: Patient) -> Iterator[Finding]:
    """What restores left beside the state: the state of before, and folders of restores that were ended hard."""
    state = patient.home.state.resolve()
    for folder in sorted(state.parent.glob(f"{state.name}.restoring-*")):
        if folder.stat().st_mtime_ns // 1000 < patient.now - HOUR:
            yield warning(
                f"{folder} was left by a restore that was ended hard",
                f"the state that counts is {state}; what is in this one is either the same or the one before it: "
                "look, then delete it",
            )
    for folder in sorted(state.parent.glob(f"{state.name}.before-*")):
        if folder.stat().st_ctime_ns // 1000 < patient.now - KEPT_ASIDE:
            yield warning(f"{folder} is the state of before a restore, more than a week ago", f"rm -r {folder}")


def _run_dirs(home: Home) -> Iterator[RunDir]:
    for project in _folders(home.runs):
        for job in _folders(project):
            for run in _folders(job):
                if is_id(run.name):
                    yield RunDir(project.name, job.name, run.name)


def _folders(path: os.PathLike[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _size(home: Home, one: RunDir) -> int:
    total = 0
    for folder, _, names in os.walk(home.run_dir(one.project, one.job, one.run_id)):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                continue
    return total


CHECKS = (
    Check("run-directories", "run directories that belong to no run", check_directories),
    Check("run-files", "runs whose directory is gone", check_missing),
    Check("restores", "what restores left beside the state", check_restores),
    Check("processes", "processes that live on after their run ended", check_processes),
)
