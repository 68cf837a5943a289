"""Applying spec files: check all, write those that are missing, have the daemon look, and tell what it did.

Used by `apply`. What is told comes from the database before and after, so it is what really runs now.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cli.asking import LONGEST_PAUSE, ask
from cli.changes import Change, changes_of, known_jobs, print_changes
from cli.errors import Refused, TimedOut
from cli.options import Settings
from cli.output import counted, say
from cli.placing import placements, where_defined, write
from cli.progress import Progress
from cli.specfiles import Checked, check, load_at, specs_root, timezone_of
from cli.troubles import stop_at_errors
from specs.desired import DesiredJob
from specs.diagnostic import Severity
from state.inbox import RequestKind, daemon_alive
from state.records import JobRecord

MANY = 20
"""Unchanged jobs are named up to here; above, they are counted."""


def apply(
    settings: Settings, paths: Sequence[str], *, dry_run: bool, wait: bool, confirm_prune: bool, timeout: float
) -> None:
    """Apply `paths`, or what the specs directory says.

    Raises:
        InvalidFiles: a file has errors; nothing was written.
        Refused: a file would take another job's place, or the prune guard holds jobs back.
        TimedOut: the daemon has not applied it yet.
    """
    settings.existing_home()
    root = specs_root(settings)
    whole = not paths or {Path(path).resolve() for path in paths} == {root.resolve()}
    # Before anything is looked at or written: the daemon watches the files too, and may be quicker than we are.
    known = known_jobs(settings)
    # This is the machine of a daemon that runs: its programs must be here.
    with Progress("checking the files", typing="-" in paths):
        checked = check(settings, paths or [str(root)], lint=True, here=daemon_alive(settings.home))
    # What is wrong in the specs directory is the daemon's to tell: it applies the rest, and so must we.
    if not whole:
        stop_at_errors(settings, checked)
        checked = _place(settings, checked, root, dry_run)
    expected = [
        change
        for change in changes_of(checked.jobs, known, whole=whole, project=settings.project)
        if change.identity not in checked.invalid
    ]
    changed = {change.identity for change in expected if change.word != "unchanged"}
    told = [each for each in checked.findings if each.severity is Severity.ERROR or each.identity in changed]
    checked = replace(checked, findings=tuple(told)) if whole else checked
    if dry_run:
        _print(settings, expected, suffix=" (dry run)")
        if any(change.word != "unchanged" for change in expected):
            say("Nothing was written. `jobsctl plan` tells what would change, field by field, and the next runs.")
        _stop_if_invalid(settings, checked, whole, "nothing was written")
        return
    kind = RequestKind.CONFIRM_PRUNE if confirm_prune else RequestKind.RECONCILE
    if not wait or not daemon_alive(settings.home):
        ask(settings, kind, timeout=0, wait=False)
        _print(settings, expected, suffix=" when the daemon looks" if wait is False else " when the daemon starts")
        when = "looks" if wait is False else "starts"
        _stop_if_invalid(settings, checked, whole, f"the other jobs are applied when the daemon {when}")
        return
    started = settings.clock.monotonic()
    asked = ask(settings, kind, timeout=timeout, refusals=False)
    left = timeout - (settings.clock.monotonic() - started)
    with Progress("waiting until the daemon has applied them"):
        _wait_until_applied(settings, checked.jobs, left)
    after = known_jobs(settings)
    _print(settings, [_what_happened(change, known, after) for change in expected])
    if whole and asked.answer is not None and asked.answer.outcome != "done":
        raise Refused(asked.answer.message)
    _stop_if_invalid(settings, checked, whole, "the other jobs were applied")


def _place(settings: Settings, checked: Checked, root: Path, dry_run: bool) -> Checked:
    """Write what has to be written. The jobs, as they are with what the folders they come into give them."""
    where = where_defined(settings, root, [job.identity for job in checked.jobs])
    placed: dict[str, DesiredJob] = {}
    for placement in placements(checked, root, where):
        there = load_at(root, placement.target.relative_to(root).as_posix(), placement.data, timezone_of(settings))
        placed |= {job.identity: job for job in there.jobs}
        if not dry_run:
            write(placement)
        word = "would write" if dry_run else "replaced" if placement.replaces else "wrote"
        say(f"{word} {placement.target}")
    return replace(checked, jobs=tuple(placed.get(job.identity, job) for job in checked.jobs))


def _wait_until_applied(settings: Settings, jobs: Sequence[DesiredJob], timeout: float) -> None:
    """The daemon answers after a look that began after we asked; a file that changed meanwhile needs one more."""
    deadline = settings.clock.monotonic() + timeout
    wanted = {job.identity: job.digest for job in jobs}
    while True:
        known = known_jobs(settings, wanted)
        late = [identity for identity, digest in wanted.items() if not _is_applied(known.get(identity), digest)]
        if not late:
            return
        if settings.clock.monotonic() >= deadline:
            raise TimedOut(
                f"not applied yet: {', '.join(late[:5])}" + (f" and {len(late) - 5} more" if len(late) > 5 else ""),
                hint="`jobsctl status` shows what holds the daemon back",
            )
        time.sleep(LONGEST_PAUSE)


def _is_applied(record: JobRecord | None, digest: str) -> bool:
    return record is not None and record.archived_at is None and record.digest == digest


def _what_happened(change: Change, before: Mapping[str, JobRecord], after: Mapping[str, JobRecord]) -> Change:
    """`change` was expected; a prune may be held back by the guard, or wait for its grace."""
    record = after.get(change.identity)
    if change.word == "pruned" and record is not None and record.archived_at is None:
        return replace(change, word="unchanged", difference=())
    return change


def _print(settings: Settings, changes: Sequence[Change], *, suffix: str = "") -> None:
    unchanged = [change for change in changes if change.word == "unchanged"]
    if settings.output in ("table", "wide") and len(unchanged) > MANY:
        changes = [change for change in changes if change.word != "unchanged"]
        print_changes(settings, changes, suffix=suffix)
        say(f"{counted(len(unchanged), 'job')} unchanged")
        return
    marked = [change for change in changes if change.word != "unchanged"]
    if suffix and settings.output in ("table", "wide"):
        print_changes(settings, marked, suffix=suffix)
        print_changes(settings, unchanged)
        return
    print_changes(settings, changes)


def _stop_if_invalid(settings: Settings, checked: Checked, whole: bool, done: str) -> None:
    if whole:
        stop_at_errors(settings, checked, done=done)
