"""Spec files to load: 31 lines, 730 bytes each, as people write them, in 210 folders; schedules differ."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

FOLDERS = 210
_SPEC = """\
# Job number {number}, owned by team {team}.
apiVersion: jobsctl/v1
kind: Job
name: report-{number:05d}
project: team-{team:02d}
description: "Collects the figures of area {number} from the tills, checks them against those of
  the day before, and files them with the ledger of the team"
labels:
  team: team-{team:02d}
  tier: {tier}
  app: reporting
tags: [nightly, reports]
annotations:
  runbook: https://wiki.example/runbooks/report-{number:05d}
schedule: "{minute} {hour} * * 1-5"
timezone: Europe/Berlin
timeout: 15m
run:
  type: process
  command:
    - /usr/local/bin/report
    - --area={number}
    - --format=csv
  working_dir: /srv/reports
  umask: "027"
  limits:
    memory: 512MiB
    nofile: 256
env:
  REPORT_LEVEL: detailed
  REPORT_RETRIES: "3"
grace: 20s
"""


def spec(number: int, *, edited: bool = False) -> bytes:
    """The text of one file. `edited`: the same job with another command line."""
    text = _SPEC.format(
        number=number,
        team=number % 20,
        tier=("gold", "silver", "bronze")[number % 3],
        minute=number % 60,
        hour=number // 60 % 24,
    )
    return (text.replace("--format=csv", "--format=json") if edited else text).encode()


def place(number: int) -> str:
    """Where the file is, below the specs directory."""
    folder = number % FOLDERS
    return f"area-{folder // 21:02d}/group-{folder % 21:02d}/report-{number:05d}.yaml"


def write_tree(root: Path, count: int, *, edited: int = 0) -> None:
    """`count` files below `root`, of which the first `edited` have their other text."""
    for folder in {os.path.dirname(place(number)) for number in range(min(count, FOLDERS))}:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (root / place(number)).write_bytes(spec(number, edited=number < edited))


def walk(root: str) -> Iterator[str]:
    """Every file below `root`."""
    folders = [root]
    for folder in folders:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    yield entry.path


def read(path: str) -> bytes:
    """A whole file, with the fewest calls."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 1 << 20)
    finally:
        os.close(descriptor)
