"""docs/schedules.md is true: its expressions compile, and are said in the words that stand beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from specs.model import Dst, Job
from specs.schedule import compile_schedule, parse_schedule

TEXT = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| ([A-Z][^|]+) \|$", TEXT, re.MULTILINE)
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_page_has_its_tables_and_examples():
    assert len(ROWS) > 30
    assert len(BLOCKS) == 8


@pytest.mark.parametrize(("expression", "words"), ROWS, ids=[expression for expression, _ in ROWS])
def test_an_expression_is_said_as_the_page_says_it(expression, words):
    schedule = parse_schedule(expression, timezone="Europe/Berlin", dst=Dst(), identity="default/report")
    assert (schedule.words, schedule.warnings) == (words, ())


@pytest.mark.parametrize("text", BLOCKS)
def test_an_example_is_a_sound_part_of_a_job(text):
    part = YAML(typ="safe", pure=True).load(text)
    job = Job.model_validate({"name": "report", "run": {"command": ["true"]}} | part)
    assert compile_schedule(job).warnings == ()


def test_the_field_names_of_h_are_those_of_the_code():
    import hashlib

    number = int.from_bytes(hashlib.sha256(b"jobsctl H 1:minute:default/report").digest()[:8], "big")
    schedule = parse_schedule("H 0 * * *", timezone="UTC", dst=Dst(), identity="default/report")
    assert schedule.expression == f"{number % 60} 0 * * *"
