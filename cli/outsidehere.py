"""What a spec takes from outside, as a command finds it that sends in the daemon's place. Used by `notify test`."""

from __future__ import annotations

import os
from pathlib import Path

from specs.outside import OutsideUnreadable, read_value


def read_here(value: object, *, subject: str, base_dir: Path) -> str:
    """`specs.outside.read_value` with the environment of this shell; errors say whose it is.

    Raises:
        OutsideUnreadable: it cannot be had here. The daemon may have it.
    """
    try:
        return read_value(value, subject=subject, base_dir=base_dir, environ=os.environ)
    except OutsideUnreadable as error:
        match value:
            case {"from_env": str(name)}:
                cause = f"your shell has no variable {name} (the daemon has an environment of its own)"
                raise OutsideUnreadable(subject, cause, "set it here to try it out") from None
            case {"credential": str(name)} if not os.environ.get("CREDENTIALS_DIRECTORY"):
                cause = f"your shell has no credential {name}: systemd gives it to the daemon"
                raise OutsideUnreadable(subject, cause, "`jobsctl deliveries` shows what the daemon sends") from None
        raise error
