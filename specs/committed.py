"""Which files are, byte for byte, in a commit: so that no job is said to come from a commit that does not hold it.

Used by `specs.source` for files that changed. The revision alone does not say it: an edit is applied when it is saved,
and git moves its branch only after it has written the files. One `git cat-file --batch-check` process answers all
questions (gitrevisions(7), `<commit>:<path>`); it is started with the first one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import subprocess
from collections.abc import Mapping

PATIENCE = 5.0
"""Seconds for one batch. A git that hangs (a dead network file system) must not hold up the looks."""
BATCH = 100
"""Questions in flight: they and their answers fit into a pipe, so neither side waits for the other."""
LONGEST_PATH = 500
"""Bytes. A longer one is not asked about: see BATCH."""


def blob_id(content: bytes, algorithm: str) -> str:
    """What git calls this content, when no filter or end-of-line conversion changes it. `algorithm`: sha1, sha256."""
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class CommittedFiles:
    """The questions to one repository."""

    def __init__(self, git_dir: str) -> None:
        self._git_dir = git_dir
        self._git: subprocess.Popen[bytes] | None = None

    def differing(self, commit: str, blobs: Mapping[str, str]) -> set[str] | None:
        """The paths (relative to the work tree's top) whose blob in `commit` is another one, or none.

        None when git does not answer: it is not installed, refuses the repository (`safe.directory`), or hangs.
        """
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
        # Nothing of the daemon's environment: GIT_DIR and friends would make it another repository.
        return subprocess.Popen(
            ["git", "--git-dir", self._git_dir, "cat-file", "--batch-check=%(objectname)"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            start_new_session=True,
        )
