"""docs/first-ten-minutes.md, typed as it stands there: every command works and prints what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "first-ten-minutes.md"
MARK = "== end of step"


@dataclass(frozen=True)
class Step:
    """A block of commands, and the block of output behind it, if there is one."""

    commands: str
    shown: str | None


def steps() -> list[Step]:
    blocks = re.findall(r"^```(sh|text)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    found: list[Step] = []
    for language, text in blocks:
        if language == "sh":
            found.append(Step(text, None))
        else:
            assert found[-1].shown is None
            found[-1] = Step(found[-1].commands, text)
    return found


def fits(shown: str, printed: str) -> bool:
    """`...` in a line stands for anything in it, a line of `...` for any lines."""
    parts = []
    for line in shown.splitlines():
        parts.append(r"(?:.*\n)*?" if line == "..." else ".*?".join(map(re.escape, line.split("..."))) + r" *\n")
    return re.fullmatch("".join(parts), printed) is not None


@pytest.mark.parametrize(
    ("shown", "printed", "answer"),
    [
        pytest.param("a\n", "a\n", True, id="the_same"),
        pytest.param("a\n", "b\n", False, id="another"),
        pytest.param("a ...c\n", "a b c\n", True, id="within_a_line"),
        pytest.param("...\nc\n", "a\nb\nc\n", True, id="lines"),
        pytest.param("a\n", "a\nb\n", False, id="more"),
        pytest.param("a\n...\n", "a\n", True, id="no_lines"),
    ],
)
def test_the_judge_of_the_page(shown, printed, answer):
    assert fits(shown, printed) is answer


@pytest.mark.timeout(90)
def test_every_command_of_the_first_ten_minutes_prints_what_the_page_says(tmp_path):
    script = "".join(f"{step.commands}\necho '{MARK}'\n" for step in steps())
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path),
        "LANG": "C.UTF-8", "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org",
        "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.org",
    }  # fmt: skip
    ready = "until [ -e .jobsctl/heartbeat.json ]; do sleep 0.05; done\n"  # what a person's hands take
    script = script.replace("2> daemon.log &\n", f"2> daemon.log &\n{ready}")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"trap 'kill %1; wait %1' EXIT\nset -m\n{script}"], cwd=tmp_path, env=env,
        text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=80, check=False,
    )  # fmt: skip
    printed = done.stdout.split(f"{MARK}\n")
    assert done.returncode in (0, 143), done.stdout + done.stderr
    for step, text in zip(steps(), printed, strict=False):
        assert step.shown is None or fits(step.shown, text), f"{step.commands}printed\n{text}\n{done.stderr}"
    assert len(printed) == len(steps()) + 1, done.stdout + done.stderr
