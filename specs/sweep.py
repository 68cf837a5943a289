"""One look at the files below a root: which were seen, which were read again, and what they say now.

Made by `specs.source` for each look. Applies nothing: what was seen counts only when all of it is there.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet

from specs import scan
from specs.committed import blob_id
from specs.defaults import FROZEN, DefaultsTree, Reader
from specs.diagnostic import Diagnostic, Severity
from specs.frozen import frozen
from specs.load import MAYBE_DEFAULTS, FileResult, load_bytes
from specs.parsing import MANY, ChildParser, Task
from specs.scan import Entry, Root, Unstable
from specs.snapshot import NEVER, FilePart, part_of

RACY_NS = 2_000_000_000
"""A file that changed less than this before it was read may change again without a new time stamp (git's rule)."""
BULK = 50
"""Files parsed between two pauses: 5 ms, then the daemon's loop, which shares this process, has its turn."""
PAUSE = 0.0002
"""Seconds. Long enough to give the interpreter lock away, not long enough to be seen."""
_GIVEN = FilePart(NEVER, b"")
"""In the place of a part that another process is asked for."""
_POWER = "whoever can write it can run programs as the daemon's user"


@frozen
class Known:
    """What earlier looks found."""

    parts: Mapping[str, FilePart]
    racy: AbstractSet[str]
    """Paths whose status alone does not tell that they are unchanged."""
    folders: Mapping[str, int]
    timezone: str
    now_ns: int
    defaults: DefaultsTree
    inheriting: AbstractSet[str]
    """Paths of files whose jobs were given something by their folder."""
    read: Reader
    wants_blobs: bool
    """Whether git is asked about the files that are read."""


class Sweep:
    """What one look sees, before it counts: nothing of it is applied until all of it is there."""

    def __init__(self, root: Root, known: Known, hints: Collection[str] | None, *, expected: int = 0) -> None:
        """`hints`: paths below the root to look at; None for all. `expected`: how many files may have changed, so far
        as that is known."""
        self.root = root
        self.known = known
        self.hints = hints
        self.parts: dict[str, FilePart] = {}
        self.blobs: dict[str, str] = {}
        """Of files that were read: what git calls their content where its hash is SHA-1, when that is wanted."""
        self.notes: dict[str, Diagnostic] = {}
        self.looked_at: set[str] = set()
        self.candidates: set[str] = set()
        """Known paths that a hint is about: gone when they are not seen."""
        self.folders: dict[str, int] = {"": root.identity[1]}
        """Real folders seen, with their inodes."""
        self.gone_folders: set[str] = set()
        self.unstable: set[str] = set()
        self.settled: set[str] = set()
        self.racy: set[str] = set()
        self.parsed = 0
        self.defaults = known.defaults.copy()
        self.overlooked = False
        """Whether a file has to be read again that only a look at everything finds."""
        self._user = os.geteuid()
        self._parsed_now: set[str] = set()
        self._child = ChildParser(known.timezone)
        self._expected = expected
        self._paths: dict[str, str] = {}
        """Of odd names: as they are shown, and as the file system gives them."""

    @property
    def missing(self) -> set[str]:
        """Known paths that were looked for and are not there."""
        candidates = self.candidates & set(self.known.parts) if self.hints is not None else set(self.known.parts)
        return candidates - self.looked_at

    def collect(self) -> None:
        """Walk and read. Raises OSError when a folder cannot be listed."""
        try:
            self._collect()
        finally:
            self._child.close()

    def _collect(self) -> None:
        if max(self._expected, 0 if self.known.parts else scan.count_files(self.root.path, MANY)) >= MANY:
            self._child.start()
        if self.root.loose:
            self._note(".", "JOB060", f"the specs directory {self.root.loose}", _POWER)
        for entry in self._entries():
            if entry.is_folder:
                self._folder(entry)
            else:
                self._file(entry)
        self._finish()
        for path in self.missing if self.defaults else ():
            self.defaults.put(path, None)
        if (self.defaults or self.known.inheriting) and (self.defaults.changed or self.known.defaults.changed):
            self._follow_defaults()
            self._finish()

    def _follow_defaults(self) -> None:
        """Read again what was read with other defaults. Those of a folder can be seen after its jobs."""
        missing = self.missing
        for path, part in {**self.known.parts, **self.parts}.items():
            if path not in missing and not self._is_current(path, part):
                raw = self._paths.get(path, path)
                self.overlooked |= "\\" in raw and path not in self._paths
                for entry in scan.look_at(self.root.descriptor, raw):
                    self._read(entry, path, self.known.parts.get(path))

    def _is_current(self, path: str, part: FilePart) -> bool:
        """Whether it was read with the defaults that its folder has now, so far as they are seen."""
        if not (self.defaults or part.inherits) or not part.has_jobs():
            return True
        key = self.defaults.of(path).key
        return key == part.inherits or (key == FROZEN and path not in self._parsed_now)

    def _entries(self) -> Iterator[Entry]:
        if self.hints is None:
            yield from scan.walk(self.root.descriptor)
            return
        for hint in sorted(self._whole(self.hints)):
            if hint == "":
                yield from scan.walk(self.root.descriptor)
                self.candidates |= set(self.known.parts)
                continue
            path = scan.shown(hint)
            self.candidates.add(path)
            self.settled.add(hint)
            if hint in self.known.folders:
                below = f"{path}/"
                self.candidates |= {known for known in self.known.parts if known.startswith(below)}
                self.gone_folders |= {f for f in self.known.folders if f == hint or f.startswith(f"{hint}/")}
            yield from scan.look_at(self.root.descriptor, hint)
        self.gone_folders -= set(self.folders)

    def _whole(self, hints: Collection[str]) -> set[str]:
        """Hints without those inside another: `..data` in a folder is about the folder."""
        folders = {hint.rpartition("/")[0] if hint.rpartition("/")[2].startswith("..") else hint for hint in hints}
        return {
            hint
            for hint in folders
            if hint == "" or ("" not in folders and not any(above in folders for above in _above(hint)))
        }

    def _folder(self, entry: Entry) -> None:
        path = scan.shown(entry.path)
        self.looked_at.add(path)
        if entry.closed:
            self.looked_at |= {known for known in self.known.parts if known.startswith(f"{path}/")}
            advice = "give the daemon's user the right to list it; what it held before still holds"
            self.notes[path] = Diagnostic(
                "JOB001", "this folder cannot be listed: Permission denied", path, help=advice
            )
            return
        self.folders[entry.path] = entry.status.st_ino
        if loose := scan.loose(entry.status):
            self._note(path, "JOB060", f"this folder {loose}", _POWER)

    def _file(self, entry: Entry) -> None:
        given, _, _, status, link, _ = entry
        path = scan.shown(given)
        if path != given:
            self._paths[path] = given
        self.looked_at.add(path)
        if link:
            self._note(path, "JOB062", "a symbolic link is not followed", "put the file itself here")
            return
        if (status.st_mode & scan.OTHERS_WRITE or status.st_uid != self._user) and (loose := scan.loose(status)):
            self._note(path, "JOB060", f"this file {loose}", _POWER)
        known = self.known
        before = known.parts.get(path)
        same = before is not None and before.key == scan.key_of(status) and path not in known.racy
        if before is not None and same and self._is_current(path, before):
            self.settled.add(given)
            return
        self._read(entry, path, before)

    def _read(self, entry: Entry, path: str, before: FilePart | None) -> None:
        known = self.known
        if self.parts.get(path) is _GIVEN:
            self._finish()  # seen twice: the later content counts
        try:
            content, key = scan.read_file(entry, self.known.now_ns)
        except FileNotFoundError:
            self.looked_at.discard(path)
            return
        except Unstable:
            self.unstable.add(entry.path)
            self.settled.discard(entry.path)
            return
        except OSError as error:
            self._cannot_read(path, error, before)
            return
        self.settled.add(entry.path)
        if max(key[2], key[3]) > self.known.now_ns - RACY_NS:
            self.racy.add(path)
        if known.wants_blobs:
            self.blobs[path] = blob_id(content, "sha1")
        digest = hashlib.sha256(content).digest()
        if before is not None and before.digest == digest and self._is_current(path, before):
            if self.parts.pop(path, None) is not None:
                self._parsed_now.discard(path)
            if before.key != key or (path in known.racy and path not in self.racy):
                self.parts[path] = before if before.key == key else before._replace(key=key)
            return
        self.parsed += 1
        if self.parsed % BULK == 0:
            time.sleep(PAUSE)
        if self.parsed == MANY:
            self._child.start()
        self._parsed_now.add(path)
        task = Task(path, content, key, digest, before, self.defaults.of(path))
        if _gives(task) or not self._child.give(task):
            self._parse(task)
            self._take_answers()
        else:
            self.parts[path] = _GIVEN  # so that the parts are in the order of the walk

    def _parse(self, task: Task) -> None:
        known = self.known
        result = load_bytes(
            task.content, task.path, default_timezone=known.timezone, inherited=task.inherited, read=known.read
        )
        self._take(task, result)

    def _take(self, task: Task, result: FileResult) -> None:
        path = task.path
        part = self.parts[path] = part_of(result, task.key, task.digest, task.before, task.inherited.key)
        if part.defaults is not None or part.broken or self.defaults:
            self.defaults.put(path, part.defaults, broken=part.broken)

    def _take_answers(self) -> None:
        for task, result in self._child.answers():
            if result is None:
                self._parse(task)
            else:
                self._take(task, result)

    def _finish(self) -> None:
        """Parse what the helper has not."""
        while self._child:
            if (task := self._child.take_back()) is not None:
                self._parse(task)
            self._take_answers()

    def _cannot_read(self, path: str, error: OSError, before: FilePart | None) -> None:
        message = f"cannot be read: {error.strerror or error}"
        finding = Diagnostic("JOB001", message, path, help="look at its owner and mode; it must be a regular file")
        held = frozenset(before.identities()) if before is not None else frozenset()
        part = FilePart(NEVER, b"", (), {}, (finding,), True, held)
        if before is not None:
            part = part._replace(defaults=before.defaults, broken=before.broken, inherits=before.inherits)
        self.parts[path] = part

    def _note(self, path: str, code: str, message: str, advice: str) -> None:
        self.notes[path] = Diagnostic(code, message, path, help=advice, severity=Severity.WARNING)


def _gives(task: Task) -> bool:
    """Whether a file may say, or said, what other files are read with: then it is parsed before those are."""
    before = task.before
    return MAYBE_DEFAULTS in task.content or (before is not None and (before.defaults is not None or before.broken))


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
