"""The specs directory as a source of desired state: one look gives one complete, consistent snapshot.

Made by the composition root; looked at by `SourceThread` (daemon) or directly (command line). The scan is
the truth: a watcher only says when to look, and where first. Every look is applied as one unit or not at all.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from specs import scan
from specs.committed import Provenance
from specs.defaults import DefaultsTree, with_defaults
from specs.desired import CachedFile, Desired
from specs.diagnostic import Diagnostic, InvalidSpec, Severity
from specs.document import Document, read_documents
from specs.load import identity_of
from specs.look import Look
from specs.revision import WorkTree, find_work_tree
from specs.scan import Root, Unstable
from specs.snapshot import FilePart, Snapshot, from_row
from specs.source_thread import SourceThread
from specs.sweep import Known, Sweep
from specs.text import decode
from specs.watch import Places, places_of

__all__ = ["Look", "Source", "SourceThread", "cache_version"]

GIT_PATIENCE = 10_000_000
"""Microseconds that a look waits for git to finish. A lock that is older was left by a git that crashed."""
SWEEP_ABOVE = 1000
"""With so many hints everything is looked at: it costs less, and a watcher that reports so many has lost some."""


def cache_version(default_timezone: str = "UTC") -> str:
    """Changes when a file would be read differently: with this program's reader, or the default zone."""
    digest = hashlib.sha256(default_timezone.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Source:
    """One specs directory. Not for several threads."""

    def __init__(
        self,
        root: Path,
        *,
        now: Callable[[], int],
        cache: Iterable[CachedFile] = (),
        default_timezone: str = "UTC",
        unsettled: Iterable[str] | None = None,
        git_patience: int = GIT_PATIENCE,
    ) -> None:
        """`now`, `git_patience`: microseconds. `cache`: rows saved under the same `cache_version`. `unsettled`: files
        whose jobs were applied from a revision that did not hold them; None: nobody asks what the revision holds."""
        self.root = root
        self.folders: dict[str, int] = {}
        """Every real folder below the root with its inode, `""` for the root itself: what to watch."""
        self.real_root: str | None = None
        self.work_tree: WorkTree | None = None
        self._now = now
        self._git_patience = git_patience
        self._timezone = default_timezone
        self._snapshot = Snapshot(self._document_of)
        self._defaults = DefaultsTree()
        self._rivals: list[Diagnostic] = []
        self._descriptor = -1
        self._identity: tuple[int, int] | None = None
        self._notes: dict[str, Diagnostic] = {}
        self._provenance = None if unsettled is None else Provenance(unsettled)
        self._unstable: dict[str, int] = {}
        """Path as the file system gives it: since when it is being written, microseconds."""
        self._racy: set[str] = set()
        self._hints: set[str] = set()
        self._swept = False
        self._waiting_since: int | None = None
        self._stale_lock: tuple[int, int] | None = None
        self._last: Desired | None = None
        self._sequence = 0
        self._started = 0
        self._last_read: tuple[str, list[Document]] = "", []
        with _collector_paused():
            self._restore(cache)

    def places(self) -> Places:
        """What to watch, so that the next change is heard of. As of the last look."""
        git = () if self.work_tree is None else self.work_tree.watched()
        return places_of(os.fspath(self.root), self.real_root or "", self.folders, git)

    @property
    def giving(self) -> list[str]:
        """The files that give defaults to the jobs of their folders. As of the last look."""
        return self._defaults.files

    @property
    def parts(self) -> Mapping[str, FilePart]:
        """What each spec file says, by its path. As of the last look."""
        return self._snapshot.parts

    def close(self) -> None:
        """End what looking has started."""
        if self._provenance is not None:
            self._provenance.close()

    def failed(self, error: Exception) -> Look:
        """The outcome of a look that ended in a mistake of this program: nothing changes, and it is told."""
        self._swept = False
        return self._problem(f"internal error while looking at {self.root}: {type(error).__name__}: {error}")

    def look(self, dirty: Collection[str] | None = None) -> Look:
        """Look at everything, or only at `dirty`: paths below the root (files or folders) where something happened.

        Costs as much as changed, besides one stat per file (all, or the dirty ones). Never raises for what is in the
        directory, or for a directory that is not there: that is `Desired.problem`.
        """
        self._started = self._now()
        with _collector_paused():
            return self._look(dirty)

    def _look(self, dirty: Collection[str] | None) -> Look:
        try:
            root = scan.open_root(os.fspath(self.root))
        except OSError as error:
            self._identity, self.real_root, self.work_tree = None, None, None
            return self._problem(f"{self.root}: {error.strerror or error}")
        try:
            self.work_tree = find_work_tree(root.path)
            index = None if self.work_tree is None else self.work_tree.index()
            self._descriptor = root.descriptor
            if dirty is not None:
                self._hints |= set(dirty)
            if self._must_wait(index):
                self._swept = self._swept and dirty is not None
                return self._postponed(root.path)
            sweep = (
                dirty is None or not self._swept or self._identity != root.identity or len(self._hints) > SWEEP_ABOVE
            )
            known = self._known()
            hints = {*self._hints, *self._unstable}
            seen = Sweep(root, known, None if sweep else hints, expected=len(hints))
            try:
                seen.collect()
            except OSError as error:
                self._swept = False
                return self._problem(f"{self.root}: {error.strerror or error}")
            if self._must_wait(index):
                self._swept = False  # what was seen may be half of two revisions
                return self._postponed(root.path)
            self._waiting_since = None
            return self._commit(root, seen, sweep)
        finally:
            self._last_read = "", []
            self._descriptor = -1
            os.close(root.descriptor)

    def _known(self) -> Known:
        return Known(
            self._snapshot.parts,
            self._racy,
            self.folders,
            self._timezone,
            self._started * 1000,
            self._defaults,
            self._snapshot.inheriting,
            self._documents,
            self._provenance is not None and self.work_tree is not None,
        )

    def _commit(self, root: Root, seen: Sweep, sweep: bool) -> Look:
        self._identity, self.real_root = root.identity, root.path
        self._hints.clear()
        if sweep:
            self._swept = not seen.overlooked
            self.folders = dict(seen.folders)
            self._notes = {}
        else:
            self.folders = {path: inode for path, inode in self.folders.items() if path not in seen.gone_folders}
            self.folders |= seen.folders
            self._swept = not seen.overlooked
        self._notes = {path: note for path, note in self._notes.items() if path not in seen.looked_at} | seen.notes
        self._unstable = {path: since for path, since in self._unstable.items() if path not in seen.settled}
        for path in seen.unstable:
            self._unstable.setdefault(path, self._now())
        if sweep:
            self._unstable = {path: since for path, since in self._unstable.items() if path in seen.unstable}
        self._racy = (set() if sweep else self._racy - seen.looked_at) | seen.racy
        known = self._snapshot.parts
        changes: dict[str, FilePart | None] = dict(seen.parts)
        missing = seen.missing
        changes |= dict.fromkeys(missing)
        self._defaults = seen.defaults
        changed, gone, documents = self._snapshot.put(changes)
        if seen.defaults.changed:
            self._rivals = seen.defaults.rival_findings(self._documents)
        seen.defaults.changed = False
        if self._provenance is not None:
            blobs = {path: seen.blobs.get(path, "") for path in seen.parts}
            for path in self._provenance.update(self.work_tree, root.path, blobs, missing):
                changed |= self._saying(path)
        first = self._last is None or self._last.sequence == 0
        if first:
            self._snapshot.tell_again()  # a file of the cache was not open when it was taken in
        desired = self._desired(root.path, changed, gone, first or documents, first, seen.parsed)
        self._last = desired
        read = {path: known[path] for path, part in seen.parts.items() if part.digest}
        return Look(
            desired,
            read=read,
            racy=frozenset(read.keys() & self._racy),
            cache_removed=tuple(sorted(missing)),
            again_in=self._again(),
        )

    def _desired(
        self, path: str, changed: set[str], gone: set[str], documents: bool, first: bool, parsed: int
    ) -> Desired:
        self._sequence += 1
        snapshot, last = self._snapshot, self._last
        same = last is not None and not first and not changed and not gone
        return Desired(
            sequence=self._sequence,
            scanned_at=self._now(),
            started_at=self._started,
            root=path,
            revision=None if self.work_tree is None else self.work_tree.revision(),
            jobs=last.jobs if same and last is not None else dict(snapshot.jobs),
            invalid=last.invalid if same and last is not None else dict(snapshot.invalid),
            documents=dict(snapshot.documents) if documents or last is None else last.documents,
            invalid_documents=(
                frozenset(snapshot.invalid_documents) if documents or last is None else last.invalid_documents
            ),
            documents_changed=documents,
            diagnostics=snapshot.findings((*self._notes.values(), *self._long_unstable(), *self._rivals)),
            unreadable_paths=frozenset(snapshot.unreadable),
            uncommitted=self._uncommitted(),
            changed=frozenset(snapshot.jobs) | frozenset(snapshot.invalid) if first else frozenset(changed),
            gone=frozenset(gone),
            files=len(snapshot.parts),
            parsed=parsed,
        )

    def _uncommitted(self) -> frozenset[str]:
        paths = frozenset() if self._provenance is None else self._provenance.differing
        return frozenset(identity for path in paths for identity in self._saying(path))

    def _saying(self, path: str) -> set[str]:
        """The identities that a file has a part in: those it defines, and those its defaults are given to."""
        part = self._snapshot.parts.get(path)
        if part is None:
            return set()
        found = set(part.identities())
        if part.defaults is not None:
            folder = path.rpartition("/")[0]
            below = (each for each in self._snapshot.inheriting if not folder or each.startswith(f"{folder}/"))
            found |= {identity for each in below for identity in self._snapshot.parts[each].identities()}
        return found

    def _problem(self, problem: str) -> Look:
        self._sequence += 1
        last = self._last or self._nothing(os.fspath(self.root), problem)
        none: frozenset[str] = frozenset()
        desired = replace(
            last,
            scanned_at=self._now(),
            started_at=self._started,
            changed=none,
            gone=none,
            documents_changed=False,
            parsed=0,
            problem=problem,
            sequence=self._sequence,
        )
        if self._last is not None:
            self._last = replace(desired, problem=None)
        return Look(desired, again_in=1.0)

    def _postponed(self, path: str) -> Look:
        desired = self._last or self._nothing(path, "git is at work here")
        return Look(desired, again_in=0.02, postponed=True)

    def _nothing(self, path: str, problem: str) -> Desired:
        """Before the first good look: what the cache remembers."""
        jobs, invalid = dict(self._snapshot.jobs), dict(self._snapshot.invalid)
        documents, unsound = dict(self._snapshot.documents), frozenset(self._snapshot.invalid_documents)
        return Desired(0, self._now(), self._started, path, None, jobs, invalid, documents, unsound, problem=problem)

    def _must_wait(self, index: tuple[int, int] | None) -> bool:
        """Whether git is changing the work tree, or has changed its `index` since that was read.

        Asked before and after the files are read. The lock first: git makes the lock into the index, so one of the
        two tells. Whoever keeps git busy (or crashed) puts off a look for `git_patience` and no longer.
        """
        if self.work_tree is None:
            return False
        lock = self.work_tree.lock()
        if (lock is None or lock == self._stale_lock) and self.work_tree.index() == index:
            return False
        now = self._now()
        if self._waiting_since is None:
            self._waiting_since = now
        if 0 <= now - self._waiting_since < self._git_patience:
            return True
        self._stale_lock = lock
        return False

    def _again(self) -> float | None:
        if not self._unstable:
            return None
        newest = max(self._unstable.values())
        return 0.05 if self._now() - newest < 5_000_000 else 1.0

    def _long_unstable(self) -> Iterator[Diagnostic]:
        for path, since in self._unstable.items():
            if self._now() - since >= 5_000_000:
                yield Diagnostic(
                    "JOB061",
                    "another program keeps this file open for writing; what it said before still holds",
                    scan.shown(path),
                    help="close it, or write a new file and rename it",
                    severity=Severity.WARNING,
                )

    def _restore(self, cache: Iterable[CachedFile]) -> None:
        parts: dict[str, FilePart | None] = {}
        for row in cache:
            try:
                parts[row.path] = from_row(row)
            except (ValueError, KeyError, TypeError):
                continue  # the file is simply read again
        for path, part in parts.items():
            if part is not None and (part.defaults is not None or part.broken):
                self._defaults.put(path, part.defaults, broken=part.broken)
        self._defaults.changed = True
        self._snapshot.put(parts)

    def _document_of(self, path: str, identity: str) -> Document | None:
        inherited = self._defaults.of(path)
        for document in self._documents(path):
            if document.value.get("kind", "Job") == "Job":
                document = with_defaults(document, inherited, self._documents)
            if identity_of(document.value) == identity:
                return document
        return None

    def _documents(self, path: str) -> list[Document]:
        """What the file says at this moment; nothing when it cannot be read. Of one look, the last file is kept: many
        findings can be about one."""
        if self._descriptor < 0:
            return []
        if self._last_read[0] != path:
            self._last_read = path, self._read(path)
        return self._last_read[1]

    def _read(self, path: str) -> list[Document]:
        try:
            content = None
            for entry in scan.look_at(self._descriptor, path):  # an entry lives as long as the walk stands at it
                content, _ = scan.read_file(entry, self._now() * 1000)
            return [] if content is None else read_documents(decode(content, path))[0]
        except (OSError, Unstable, InvalidSpec):
            return []


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing that a look or a start makes is cyclic: the collector would only walk over it, again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
