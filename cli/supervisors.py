"""Which supervisors of a home live, told without talking to them: a connection would make them hang up on the daemon.

Used by `doctor` and `restore`.
"""

from __future__ import annotations

from pathlib import Path

from state.home import Home


def supervisor_names(home: Home) -> list[str]:
    """Those that may have something to tell: they left a journal."""
    return sorted(path.stem for path in home.supervisors.glob("*.journal"))


def living_supervisors(home: Home, proc: Path = Path("/proc")) -> set[str]:
    """Names of those whose process is there: its name is on its command line."""
    names = set(supervisor_names(home))
    living: set[str] = set()
    if not names:
        return living
    for folder in proc.glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"python" in words[0]:
            living |= names & {word.decode("utf-8", "replace") for word in words}
    return living
