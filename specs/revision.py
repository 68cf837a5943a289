"""What git says about a directory, read from git's own files: its revision, and whether git is at work in it.

Called by `specs.source` in every look, so it must cost microseconds: no git process is started. Understands loose and
packed refs, detached heads, linked work trees (`.git` is a file) and git-sync's layout, which is made of them.
Source of the file formats: gitrepository-layout(5), git-worktree(1).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from specs.frozen import frozen

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF = re.compile(r"refs/[^\x00-\x20\x7f~^:?*\[\\]+")
_LARGEST = 64 * 1024 * 1024
"""Bytes of `packed-refs` that are read: a repository with a million refs."""


@frozen
class WorkTree:
    """The git directory that belongs to a folder."""

    git_dir: str
    """HEAD and index of this work tree."""
    common_dir: str
    """Refs and objects; another directory than `git_dir` in a linked work tree."""
    top: str
    """The folder that holds `.git`."""

    def revision(self) -> str | None:
        """`main@sha1:<hex>`, `sha1:<hex>` when detached, None before the first commit (as Flux writes revisions)."""
        head = _read(os.path.join(self.git_dir, "HEAD"))
        if head is None:
            return None
        if not head.startswith("ref:"):
            return f"{_algorithm(head)}:{head}" if _HASH.fullmatch(head) else None
        ref = head[4:].strip()
        if not _REF.fullmatch(ref) or ".." in ref:
            return None
        found = self._resolve(ref)
        return None if found is None else f"{ref.removeprefix('refs/heads/')}@{_algorithm(found)}:{found}"

    def lock(self) -> tuple[int, int] | None:
        """What `index.lock` is, `(inode, mtime in ns)`, while git holds the index; None when it does not."""
        return _identity(os.path.join(self.git_dir, "index.lock"))

    def index(self) -> tuple[int, int] | None:
        """What the index is. It is replaced after every change of the work tree by git."""
        return _identity(os.path.join(self.git_dir, "index"))

    def watched(self) -> tuple[str, ...]:
        """Folders in which something happens when the revision changes."""
        folders = [self.git_dir]
        head = _read(os.path.join(self.git_dir, "HEAD")) or ""
        ref = head[4:].strip() if head.startswith("ref:") else ""
        if _REF.fullmatch(ref) and ".." not in ref:
            folder = os.path.dirname(os.path.join(self.common_dir, ref))
            if Path(folder).is_dir():
                folders.append(folder)
        return tuple(folders)

    def _resolve(self, ref: str) -> str | None:
        for folder in (self.git_dir, self.common_dir):
            found = _read(os.path.join(folder, ref))
            if found is not None and _HASH.fullmatch(found):
                return found
        packed = _read(os.path.join(self.common_dir, "packed-refs"), _LARGEST) or ""
        match = re.search(rf"^([0-9a-f]+) {re.escape(ref)}$", packed, re.MULTILINE)
        return match[1] if match and _HASH.fullmatch(match[1]) else None


def find_work_tree(folder: str) -> WorkTree | None:
    """The work tree that encloses `folder` (an absolute path without links); None outside git."""
    while True:
        dot_git = os.path.join(folder, ".git")
        found = _read_git(dot_git)
        if found is not None:
            return found
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _read_git(dot_git: str) -> WorkTree | None:
    if Path(dot_git, "HEAD").is_file():
        return WorkTree(dot_git, dot_git, os.path.dirname(dot_git))
    pointer = _read(dot_git)
    if pointer is None or not pointer.startswith("gitdir:"):
        return None
    git_dir = os.path.normpath(os.path.join(os.path.dirname(dot_git), pointer[7:].strip()))
    common = _read(os.path.join(git_dir, "commondir"))
    common_dir = git_dir if common is None else os.path.normpath(os.path.join(git_dir, common))
    return WorkTree(git_dir, common_dir, os.path.dirname(dot_git))


def _algorithm(found: str) -> str:
    return "sha1" if len(found) == 40 else "sha256"


def _read(path: str, limit: int = 4096) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        with open(descriptor, "rb") as file:
            return file.read(limit).decode("utf-8", errors="surrogateescape").strip()
    except OSError:
        return None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).lstat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
