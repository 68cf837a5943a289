"""The story of `jobsctl why` in lines for the terminal. Used by `why` and `describe`."""

from __future__ import annotations

from collections.abc import Iterator

from cli.output import Cell, Style
from cli.tables import STATE_STYLE, state_cell
from cli.terminal import one_line
from status.why.story import Answer, Story, Verdict
from status.words.runs import duration_text

STYLE: dict[Verdict, Style] = {
    Verdict.SUCCEEDED: "green", Verdict.FAILED: "red", Verdict.EXPIRED: "red", Verdict.CANCELLED: "yellow",
    Verdict.SKIPPED: "yellow", Verdict.RUNNING: "cyan", Verdict.WAITING: "yellow", Verdict.UNDECIDED: "yellow",
    Verdict.MAY_WAIT: "yellow", Verdict.WILL_NOT_RUN: "yellow", Verdict.WILL_RUN: "green",
}  # fmt: skip


def story_lines(story: Story, now: int) -> Iterator[str | Cell]:
    """All of it: the rule, what is odd, the answers."""
    yield Cell(f"{story.identity}: {one_line(story.rule)}", "bold")
    for note in story.notes:
        yield Cell(f"Note: {one_line(note)}.", "yellow")
    for answer in story.answers:
        yield ""
        yield from answer_lines(answer, now)


def answer_lines(answer: Answer, now: int) -> Iterator[str | Cell]:
    """One answer: its title, its sentences, the runs, what to do."""
    yield Cell(one_line(answer.title), "bold")
    for number, sentence in enumerate(answer.text):
        yield Cell(f"  {one_line(sentence)}", STYLE.get(answer.verdict, "") if number == 0 else "")
    several = any(run.attempt > 1 for run in answer.runs)
    for run in answer.runs:
        attempt = f"attempt {run.attempt}" if several else ""
        parts = (run.id, attempt, one_line(state_cell(run).text), duration_text(run, now))
        yield Cell("    " + "  ".join(part for part in parts if part not in ("", "-")), STATE_STYLE[run.state])
    for each in answer.advice:
        yield f"  -> {one_line(each)}"
