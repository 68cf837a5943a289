"""The page `overview`."""

from __future__ import annotations

from status.page.visit import Visit


def overview_page(visit: Visit) -> str:
    """The page."""
    visit.require_loaded()
    return visit.render("overview.html", title="Overview", current="overview")
