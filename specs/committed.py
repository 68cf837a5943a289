"""Which files are, byte for byte, in a commit: so that no job is said to come from a commit that does not hold it.

Used by `specs.source` for files that changed. The revision alone does not say it: an edit is applied when it is saved,
and git moves its branch only after it has written the files. One `git cat-file --batch-check` process answers the
questions of a few files (gitrevisions(7), `<commit>:<path>`); it is started with the first one. After a checkout of
many, one `git ls-tree` lists the whole folder: git opens its trees once, not once for each question.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import subprocess
from collections.abc import Iterable, Mapping

from specs.revision import WorkTree

PATIENCE = 5.0
"""Seconds for one batch. A git that hangs (a dead network file system) must not hold up the looks."""
LISTED_ABOVE = 300
"""Questions. With more, listing costs less, also where the folder holds many more files than were asked for."""
BATCH = 100
"""Questions in flight: they and their answers fit into a pipe, so neither side waits for the other."""
LONGEST_PATH = 500
"""Bytes. A longer one is not asked about: see BATCH."""


def blob_id(content: bytes, algorithm: str) -> str:
    """What git calls this content, when no filter or end-of-line conversion changes it. `algorithm`: sha1, sha256."""
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class Provenance:
    """Which files of a specs directory the present commit does not hold as they are. Kept up to date by each look."""

    def __init__(self, unsettled: Iterable[str] = ()) -> None:
        """`unsettled`: paths below the specs root that an earlier process called uncommitted."""
        self._differing: dict[str, str] = dict.fromkeys(unsettled, "")
        """Path below the root: its blob id; empty when it has to be read."""
        self._commit: str | None = None
        self._git: CommittedFiles | None = None
        self._git_dir: str | None = None

    def update(self, tree: WorkTree | None, root: str, read: Mapping[str, str], gone: Iterable[str]) -> set[str]:
        """Take in one look. The files that the commit holds now and did not before.

        Args:
            root: the specs root, below `tree.top`.
            read: the files that were read, with the SHA-1 blob id of what was read; empty when that is not known.
        """
        revision = None if tree is None else tree.revision()
        if tree is None or revision is None:
            self.close()
            settled, self._differing, self._commit = set(self._differing), {}, None
            return settled
        if tree.git_dir != self._git_dir:
            self.close()
            self._git, self._git_dir = CommittedFiles(tree.git_dir), tree.git_dir
        algorithm, commit = revision.rpartition("@")[2].split(":")
        before = set(self._differing)
        for path in gone:
            self._differing.pop(path, None)
        asked = {
            path: blob if blob and algorithm == "sha1" else _blob_of(root, path, algorithm)
            for path, blob in read.items()
        }
        if commit != self._commit:
            asked = {path: blob or _blob_of(root, path, algorithm) for path, blob in self._differing.items()} | asked
        self._commit = commit
        if not asked or self._git is None:
            return set()
        below = os.path.relpath(root, tree.top)
        names = {path: os.path.normpath(os.path.join(below, path)) for path in asked}
        answer = self._git.differing(commit, {names[path]: blob for path, blob in asked.items()})
        for path, blob in asked.items():
            # No answer is no verdict: a revision is not called wrong without knowing it.
            if answer is not None and names[path] in answer:
                self._differing[path] = blob
            else:
                self._differing.pop(path, None)
        return before - set(self._differing)

    @property
    def differing(self) -> frozenset[str]:
        """Paths below the root."""
        return frozenset(self._differing)

    def close(self) -> None:
        """End the git process."""
        if self._git is not None:
            self._git.close()
        self._git = self._git_dir = None


def _blob_of(root: str, path: str, algorithm: str) -> str:
    """Empty, which no blob is called, when it cannot be read."""
    try:
        descriptor = os.open(os.path.join(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with open(descriptor, "rb") as file:
        try:
            return blob_id(file.read(), algorithm)
        except OSError:
            return ""


class CommittedFiles:
    """The questions to one repository."""

    def __init__(self, git_dir: str) -> None:
        self._git_dir = git_dir
        self._git: subprocess.Popen[bytes] | None = None

    def differing(self, commit: str, blobs: Mapping[str, str]) -> set[str] | None:
        """The paths (relative to the work tree's top) whose blob in `commit` is another one, or none.

        None when git does not answer: it is not installed, refuses the repository (`safe.directory`), or hangs.
        """
        if len(blobs) > LISTED_ABOVE:
            held = self._list(commit, os.path.commonpath(blobs))
            return None if held is None else {path for path, blob in blobs.items() if held.get(path) != blob}
        names = [path for path in blobs if "\n" not in path and len(path) <= LONGEST_PATH]
        found: set[str] = set(blobs).difference(names)
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            answers = self._ask([f"{commit}:{path}" for path in batch])
            if answers is None:
                return None
            found.update(path for path, answer in zip(batch, answers, strict=True) if answer != blobs[path])
        return found

    def close(self) -> None:
        """End the process."""
        git, self._git = self._git, None
        if git is not None:
            git.kill()
            git.communicate()

    def _list(self, commit: str, folder: str) -> dict[str, str] | None:
        """Every path below a folder (relative to the work tree's top, which is `""`) in `commit`, with its object."""
        command = [*self._command(), "ls-tree", "-r", "-z", "--full-tree", commit, "--", *([folder] if folder else [])]
        try:
            git = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
                timeout=PATIENCE,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        entries = (entry.partition("\t") for entry in os.fsdecode(git.stdout).split("\0") if entry)
        return {path: status.rpartition(" ")[2] for status, _, path in entries}

    def _ask(self, questions: list[str]) -> list[str] | None:
        try:
            git = self._git = self._git or self._start()
            assert git.stdin is not None
            assert git.stdout is not None
            git.stdin.write(b"".join(os.fsencode(question) + b"\n" for question in questions))
            git.stdin.flush()
            data = b""
            while data.count(b"\n") < len(questions):
                ready, _, _ = select.select([git.stdout], [], [], PATIENCE)
                piece = os.read(git.stdout.fileno(), 65_536) if ready else b""
                if not piece:
                    raise TimeoutError
                data += piece
        except OSError:
            with contextlib.suppress(OSError):
                self.close()
            return None
        return [os.fsdecode(line) for line in data.split(b"\n")[:-1]]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._command(), "cat-file", "--batch-check=%(objectname)"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )

    def _command(self) -> list[str]:
        return ["git", "--git-dir", self._git_dir]


def _environment() -> dict[str, str]:
    """Nothing of the daemon's: GIT_DIR and friends would make it another repository."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
