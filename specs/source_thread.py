"""The daemon's thread that looks at the specs: when the doorbell rings, when a look asked for another, and regularly.

Made by the composition root through `specs.source`. Hands every look to `on_look`, in this thread; it is the only one
that touches the `Source`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from specs.watch import Doorbell

if TYPE_CHECKING:
    from specs.source import Look, Source

UNWATCHED_SWEEP = 5.0
"""Seconds between sweeps while the watch is down: 1 % of a processor for 10,000 files."""


class SourceThread:
    """Looks until it is stopped. `look_now`, `stop` and the `watch_` properties may be used from any thread."""

    def __init__(self, source: Source, on_look: Callable[[Look], None], *, resync: float = 60.0) -> None:
        """`resync`: seconds between full sweeps, for what no event told."""
        self._source = source
        self._on_look = on_look
        self._resync = resync
        self._doorbell = Doorbell(self._ring)
        self._bell = threading.Condition()
        self._hints: set[str] | None = None  # None: everywhere
        self._rung = True
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)

    @property
    def watch_up(self) -> bool:
        """Whether events are being watched for."""
        return self._doorbell.up

    @property
    def watch_events(self) -> int:
        """How many changes were told."""
        return self._doorbell.events

    @property
    def watch_restarts(self) -> int:
        """How often the watch died and was started again."""
        return self._doorbell.restarts

    @property
    def watch_error(self) -> str | None:
        """Why the watch died last."""
        return self._doorbell.error

    def start(self) -> None:
        """Begin; the first look follows at once."""
        self._thread.start()

    def look_now(self) -> None:
        """Look at everything, soon."""
        self._ring(None)

    def stop(self) -> None:
        """End both threads. No look is told after this returns."""
        with self._bell:
            self._stopping = True
            self._bell.notify()
        self._doorbell.close()
        if self._thread.is_alive():
            self._thread.join(30)
        self._source.close()

    def _ring(self, hints: Collection[str] | None) -> None:
        with self._bell:
            if hints is None or not self._rung:
                self._hints = None if hints is None else set(hints)
            elif self._hints is not None:
                self._hints.update(hints)
            self._rung = True
            self._bell.notify()

    def _run(self) -> None:
        swept = again = -1.0
        while True:
            sweep_at = swept + (self._resync if self._doorbell.up else min(self._resync, UNWATCHED_SWEEP))
            with self._bell:
                self._bell.wait_for(
                    lambda: self._rung or self._stopping, _until(sweep_at if again < 0 else min(again, sweep_at))
                )
                if self._stopping:
                    return
                hints = self._hints if self._rung else set()
                self._rung, self._hints = False, set()
            if time.monotonic() >= sweep_at:
                hints = None
            look = self._look(hints)
            if hints is None and not look.postponed:
                swept = time.monotonic()
            again = -1.0 if look.again_in is None else time.monotonic() + look.again_in
            del look  # until the next one it would hold what every file says, as rows of the cache
            try:
                self._doorbell.arm(self._source.places())
            except OSError:  # a folder that cannot be asked now: what was watched stays so, and a sweep follows soon
                swept = time.monotonic() - self._resync + min(self._resync, UNWATCHED_SWEEP)

    def _look(self, hints: Collection[str] | None) -> Look:
        try:
            look = self._source.look(hints)
        except Exception as error:  # a look must never end the thread: then nobody would look again
            look = self._source.failed(error)
        if not look.postponed:
            self._on_look(look)
        return look


def _until(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
