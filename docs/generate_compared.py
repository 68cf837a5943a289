"""Writes docs/compared.md from tests/comparing/situations.yaml: `python -m docs.generate_compared`. A test compares."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.comparing.situations import Situation, load  # noqa: E402

HEAD = """\
# Compared with others

<!-- Written by docs/generate_compared.py from tests/comparing/situations.yaml; edit that file. -->

{count} situations that schedulers decide differently: what Kubernetes CronJob, systemd timers, anacron, cronie, Nomad
and Airflow do, where that is written down, and what jobsctl does. {same} of our answers are theirs; where one differs,
the reason stands beside it.

The last column is what our database holds at the end, times in UTC. It is not written by hand: each situation is a
story that the tests play with the real loop and the real database (`tests/comparing`), so this page cannot promise what
the program does not do. What is said of others is from their documents, code and issues, in our words, and grows old:
their sources are named to be looked at.
"""
COLUMNS = "| situation | theirs | ours | our rows |\n|---|---|---|---|\n"


def page() -> str:
    """docs/compared.md."""
    rows = load()
    same = sum(not row.why for row in rows)
    parts = [HEAD.format(count=len(rows), same=same)]
    for group, members in groupby(rows, key=lambda row: row.group):
        parts.append(f"\n## {group}\n\n{COLUMNS}")
        parts += [_row(row) for row in members]
    return "".join(parts)


def _row(row: Situation) -> str:
    theirs = f"**{row.system}**: {row.answer}<br>({_links(row.source)})"
    ours = f"{row.ours}<br>*{row.why}*" if row.why else row.ours
    several = len(row.rows) > 1
    held = [f"{name}: `{line}`" if several else f"`{line}`" for name, lines in row.rows.items() for line in lines]
    return f"| {row.situation} | {theirs} | {ours} | {'<br>'.join(held)} |\n"


def _links(source: str) -> str:
    """Issues as links; the second of several names no repository."""
    repository, words = "", []
    for word in source.split(" "):
        bare = word.rstrip(",")
        before, mark, number = bare.partition("#")
        if mark and number.isdigit():
            repository = before or repository or source.split(" ")[0]
            word = f"[{bare}](https://github.com/{repository}/issues/{number})" + word[len(bare) :]
        words.append(word)
    return " ".join(words)


if __name__ == "__main__":
    Path(__file__).with_name("compared.md").write_text(page(), encoding="utf-8")
