"""The doorbell of a specs directory: says that something may have happened, and where first. Never the truth.

Used by `specs.source_thread`. Over `watchfiles`, which loses events silently in several ways (queue overflow, watch
limits, a replaced root, one file name that is not UTF-8 ends it), so: every real folder is watched by itself, so that
no link is followed; the links and the folder that lead to the root are watched too; a watch that ends is started
again; and whoever listens sweeps from time to time. Imports nothing that reads specs.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from specs.frozen import frozen
from specs.scan import SUFFIXES

STEP = 10
"""Milliseconds. An event is told after two steps; 10 costs 0.3 % of a processor, 5 twice that."""
DEBOUNCE = 200
"""Milliseconds that events are collected at most: a checkout is told in parts, and git's lock joins them again."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a watch that ended is started again; doubled each time."""
_MAX_LINKS = 40
_GIT_FILES = frozenset({"HEAD", "index", "packed-refs", "ORIG_HEAD"})

Ring = Callable[[Collection[str] | None], None]
"""Told the paths below the root where something happened (none: only the revision); None when it may be anywhere."""


@frozen
class Places:
    """What to watch. Two equal ones need no new watch: inodes tell a folder that was replaced by its like."""

    root: str
    """Without links."""
    folders: frozenset[tuple[str, int]]
    """`(path below the root, inode)` of every real folder, the root itself as `""`."""
    anchors: frozenset[tuple[str, str]]
    """`(folder, name in it)` of every link on the way to the root, and of the root."""
    git: frozenset[str] = frozenset()
    """Folders of git in which a new revision shows."""

    def paths(self) -> list[str]:
        """Every folder to watch, asked anew. One whose name is not UTF-8, or that we may not list, cannot be; sweeps
        look after it."""
        below = (os.path.join(self.root, path) if path else self.root for path, _ in self.folders)
        every = {*below, *(folder for folder, _ in self.anchors), *self.git}
        return sorted(path for path in every if _is_text(path) and os.access(path, os.R_OK))


def anchors_of(path: str) -> frozenset[tuple[str, str]]:
    """The entries of folders that decide where `path` leads: each link on the way, and what it ends at.

    For a path that does not exist: the first part that is missing.
    """
    current, found, links = "/", set(), 0
    pending = [part for part in os.path.abspath(path).split("/") if part]
    while pending:
        name = pending.pop(0)
        if name == "..":
            current = os.path.dirname(current)
            continue
        full = os.path.join(current, name)
        try:
            target = os.readlink(full)  # noqa: PTH115  (Path would normalise what the link says)
        except OSError:
            target = None
        if target is not None and links < _MAX_LINKS:
            links += 1
            found.add((current, name))
            pending = [part for part in target.split("/") if part not in ("", ".")] + pending
            current = "/" if target.startswith("/") else current
        elif not pending or not Path(full).is_dir():
            found.add((current, name))
            break
        else:
            current = full
    return frozenset(found)


@frozen
class Heard:
    """What a batch of events is about."""

    paths: frozenset[str] = frozenset()
    """Specs and folders, below the root."""
    everywhere: bool = False
    """The root itself may be another one."""
    revision: bool = False
    """Git moved."""

    def __bool__(self) -> bool:
        return bool(self.paths) or self.everywhere or self.revision


def hear(changed: Iterable[str], places: Places) -> Heard:
    """What happened, from the absolute paths of events. The kind of an event is not worth asking for: git unlinks
    and creates, editors rename; what is there is looked at."""
    paths: set[str] = set()
    folders = {path for path, _ in places.folders}
    below = f"{places.root}/"
    revision = False
    for path in changed:
        folder, _, name = path.rpartition("/")
        if (folder or "/", name) in places.anchors or path == places.root:
            return Heard(everywhere=True)
        if folder in places.git:
            revision = revision or name in _GIT_FILES or ("/refs/" in folder and not name.endswith(".lock"))
        elif path.startswith(below) and _counts(path, name, path[len(below) :] in folders):
            paths.add(path[len(below) :])
    return Heard(frozenset(paths), revision=revision)


