"""JOB075: a program that is not on the machine that runs the jobs. Called by `specs.lint`, only where it can be told.

Pure: asks the `Programs` it is given. A relative program starts at the working directory.
"""

from __future__ import annotations

from collections.abc import Iterator

from specs.document import Loc
from specs.lint.concern import Concern, Programs, Subject


def program_concerns(subject: Subject, programs: Programs) -> Iterator[Concern]:
    """The program of `command`, or the interpreter of `script`, when it is not there."""
    run, env = subject.job.run, subject.job.env
    loc: Loc = ("run", "command", 0)
    if run.command is not None:
        program = run.command[0]
    elif run.interpreter is not None:
        program, loc = run.interpreter[0], ("run", "interpreter", 0)
    else:
        return
    path = env.get("PATH")
    if any("{{" in str(part) for part in (program, path, run.working_dir)) or not isinstance(path, str | None):
        return  # what it will be is known at the start only
    why = programs.missing(program, path=path, working_dir=run.working_dir, user=run.user)
    if why is not None:
        yield Concern("JOB075", f"`{program}` {why}", "install it, or correct the name or the job's PATH", (loc,))
