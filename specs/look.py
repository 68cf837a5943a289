"""The outcome of one look at the specs directory: what the files say, and what the file cache is to keep of them.

Made by `specs.source`, in its thread; handed to the reconciler by `specs.source_thread`. Never changes once made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from specs.desired import CachedFile, Desired
from specs.frozen import frozen
from specs.snapshot import FilePart, to_row


@frozen
class Look:
    """The outcome of one look."""

    desired: Desired
    read: Mapping[str, FilePart] = field(default_factory=dict)
    """What the cache is to hold now, by path; rows are made of it when they are stored."""
    racy: frozenset[str] = frozenset()
    """Those of `read` that are to be read again all the same."""
    cache_removed: tuple[str, ...] = ()
    again_in: float | None = None
    """Seconds after which to look again: something was being written."""
    postponed: bool = False
    """Nothing was looked at: git is at work in the directory. `desired` is the last look's."""

    def cache_rows(self) -> Iterator[CachedFile]:
        """Rows to store, one at a time: those of 10,000 files take 20 MB."""
        return (to_row(path, part, racy=path in self.racy) for path, part in self.read.items())

    @property
    def cache_changed(self) -> tuple[CachedFile, ...]:
        """All of them."""
        return tuple(self.cache_rows())
