"""What every command shows, word for word. `python -m tests.goldens` writes the screens anew: read the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.main import COMMANDS
from tests.goldens.houses import house
from tests.goldens.screen import screen_of
from tests.goldens.transcript import Call, transcripts

ALL = list(transcripts())
CALLS = [
    pytest.param(call, id=f"{each.path.stem}-{number}: {call.id}")
    for each in ALL
    for number, call in enumerate(each.calls, 1)
]


@pytest.mark.parametrize("call", CALLS)
def test_the_screen_is_as_it_was_read_and_accepted(call: Call, tmp_path: Path) -> None:
    with house(call.house, tmp_path) as root:
        assert screen_of(call, root) == call.screen


def test_every_command_has_a_transcript() -> None:
    """Its help, and what it says when asked for nonsense."""
    named = {each.path.stem for each in ALL}
    assert {name for section in COMMANDS.values() for name in section} <= named
