"""Findings in the formats of people, programs and code hosts. One module per format.

Called by the command line. A format is a function from findings (and, where it lists files, their names) to text; none
opens a file or reads a clock. docs/pull-requests.md says which is for whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from specs.diagnostic import Diagnostic
from specs.render.data import as_dict, json_lines, json_list
from specs.render.text import WIDTH, concise, full, visible, width

__all__ = ["FORMATS", "WIDTH", "Format", "as_dict", "render", "visible", "width"]

Format = Literal["full", "concise", "json", "jsonl", "github", "gitlab", "sarif", "junit"]
FORMATS: tuple[Format, ...] = get_args(Format)


def render(
    diagnostics: Iterable[Diagnostic],
    format: Format = "full",
    color: bool = False,
    *,
    files: Sequence[str] = (),
    strict: bool = False,
) -> str:
    """The findings as one text that ends with a line break; `""` when there are none and the format has no frame.

    Args:
        files: everything that was checked, for formats that tell of files without findings.
        strict: warnings are failures, where a format tells these apart.
    """
    found = list(diagnostics)
    match format:
        case "full":
            return full(found, color)
        case "concise":
            return concise(found, color)
        case "json":
            return json_list(found)
        case "jsonl":
            return json_lines(found)
        # Nearly every call is for a person, and XML's escapes alone load an HTTP client.
        case "github":
            from specs.render import github

            return github.commands(found)
        case "gitlab":
            from specs.render import gitlab

            return gitlab.code_quality(found)
        case "sarif":
            from specs.render import sarif

            return sarif.log(found)
        case "junit":
            from specs.render import junit

            return junit.suites(found, files, strict=strict)
