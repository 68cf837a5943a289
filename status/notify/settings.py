"""What the notify process needs of `jobsctl.yaml`: where callbacks may go, the ping, the page's address.

The file is read by a process that ends: checking it needs pydantic, 11 MB that would stay as long as this process.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson

from status.notify.callbacks.guard import Allowed

PATIENCE = 60.0
_CODE = """
import jobsctl, sys, orjson
from pathlib import Path
from specs.config import load_config
config = load_config(Path(sys.argv[1]))
kept = config.model_dump(mode="json", include={"callbacks", "ping", "http", "specs"})
sys.stdout.buffer.write(orjson.dumps(kept))
"""


class SettingsUnreadable(Exception):
    """Raised when `jobsctl.yaml` is wrong now, though the daemon took it when it started."""


@dataclass(frozen=True, slots=True)
class Ping:
    """The dead man's ping."""

    url: object
    """A text, or where it is found: `specs.outside.read_value`."""
    every: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set."""

    allowed: Allowed
    ping: Ping | None
    page: str | None
    """Address of the web page; None: not known."""
    specs: str = "jobs"
    """The specs directory: absolute, or relative to the home."""


CLOSED = Settings(allowed=Allowed(hosts=()), ping=None, page=None)
"""While the settings cannot be read: people are told, and no callback goes where it might not be allowed to."""


def read_settings(home: Path) -> Settings:
    """The settings of a home. Raises SettingsUnreadable."""
    if not (home / "jobsctl.yaml").exists():
        return Settings(allowed=Allowed(), ping=None, page=None)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _CODE, str(home)], capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingsUnreadable(f"jobsctl.yaml cannot be read now: {error}") from None
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise SettingsUnreadable(f"jobsctl.yaml cannot be used: {last}; `jobsctl validate` says what is wrong")
    said = orjson.loads(done.stdout)
    callbacks, ping = said["callbacks"], said["ping"]
    return Settings(
        allowed=Allowed(hosts=callbacks["hosts"], private=callbacks["private"], ports=callbacks["ports"]),
        ping=None if ping is None else Ping(url=ping["url"], every=ping["every"]),
        page=(said["http"] or {}).get("url"),
        specs=said["specs"],
    )
