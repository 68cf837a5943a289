"""YAML's syntax errors in plain words, at the place where the mistake is.

Called by `specs.document` with the error of ruamel's pure parser. Parsers notice many mistakes late (an unclosed
quote at the end of the file); what they give as context is then the better place.
"""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.error import MarkedYAMLError

from specs.diagnostic import Diagnostic
from specs.text import Place, Source


def explain(source: Source, error: MarkedYAMLError) -> Diagnostic:
    """One finding for one syntax error."""
    problem = str(error.problem or "this cannot be read as YAML")
    context = str(error.context or "")
    mark, start = error.problem_mark, error.context_mark
    advice: str | None = None
    if "mapping values are not allowed" in problem:
        message = "`:` cannot stand here"
        advice = 'a text with ": " in it needs quotes; else look at the indentation of this line'
    elif "'\\t'" in problem:
        message, advice = "a tab cannot indent YAML", "use spaces"
    elif found := re.search(r"found character '(.)' that cannot start", problem):
        message, advice = f"a text cannot begin with `{found[1]}`", "write it in quotes"
    elif "could not find expected ':'" in problem:
        message, advice, mark = (
            "this line is not `key: value`",
            "add `: value`, or indent it under its key",
            start or mark,
        )
    elif "quoted scalar" in context and "end of stream" in problem:
        message, advice, mark = "this quote is never closed", "close it with the same quote", start or mark
    elif "quoted scalar" in context and "escape character" in problem:
        message, advice = "this escape does not exist", r"write \\ for a backslash, or use single quotes"
    elif "expected <block end>" in problem:
        message, advice = "this does not line up with the lines above", "indent it as its neighbours are"
    elif "flow" in context and "stream end" in problem and (bracket := _bracket(source, start)):
        message, advice, mark = f"this `{bracket}` is never closed", "close it", start
    elif "flow" in context and "stream end" in problem:
        message, advice = "the file ends in the middle of a list or mapping", "close the brackets"
    elif "flow" in context:
        message, advice = problem.split(", but got")[0].replace("'", "`"), "look for a missing comma or bracket"
    else:
        message = problem.replace("\n", " ")
    if mark is None:
        return source.finding("JOB005", message, Place(1, 1), help=advice)
    return source.finding("JOB005", message, Place(mark.line + 1, mark.column + 1, mark.column + 2), help=advice)


def _bracket(source: Source, start: Any) -> str | None:
    line = None if start is None else source.line(start.line + 1)
    found = line[start.column : start.column + 1] if line else ""
    return found if found and found in "[{" else None
