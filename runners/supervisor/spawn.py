"""Start one run: its directory, its program. Called by the supervisor's loop.

The plain way is posix_spawn. What posix_spawn cannot do (another user, limits, a cgroup) is done by `forked`.
"""

from __future__ import annotations

import errno
import os

from runners.supervisor.capture import Outputs
from runners.supervisor.crash import crashpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runners.supervisor.run import Run

_SIGPIPE, _SIGXFSZ = 13, 25
IGNORED_BY_PYTHON = (_SIGPIPE, _SIGXFSZ)
"""A job gets the default of every signal; these two the interpreter ignores, and that would be inherited."""
_DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"


class StartError(Exception):
    """Raised when a run cannot be started. The text says which step failed, on what, and what to do."""


def prepare(run: Run) -> None:
    """Make the run directory, 0700, with `outputs/` and the script. Raises StartError."""
    try:
        try:
            os.mkdir(run.dir, 0o700)
        except FileNotFoundError:
            _make_parents(os.path.dirname(run.dir))
            os.mkdir(run.dir, 0o700)
        except FileExistsError:
            pass  # the daemon may have left a file in it
        outputs = run.dir + b"/outputs"
        try:
            os.mkdir(outputs, 0o700)
        except FileExistsError:
            pass
        if run.script is not None:
            fd = os.open(run.dir + b"/script", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o700)
            try:
                os.write(fd, run.script)
            finally:
                os.close(fd)
    except OSError as error:
        raise StartError(_say("cannot prepare the run directory", run.dir, error)) from None
    crashpoint("prepared")


def _make_parents(folder: bytes) -> None:
    """0711: a job that runs as another user passes through, and sees no names."""
    try:
        os.mkdir(folder, 0o711)
    except FileNotFoundError:
        _make_parents(os.path.dirname(folder))
        os.mkdir(folder, 0o711)
    except FileExistsError:
        pass


def start(run: Run, null: int) -> int:
    """Start the program of a prepared run; its pid. `null`: a descriptor of /dev/null. Raises StartError."""
    try:
        outputs = Outputs(run)
    except OSError as error:
        raise StartError(_say("cannot keep the output in", run.dir, error)) from None
    try:
        if run.user or run.group or run.nofile or run.memory or run.cpu or run.pids:
            from runners.supervisor import forked

            return forked.start(run, null, outputs)
        return _spawn(run, null, outputs)
    except BaseException:
        outputs.abandon()
        raise
    finally:
        outputs.close_childs()


def _spawn(run: Run, null: int, outputs: Outputs) -> int:
    enter(run.cwd)
    program = resolve(run.argv[0], run.env)
    old = os.umask(run.umask) if run.umask is not None else None
    try:
        return os.posix_spawn(
            program,
            run.argv,
            run.env,
            file_actions=(
                (os.POSIX_SPAWN_DUP2, null, 0),
                (os.POSIX_SPAWN_DUP2, outputs.out, 1),
                (os.POSIX_SPAWN_DUP2, outputs.err, 2),
            ),
            setsid=True,
            setsigmask=(),
            setsigdef=IGNORED_BY_PYTHON,
        )
    except (OSError, ValueError) as error:
        raise StartError(refusal(program, error)) from None
    finally:
        if old is not None:
            os.umask(old)


def enter(cwd: bytes) -> None:
    """Make `cwd` the working directory of this process, for the one it starts next. Raises StartError."""
    try:
        os.chdir(cwd)
    except OSError as error:
        raise StartError(_say("cannot enter the working directory", cwd, error)) from None


def resolve(name: bytes, env: dict[bytes, bytes]) -> bytes:
    """The program's path, as a shell finds it in the PATH of the job. Raises StartError."""
    if b"/" in name:
        return name
    found = None
    path = env.get(b"PATH", _DEFAULT_PATH)
    for folder in path.split(b":"):
        candidate = (folder or b".") + b"/" + name
        if os.access(candidate, os.X_OK):
            if not os.path.isdir(candidate):
                return candidate
        elif found is None and os.access(candidate, os.F_OK):
            found = candidate
    if found is not None:
        raise StartError(f"{show(found)} is not executable; make it so with: chmod +x {show(found)}")
    raise StartError(
        f"program not found: {show(name)} is not in PATH ({show(path)}); give its full path, or set PATH in env"
    )


def refusal(program: bytes, error: OSError | ValueError) -> str:
    """What to say when the system refuses to execute."""
    if isinstance(error, ValueError):
        return f"cannot run {show(program)}: an argument or environment value holds a NUL character"
    name = show(program)
    if error.errno == errno.ENOENT:
        if os.path.exists(program):
            return f"cannot run {name}: the interpreter named in its first line does not exist"
        return f"program not found: {name} does not exist; relative paths start at the working directory"
    if error.errno == errno.EACCES:
        if os.path.isdir(program):
            return f"cannot run {name}: it is a directory"
        return f"cannot run {name}: permission denied; make it executable with: chmod +x {name}"
    if error.errno == errno.ENOEXEC:
        return f"cannot run {name}: not a program; give it a first line like #!/bin/sh, or name its interpreter"
    if error.errno == errno.E2BIG:
        return f"cannot run {name}: arguments and environment together are too long; pass large values in a file"
    if error.errno in (errno.EAGAIN, errno.ENOMEM):
        return f"cannot run {name}: the machine has no room for another process ({os.strerror(error.errno)})"
    return f"cannot run {name}: {error.strerror or error}"


def show(path: bytes) -> str:
    """For people."""
    return path.decode("utf-8", "replace")


def _say(what: str, path: bytes, error: OSError) -> str:
    hints = {
        errno.ENOSPC: "the disk is full; free some space",
        errno.EDQUOT: "the quota is used up",
        errno.EACCES: "the daemon's user may not; change its owner or mode",
        errno.EMFILE: "a run with secrets or stamped lines takes two: raise the limit (LimitNOFILE=)",
        errno.EROFS: "the file system is read-only",
        errno.ENOENT: "create it, or correct the path",
        errno.ENOTDIR: "it is not a directory",
    }
    reason = os.strerror(error.errno) if error.errno else str(error)
    hint = hints.get(error.errno or 0)
    return f"{what} {show(path)}: {reason}" + (f"; {hint}" if hint else "")
