"""Pages of runs: what is asked for, a page or all of them, and their order. Used by `runs`."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from cli.errors import UsageError
from cli.options import Settings
from cli.output import to_json
from cli.reading import Reading
from specs.frozen import frozen
from state.reads import Order
from state.records import Reason, Run, RunState, Trigger
from status.views import run_view

STREAMED = 1000
"""Runs in memory at once while all are printed: 1 MB."""


@frozen(kw_only=True)
class Page:
    """Which runs; the arguments of `state.reads.Reader.runs`. Times are microseconds."""

    job_ids: Collection[int] | None
    project: str | None
    labels: Sequence[str]
    states: Collection[RunState] | None
    active: bool | None
    reasons: Collection[Reason] | None
    triggers: Collection[Trigger] | None
    attempt: int | None
    longer_than: int | None
    since: int | None
    until: int | None
    before: str | None
    after: str | None
    order: Order

    @property
    def chooses(self) -> bool:
        """Whether runs there are may not be among them."""
        return any(
            (self.labels, self.states, self.active, self.reasons, self.triggers, self.attempt, self.longer_than,
             self.since, self.until, self.before, self.after, self.project)
        )  # fmt: skip

    def read(self, seen: Reading, limit: int) -> tuple[list[Run], str | None]:
        """At most `limit` runs, and the id to go on behind when there are more."""
        runs = seen.reader.runs(
            job_ids=self.job_ids, project=self.project, labels=self.labels, states=self.states, active=self.active,
            reasons=self.reasons, triggers=self.triggers, attempt=self.attempt, longer_than=self.longer_than,
            now=None if self.longer_than is None else seen.now, since=self.since, until=self.until,
            before=self.before, after=self.after, limit=limit + 1, order=self.order,
        )  # fmt: skip
        return runs[:limit], runs[limit - 1].id if len(runs) > limit else None

    def behind(self, run_id: str) -> Page:
        """The page that goes on behind this run."""
        return replace(self, before=run_id) if self.order == "desc" else replace(self, after=run_id)


def stream(settings: Settings, seen: Reading, page: Page) -> None:
    """Print all runs, a page in memory at a time: one line each."""
    last: str | None = ""
    while last is not None:
        runs, last = page.read(seen, STREAMED)
        for run in runs:
            line = to_json(run_view(run), indent=False) if settings.output == "jsonl" else f"run/{run.id}"
            sys.stdout.write(f"{line}\n")
        if last is not None:
            page = page.behind(last)


def read_reasons(texts: Sequence[str]) -> list[Reason]:
    """
    Raises:
        UsageError: one of them is none; with the nearest ones.
    """
    known = [reason.value for reason in Reason]
    for text in texts:
        if text not in known:
            close = difflib.get_close_matches(text, known, n=3)
            hint = f"did you mean {' or '.join(close)}?" if close else "docs/reasons.md lists them"
            raise UsageError(f"--reason: {text!r} is none", hint=hint)
    return [Reason(text) for text in texts]


def sort_runs(runs: Sequence[Run], order: str, now: int) -> list[Run]:
    """By text ascending, by numbers with the largest first; what has no such number last."""

    def duration(run: Run) -> int | None:
        return None if run.started_at is None else (run.finished_at or now) - run.started_at

    texts: dict[str, Callable[[Run], str]] = {"job": lambda run: run.identity, "state": lambda run: run.state}
    numbers: dict[str, Callable[[Run], Any]] = {
        "started": lambda run: run.started_at, "duration": duration, "cpu": lambda run: run.cpu_seconds,
        "memory": lambda run: run.peak_memory, "output": lambda run: run.output_bytes,
    }  # fmt: skip
    if order in texts:
        return sorted(runs, key=texts[order])
    number = numbers[order]
    return sorted(runs, key=lambda run: (number(run) is None, -(number(run) or 0)))