def _counts(path: str, name: str, is_known_folder: bool) -> bool:
    """Whether a name can be a spec, a folder, or the `..data` of a Kubernetes volume."""
    if name.startswith("."):
        return name.startswith("..")
    return name.endswith(SUFFIXES) or is_known_folder or Path(path).is_dir()


class Doorbell:
    """Watches `Places` in a thread of its own and rings. Started again when it dies, armed again when told to."""

    def __init__(self, ring: Ring) -> None:
        self.up = False
        """Whether events are being watched for right now."""
        self.events = 0
        """Changes that were told since the start, also of files that are not ours."""
        self.restarts = 0
        self.error: str | None = None
        """Why the watch is down, or was last; None while it never was."""
        self._ring = ring
        self._places: Places | None = None
        self._turn: _Turn | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._wanted = threading.Event()

    def arm(self, places: Places) -> None:
        """Watch these places from now on. Rings once when it does: what happened before was not seen."""
        with self._lock:
            if places == self._places:
                return
            self._places = places
            if self._turn is not None:
                self._turn.end()
            self._wanted.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread. Returns when it has ended."""
        self._closing.set()
        with self._lock:
            if self._turn is not None:
                self._turn.end()
            self._wanted.set()
            thread = self._thread
        if thread is not None:
            thread.join(5)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._closing.is_set():
            with self._lock:
                self._wanted.clear()
                places, turn = self._places, _Turn(self._armed)
                self._turn = turn
            assert places is not None
            try:
                self._watch(places, turn)
                pause = FIRST_PAUSE
            except Exception as error:  # whatever ends a watch: it is told, and the watch is started again
                self.up, self.error = False, f"{type(error).__name__}: {error}"
                if self._closing.is_set():
                    return
                self.restarts += 1
                self._ring(None)
                self._wanted.wait(pause)
                pause = FIRST_PAUSE if self._wanted.is_set() else min(pause * 2, LONGEST_PAUSE)
        self.up = False

    def _armed(self) -> None:
        self.up = True
        self._ring(None)

    def _watch(self, places: Places, turn: _Turn) -> None:
        import watchfiles  # 10 ms that commands which look once need not pay

        batches = watchfiles.watch(
            *places.paths(),
            watch_filter=None,
            debounce=DEBOUNCE,
            step=STEP,
            stop_event=turn,
            rust_timeout=0,  # a timeout would throw away events that come in that moment
            raise_interrupt=False,
            force_polling=False,  # its polling misses edits within a second; our sweeps do not
            recursive=False,
            ignore_permission_denied=False,  # True hides every reason, also that the kernel gives no more watches
        )
        for batch in batches:
            self.events += len(batch)
            heard = hear((path for _, path in batch), places)
            if heard:
                self._ring(None if heard.everywhere else heard.paths)
        if not turn.ended:
            raise RuntimeError("the watch ended by itself")


class _Turn:
    """One life of the watch: its stop event, which also tells when the watch has begun (it is asked at every step)."""

    def __init__(self, begun: Callable[[], None]) -> None:
        self.ended = False
        self._begun: Callable[[], None] | None = begun

    def end(self) -> None:
        self.ended = True

    def is_set(self) -> bool:
        begun, self._begun = self._begun, None
        if begun is not None and not self.ended:
            begun()
        return self.ended


def places_of(root: str, real: str, folders: Mapping[str, int], git: Iterable[str]) -> Places:
    """The places of a specs directory: `root` as configured, `real` without links (`""` when it is not there)."""
    if not real:
        return Places(root, frozenset(), frozenset((f, n) for f, n in anchors_of(root) if Path(f).is_dir()))
    return Places(real, frozenset(folders.items()), anchors_of(root), frozenset(git))


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
