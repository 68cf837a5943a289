"""The bench itself: it finds its sections, and a figure says rightly whether its target is reached."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.figures import Figure, Target, compared, not_measured, percentile, shown
from benchmarks.sections import SECTIONS
from benchmarks.timing import interleaved

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_lists_its_sections() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == [section.name for section in SECTIONS]


@pytest.mark.parametrize("name", [section.name for section in SECTIONS])
def test_every_section_is_a_module_with_parts_that_say_what_they_measure(name: str) -> None:
    parts = importlib.import_module(f"benchmarks.{name}").PARTS
    assert parts
    assert all(part.__doc__ for part in parts)


@pytest.mark.parametrize(
    ("ours", "reference", "target", "reached"),
    [
        pytest.param(1.0, 2.0, Target(0.5), True, id="ratio at its bound"),
        pytest.param(1.1, 2.0, Target(0.5), False, id="ratio above"),
        pytest.param(7.0, 10.0, Target(0.7, least=True), True, id="at least, just"),
        pytest.param(6.9, 10.0, Target(0.7, least=True), False, id="at least, missed"),
        pytest.param(0.9, 5.0, Target(1.0, "value"), True, id="value, whatever the reference"),
        pytest.param(6.5, 5.0, Target(1.0, "excess"), False, id="excess over the reference"),
        pytest.param(1.0, None, Target(0.5), None, id="a ratio to nothing"),
        pytest.param(1.0, 2.0, None, None, id="no target"),
        pytest.param(None, 2.0, Target(0.5), None, id="not measured"),
    ],
)
def test_a_target_is_reached_or_not(
    ours: float | None, reference: float | None, target: Target | None, reached: bool | None
) -> None:
    assert Figure("x", ours, reference=reference, target=target).reached is reached


def test_a_figure_survives_its_way_from_the_sections_process() -> None:
    figure = compared("x", [3.0, 1.0, 2.0], [4.0], beside="y", target=Target(0.5), note="z")
    assert figure.ours == 2.0
    assert Figure.from_json(json.loads(json.dumps(figure.as_json()))) == figure


def test_what_was_not_measured_is_said_and_counted() -> None:
    figures = [not_measured("x", "no compiler", target=Target(1.0)), compared("y", [1.0], [2.0], target=Target(1.0))]
    assert "not measured\n    no compiler" in report.table(figures)
    assert report.summary(figures) == "1 targets reached, 0 not reached, 1 not measured"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00123, "s", "1.23 ms"),
        (2.0, "s", "2.00 s"),
        (4.7e6, "B", "4.70 MB"),
        (3120.0, "/s", "3,120/s"),
        (0.0, "s", "0 s"),
    ],
)
def test_values_are_shown_with_three_digits(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text  # type: ignore[arg-type]


def test_candidates_take_turns() -> None:
    order: list[str] = []
    interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b", "a", "b", "b", "a"]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert [percentile([3.0, 1.0, 2.0], percent) for percent in (50, 99, 100)] == [2.0, 3.0, 3.0]
