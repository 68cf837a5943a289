"""One code of a finding. Read through `specs.codes`."""

from __future__ import annotations

from typing import Literal

from specs.frozen import frozen

RUN = "name: hello\nrun: {command: [echo, hello]}\n"
"""The job of most examples."""


@frozen
class Code:
    """One kind of finding."""

    code: str
    title: str
    explanation: str
    bad: str
    good: str
    severity: Literal["error", "warning"] = "error"
    language: Literal["yaml", "sh"] = "yaml"
    """`sh`: the examples are done in the specs directory; the finding is about a file, not about its text."""
    repeat: int = 1
    """How often the last line of `bad` stands there."""
    encoding: str = "utf-8"
    """In which `bad` is saved."""
    besides: tuple[str, ...] = ()
    """What else is found in `bad`: the cause of this."""

    def bad_bytes(self) -> bytes:
        """The bad example as a file holds it."""
        *first, last = self.bad.splitlines(keepends=True)
        return ("".join(first) + last * self.repeat).encode(self.encoding)
