"""Workflow commands of GitHub Actions: printed by a step, they become annotations of the lines of a pull request.

The escapes are those of github.com/actions/toolkit (packages/core/src/command.ts). Read through `specs.render`.
"""

from __future__ import annotations

from specs.diagnostic import Diagnostic


def commands(diagnostics: list[Diagnostic]) -> str:
    """`::error file=...,line=...,col=...,endColumn=...,title=...::message`, one line each."""
    return "".join(map(_command, diagnostics))


def _command(diagnostic: Diagnostic) -> str:
    fields = {
        "file": diagnostic.path,
        "line": str(diagnostic.line),
        "col": str(diagnostic.column),
        "endColumn": None if diagnostic.end_column is None else str(diagnostic.end_column),
        "title": diagnostic.code,
    }
    given = ",".join(f"{name}={_property(text)}" for name, text in fields.items() if text is not None)
    text = diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
    return f"::{diagnostic.severity} {given}::{_data(text)}\n"


def _data(text: str) -> str:
    """Escapes of a workflow command's message; without them a message could be a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
