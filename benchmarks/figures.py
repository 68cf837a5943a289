"""One line of the bench: what was measured, beside what, and whether the target is reached. Pure.

Made by the sections, printed by `benchmarks.report`. Sections run in processes of their own: figures travel as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

Unit = Literal["s", "B", "/s", "%", "", "MB/s"]
Against = Literal["ratio", "value", "excess"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure must be: at most, or at least, `bound`.

    `against`: the ratio to the reference, the value itself, or its excess over the reference (in the figure's unit).
    """

    bound: float
    against: Against = "ratio"
    least: bool = False

    def said(self, unit: Unit) -> str:
        """As `<= 0.60x`, `<= 1.00 ms`, `<= 1.00 ms more`."""
        sign = ">=" if self.least else "<="
        if self.against == "ratio":
            return f"{sign} {self.bound:.2f}x"
        return f"{sign} {shown(self.bound, unit)}{' more' if self.against == 'excess' else ''}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. `ours` None: it could not be measured, and `note` says why."""

    what: str
    ours: float | None
    unit: Unit = "s"
    reference: float | None = None
    beside: str = ""
    """What the reference is."""
    target: Target | None = None
    note: str = ""
    samples: int = 0
    """How many measurements the median is of; 0: one."""

    @property
    def ratio(self) -> float | None:
        if self.ours is None or not self.reference:
            return None
        return self.ours / self.reference

    @property
    def reached(self) -> bool | None:
        """None: there is no target, or nothing to hold against it."""
        if self.target is None or self.ours is None:
            return None
        against: float | None = self.ours
        if self.target.against == "ratio":
            against = self.ratio
        elif self.target.against == "excess":
            against = None if self.reference is None else self.ours - self.reference
        if against is None:
            return None
        return against >= self.target.bound if self.target.least else against <= self.target.bound

    def as_json(self) -> dict[str, Any]:
        """Plain data, with what follows from it."""
        return {**asdict(self), "ratio": self.ratio, "reached": self.reached}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Figure:
        """What `as_json` made."""
        fields = {key: value for key, value in data.items() if key not in ("ratio", "reached")}
        if fields["target"] is not None:
            fields["target"] = Target(**fields["target"])
        return cls(**fields)


def not_measured(what: str, why: str, *, target: Target | None = None, unit: Unit = "s") -> Figure:
    """A line that says why there is no figure."""
    return Figure(what, None, unit, target=target, note=why)


def compared(
    what: str,
    ours: Sequence[float],
    reference: Sequence[float] = (),
    *,
    unit: Unit = "s",
    beside: str = "",
    target: Target | None = None,
    note: str = "",
) -> Figure:
    """The medians of interleaved measurements."""
    return Figure(
        what,
        median(ours),
        unit,
        median(reference) if reference else None,
        beside,
        target,
        note,
        len(ours),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank, of at least one value."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def shown(value: float, unit: Unit) -> str:
    """For people, three significant digits: `1.23 ms`, `4.7 MB`, `3,120/s`."""
    if unit == "s":
        for factor, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
            if abs(value) >= factor:
                return f"{_three(value / factor)} {name}"
        return f"{_three(value / 1e-9)} ns" if value else "0 s"
    if unit == "B":
        for factor, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
            if abs(value) >= factor:
                return f"{_three(value / factor)} {name}"
        return f"{value:.0f} B"
    if unit == "/s":
        return f"{value:,.0f}/s" if abs(value) >= 100 else f"{_three(value)}/s"
    return f"{_three(value)} {unit}".rstrip() if unit else _three(value)


def _three(value: float) -> str:
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
