"""The examples of docs/policies.md are sound, each in the file that its first line names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from specs.source import Source

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"
EXAMPLES = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def jobs(tmp_path: Path) -> dict[str, dict[str, object]]:
    for name, text in EXAMPLES:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    desired = Source(tmp_path, now=lambda: 0).look().desired
    assert desired.diagnostics == ()
    return {identity: json.loads(job.spec) for identity, job in desired.jobs.items()}


def test_all_are_sound_together(jobs: dict[str, dict[str, object]]) -> None:
    assert PAGE.read_text(encoding="utf-8").count("```yaml") == len(EXAMPLES) > 10
    assert len(jobs) == 13


def test_the_folder_gives_what_the_page_says(jobs: dict[str, dict[str, object]]) -> None:
    rebuild = jobs["team/rebuild"]
    assert rebuild["timeout"] == 4 * 3600
    assert rebuild["env"] == {"LOG_LEVEL": "info", "THREADS": "4"}
    assert rebuild["timezone"] == "Europe/Berlin"
