"""One finding about one place in one file, and the error that carries findings.

Made by every module of `specs`; shown by the command line, stored with a job whose file is wrong.
Columns count Unicode characters, lines and columns start at 1, as editors and compilers count.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from specs.frozen import frozen


class Severity(StrEnum):
    """How bad a finding is. An `error` keeps the document from being applied; a `warning` does not."""

    ERROR = "error"
    WARNING = "warning"


@frozen
class Diagnostic:
    """A finding, in the fields every editor and code host understands (as actionlint's)."""

    code: str
    """Stable code, `JOBnnn`; explained in `specs.codes`."""
    message: str
    """What is wrong, one line, no final full stop."""
    path: str
    """The file, relative to the specs root where there is one; `-` for standard input."""
    line: int = 1
    column: int = 1
    end_column: int | None = None
    """One past the last character of the place; None when only its start is known."""
    help: str | None = None
    """What to do next, one line."""
    source_line: str | None = None
    """The text of `line`, so that it can be shown after the file has changed."""
    severity: Severity = Severity.ERROR
    identity: str | None = None
    """`project/name` of the document, when it could be read."""

    def at(self, path: str) -> Diagnostic:
        """The same finding under another file name."""
        return replace(self, path=path)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.severity}[{self.code}]: {self.message}"


@dataclass(eq=False)  # not frozen: whoever passes an exception on sets its traceback
class InvalidSpec(Exception):
    """Raised where a value cannot be used. Carries at least one `Diagnostic` of severity error."""

    diagnostics: tuple[Diagnostic, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        return "\n".join(map(str, self.diagnostics))
