"""What the endpoints answer from. Made by `status.serve`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from state.home import Home
from status.metrics.exposition import Exporter
from status.picture.refresh import Refresher


@dataclass(frozen=True, slots=True)
class House:
    """`now` gives microseconds UTC, `monotonic` seconds."""

    home: Home
    refresher: Refresher
    exporter: Exporter
    now: Callable[[], int]
    monotonic: Callable[[], float]
