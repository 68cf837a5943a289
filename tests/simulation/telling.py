"""Making up a story from a seed: what people do to the files, what they ask for, and what goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.scheduling.minute_scan import transitions
from tests.simulation.clock import DAY, HOUR, MINUTE, SECOND
from tests.simulation.faults import ERRORS
from tests.simulation.specs import JOBS, Editor
from tests.simulation.story import Action, Story

FIRST, LAST = 1_800_000_000, 1_900_000_000
"""2027-01-15 to 2030-03-17, seconds."""
NIGHTS = ("Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "America/New_York", "Pacific/Chatham")
LINES = (
    "slots-claimed", "before-launch", "after-launch", "ends-stored", "look-applied", "before-adopt",
    "request-answered", "history-pruned", "directories-removed",
)  # fmt: skip

WISHES = {"trigger": 3, "cancel": 6, "suspend": 1, "resume": 2, "delete": 1, "reconcile": 1, "confirm_prune": 1}


def tell(seed: int, days: float) -> Story:
    """The story of a seed: at least `days` long, and the quiet end besides."""
    return Teller(seed).tell(int(days * DAY))


class Teller:
    """Knows the files, as far as it wrote them; nothing of what becomes of them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = Random(f"story {seed}")
        self.start = self._start()
        self.time = 0
        self.actions: list[Action] = []
        self.editor = Editor(self.rng, self.now, calendars=seed % 4 == 1)
        self.trouble = self.rng.choice([0.0, 0.3, 1.0, 1.0, 2.0])
        """How much goes wrong in this house."""
        self._weights: list[tuple[float, Callable[[], None]]] = [
            (5.5, self._wait),
            (1.5, self._edit),
            (1.2, self._ask),
            (0.5, self._end),
            (0.5 * self.trouble, self._kill),
            (0.5 * self.trouble, self._die),
            (0.5 * self.trouble, self._fail),
            (0.35 * self.trouble, self._clock),
            (0.15 * self.trouble, self._supervisor),
            (0.15 * self.trouble, self._files),
        ]

    def now(self) -> int:
        """About what the wall clock shows."""
        return self.start + self.time

    def tell(self, time: int) -> Story:
        if self.rng.random() < 0.8:
            self.actions.append(self.editor.pools())
        if self.editor.calendars:
            self.actions.append(self.editor.write_calendars())
        for _ in range(self.rng.randrange(2, len(JOBS))):
            self.actions.append(self.editor.add())
        self._pass(self.rng.choice([0, SECOND, MINUTE]))
        weights = [weight for weight, _ in self._weights]
        does = [do for _, do in self._weights]
        while self.time < time:
            self.rng.choices(does, weights)[0]()
        return Story(self.seed, self.start, tuple(self.actions))

    def _start(self) -> int:
        """Often the evening before a night on which clocks are moved."""
        rng = self.rng
        anywhere = rng.randrange(FIRST, LAST) * SECOND + rng.choice([0, 0, rng.randrange(SECOND)])
        if rng.random() < 0.3:
            return anywhere
        night = rng.choice(_nights(rng.choice(NIGHTS)))
        return night * SECOND - rng.randrange(12 * HOUR)

    def _pass(self, time: int) -> None:
        if time:
            self.actions.append(["wait", time])
            self.time += time

    def _wait(self) -> None:
        dice = self.rng.random()
        longest = 10 * MINUTE if dice < 0.3 else 8 * HOUR if dice < 0.6 else 4 * DAY
        self._pass(self.rng.randrange(longest) // self.rng.choice([1, 1, 4]) + 1)

    def _edit(self) -> None:
        resized = self.rng.random() < 0.05
        if self.editor.calendars and self.rng.random() < 0.2:
            self.actions.append(self.editor.write_calendars())
        else:
            self.actions.append(self.editor.pools() if resized else self.editor.edit())

    def _ask(self) -> None:
        (kind,) = self.rng.choices(list(WISHES), list(WISHES.values()))
        if kind == "cancel" and self.rng.random() < 0.8:
            self.actions.append(["cancel", self.rng.randrange(4)])
            return
        options: dict[str, Any] = {}
        if kind == "delete" and self.rng.random() < 0.7:
            options["purge"] = True
        if self.rng.random() < 0.1:
            options["quietly"] = True
        job = None if kind in ("reconcile", "confirm_prune") else f"default/{self.rng.choice(JOBS)}"
        self.actions.append(["ask", kind, job, options] if options else ["ask", kind, job])

    def _end(self) -> None:
        self.actions.append(["end", self.rng.randrange(4), self.rng.choice(["good", "bad", "bad", "oom", "lost"])])

    def _down(self) -> int:
        rng = self.rng
        return rng.choice([SECOND, SECOND, rng.randrange(MINUTE), rng.randrange(6 * HOUR), rng.randrange(2 * DAY)])

    def _kill(self) -> None:
        self.actions.append([self.rng.choice(["kill", "stop", "reboot"]), self._down()])

    def _die(self) -> None:
        place = self.rng.choice([*LINES, "line", "begin", "statement", "statement", "commit", "committed", "committed"])
        self.actions.append(["die_at", place, self.rng.choice([0, 0, 1, 2, self.rng.randrange(30)]), self._down()])

    def _fail(self) -> None:
        place = self.rng.choice(["begin", "statement", "statement", "commit", "launch"])
        error = self.rng.choice(sorted(ERRORS)) if place != "launch" else "refused"
        times = self.rng.choice([1, 1, 2, 5, 40])
        self.actions.append(["fail_at", place, self.rng.choice([0, 0, 1, self.rng.randrange(20)]), error, times])

    def _clock(self) -> None:
        rng = self.rng
        if rng.random() < 0.4:
            time = rng.randrange(rng.choice([MINUTE, 8 * HOUR, 2 * DAY]))
            self.actions.append(["sleep", time])
            self.time += time
            return
        size = rng.randrange(rng.choice([2 * SECOND, 10 * MINUTE, 4 * HOUR, 3 * DAY]))
        self.actions.append(["set_clock", rng.choice([-1, 1]) * size])

    def _supervisor(self) -> None:
        self.actions.append(["supervisor_dies"])

    def _files(self) -> None:
        if self.rng.random() < 0.5:
            self.actions.append(["unmount", self.rng.randrange(20 * SECOND)])
        else:
            self.actions.append(["deaf", self.rng.random() < 0.5])


@lru_cache(maxsize=64)
def _nights(zone: str) -> list[int]:
    return [second for second, _, _ in transitions(ZoneInfo(zone), FIRST, LAST, 86_400)]
