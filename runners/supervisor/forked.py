"""The start that posix_spawn cannot do: another user or group, resource limits, control groups.

Called by `spawn`. Forking is cheap here: this process has one thread and is a few megabytes. Every step that fails in
the child comes back through a pipe that closes itself at the exec.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import errno
import grp
import os
import pwd
import resource

from runners.supervisor import cgroup, libc, spawn
from runners.supervisor.spawn import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runners.supervisor.capture import Outputs
    from runners.supervisor.run import Run


class _Identity:
    """Who the program runs as."""

    __slots__ = ("gid", "name", "uid")

    def __init__(self, uid: int, gid: int, name: str | None) -> None:
        self.uid = uid
        self.gid = gid
        self.name = name
        """For its supplementary groups; None for a number without an account."""


def start(run: Run, null: int, outputs: Outputs) -> int:
    """Start the program of a prepared run; its pid. Raises StartError."""
    who = _identity(run)
    if who is not None:
        _hand_over(run, who)
    _enter_groups(run)
    source, sink = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        step = ["start"]
        try:
            _child(run, null, outputs, who, step)
        except BaseException as error:  # nothing of the parent's code may ever run on in the child
            os.write(sink, f"{step[0]}\0{_say(step[0], run, error)}".encode("utf-8", "replace"))
        finally:
            os._exit(127)
    os.close(sink)
    try:
        with open(source, "rb") as file:
            failed = file.read()
    except BaseException:
        os.kill(pid, 9)
        raise
    if failed:
        os.waitpid(pid, 0)
        if run.groups is not None:
            run.groups.remove()
        raise StartError(failed.partition(b"\0")[2].decode("utf-8", "replace"))
    return pid


def _child(run: Run, null: int, outputs: Outputs, who: _Identity | None, step: list[str]) -> None:
    """From here to the exec; `step[0]` names what is being done."""
    os.setsid()
    for target, fd in enumerate((null, outputs.out, outputs.err)):
        os.dup2(fd, target)
    step[0] = "control group"
    if run.groups is not None:
        run.groups.enter()
    step[0] = "limits.nofile"
    if run.nofile:
        resource.setrlimit(resource.RLIMIT_NOFILE, (run.nofile, run.nofile))
    step[0] = "limits.memory"
    if run.memory and "cgroup" not in run.details["memory"]:
        resource.setrlimit(resource.RLIMIT_AS, (run.memory, run.memory))
    step[0] = "limits.pids"
    if run.pids and "cgroup" not in run.details["pids"]:
        resource.setrlimit(resource.RLIMIT_NPROC, (run.pids, run.pids))
    if who is not None:
        _become(who, step)
    if run.umask is not None:
        os.umask(run.umask)
    step[0] = "start"
    spawn.enter(run.cwd)  # as the user: what it may not enter, the run may not be in
    program = spawn.resolve(run.argv[0], run.env)
    for number in spawn.IGNORED_BY_PYTHON:
        _signal.signal(number, _signal.SIG_DFL)
    step[0] = os.fsdecode(program)
    os.execve(program, run.argv, run.env)


def _become(who: _Identity, step: list[str]) -> None:
    step[0] = "group"
    if who.name is not None and os.geteuid() == 0:
        os.initgroups(who.name, who.gid)
    elif os.geteuid() == 0:
        os.setgroups([who.gid])
    os.setresgid(who.gid, who.gid, who.gid)
    step[0] = "user"
    os.setresuid(who.uid, who.uid, who.uid)
    step[0] = "no new privileges"
    if not libc.no_new_privileges():
        raise OSError(errno.EPERM, "prctl refused")


def _say(step: str, run: Run, error: BaseException) -> str:
    if isinstance(error, StartError):
        return str(error)
    if step.startswith("/") and isinstance(error, OSError | ValueError):
        return spawn.refusal(os.fsencode(step), error)
    if not isinstance(error, OSError):
        return f"cannot start: {error!r}" if step == "start" else f"{step} cannot be set: {error}"
    reason = os.strerror(error.errno) if error.errno else str(error)
    if step in ("user", "group"):
        name = run.user if step == "user" else run.group or run.user
        return f"cannot become {step} {name}: {reason}; only root may switch"
    if step.startswith("limits."):
        return f"{step} cannot be set: {reason}; the daemon's own limit is lower"
    return f"{step} failed: {reason}"


def _identity(run: Run) -> _Identity | None:
    """Raises StartError for names the machine does not know. None when nothing is to be changed."""
    if run.user is None and run.group is None:
        return None
    uid, gid, name = os.geteuid(), os.getegid(), None
    if run.user is not None:
        try:
            account = pwd.getpwuid(int(run.user)) if run.user.isdigit() else pwd.getpwnam(run.user)
            uid, gid, name = account.pw_uid, account.pw_gid, account.pw_name
        except KeyError:
            if not run.user.isdigit():
                raise StartError(f"unknown user {run.user}; create the account, or correct `user`") from None
            uid = gid = int(run.user)
    if run.group is not None:
        try:
            gid = int(run.group) if run.group.isdigit() else grp.getgrnam(run.group).gr_gid
        except KeyError:
            raise StartError(f"unknown group {run.group}; create it, or correct `group`") from None
    if (uid, gid) == (os.geteuid(), os.getegid()):
        return None
    return _Identity(uid, gid, name)


def _hand_over(run: Run, who: _Identity) -> None:
    """The run directory is the job's: it writes progress, result and outputs into it."""
    names = [b"", b"/outputs", *(b"/" + stem + b".log" for stem in run.stems)]
    if run.script is not None:
        names.append(b"/script")
    try:
        for name in names:
            os.chown(run.dir + name, who.uid, who.gid)
    except OSError as error:
        what = f"cannot give the run directory to {run.user or run.group}"
        raise StartError(f"{what}: {os.strerror(error.errno or 0)}; only root may switch users") from None


def _enter_groups(run: Run) -> None:
    """Make the control groups, and say what limits what."""
    if run.groups is not None:
        try:
            cgroup.make(run, run.groups)
        except OSError as error:
            run.groups.remove()
            run.groups = None
            raise StartError(f"cannot set the limits: {error.filename or 'control group'}: {error.strerror}") from None
    if run.memory:
        run.details.setdefault("memory", "rlimit: address space of each process")
    if run.cpu:
        run.details.setdefault("cpu", "not enforced: no control group may be made here")
    if run.pids:
        run.details.setdefault("pids", "rlimit: all processes of the user count; not enforced for root")
    if run.nofile:
        run.details["nofile"] = "rlimit"
