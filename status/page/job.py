"""The page `job`."""

from __future__ import annotations

from status.page.visit import Visit


def job_page(visit: Visit) -> str:
    """The page."""
    visit.require_loaded()
    return visit.render("job.html", title="Job", current="job")
