"""Writes docs/reasons.md from `status.words.reasons`: `python -m docs.generate_reasons`. A test compares the two."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from status.words.reasons import EXPLAINED, Explained  # noqa: E402

INTRODUCTION = """\
# Reasons

<!-- Written by docs/generate_reasons.py from the code; edit the code. -->

Every scheduled instant of a job ends as a run or as a `skipped` record, and each says why. The words are a closed set:
the same one stands in `jobsctl runs`, in events, in the log and in the labels of metrics. `jobsctl why JOB --at TIME`
tells in sentences what happened at an instant, or will happen; this page is the list behind it.
"""

SECTIONS: tuple[tuple[str, str, Callable[[Explained], str | None]], ...] = (
    (
        "Slots without a run",
        "The `reason` of a record with `state: skipped`, and the label of `jobsctl_slots_skipped_total`. A long gap is "
        "one record: its first slot, its last, and how many.",
        lambda words: words.skip,
    ),
    (
        "What a blocked run waits for",
        "The `reason` of a run with `state: blocked`, and the label of `jobsctl_blocked_runs`. The run is stored and "
        "holds its slot; it starts by itself.",
        lambda words: words.wait,
    ),
    ("How a run ended", "The `reason` of a run that is over.", lambda words: words.end),
    (
        "Decisions",
        "In the daemon's log only: no slot and no run is about them.",
        lambda words: words.decision,
    ),
)


def document() -> str:
    """The whole page."""
    return "".join([INTRODUCTION, *(line for section in SECTIONS for line in _section(*section))])


def _section(title: str, about: str, text: Callable[[Explained], str | None]) -> Iterator[str]:
    yield f"\n## {title}\n\n{about}\n\n| reason | what it means | what to do |\n|---|---|---|\n"
    for reason, words in EXPLAINED.items():
        if (said := text(words)) is not None:
            yield f"| `{reason}` | {said} | {words.advice} |\n"


if __name__ == "__main__":
    (ROOT / "docs" / "reasons.md").write_text(document(), encoding="utf-8")
