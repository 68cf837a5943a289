"""What a rule of the lint says of one job, before its place in a file is known. Made by the rules of `specs.lint`."""

from __future__ import annotations

from typing import Protocol

from specs.document import Loc
from specs.frozen import frozen
from specs.model import Job
from specs.schedule import Schedule


@frozen
class Concern:
    """One thing that is legal and probably wrong."""

    code: str
    message: str
    help: str
    places: tuple[Loc, ...]
    """Where it is said: the first of these that the job's own document has, else the first."""
    span: tuple[int, int] | None = None
    """The characters of the text there that are meant; None for all."""
    unless: tuple[Loc, ...] = ()
    """When the files say all of these, they have answered the question, and nothing is told."""
    secret: bool = False
    """The characters at the place must not be shown."""


@frozen
class Subject:
    """A sound job, as the rules see it."""

    identity: str
    job: Job
    schedule: Schedule
    timezone: str
    """Of local times that name none."""


class Programs(Protocol):
    """The programs of the machine that runs the jobs."""

    def missing(self, program: str, *, path: str | None, working_dir: str | None, user: str | None) -> str | None:
        """Why `program` could not be started, in words that follow its name; None when it could.

        Args:
            path: PATH of the job; None for the daemon's.
            working_dir: as the job has it; None for its default.
            user: whom it runs as; None for the daemon's user.
        """
