"""Findings as JSON: one list, or one line each. Read through `specs.render`."""

from __future__ import annotations

import orjson

from specs.diagnostic import Diagnostic


def json_list(diagnostics: list[Diagnostic]) -> str:
    """`[]` when there are none."""
    return orjson.dumps([as_dict(each) for each in diagnostics], option=orjson.OPT_INDENT_2).decode() + "\n"


def json_lines(diagnostics: list[Diagnostic]) -> str:
    """One object per line."""
    return "".join(orjson.dumps(as_dict(each)).decode() + "\n" for each in diagnostics)


def as_dict(diagnostic: Diagnostic) -> dict[str, object]:
    """A finding as JSON has it. Keys as code hosts and editors name them."""
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "path": diagnostic.path,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "endColumn": diagnostic.end_column,
        "help": diagnostic.help,
        "sourceLine": diagnostic.source_line,
        "job": diagnostic.identity,
    }
