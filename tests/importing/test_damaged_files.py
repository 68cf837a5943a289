"""Real files with parts of them replaced by nonsense: an import ends with jobs and findings, never with a traceback."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from ruamel.yaml import YAML

from cli.importing.writing import write_document
from tests.importing.foreign import DATA, read_text

NONSENSE: tuple[Any, ...] = (
    None, "", 0, -1, 1.5, True, [], {}, [None], [[]], {"a": None}, "x" * 300, "\0", "é", "{{ x }}", "$(A)", [1, 2],
    {"name": "x"}, "1e400", 10**30, "@daily", "* * * * *", "0 0 30 2 *", "-", "~", ["a", "b"], "9" * 60,
)  # fmt: skip


def damaged(draw: random.Random, value: Any) -> Any:
    """`value` with something within it replaced, or left out."""
    if not isinstance(value, dict | list) or not value:
        return json.loads(json.dumps(draw.choice(NONSENSE)))
    place = draw.choice(list(value)) if isinstance(value, dict) else draw.randrange(len(value))
    if isinstance(value, dict) and draw.random() < 0.1:
        del value[place]
    else:
        value[place] = damaged(draw, value[place] if draw.random() < 0.8 else None)
    return value


@pytest.mark.parametrize("system", ["kubernetes", "yacron", "term-llm"])
def test_damaged_files_give_findings(system: str) -> None:
    files = [file for file in sorted((DATA / system).iterdir()) if file.suffix in (".yaml", ".json")]
    documents = [each for file in files for each in YAML(typ="safe", pure=True).load_all(file.read_text())]
    draw = random.Random(20261121)
    jobs = findings = 0
    for _ in range(150):
        document = json.loads(json.dumps(draw.choice(documents)))
        for _ in range(draw.randrange(1, 4)):
            document = damaged(draw, document)
        made = read_text(system, json.dumps(document))
        for job in made.jobs:
            write_document(job)
        assert all(found.line >= 1 and found.message for found in made.unreadable)
        jobs, findings = jobs + len(made.jobs), findings + len(made.unreadable)
    assert jobs, "the damage was too great to show anything"
    assert findings, "the damage was too small to show anything"
