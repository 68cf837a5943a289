"""The sections in the order they run. Each is a module of this package with `PARTS`: functions that yield figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A module of this package. Limits: seconds after which it is stopped."""

    name: str
    title: str
    limit: float
    quick_limit: float


SECTIONS = (
    Section("loading", "Reading spec files", 120, 40),
    Section("comparing", "Finding what changed", 60, 30),
    Section("timers", "Knowing and keeping the time", 60, 20),
    Section("capture", "Keeping output", 60, 20),
    Section("storing", "Storing runs", 60, 20),
    Section("statusfiles", "Writing status files", 60, 20),
    Section("scraping", "Rendering metrics", 60, 30),
    Section("spawning", "Carrying out runs", 90, 30),
    Section("bursts", "Many jobs due in one second", 240, 75),
    Section("sustained", "Runs per second, full history", 200, 90),
    Section("editing", "From a saved file to an applied job", 150, 60),
    Section("reading", "Readers, and what they do to starts", 300, 90),
    Section("following", "Clients that follow, and what they do to starts", 240, 90),
    Section("commands", "Asking on the command line", 400, 150),
    Section("rivals", "The same work beside others", 1000, 90),
)
