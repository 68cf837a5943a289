"""The simulation finds what is broken on purpose: five of the mutations that docs/testing.md tells of."""

from __future__ import annotations

import pytest

from tests.simulation.mutations import MUTATIONS, search

QUICK = {
    "nobody asks whether a run of the job is active": "the overlap limit holds",
    "an end that is stored is stored again": "the loop recovers by itself",
    "the cursor moves past slots that nothing accounts for": "every slot is accounted for",
    "a late success overwrites a cancel": "an accepted cancel stays",
    "every missed slot is caught up": "the policy decides",
}


@pytest.mark.parametrize("words", QUICK)
def test_the_simulation_finds_that(words: str) -> None:
    (mutation,) = [each for each in MUTATIONS if each.words == words]
    found = search(mutation, seeds=20)
    assert found is not None
    assert found.rule == QUICK[words]
