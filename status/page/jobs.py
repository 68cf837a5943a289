"""The page `jobs`."""

from __future__ import annotations

from status.page.visit import Visit


def jobs_page(visit: Visit) -> str:
    """The page."""
    visit.require_loaded()
    return visit.render("jobs.html", title="Jobs", current="jobs")
