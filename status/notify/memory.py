"""What the rules remember of a job: its open problem, and what each notifier was told. Plain data, JSON in the outbox.

Made and read by `status.notify.judge`; kept by the notify process under the job's id. Pure. An empty one (`Memory()`)
need not be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from status.notify.occurrences import RunEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one notifier knows of a job. Anything of it: who reads its messages believes that something is wrong."""

    failures: int = 0
    """How many failures in a row the last message told of; 0: none."""
    missed: int | None = None
    """The deadline of which it was told that it had passed."""
    slow: tuple[str, ...] = ()
    """Ids of active runs of which it was told that they are slow: by themselves they are no problem to recover from."""

    @property
    def troubled(self) -> bool:
        """Whether a recovery is owed when the job succeeds."""
        return self.failures > 0 or self.missed is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Failures in a row."""

    since: int
    """When the first ended."""
    failures: int
    last: RunEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """A success that is yet to be told as a recovery."""

    run: RunEnded
    since: int | None
    """When the trouble before it began."""
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Of one job."""

    problem: Problem | None = None
    success: Success | None = None
    """Kept while a recovery is owed that could not be told."""
    held: bool = False
    """A silence kept something back that is told when it is over, should it still be so."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """By notifier; who knows nothing is left out."""

    def with_told(self, notifier: str, told: Told) -> Memory:
        """The same with another knowledge of one notifier."""
        rest = {name: each for name, each in self.told.items() if name != notifier}
        return replace(self, told=rest if told == Told() else rest | {notifier: told})

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Memory:
        """What `as_data` wrote, also after it was JSON."""
        problem, success = data["problem"], data["success"]
        return cls(
            problem=None if problem is None else Problem(**{**problem, "last": RunEnded(**problem["last"])}),
            success=None if success is None else Success(**{**success, "run": RunEnded(**success["run"])}),
            held=data["held"],
            told={name: Told(**{**each, "slow": tuple(each["slow"])}) for name, each in data["told"].items()},
        )
