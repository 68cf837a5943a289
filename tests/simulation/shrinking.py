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
    search.with_joined_times()
    search.with_shorter_times()
    return search.best, search.outcome


class _Search:
    def __init__(self, story: Story, outcome: Outcome, until: float) -> None:
        assert outcome.violation is not None
        self.rule = outcome.violation.rule
        self.best = story.with_actions(story.actions[: outcome.actions])
        self.outcome = outcome
        self.until = until

    def _try(self, actions: list[Action], story: Story | None = None) -> bool:
        """Whether these actions break the rule, too; then they are the best."""
        if time.monotonic() > self.until:
            return False
        candidate = (story or self.best).with_actions(actions)
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

    def with_joined_times(self) -> None:
        """One wait instead of several, and a later beginning instead of the first."""
        place = 0
        while place < len(self.best.actions) and time.monotonic() <= self.until:
            actions = list(self.best.actions)
            if actions[place][0] == "wait" and place == 0:
                later = Story(self.best.seed, self.best.start + actions[0][1], self.best.actions)
                if self._try(actions[1:], later):
                    continue
            elif actions[place][0] == actions[place - 1][0] == "wait":
                joined = ["wait", actions[place - 1][1] + actions[place][1]]
                if self._try([*actions[: place - 1], joined, *actions[place + 1 :]]):
                    continue
            place += 1

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
