"""Limits of a whole tree by control groups: version 2 where it is delegated to us, else version 1, controller by
controller.

Called by `forked` to make and enter a run's groups, by the loop to read and remove them, and by the daemon for the
runs of a dead supervisor. Where neither version can be used, `forked` falls back to rlimits.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runners.supervisor.run import Run

_PERIOD = 100_000
"""Microseconds over which the CPU share is counted; the kernel's default."""
CONTROLLERS = ("memory", "cpu", "pids")


class Hierarchies:
    """Where this machine lets us make groups. `v2`: the directory; `v1`: a directory per controller."""

    __slots__ = ("v1", "v2", "v2_controllers")

    def __init__(self, v2: str | None, v2_controllers: frozenset[str], v1: dict[str, str]) -> None:
        self.v2 = v2
        self.v2_controllers = v2_controllers
        self.v1 = v1


_known: Hierarchies | None = None


def hierarchies() -> Hierarchies:
    """Looked up once: a machine does not change this while it runs."""
    global _known
    if _known is None:
        _known = _find()
    return _known


def _find() -> Hierarchies:
    mine = {}
    for line in _lines("/proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            mine[controller] = path
    v2, v1 = None, {}
    for line in _lines("/proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        root, mount = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2" and "" in mine:
            v2 = _below(mount, root, mine[""])
        elif kind == "cgroup":
            for controller in CONTROLLERS:
                if controller in options.split()[-1].split(",") and controller in mine:
                    v1[controller] = _below(mount, root, mine[controller])
    v1 = {controller: path for controller, path in v1.items() if os.access(path, os.W_OK)}
    return Hierarchies(v2, _delegate(v2) if v2 else frozenset(), v1)


def _below(mount: str, root: str, path: str) -> str:
    if root != "/":
        path = path.removeprefix(root)
    return (mount + path).rstrip("/")


def _delegate(own: str) -> frozenset[str]:
    """The controllers that groups below `own` can have."""
    wanted = {controller for controller in CONTROLLERS if controller in _read(f"{own}/cgroup.controllers").split()}
    given = set(_read(f"{own}/cgroup.subtree_control").split())
    if wanted <= given or not wanted or not _is_ours(own):
        return frozenset(wanted & given if os.access(own, os.W_OK) else ())
    # A group that hands controllers on may hold no process: the daemon and this process move one level down.
    inner = f"{own}/jobsctl"
    try:
        os.makedirs(inner, exist_ok=True)
        for pid in _read(f"{own}/cgroup.procs").split():
            _write(f"{inner}/cgroup.procs", pid)
        _write(f"{own}/cgroup.subtree_control", " ".join(f"+{controller}" for controller in sorted(wanted)))
    except OSError:
        pass
    return frozenset(wanted & set(_read(f"{own}/cgroup.subtree_control").split()))


def _is_ours(own: str) -> bool:
    """Delegated to this service: the mark systemd sets, or the directory belongs to an ordinary user."""
    try:
        if os.getxattr(own, "user.delegate") == b"1":
            return True
    except OSError:
        pass
    return os.geteuid() != 0 and os.access(own, os.W_OK) and os.stat(own).st_uid == os.geteuid()


class Groups:
    """The control groups of one run."""

    __slots__ = ("_memory", "paths", "v2")

    def __init__(self, paths: list[str], v2: bool, memory: str | None) -> None:
        self.paths = paths
        self.v2 = v2
        self._memory = memory

    def enter(self) -> None:
        """Move the calling process in. Raises OSError."""
        for path in self.paths:
            _write(f"{path}/cgroup.procs", "0")

    def pids(self) -> list[int]:
        """Who is in them: the whole tree, whatever sessions it made."""
        found = set()
        for path in self.paths:
            found |= {int(pid) for pid in _read(f"{path}/cgroup.procs").split()}
        return list(found)

    def kill(self) -> None:
        """KILL to all who are in them."""
        for path in self.paths:
            try:
                _write(f"{path}/cgroup.kill", "1")
                return
            except OSError:  # version 1, or a kernel before 5.14
                pass
        for pid in self.pids():
            try:
                os.kill(pid, 9)
            except OSError:
                pass

    def oom_kills(self) -> int:
        """How many of the tree the kernel killed because of the memory limit."""
        if self._memory is None:
            return 0
        for line in _read(f"{self._memory}/{'memory.events' if self.v2 else 'memory.oom_control'}").splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
        return 0

    def peak(self) -> int:
        """Most memory the tree held, bytes; 0 when the kernel does not say."""
        if self._memory is None:
            return 0
        text = _read(f"{self._memory}/{'memory.peak' if self.v2 else 'memory.max_usage_in_bytes'}").strip()
        return int(text) if text.isdigit() else 0

    def remove(self) -> bool:
        """Delete them. False while a process is still in one."""
        return remove(self.paths)


def remove(paths: list[str]) -> bool:
    """Delete these groups. False while a process is still in one."""
    gone = True
    for path in paths:
        try:
            os.rmdir(path)
        except FileNotFoundError:
            pass
        except OSError:
            gone = False
    return gone


def plan(run: Run) -> Groups | None:
    """The groups this run will have; nothing is made yet. None when it needs none or the machine has none."""
    if not (run.memory or run.cpu or run.pids):
        return None
    wanted = [name for name, limit in zip(CONTROLLERS, (run.memory, run.cpu, run.pids), strict=True) if limit]
    here = hierarchies()
    if here.v2 and here.v2_controllers.issuperset(wanted):
        path = f"{here.v2}/jobsctl-{run.id}"
        return Groups([path], True, path if run.memory else None)
    paths = {name: f"{here.v1[name]}/jobsctl-{run.id}" for name in wanted if name in here.v1}
    return Groups(sorted(set(paths.values())), False, paths.get("memory")) if paths else None


def make(run: Run, groups: Groups) -> None:
    """Make the groups with their limits. Raises OSError. Tells in `run.details` what is limited how."""
    for path in groups.paths:
        os.makedirs(path, exist_ok=True)
    here = hierarchies()
    version = "cgroup v2" if groups.v2 else "cgroup v1"
    if run.memory and (groups.v2 or "memory" in here.v1):
        path = groups.paths[0] if groups.v2 else f"{here.v1['memory']}/jobsctl-{run.id}"
        _write(f"{path}/{'memory.max' if groups.v2 else 'memory.limit_in_bytes'}", str(run.memory))
        # Without this a job over its limit swaps instead; files that are not there belong to machines without swap.
        if groups.v2:
            _try(f"{path}/memory.swap.max", "0")
            _try(f"{path}/memory.oom.group", "1")
        else:
            _try(f"{path}/memory.memsw.limit_in_bytes", str(run.memory))
        run.details["memory"] = version
    if run.cpu and (groups.v2 or "cpu" in here.v1):
        quota = max(1000, int(run.cpu * _PERIOD))
        if groups.v2:
            _write(f"{groups.paths[0]}/cpu.max", f"{quota} {_PERIOD}")
        else:
            path = f"{here.v1['cpu']}/jobsctl-{run.id}"
            _write(f"{path}/cpu.cfs_period_us", str(_PERIOD))
            _write(f"{path}/cpu.cfs_quota_us", str(quota))
        run.details["cpu"] = version
    if run.pids and (groups.v2 or "pids" in here.v1):
        path = groups.paths[0] if groups.v2 else f"{here.v1['pids']}/jobsctl-{run.id}"
        _write(f"{path}/pids.max", str(run.pids))
        run.details["pids"] = version


def _lines(path: str) -> list[str]:
    return _read(path).splitlines()


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _try(path: str, text: str) -> None:
    try:
        _write(path, text)
    except OSError:
        pass


def restored(paths: list[str]) -> Groups:
    """The groups of a run whose supervisor is dead."""
    v2 = any(os.path.exists(f"{path}/cgroup.events") for path in paths)
    memory = "memory.peak" if v2 else "memory.max_usage_in_bytes"
    return Groups(paths, v2, next((path for path in paths if os.path.exists(f"{path}/{memory}")), None))
