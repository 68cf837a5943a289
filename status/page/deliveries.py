"""The page `deliveries`."""

from __future__ import annotations

from status.page.visit import Visit


def deliveries_page(visit: Visit) -> str:
    """The page."""
    visit.require_loaded()
    return visit.render("deliveries.html", title="Deliveries", current="deliveries")
