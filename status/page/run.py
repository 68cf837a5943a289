"""The page `run`."""

from __future__ import annotations

from status.page.visit import Visit


def run_page(visit: Visit) -> str:
    """The page."""
    visit.require_loaded()
    return visit.render("run.html", title="Run", current="run")
