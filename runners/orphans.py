"""Runs whose supervisor is dead: what its journal says of them, and watching those that still live.

Used by `runners.supervised` only. A supervisor's children become the daemon's when it dies, so the daemon gets their
exit status; when the daemon died too they are init's, and how they end is only known when they were asked to.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from runners.base import EndReason, Exited, Message, NeverStarted, Started
from runners.supervisor import cgroup, files, journal, tree, wall
from runners.supervisor.journal import Entry, Journal
from runners.supervisor.run import Run
from runners.supervisor.tree import Process

_TERM, _KILL, _CONT = 15, 9, 18
_HUNT = 5.0
"""Seconds of KILL at what is left of a tree."""
_TICK, _HUNTING_TICK = 0.25, 0.02
LOST = "the supervisor and the daemon were both gone when it ended: how it ended cannot be known"
_NOWHERE = 1 << 62
"""Output limit of a run whose journal is gone: nothing is cut."""


class Orphan:
    """A run that is watched from here."""

    __slots__ = ("kill_at", "ours", "pidfd", "process", "run", "status_known", "until")

    def __init__(self, run: Run, process: Process | None, *, ours: bool) -> None:
        self.run = run
        self.process = process
        """The main process; None once it is gone."""
        self.ours = ours
        """It is a child of this process: its status will be known."""
        self.status_known = run.status is not None
        self.pidfd: int | None = None
        self.kill_at: float | None = None
        self.until: float | None = None
        """Until when the rest of its tree is hunted."""


class Orphans:
    """Everything that dead supervisors left. `say` takes the messages; `watch` and `unwatch` descriptors."""

    def __init__(
        self, say: Callable[[Message], None], watch: Callable[[int], None], unwatch: Callable[[int], None]
    ) -> None:
        self._say = say
        self._watch = watch
        self._unwatch = unwatch
        self._live: dict[str, Orphan] = {}
        self._journals: dict[str, Journal] = {}
        """By run id. Several runs share one."""
        self._by_pidfd: dict[int, Orphan] = {}

    # --- taking over

    def take_over(self, left: Journal, *, reaper: bool, terms: Callable[[str], tuple[float | None, float]]) -> None:
        """Settle or watch every run of this journal, and keep it until all are acknowledged.

        Args:
            reaper: this process was the subreaper when the supervisor died: what it had started is our child now.
            terms: timeout (None: none) and grace of a run, seconds.
        """
        entries = list(left.entries.values())
        if not entries:
            left.close()
        for entry in entries:
            self._journals[entry.id] = left
        for entry in entries:
            timeout, grace = terms(entry.id)
            self._settle(entry, reaper=reaper, timeout=timeout, grace=grace)

    def _settle(self, entry: Entry, *, reaper: bool, timeout: float | None, grace: float) -> None:
        if entry.end is not None:
            self._say(exited(entry.id, entry.end))
            return
        run = _run_of(entry, timeout, grace)
        if entry.pid is None:
            # Starts are written down one by one, so this was never begun, or is the one that was being started.
            begun = Path(os.fsdecode(run.dir), "outputs").exists()
            found = find(entry.id, run.dir) if begun else None
            if found is None and begun and reaper:
                found = _dead_child(self._journals[entry.id].entries.values())
            if found is None:
                if reaper or not begun:
                    self._say(NeverStarted(run_id=entry.id))
                    self.acknowledge([entry.id])
                else:
                    self._lose(run)
                return
            run.pid, run.pid_start, run.started_at = found.pid, found.start, wall.now_us()
            self._record(entry.id, (journal.STARTED, entry.id, run.pid, run.pid_start, run.started_at))
        if entry.exit is not None:
            run.status, run.exit_at = entry.exit
        self.adopt(run)

    def adopt(self, run: Run) -> None:
        """Watch a run that has a process, or had one, and say that it runs."""
        process = tree.look(run.pid)
        if process is not None and process.start != run.pid_start:
            process = None
        orphan = Orphan(run, process, ours=process is not None and process.ppid == os.getpid())
        self._live[run.id] = orphan
        if process is None and run.status is None:
            self._finish(orphan)
            return
        if process is not None:
            if run.status is None:
                self._say(Started(run_id=run.id, at=run.started_at, pid=run.pid, pid_start=run.pid_start))
            self._open_pidfd(orphan)
        if run.timeout is not None and run.reason == EndReason.EXIT:
            run.deadline = wall.monotonic() + run.timeout - (wall.now_us() - run.started_at) / 1e6
        elif run.reason != EndReason.EXIT:
            orphan.kill_at = wall.monotonic() + run.grace

    def _open_pidfd(self, orphan: Orphan) -> None:
        """Without one, for lack of descriptors, `tick` looks whether it still lives."""
        try:
            pidfd = os.pidfd_open(orphan.run.pid)
        except ProcessLookupError:
            orphan.process = None  # it ended a moment ago: `tick` goes on
            return
        except OSError:
            return
        if files.scarce(pidfd):
            os.close(pidfd)
            return
        orphan.pidfd = pidfd
        self._by_pidfd[pidfd] = orphan
        self._watch(pidfd)

    def tell(self, run_id: str) -> bool:
        """How this run is, again. False when it is not known here."""
        if (orphan := self._live.get(run_id)) is not None:
            run = orphan.run
            self._say(Started(run_id=run.id, at=run.started_at, pid=run.pid, pid_start=run.pid_start))
            return True
        entry = self._journals[run_id].entries.get(run_id) if run_id in self._journals else None
        if entry is None or entry.end is None:
            return False
        self._say(exited(run_id, entry.end))
        return True

    # --- watching

    def ready(self, fd: int) -> bool:
        """A descriptor became readable. False when it is none of ours."""
        orphan = self._by_pidfd.get(fd)
        if orphan is None:
            return False
        self._main_ended(orphan)
        return True

    def wake_in(self) -> float | None:
        """Seconds until `tick` is wanted; None when there is nobody."""
        if not self._live:
            return None
        return _HUNTING_TICK if any(orphan.process is None for orphan in self._live.values()) else _TICK

    def tick(self) -> None:
        """Deadlines, output files, and what is left of ended trees."""
        now, at = wall.monotonic(), wall.now_us()
        for orphan in list(self._live.values()):
            run = orphan.run
            if orphan.process is not None and orphan.pidfd is None:
                process = tree.look(run.pid)
                if process is None or process.dead or process.start != run.pid_start:
                    self._main_ended(orphan)
                    continue
            if orphan.process is None:
                self._finish(orphan)
                continue
            if run.deadline is not None and now >= run.deadline:
                self._stop(orphan, EndReason.TIMEOUT, run.grace)
            if orphan.kill_at is not None and now >= orphan.kill_at:
                tree.send(_KILL, self._members(orphan))
                orphan.kill_at = now + 1.0
            if now >= run.next_index:
                files.look_after(run, at)
                run.next_index = now + 1.0

    def stop(self, run_id: str, grace: float) -> None:
        """TERM to the tree, KILL after `grace` seconds."""
        orphan = self._live.get(run_id)
        if orphan is not None and orphan.process is not None:
            self._stop(orphan, EndReason.CANCEL, grace)

    def _stop(self, orphan: Orphan, reason: EndReason, grace: float) -> None:
        kill_at = wall.monotonic() + grace
        if orphan.kill_at is not None:
            orphan.kill_at = min(orphan.kill_at, kill_at)
            return
        run = orphan.run
        run.reason = reason.value
        run.deadline = None
        orphan.kill_at = kill_at
        self._record(run.id, (journal.STOP, run.id, run.reason, wall.now_us()))
        members = self._members(orphan)
        tree.send(_TERM, members)
        tree.send(_CONT, members)

    def _members(self, orphan: Orphan) -> list[Process]:
        """The living processes of its tree: by session, by parent, by environment, by control group."""
        run = orphan.run
        processes = tree.scan()
        roots = {
            process.pid
            for process in processes.values()
            if process.start >= run.pid_start
            and (run.pid in (process.sid, process.pgid) or tree.run_id_of(process.pid) == run.id)
        }
        if run.groups is not None:
            roots.update(run.groups.pids())
        if orphan.process is not None:
            roots.add(run.pid)
        return tree.below(processes, roots)

    # --- ending

    def _main_ended(self, orphan: Orphan) -> None:
        run = orphan.run
        run.exit_at = run.exit_at or wall.now_us()
        if orphan.ours:
            tree.send_group(_KILL, run.pid)  # not reaped yet: the group is its own
            try:
                _, status, usage = os.wait4(run.pid, 0)
            except ChildProcessError:
                pass
            else:
                run.status = status & 0xFF7F  # without the core dump flag
                run.cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
                run.peak = usage.ru_maxrss * 1024
                self._record(run.id, (journal.EXIT, run.id, run.status, run.exit_at))
        if orphan.pidfd is not None:
            self._unwatch(orphan.pidfd)
            del self._by_pidfd[orphan.pidfd]
            os.close(orphan.pidfd)
            orphan.pidfd = None
        orphan.process = None
        self._finish(orphan)

    def _finish(self, orphan: Orphan) -> None:
        """Kill what is left; say the end when nothing is."""
        run = orphan.run
        now = wall.monotonic()
        members = self._members(orphan)
        orphan.until = orphan.until or now + _HUNT
        if members and now < orphan.until:
            tree.send(_KILL, members)
            run.killed.update(process.pid for process in members)
            run.details["left"] = f"{len(run.killed)} processes were left behind and killed"
            return
        for pid in run.killed:  # those that became our children
            _reap(pid)
        del self._live[run.id]
        if run.groups is not None:
            run.peak = run.groups.peak() or run.peak
            if run.reason == EndReason.EXIT and run.status and run.groups.oom_kills():
                run.reason = EndReason.OOM.value
            run.groups.remove()
        files.look_after(run, run.exit_at or wall.now_us(), last=True)
        run.details["supervisor"] = "died; the daemon watched it from then on"
        if run.status is None:
            self._lose(run)
        else:
            self._conclude(run)

    def _lose(self, run: Run) -> None:
        if run.reason == EndReason.EXIT:
            run.reason = EndReason.LOST.value
            run.error = LOST
        self._conclude(run)

    def _conclude(self, run: Run) -> None:
        end = run.end(run.exit_at or wall.now_us())
        self._record(run.id, (journal.ENDED, run.id, end))
        self._say(exited(run.id, end))

    def _record(self, run_id: str, record: tuple[Any, ...]) -> None:
        if (left := self._journals.get(run_id)) is not None:
            left.record([record])

    # --- forgetting

    def acknowledge(self, run_ids: Iterable[str]) -> None:
        """The ends are stored. A journal of which nothing is left is deleted."""
        by_journal: dict[Journal, list[str]] = {}
        for run_id in run_ids:
            if (left := self._journals.pop(run_id, None)) is not None:
                by_journal.setdefault(left, []).append(run_id)
        for left, ended in by_journal.items():
            left.acknowledge(ended)
            if not left.entries:
                left.close()

    def close(self) -> None:
        """Let go: the next daemon reads the journals."""
        for fd in self._by_pidfd:
            os.close(fd)
        for left in set(self._journals.values()):
            left.close()


def exited(run_id: str, end: dict[str, Any]) -> Exited:
    """The message of a journaled end."""
    return Exited(run_id=run_id, **{**end, "reason": EndReason(end["reason"])})


def find(run_id: str, run_dir: bytes) -> Process | None:
    """The main process of a run that nobody wrote down: the oldest with its id in the environment, or its output."""
    log = {os.fsdecode(run_dir) + name for name in ("/output.log", "/stdout.log")}
    found = [
        process
        for process in tree.scan().values()
        if not process.dead and (tree.run_id_of(process.pid) == run_id or _standard_output(process.pid) in log)
    ]
    leaders = [process for process in found if process.pid == process.sid]
    return min(leaders or found, key=lambda process: process.start, default=None)


def _standard_output(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/fd/1").readlink())
    except OSError:
        return None


def _dead_child(entries: Iterable[Entry]) -> Process | None:
    """A dead child of ours that led a session and started after all that are written down: the one that was not."""
    known = {entry.pid: entry.pid_start or 0 for entry in entries if entry.pid is not None}
    after = max(known.values(), default=0)
    found = [
        process
        for process in tree.scan().values()
        if process.dead and process.ppid == os.getpid() and process.sid == process.pid
        if process.pid not in known and process.start >= after
    ]
    return max(found, key=lambda process: process.start, default=None)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _run_of(entry: Entry, timeout: float | None, grace: float) -> Run:
    run = bare_run(entry.id, entry.dir, timeout, grace, output_max=entry.output_max, separate=entry.separate)
    run.pid, run.pid_start, run.started_at = entry.pid or 0, entry.pid_start or 0, entry.started_at or 0
    if entry.stop is not None:
        run.reason = entry.stop
    if entry.cgroups:
        run.groups = cgroup.restored([os.fsdecode(path) for path in entry.cgroups])
    return run


def bare_run(
    run_id: str,
    run_dir: bytes,
    timeout: float | None,
    grace: float,
    *,
    output_max: int = _NOWHERE,
    separate: bool = False,
) -> Run:
    """A run of which only the present is known; continues its index file where there is one."""
    run = Run(
        id=run_id, dir=run_dir, argv=[], env={}, cwd=b"/", output_max=output_max, separate=separate,
        timeout=timeout, grace=grace,
    )  # fmt: skip
    run.sizes = {stem: -1 for stem in run.stems if Path(os.fsdecode(run_dir + b"/" + stem + b".idx")).exists()}
    return run
