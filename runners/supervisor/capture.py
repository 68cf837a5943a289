"""Where the output of a run goes: its own files, or through a pipe when it must be changed on the way."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runners.supervisor.run import Run

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class Pipe:
    pass


class Outputs:
    """The descriptors a program gets as standard output and error."""

    __slots__ = ("_childs", "err", "out", "run")

    def __init__(self, run: Run) -> None:
        self.run = run
        self._childs = []
        for stem in run.stems:
            self._childs.append(os.open(run.dir + b"/" + stem + b".log", _APPEND, 0o600))
        self.out, self.err = self._childs[0], self._childs[-1]

    def close_childs(self) -> None:
        for fd in self._childs:
            os.close(fd)

    def abandon(self) -> None:
        pass
