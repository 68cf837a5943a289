"""Stopping at spec files with errors: the findings on stderr, exit code 3. Used by `diff`, `apply` and `delete`."""

from __future__ import annotations

import sys

from cli.errors import InvalidFiles
from cli.options import Settings
from cli.output import counted, wants_color
from cli.specfiles import Checked
from cli.streams import write_error
from specs.render import render


def stop_at_errors(settings: Settings, checked: Checked, *, done: str = "nothing was changed") -> None:
    """Print every finding; raise `InvalidFiles` when one of them is an error. Warnings do not stop anything."""
    if not checked.findings:
        return
    sys.stdout.flush()
    write_error(render(checked.findings, "full", wants_color(settings, sys.stderr)))
    count = len(checked.errors)
    if count:
        raise InvalidFiles(
            f"{counted(count, 'error')} in spec files; {done}",
            hint="correct them; `jobsctl validate` checks again",
        )
