"""Programs that are no Python packages: there in CI, perhaps not on a developer's machine.

A test that needs one calls `program("promtool")`: without it the test is skipped with a reason; with CI=true it fails,
because `.ci/run` installs all of them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PLACES = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/sbin"), Path("/sbin")]


def program(name: str) -> str:
    """The path of an installed program. Also finds PostgreSQL's server programs, which Debian keeps off PATH."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, PLACES)))
    return found or lacking(f"{name} is not installed")


def lacking(what: str) -> str:
    """Skips here; fails in CI, where nothing may be lacking."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}; .ci/run should have seen to it", pytrace=False)
    pytest.skip(what)
