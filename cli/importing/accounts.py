"""What this machine knows of a user. Called by the subcommands, and handed into the readers, which are pure."""

from __future__ import annotations

import pwd


def home_of(user: str | None) -> str | None:
    """The home of `user`, of the caller when None; None when this machine does not know them."""
    try:
        return pwd.getpwnam(user).pw_dir if user is not None else _own()
    except KeyError:
        return None


def _own() -> str:
    import os

    return pwd.getpwuid(os.getuid()).pw_dir
