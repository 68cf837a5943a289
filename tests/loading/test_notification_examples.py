"""The examples of docs/notifications.md are sound files, and its lists are complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from specs.load import load_bytes
from specs.notifiers import Occasion
from specs.template import PLACES

PAGE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```yaml\n# (\S+\.yaml)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("name", "text"), FILES, ids=[name for name, _ in FILES])
def test_an_example_is_sound(name: str, text: str) -> None:
    found = load_bytes(text.encode(), name)
    assert found.diagnostics == ()
    assert found.jobs or found.documents


def test_every_occasion_and_every_place_of_a_template_is_told() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert named >= set(get_args(Occasion))
    assert named >= PLACES.keys()
