"""The page `source`."""

from __future__ import annotations

from status.page.visit import Visit


def source_page(visit: Visit) -> str:
    """The page."""
    visit.require_loaded()
    return visit.render("source.html", title="Source", current="source")
