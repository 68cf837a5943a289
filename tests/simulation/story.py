"""A story: where and when it begins, and what happens, action by action, as plain data; and playing it.

Made by `tests.simulation.telling` from a seed, made shorter by `tests.simulation.shrinking`, kept as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulation.clock import DAY, HOUR, MINUTE, SECOND
from tests.simulation.judge import Violation
from tests.simulation.ledger import shown
from tests.simulation.machine import Machine, remove

Action = list[Any]
QUIET = 3 * DAY
"""How long everything is left alone at the end, to settle."""


@dataclass(frozen=True, slots=True)
class Story:
    """`seed` also decides what programs do and what ids are."""

    seed: int
    start: int
    actions: tuple[Action, ...]

    def with_actions(self, actions: Sequence[Action]) -> Story:
        return Story(self.seed, self.start, tuple(actions))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps({"seed": self.seed, "start": self.start, "actions": list(self.actions)}, indent=1))

    @classmethod
    def load(cls, path: Path) -> Story:
        data = json.loads(path.read_text())
        return cls(data["seed"], data["start"], tuple(data["actions"]))

    @property
    def time(self) -> int:
        """True microseconds from the beginning to the end, the quiet end included."""
        return sum(int(action[1]) for action in self.actions if action[0] in ("wait", "sleep")) + QUIET

    def lines(self) -> list[str]:
        """For people."""
        return [f"begins at {shown(self.start)}", *map(words, self.actions), "then everything is left alone"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a play came to."""

    violation: Violation | None
    actions: int
    """How many were done; the violation came with the last of them."""
    passes: int
    time: int
    """Simulated, microseconds."""
    digest: str
    """Of everything that was stored, in order: the same for the same story."""


def play(story: Story) -> Outcome:
    """Play a story from an empty home to its quiet end, or to the first violation."""
    log = logging.getLogger("jobsctl")
    disabled, log.disabled = log.disabled, True
    memory = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(prefix="jobsctl-simulation-", dir=memory if os.access(memory, os.W_OK) else None))
    done, violation = 0, None
    try:
        with Machine(root / "home", seed=str(story.seed), wall=story.start) as machine:
            try:
                for action in (*story.actions, ["calm"], ["wait", QUIET], ["settled"]):
                    done += 1
                    machine.perform(*action)
            except Violation as broken:
                violation = broken
            return Outcome(violation, done, machine.passes, machine.clock.elapsed, machine.judge.digest())
    finally:
        log.disabled = disabled
        remove(root)


def span(time: int) -> str:
    """`-2 h`, `3.5 d`, `90 s`."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if abs(time) >= unit:
            return f"{time / unit:.4g} {name}"
    return f"{time} us"


_WORDS: dict[str, Callable[..., str]] = {
    "wait": lambda time: f"{span(time)} pass",
    "sleep": lambda time: f"the machine sleeps for {span(time)}",
    "set_clock": lambda by: f"the clock is set by {span(by)}",
    "write": lambda file, content: f"{file} says {json.dumps(content)}",
    "remove": lambda file: f"{file} is removed",
    "move": lambda file, other: f"{file} becomes {other}",
    "unmount": lambda time: f"the specs directory is away for {span(time)}",
    "deaf": lambda deaf: "the watcher goes deaf" if deaf else "the watcher hears again",
    "ask": lambda kind, job, options=None: f"somebody asks: {kind} {job or ''} {options or ''}".rstrip(),
    "cancel": lambda number: f"somebody cancels active run number {number}",
    "end": lambda number, how: f"running process number {number} ends: {how}",
    "kill": lambda down: f"the daemon is killed, and is down for {span(down)}",
    "stop": lambda down: f"the daemon is stopped for {span(down)}",
    "reboot": lambda down: f"the machine restarts, and the daemon is down for {span(down)}",
    "supervisor_dies": lambda: "the supervisor dies",
    "die_at": lambda place, after, down: (
        f"the daemon dies at `{place}` after {after} of them, and is down for {span(down)}"
    ),
    "fail_at": lambda place, after, error, times: f"`{place}` fails ({error}) after {after} of them, {times} times",
}


def words(action: Action) -> str:
    """One action for people."""
    name, *arguments = action
    tell = _WORDS.get(name)
    return str(name) if tell is None else tell(*arguments)
