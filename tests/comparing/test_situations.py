"""Every situation of situations.yaml, played: our answer in the table of docs/compared.md is what the loop does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.comparing.playing import Stage
from tests.comparing.situations import Situation, load

SITUATIONS = load()


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.id)
def test_we_decide_as_the_table_says(situation: Situation, tmp_path: Path) -> None:
    stage = Stage(tmp_path, situation.start, situation.jobs, situation.documents, situation.copies)
    try:
        stage.play(situation.story)
        assert {name: stage.rows(name) for name in situation.rows} == situation.rows
    finally:
        stage.close()
