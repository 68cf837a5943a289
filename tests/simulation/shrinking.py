"""Making a failing story shorter: delta debugging (Zeller, Hildebrandt 2002) over its actions, then shorter times."""

from __future__ import annotations

import time

from tests.simulation.clock import SECOND
from tests.simulation.story import Action, Outcome, Story, play


def shrink(story: Story, outcome: Outcome, *, seconds: float) -> tuple[Story, Outcome]:
    """The shortest story found that breaks the same rule, and its outcome. Gives up looking after `seconds`."""
    assert outcome.violation is not None
    search = _Search(story, outcome, time.monotonic() + seconds)
    search.without_parts()
    search.with_shorter_times()
    return search.best, search.outcome


class _Search:
    def __init__(self, story: Story, outcome: Outcome, until: float) -> None:
        assert outcome.violation is not None
        self.rule = outcome.violation.rule
        self.best = story.with_actions(story.actions[: outcome.actions])
        self.outcome = outcome
        self.until = until

    def _try(self, actions: list[Action]) -> bool:
        """Whether these actions break the rule, too; then they are the best."""
        if time.monotonic() > self.until:
            return False
        candidate = self.best.with_actions(actions)
        outcome = play(candidate)
        if outcome.violation is None or outcome.violation.rule != self.rule:
            return False
        self.best, self.outcome = candidate.with_actions(actions[: outcome.actions]), outcome
        return True

    def without_parts(self) -> None:
        size = max(1, len(self.best.actions) // 2)
        while True:
            shorter, place = False, 0
            while place < len(self.best.actions):
                actions = list(self.best.actions)
                if self._try(actions[:place] + actions[place + size :]):
                    shorter = True
                else:
                    place += size
            if size == 1 and not shorter:
                return
            if time.monotonic() > self.until:
                return
            size = max(1, size // 2)

    def with_shorter_times(self) -> None:
        for place in range(len(self.best.actions) - 1, -1, -1):
            if place >= len(self.best.actions):
                continue
            for column, value in enumerate(self.best.actions[place]):
                if not isinstance(value, int) or isinstance(value, bool) or abs(value) < SECOND:
                    continue
                for rounded in _rounder(value):
                    actions = [list(action) for action in self.best.actions]
                    actions[place][column] = rounded
                    if self._try(actions):
                        break


def _rounder(value: int) -> list[int]:
    """Smaller and rounder numbers of the same sign, the roundest first."""
    sign = -1 if value < 0 else 1
    units = (SECOND, 60 * SECOND, 3600 * SECOND, 86_400 * SECOND)
    return [sign * unit for unit in units if unit < abs(value)] + [
        sign * (abs(value) // unit * unit) for unit in reversed(units) if unit < abs(value) and value % unit
    ]
