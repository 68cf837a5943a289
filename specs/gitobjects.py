"""Files as a commit has them, read from git's objects: nothing is checked out, no work tree is touched.

Called by the command line (`plan --against REV`). One `git` process lists, one reads; both are the user's own git, so
that packs, alternates, partial clones and replaced objects are read as git reads them. Must not import the loader.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from specs.frozen import frozen
from specs.text import MAX_FILE_BYTES

PATIENCE = 60.0
"""Seconds for one question. A partial clone may have to ask its server for the files."""
_REGULAR = ("100644", "100755", "100664")
_ELSEWHERE = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
)  # fmt: skip
"""What git gives to its hooks. They would make it another repository than the one of the folder."""


class GitError(Exception):
    """Raised when git cannot answer. Says what happened, and as `hint` what to do next."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UnknownRevision(GitError):
    """Raised for a revision that the repository does not have."""


@frozen
class Repository:
    """The git repository that a folder is in."""

    top: Path
    """The folder of the work tree, without links."""

    @classmethod
    def of(cls, folder: Path) -> Repository:
        """The repository of `folder`, or of the nearest folder above it that exists.

        Raises:
            GitError: there is none, git is not installed, or git refuses it.
        """
        folder = folder.absolute()
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        try:
            top = _git(folder, ["rev-parse", "--show-toplevel"])
        except GitError as error:
            hint = error.hint or "a revision needs a git repository; `--against DIR` compares with a folder"
            raise GitError(f"{folder}: {error}", hint=hint) from None
        return cls(Path(os.path.realpath(os.fsdecode(top.rstrip(b"\n")))))

    def commit(self, revision: str) -> str:
        """The hex id of the commit that `revision` names: a branch, a tag, `HEAD~1`, a hash; `main...` is where the
        present commit left main.

        Raises:
            UnknownRevision: nothing is called so here.
        """
        if revision.endswith("..."):
            return self._merge_base(revision.removesuffix("..."))
        # `^main` is a revision for git: all that main has not.
        asked = [] if revision.startswith("^") else ["--end-of-options", f"{revision}^{{commit}}"]
        try:
            return self._ask(["rev-parse", "--verify", "--quiet", *asked])
        except GitError as error:
            raise self._unknown(revision, error) from None

    def place(self, path: Path) -> str | None:
        """Where `path` is below the top, `/` between folders, "" for the top itself; None when it is not below."""
        real = os.path.realpath(path)
        below = os.path.relpath(real, self.top)
        return None if below == ".." or below.startswith("../") else "" if below == "." else below

    def files(self, commit: str, folder: str, wanted: Callable[[str], bool]) -> dict[str, bytes]:
        """The regular files below `folder` ("" for the top) whose path below it is `wanted`, with their contents.

        One of more than `MAX_FILE_BYTES` is not read: so many blanks and one more stand for it.

        Raises:
            GitError: an object is missing.
        """
        listed = self._run(
            ["ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *([f"{folder}/"] if folder else [])]
        )
        objects: dict[str, str] = {}
        oversized: dict[str, bytes] = {}
        for entry in listed.split(b"\0"):
            status, _, name = entry.partition(b"\t")
            path = os.fsdecode(name)[len(folder) + 1 if folder else 0 :]
            if not path or not wanted(path):
                continue
            mode, _, blob, size = status.decode().split()
            if mode not in _REGULAR:
                continue
            if not size.isdecimal():  # BAD: it is listed, and not there
                raise _missing(os.fsdecode(name))
            if int(size) > MAX_FILE_BYTES:
                oversized[path] = b" " * (MAX_FILE_BYTES + 1)
            else:
                objects[path] = blob
        return self._contents(objects) | oversized

    def file(self, commit: str, path: str) -> bytes | None:
        """The content of one file; None when the commit has none there.

        Raises:
            GitError: its object is missing.
        """
        if not self._run(["ls-tree", "-z", "--full-tree", commit, "--", path]):
            return None
        try:
            return self._run(["cat-file", "blob", f"{commit}:{path}"])
        except GitError:
            raise _missing(path) from None

    def is_folder(self, commit: str, folder: str) -> bool:
        """Whether the commit has this folder. The top is always there."""
        try:
            return not folder or self._ask(["cat-file", "-t", f"{commit}:{folder}"]) == "tree"
        except GitError:
            return False

    def _merge_base(self, revision: str) -> str:
        commit = self.commit(revision)
        try:
            return self._ask(["merge-base", commit, "HEAD"])
        except GitError:
            hint = "fetch more history: `git fetch --unshallow`" if self._is_shallow() else None
            raise UnknownRevision(f"HEAD and {revision} have no commit in common here", hint=hint) from None

    def _contents(self, objects: dict[str, str]) -> dict[str, bytes]:
        asked = "".join(f"{blob}\n" for blob in objects.values()).encode()
        answer = self._run(["cat-file", "--batch"], asked) if objects else b""
        found: dict[str, bytes] = {}
        at = 0
        for path in objects:
            end = answer.index(b"\n", at)
            header = answer[at:end].split()
            if len(header) != 3:
                raise _missing(path)
            size = int(header[2])
            found[path] = answer[end + 1 : end + 1 + size]
            at = end + 2 + size
        return found

    def _unknown(self, revision: str, error: GitError) -> GitError:
        if "expected commit type" in str(error):
            hint = "name a commit, a branch or a tag of one; a folder is compared with `--against ./DIR`"
            return UnknownRevision(f"{revision!r} is a folder or file in git, and no commit", hint=hint)
        if str(error):
            return error
        message = f"git knows no revision {revision!r} in {self.top}"
        remote, slash, branch = revision.partition("/")
        if self._is_shallow():
            hint = "this is a shallow clone: fetch more, as `git fetch --unshallow` or `fetch-depth: 0` in CI"
        elif slash and remote in self._ask(["remote"]).split():
            hint = f"fetch it: `git fetch {remote} {branch.rstrip('~^0123456789')}`"
        else:
            hint = "`git branch -a` and `git tag` list names; a folder is compared with `--against ./DIR`"
        return UnknownRevision(message, hint=hint)

    def _is_shallow(self) -> bool:
        try:
            return self._ask(["rev-parse", "--is-shallow-repository"]) == "true"
        except GitError:
            return False

    def _ask(self, words: Sequence[str]) -> str:
        return os.fsdecode(self._run(words)).strip()

    def _run(self, words: Sequence[str], given: bytes = b"") -> bytes:
        return _git(self.top, words, given)


def _missing(path: str) -> GitError:
    return GitError(f"git cannot read {path}", hint="the clone is incomplete; fetch it again, or with more depth")


def _git(folder: Path, words: Sequence[str], given: bytes = b"") -> bytes:
    """What git prints. Raises GitError with git's own last word, which is empty where it was asked to be quiet."""
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", os.fspath(folder), *words],
            input=given, capture_output=True, env=environment, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise GitError("git is not installed", hint="`--against DIR` needs no git") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git did not answer within {PATIENCE:g}s") from None
    if done.returncode == 0:
        return done.stdout
    told = done.stderr.decode(errors="replace").strip().splitlines()
    first = next((line for line in told if line.startswith(("fatal:", "error:"))), told[-1] if told else "")
    advice = next((line.strip() for line in told if "safe.directory" in line and "git config" in line), None)
    raise GitError(first.removeprefix("fatal: "), hint=advice)
