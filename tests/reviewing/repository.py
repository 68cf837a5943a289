"""A git repository of job files, and `jobsctl` as a program on PATH: what hooks and pipelines find."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOOD = "name: hello\nschedule: every 1h\nrun: {command: [echo, hello]}\n"
CHANGED = GOOD.replace("1h", "2h")
ODD = "name: hello\nschedule: every 1m\nrun: {command: [echo, hello]}\n"
BAD = "name: hello\nrun: {comand: [echo, hello]}\n"


class Repository:
    """A repository with one commit on `main`, and an environment without anything of the developer's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        self.folder.mkdir()
        (folder / "bin").mkdir()
        program = folder / "bin" / "jobsctl"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m jobsctl "$@"\n')
        program.chmod(0o755)
        self.program = program
        self.env = {
            "PATH": f"{program.parent}:{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "PRE_COMMIT_HOME": str(folder / "pre-commit"),
            "LANG": "C.UTF-8",
        } | {
            f"GIT_{who}_{what}": f"dev@{what}.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """What git says; raises when it fails."""
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env=self.env, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, files: dict[str, str]) -> str:
        """Write and commit files; the commit's hash."""
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def pull_request(self, before: dict[str, str], after: dict[str, str]) -> None:
        """Stands where a runner stands: on the merge of a branch into `main`, which has gone on meanwhile."""
        self.commit(before)
        self.git("checkout", "--quiet", "-b", "change")
        self.commit(after)
        self.git("checkout", "--quiet", "main")
        self.commit({"README.md": "main goes on\n"})
        self.git("checkout", "--quiet", "--detach")
        self.git("merge", "--quiet", "--no-ff", "--message", "merge", "change")

    def run(self, *command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        given = self.env | (env or {})
        return subprocess.run(
            command, cwd=self.folder, env=given, capture_output=True, text=True, timeout=50, check=False
        )
