"""The simulation finds what is broken on purpose: five of the mutations that docs/testing.md tells of."""

from __future__ import annotations

import pytest

from tests.simulation.mutations import MUTATIONS, search

QUICK = {
    "the database lets a slot have two runs": "a slot at most once",
    "nobody asks whether a run of the job is active": "the overlap limit holds",
    "the cursor moves past slots that nothing accounts for": "every slot is accounted for",
    "every missed slot is caught up": "the policy decides",
    "a clock that is set goes unnoticed": "a clock that was set back is followed",
}


@pytest.mark.parametrize("words", QUICK)
def test_the_simulation_finds_that(words: str) -> None:
    (mutation,) = [each for each in MUTATIONS if each.words == words]
    found = search(mutation, seeds=20)
    assert found is not None
    assert found.rule == QUICK[words]
