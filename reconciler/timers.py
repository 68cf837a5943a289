"""Which job is due when: one instant per job, the earliest first. Owned by the loop; knows no clock."""

from __future__ import annotations

import heapq


class Timers:
    """A heap with lazy deletion: setting a job's instant again makes its older entries stale.

    `set` and `due` cost O(log n); stale entries are dropped when they surface, and all at once when they are most.
    """

    def __init__(self) -> None:
        self._at: dict[int, int] = {}
        self._heap: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._at)

    def set(self, key: int, at: int | None) -> None:
        """`key` is due at `at` (microseconds); None: never."""
        if at is None:
            self._at.pop(key, None)
            return
        if self._at.get(key) == at:
            return
        self._at[key] = at
        heapq.heappush(self._heap, (at, key))
        if len(self._heap) > 64 + 2 * len(self._at):
            self._heap = [(when, which) for which, when in self._at.items()]
            heapq.heapify(self._heap)

    def earlier(self, key: int, at: int | None) -> int | None:
        """The instant of `key`, or `at` when that is earlier."""
        present = self._at.get(key)
        return present if at is None or (present is not None and present < at) else at

    def due(self, now: int, limit: int) -> list[int]:
        """At most `limit` keys whose instant is at or before `now`, earliest first. They have no instant afterwards."""
        keys: list[int] = []
        while self._heap and len(keys) < limit and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._at.get(key) == at:
                del self._at[key]
                keys.append(key)
        return keys

    def next_at(self) -> int | None:
        """The earliest instant, or None."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
