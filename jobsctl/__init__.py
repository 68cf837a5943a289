"""The installed face of jobsctl: version and entry point.

In a wheel the five rooms live in `jobsctl/_app`; in a checkout they stand at the repository's top level.
"""

from __future__ import annotations

import sys
from pathlib import Path

__version__ = "0.1.0"

_APP = Path(__file__).with_name("_app")
if _APP.is_dir() and str(_APP) not in sys.path:
    sys.path.insert(0, str(_APP))
elif not _APP.is_dir() and str(_APP.parents[1]) not in sys.path:
    sys.path.insert(0, str(_APP.parents[1]))


def main() -> None:
    """Entry point of the `jobsctl` command."""
    try:
        from cli.main import main as run

        run()
    except KeyboardInterrupt:  # before or after the command: it has its own
        sys.exit(130)
