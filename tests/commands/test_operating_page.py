"""docs/operating.md names every key that timers, outputs, metrics and top give; their choices are those of the code."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any, get_args

import pytest

from cli.commands import top
from cli.livelook import Sort
from state.records import DocumentRecord, Reason, RunState
from tests.commands.conftest import MINUTE, NOW

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
SHAPES = PAGE.partition("## Shapes")[2]


@pytest.fixture
def house(known, home):
    """Something of everything."""
    pool = DocumentRecord(kind="Pool", name="db", spec=b'{"slots":1}', digest="d", path="db.yaml", line=1)
    known.store.put_documents([pool], [])
    job = known.job()
    known.run(job, ago=20 * MINUTE)
    run = known.run(job, state=RunState.RUNNING)
    known.waiting(job, Reason.POOL)
    directory = home.run_dir_of(run)
    (directory / "outputs").mkdir(parents=True)
    (directory / "outputs" / "a.csv").write_text("a")
    (directory / "series.bin").write_bytes(struct.pack("<qQQ", NOW, 1, 1))
    return run


def keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(keys, value))
    return set(value).union(*map(keys, value.values())) if isinstance(value, dict) else set()


@pytest.mark.parametrize("command", [("timers",), ("outputs",), ("metrics", "hello"), ("top",)], ids=lambda c: c[0])
def test_every_key_is_on_the_page(jobsctl, house, command):
    shape = json.loads(jobsctl(*command, "-o", "json").out)
    (row,) = [line for line in SHAPES.splitlines() if line.startswith(f"| `{command[0]}`")]
    named = {word.partition(":")[0] for word in re.findall(r"`([^`]+)`", row)}
    assert keys(shape) <= named


def test_the_words_of_choices_are_those_of_the_code():
    assert get_args(Sort) == top.SORTS


def test_commands_on_the_page_exist():
    from cli.main import COMMANDS

    known = {name for section in COMMANDS.values() for name in section}
    assert set(re.findall(r"jobsctl ([a-z]+)", PAGE)) <= known
