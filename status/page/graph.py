"""The page `graph`."""

from __future__ import annotations

from status.page.visit import Visit


def graph_page(visit: Visit) -> str:
    """The page."""
    visit.require_loaded()
    return visit.render("graph.html", title="Graph", current="graph")
