"""The disk under the state: room, inodes, read-only, and how long the room lasts."""

from __future__ import annotations

from collections.abc import Iterator
from os import ST_RDONLY, statvfs

from cli.health.finding import DAY, Check, Finding, Patient, ok, problem, warning
from state.ids import first_id
from status.words.times import size

LITTLE, VERY_LITTLE = 1 << 30, 100 << 20
"""Bytes free."""
FEW, VERY_FEW = 20_000, 1_000
"""Inodes free: a run takes about five."""
SOON = 7
"""Days."""
_MEND = "free some space, or lower `retention` in jobsctl.yaml"


def check_room(patient: Patient) -> Iterator[Finding]:
    """Bytes and inodes that are free to the daemon's user."""
    state = patient.home.state if patient.home.state.exists() else patient.home.root
    here = statvfs(state)
    if here.f_flag & ST_RDONLY:
        yield problem(
            f"{state} is on a read-only file system: nothing starts",
            "the kernel's log (dmesg) says why; mount it for writing",
        )
        return
    free = here.f_bavail * here.f_frsize
    if free < VERY_LITTLE:
        yield problem(f"{size(free)} free under {state}: without room nothing can be started", _MEND)
    elif free < LITTLE:
        yield warning(f"{size(free)} free under {state}", _MEND)
    else:
        yield ok(f"{size(free)} free under {state}")
    # Some file systems (btrfs) have no fixed number of inodes and say 0.
    if here.f_files and here.f_favail < VERY_FEW:
        yield problem(f"{here.f_favail} inodes free under {state} (df -i)", _MEND)
    elif here.f_files and here.f_favail < FEW:
        yield warning(f"{here.f_favail} inodes free under {state} (df -i)", _MEND)


def check_pace(patient: Patient) -> Iterator[Finding]:
    """Whether the output of the last day, every day, fills the disk within a week."""
    if patient.database_error or not patient.home.state.exists():
        return
    rows = patient.rows("SELECT coalesce(sum(output_bytes), 0) FROM run WHERE id >= ?", (first_id(patient.now - DAY),))
    written = rows[0][0] if rows else 0
    here = statvfs(patient.home.state)
    free = here.f_bavail * here.f_frsize
    if isinstance(written, int) and written and free / written < SOON:
        yield warning(
            f"runs wrote {size(written)} in the last day and {size(free)} are free: full in {free / written:.0f} days "
            "unless retention removes as much",
            "`jobsctl runs -o wide` shows who writes; lower `retention` or `capture`",
        )


CHECKS = (
    Check("disk", "free bytes and inodes of the state, and whether it can be written", check_room),
    Check("disk-pace", "whether the disk is full soon, at the pace of the last day", check_pace),
)
