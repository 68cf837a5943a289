"""What every page shows around its content: navigation, and how the daemon and its files are. Pure.

Read by `status.page.visit` and `status.page.failures`; shown by `templates/base.html`.
"""

from __future__ import annotations

from dataclasses import dataclass

from jobsctl import __version__
from state.home import Home
from status.health import Facts, health_view
from status.words.runs import short_revision

NAVIGATION = {
    "overview": ("/", "Overview"),
    "jobs": ("/jobs", "Jobs"),
    "graph": ("/graph", "Graph"),
    "source": ("/source", "Source"),
    "deliveries": ("/deliveries", "Deliveries"),
}
"""Address and words of each entry, by key."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The header and the footer."""

    home: str
    """The name of the home's folder."""
    root: str | None
    """Its path; None where it may not be told."""
    revision: str | None
    """Short: `main@1a2b3c4`."""
    daemon: str
    """`running`, `degraded`, `starting`, `stopping` or `down`."""
    problems: tuple[str, ...]
    version: str = __version__


def frame_of(facts: Facts, home: Home, *, scoped: bool = False) -> Frame:
    """The frame, from what health is judged by. `scoped`: for somebody who may see one project only."""
    health, _ = health_view(facts)
    state = health["daemon"]["state"]
    word = {"ok": "running"}.get(health["status"], health["status"])
    if health["status"] != "down" and state in ("starting", "stopping"):
        word = state
    revision = facts.source.revision if facts.source else None
    return Frame(
        home=home.root.name or str(home.root),
        root=None if scoped else str(home.root),
        revision=short_revision(revision) if revision else None,
        daemon=word,
        problems=() if scoped else tuple(health["problems"]),
    )
