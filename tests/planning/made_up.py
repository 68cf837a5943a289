"""Sets of jobs for property tests: every part of a spec that matters to when it runs, and some that do not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from cli.planning.before import Before, of_files
from cli.planning.compare import After
from cli.planning.plan import Origin
from specs.contents import Contents

NAMES = ("ant", "bee", "cat", "dog", "eel", "fox")
_VALUES: dict[str, list[Any]] = {
    "schedule": [
        "every 10m", "every 1h", "30 2 * * *", "H 4 * * *", "CRON_TZ=Asia/Tokyo 0 9 * * 1-5", "*/15 2 * * *",
        ["every 1h", "30 2 * * *"], "2027-01-16T10:00:00Z", "2020-01-01T00:00:00Z", "@reboot", "every 10m from finish",
        {"every": "90m", "anchor": "2027-01-01T00:00:00Z"},
    ],
    "timezone": ["Europe/Berlin", "America/New_York", "UTC"],
    "dst": [{"gap": "skip"}, {"repeat": "twice"}],
    "suspend": [True, {"reason": "holidays"}],
    "overlap": ["queue", "skip"],
    "timeout": ["10m", 90],
    "retry": [{"attempts": 3}, {"attempts": 3, "delay": "1m"}],
    "jitter": ["5m", {"random": "1m"}],
    "repeat": [2, 9],
    "start_at": ["2027-01-15T08:30:00Z", "2027-01-16T00:00:00Z"],
    "end_at": ["2027-01-15T20:00:00Z", "2028-01-01T00:00:00Z"],
    "calendar": ["open", ["open", "shut"]],
    "labels": [{"team": "a"}, {"team": "b", "a.b": "c"}],
    "env": [{"A": "1"}, {"A": "2", "B": {"from_env": "X"}}],
    "prune": [True],
    "description": ["one", "two\nlines"],
}  # fmt: skip
CALENDARS = [
    {"kind": "Calendar", "name": "open", "mode": "allow", "windows": [{"from": "12:00", "to": "23:00"}]},
    {"kind": "Calendar", "name": "shut", "dates": ["2027-01-17"]},
]


@st.composite
def some_jobs(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Documents by name."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=4))
    return {name: draw(_job(name)) for name in names}


@st.composite
def _job(draw: st.DrawFn, name: str) -> dict[str, Any]:
    said = draw(st.lists(st.sampled_from(sorted(_VALUES)), unique=True, max_size=5))
    command = draw(st.sampled_from([["x"], ["x", "y"], ["y"]]))
    job: dict[str, Any] = {"name": name, "run": {"command": command}}
    job |= {field: draw(st.sampled_from(_VALUES[field])) for field in said}
    return job if "schedule" in job else job | {"schedule": "every 10m"}


def contents(jobs: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """One file for each job, and one with the calendars."""
    files = {f"{name}.json": json.dumps(job).encode() for name, job in jobs.items()}
    return files | {f"calendar-{each['name']}.json": json.dumps(each).encode() for each in CALENDARS}


def side(files: Mapping[str, bytes], *, timezone: str = "UTC", whole: bool = True) -> After:
    """What these files say."""
    read = Contents(files, default_timezone=timezone)
    desired = read.desired(root="jobs", revision=None, now=0)
    return After(Origin("files", "jobs"), timezone, desired, read.defaults, whole)


def was(files: Mapping[str, bytes], *, timezone: str = "UTC") -> Before:
    """The same, as what there was."""
    read = Contents(files, default_timezone=timezone)
    desired = read.desired(root="jobs", revision=None, now=0)
    return of_files(Origin("directory", "old"), timezone, desired, read.defaults)
