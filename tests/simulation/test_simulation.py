"""A short run of the simulation: fixed seeds, and one of the day's own that is printed.

`make simulate SEED=.. DAYS=..` is the long one. docs/testing.md tells what it is and what it found.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.clock import DAY
from tests.simulation.story import Story, play
from tests.simulation.telling import tell

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(100, 112)
DAYS = 30.0


@pytest.mark.parametrize("seed", SEEDS)
def test_no_rule_is_broken_in_a_month_of(seed: int) -> None:
    outcome = play(tell(seed, DAYS))
    assert outcome.violation is None, f"make simulate SEED={seed} DAYS=30: {outcome.violation}"
    assert outcome.time > DAYS * DAY


def test_no_rule_is_broken_in_a_month_of_a_seed_nobody_chose() -> None:
    seed = secrets.randbelow(1_000_000)
    sys.stdout.write(f"seed {seed}\n")
    outcome = play(tell(seed, DAYS))
    assert outcome.violation is None, f"make simulate SEED={seed} DAYS=30: {outcome.violation}"


def test_a_story_is_the_same_from_its_file(tmp_path: Path) -> None:
    story = tell(7, 10)
    story.save(tmp_path / "story.json")
    assert Story.load(tmp_path / "story.json").lines() == story.lines() == tell(7, 10).lines()


def test_one_seed_is_one_history_whatever_the_order_of_sets() -> None:
    """Every row that was ever written, in order, in processes that hash differently."""
    program = (
        "from tests.simulation.story import play\nfrom tests.simulation.telling import tell\n"
        "print([play(tell(seed, 15)).digest for seed in (3, 103)])"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": number},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    }
    assert len(digests) == 1
