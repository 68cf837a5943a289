"""What the machine allows: watches, open files, processes, control groups."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from cli.health.finding import Check, Finding, Patient, ok, problem, warning
from cli.output import counted
from state.database import file_system

FEW_FILES = 1024
"""The supervisor holds about three descriptors for each run that is active."""
VERY_FEW_FILES = 256
LOCAL_EVENTS_ONLY = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "virtiofs",
    "ceph",
    "fuse",
    "lustre",
    "gpfs",
    "afs",
    "glusterfs",
    "vbox",
)
CONTROLLERS = ("memory", "cpu", "pids")


def check_watches(patient: Patient) -> Iterator[Finding]:
    """inotify: one watch per folder of the specs, one instance per daemon, both counted per user."""
    if not patient.specs.is_dir():
        return
    folders = 1 + sum(len(names) for _, names, _ in _walk(patient.specs))
    inotify = patient.proc / "sys/fs/inotify"
    watches, instances = (
        _number(patient, inotify / "max_user_watches"),
        _number(patient, inotify / "max_user_instances"),
    )
    beat = patient.heartbeat
    down = patient.alive and beat is not None and beat.number("watch", "up") == 0
    if down and beat is not None:
        from specs.source_thread import UNWATCHED_SWEEP

        yield problem(
            f"the daemon hears of no change: {beat.text('watch', 'error') or 'its watcher is down'}; "
            f"only a look every {min(patient.config.resync, UNWATCHED_SWEEP):g}s finds them",
            "raise the limits of inotify: sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024",
        )
    if watches is not None and folders * 2 > watches:
        yield warning(
            f"{folders} folders of specs need as many inotify watches; this user may have {watches}, for all programs",
            "sysctl fs.inotify.max_user_watches=524288",
        )
    if instances is not None and instances < 16:
        yield warning(
            f"this user may have {counted(instances, 'inotify instance')}, for all programs",
            "sysctl fs.inotify.max_user_instances=1024",
        )
    kind = file_system(patient.specs)
    if kind.removeprefix("fuse.").startswith(LOCAL_EVENTS_ONLY) or kind.startswith("fuse"):
        yield warning(
            f"{patient.specs} is on {kind}: changes made on other machines ring no bell; "
            f"a look every {patient.config.resync:g}s finds them",
            "right if that is soon enough; else lower `resync` in jobsctl.yaml, or put a checkout on a local disk",
        )
    elif not down:
        yield ok(f"{counted(folders, 'folder')} to watch on {kind or 'an unknown file system'}")


def check_files(patient: Patient) -> Iterator[Finding]:
    """Open files and processes the daemon, or else a program started here, may have."""
    pid = patient.daemon_pid
    if pid and not patient.text(patient.proc / str(pid) / "limits"):
        yield ok(f"the limits of the daemon (pid {pid}) cannot be seen by this user")
        return
    who = f"the daemon (pid {pid})" if pid else "a daemon started from here"
    files = _limit_of(patient, pid, "Max open files", resource.RLIMIT_NOFILE)
    processes = _limit_of(patient, pid, "Max processes", resource.RLIMIT_NPROC)
    mend = "raise it: ulimit -n 65536, or LimitNOFILE=65536 in the unit"
    if files is not None and files < VERY_FEW_FILES:
        yield problem(f"{who} may have {files} open files: about {files // 4} runs at a time", mend)
    elif files is not None and files < FEW_FILES:
        yield warning(f"{who} may have {files} open files: about {files // 4} runs at a time", mend)
    else:
        yield ok(f"{who} may have {files or 'any number of'} open files")
    if processes is not None and processes < 256 and os.geteuid() != 0:
        yield warning(
            f"{who} may have {processes} processes, with all others of this user",
            "raise it: ulimit -u 4096, or LimitNPROC= in the unit",
        )
    group = _own_group(patient, pid)
    if group is not None:
        most, now = _number(patient, group / "pids.max"), _number(patient, group / "pids.current")
        if most is not None and now is not None and now * 5 > most * 4:
            yield warning(f"{now} of {most} processes of {group} are in use", "raise TasksMax= in the unit")


def check_groups(patient: Patient) -> Iterator[Finding]:
    """Which limits of whole process trees will work: `run.limits` of memory, cpu and pids need control groups."""
    wanted = _limits_in_use(patient)
    group = _own_group(patient, patient.daemon_pid)
    usable = _delegated(patient, group) if group is not None else set()
    # Version 1 has a folder for each controller.
    usable |= {name for name in CONTROLLERS if os.access(patient.sys / "fs/cgroup" / name, os.W_OK)}
    missing = {name: count for name, count in wanted.items() if name not in usable}
    for name, count in missing.items():
        yield warning(
            f"{name} is limited by {counted(count, 'job')}, and there is no {name} control group to do it for the "
            "whole tree: each process is limited by itself, or not at all",
            "run the daemon as a systemd service with Delegate=yes, or under a user's systemd",
        )
    if not missing:
        yield ok(f"limits of whole trees work for: {', '.join(sorted(usable)) or 'nothing'}; jobs that limit: "
                 f"{', '.join(sorted(wanted)) or 'none'}")  # fmt: skip


def _limits_in_use(patient: Patient) -> dict[str, int]:
    if patient.database_error:
        return {}
    # In one question SQLite parses each spec once.
    each = ", ".join(f"count(json_extract(CAST(canonical AS TEXT), '$.run.limits.{name}'))" for name in CONTROLLERS)
    (counts,) = patient.rows(f"SELECT {each} FROM job JOIN spec ON spec.job_id = job.id WHERE archived_at IS NULL")
    return {name: count for name, count in zip(CONTROLLERS, counts, strict=True) if isinstance(count, int) and count}


def _own_group(patient: Patient, pid: int | None) -> Path | None:
    """The version 2 group of a process (None: of this one)."""
    for line in patient.text(patient.proc / str(pid or "self") / "cgroup").splitlines():
        if line.startswith("0::"):
            path = patient.sys / "fs/cgroup" / line[3:].lstrip("/").removesuffix("/jobsctl")
            return path if (path / "cgroup.controllers").exists() else None
    return None


def _delegated(patient: Patient, group: Path) -> set[str]:
    """Controllers that groups below can have: handed on already, or ours to hand on."""
    there = set(patient.text(group / "cgroup.controllers").split())
    given = set(patient.text(group / "cgroup.subtree_control").split())
    if not os.access(group, os.W_OK):
        return set()
    try:
        marked = os.getxattr(group, "user.delegate") == b"1"
    except OSError:
        marked = False
    ours = marked or (os.geteuid() != 0 and group.stat().st_uid == os.geteuid())
    return (there if ours else there & given) & set(CONTROLLERS)


def _limit_of(patient: Patient, pid: int | None, name: str, number: int) -> int | None:
    """The soft limit; None when there is none."""
    for line in patient.text(patient.proc / str(pid) / "limits").splitlines() if pid else ():
        if line.startswith(name):
            soft = line[len(name) :].split()[0]
            return int(soft) if soft.isdigit() else None
    soft_limit = resource.getrlimit(number)[0]
    return None if soft_limit == resource.RLIM_INFINITY else soft_limit


def _number(patient: Patient, path: Path) -> int | None:
    text = patient.text(path).strip()
    return int(text) if text.isdigit() else None


def _walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield folder, folders, names


CHECKS = (
    Check("watcher", "inotify limits, the daemon's watcher, file systems on which events do not come", check_watches),
    Check("limits", "open files and processes the daemon may have", check_files),
    Check("cgroups", "which limits of whole process trees will work here", check_groups),
)
