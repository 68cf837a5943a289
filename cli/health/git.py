"""The git checkout the specs are in: what is applied should be what somebody reviewed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

from cli.health.finding import Check, Finding, Patient, ok, warning
from cli.output import counted
from specs.revision import find_work_tree

PATIENCE = 10.0
"""Seconds for one question to git."""


def check_checkout(patient: Patient) -> Iterator[Finding]:
    """Whether the files are what a commit says, on a branch."""
    root = patient.specs.resolve()
    if not root.is_dir():
        return
    tree = find_work_tree(str(root))
    if tree is None:
        yield ok(f"{root} is not in git: nobody reviews a change, and nothing says who made it")
        return
    try:
        # The daemon may write the index's lock too; fsmonitor would start a program that the repository names.
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-C", str(root), "status", "--porcelain=v2", "--branch", "--", "."],
            capture_output=True, text=True, errors="replace", timeout=PATIENCE, stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        )  # fmt: skip
    except FileNotFoundError:
        yield ok("git is not installed: the checkout was not looked at")
        return
    except subprocess.TimeoutExpired:
        yield warning(f"git did not answer within {PATIENCE:g}s in {root}", "git status says why")
        return
    if "dubious ownership" in done.stderr:
        yield warning(
            f"{root} belongs to another user than you: git refuses to look at it",
            f"look as its owner, or: git config --global --add safe.directory {tree.top}",
        )
        return
    if done.returncode != 0:
        yield warning(f"git status failed in {root}: {done.stderr.strip()[:300]}", "git status")
        return
    yield from _judge(done.stdout)


def _judge(status: str) -> Iterator[Finding]:
    """From `git status --porcelain=v2 --branch` (git-status(1), "Porcelain Format Version 2")."""
    heads = dict(line[2:].split(" ", 1) for line in status.splitlines() if line.startswith("# ") and " " in line[2:])
    changed = [line for line in status.splitlines() if line[:2] in ("1 ", "2 ")]
    unmerged = [line for line in status.splitlines() if line.startswith("u ")]
    untracked = [line[2:] for line in status.splitlines() if line.startswith("? ")]
    fine = True
    if heads.get("branch.oid") == "(initial)":
        fine = False
        yield warning("the repository has no commit yet: no run has a revision", "git commit")
    elif heads.get("branch.head") == "(detached)":
        fine = False
        yield warning(
            f"HEAD is detached at {heads.get('branch.oid', '')[:12]}: no pull will move it",
            "git switch main; right if something checks out commits by itself",
        )
    if unmerged:
        fine = False
        yield warning(f"conflicts of a merge in {counted(len(unmerged), 'file')}", "git status, then mend and commit")
    if changed or untracked:
        fine = False
        names = [line.rsplit(" ", 1)[-1] for line in changed] + untracked
        yield warning(
            f"not as committed: {counted(len(names), 'file')}, as {names[0]}: nobody reviewed what runs",
            "git diff; commit or undo it",
        )
    behind = heads.get("branch.ab", "+0 -0").split()[-1].lstrip("-")
    if behind not in ("0", ""):
        fine = False
        yield warning(f"the checkout is {counted(int(behind), 'commit')} behind its upstream", "git pull --ff-only")
    if fine:
        yield ok(f"as committed: {heads.get('branch.head')} at {heads.get('branch.oid', '')[:12]}")


CHECKS = (
    Check("git", "a checkout that is dirty, detached, behind, without commits, or of another user", check_checkout),
)
