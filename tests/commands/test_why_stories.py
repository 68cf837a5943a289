"""What `why` says, word by word, in every situation there is: why_stories.txt, read as a person would read it.

`python -m tests.commands.test_why_stories` writes the file anew; look at every changed line before you commit it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli.output import Cell
from cli.whylines import story_lines
from state.records import SKIP_REASONS, WAIT_REASONS
from status.why.story import About, Verdict
from tests.commands.situations import SITUATIONS
from tests.commands.telling import NOW

STORIES = Path(__file__).with_name("why_stories.txt")


def told(name: str) -> str:
    lines = story_lines(SITUATIONS[name](), NOW)
    return "".join(f"{line.text if isinstance(line, Cell) else line}\n" for line in lines)


def document() -> str:
    return "\n".join(f"# {name}\n{told(name)}" for name in SITUATIONS)


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_situation_is_told_like_this(name: str) -> None:
    (expected,) = re.findall(rf"^# {re.escape(name)}\n(.*?)(?=\n# |\Z)", STORIES.read_text(), re.DOTALL | re.MULTILINE)
    assert told(name) == expected


def test_every_story_is_a_situation() -> None:
    assert re.findall(r"^# (.*)$", STORIES.read_text(), re.MULTILINE) == list(SITUATIONS)


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_story_is_stable_data_too(name: str) -> None:
    view = json.loads(json.dumps(SITUATIONS[name]().view()))
    assert list(view) == [
        "apiVersion", "kind", "job", "timezone", "generation", "revision", "rule", "at", "notes", "answers"
    ]  # fmt: skip
    for answer in view["answers"]:
        assert list(answer) == [
            "about", "verdict", "reason", "scheduledFor", "startsAt", "text", "advice", "runs"
        ]  # fmt: skip
        assert answer["about"] in set(About)
        assert answer["verdict"] in set(Verdict)
        assert answer["text"]
        assert all(sentence.endswith(".") for sentence in answer["text"])


def test_every_verdict_and_nearly_every_reason_has_a_situation() -> None:
    stories = [make() for make in SITUATIONS.values()]
    answers = [answer for story in stories for answer in story.answers]
    assert {answer.verdict for answer in answers} == set(Verdict)
    reasons = {answer.reason for answer in answers}
    assert set(SKIP_REASONS) - reasons == set()
    assert set(WAIT_REASONS) - reasons == set()


def test_the_page_names_every_key_and_word_of_the_data() -> None:
    page = (Path(__file__).parents[2] / "docs" / "why.md").read_text()
    words = set(re.findall(r"[A-Za-z_]+", page))
    story = SITUATIONS["it succeeded"]().view()
    assert {*story, *story["answers"][0], *map(str, About), *map(str, Verdict)} - words == set()


if __name__ == "__main__":
    STORIES.write_text(document(), encoding="utf-8")
