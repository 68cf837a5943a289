"""The drawing of a graph: nothing lies upon anything, every edge goes down, and no edge runs through a box."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from status.page.graph import curve
from status.page.layered import BETWEEN_NODES, HEIGHT, Box, Drawing, crossings, draw, parts_of

NAMES = [f"n{number}" for number in range(14)]
GRAPHS = st.builds(
    lambda widths, edges: (dict(zip(NAMES, widths, strict=False)), [(NAMES[a], NAMES[b]) for a, b in edges]),
    st.lists(st.integers(60, 260), min_size=14, max_size=14),
    st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=24),
)


def inside(box: Box, x: float, y: float) -> bool:
    return box.x + 0.01 < x < box.x + box.width - 0.01 and box.y + 0.01 < y < box.y + box.height - 0.01


def apart(one: Box, other: Box) -> bool:
    aside = one.x + one.width + BETWEEN_NODES - 0.01 <= other.x or other.x + other.width + BETWEEN_NODES - 0.01 <= one.x
    return aside or one.y + one.height <= other.y or other.y + other.height <= one.y


@given(GRAPHS)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_no_box_lies_upon_another(graph: tuple[dict[str, float], list[tuple[str, str]]]) -> None:
    drawing = draw(*graph)
    assert set(drawing.boxes) == set(graph[0])
    for one, other in combinations(drawing.boxes.values(), 2):
        assert apart(one, other)
    for box in drawing.boxes.values():
        assert box.x >= -0.01 and box.y >= 0
        assert box.x + box.width <= drawing.width + 0.01
        assert box.y + box.height <= drawing.height + 0.01


@given(GRAPHS)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_every_edge_goes_down_from_box_to_box_and_through_none(
    graph: tuple[dict[str, float], list[tuple[str, str]]],
) -> None:
    drawing = draw(*graph)
    wanted = {(a, b) for a, b in graph[1] if a != b}
    assert set(drawing.edges) == wanted
    for (a, b), points in drawing.edges.items():
        ends = {(points[0][0], points[0][1] - HEIGHT), (points[-1][0], points[-1][1])}
        corners = {(drawing.boxes[name].middle, drawing.boxes[name].y) for name in (a, b)}
        assert ends == corners
        for (x, y), (to_x, to_y) in pairwise(points):
            assert to_y > y
            for share in range(0, 11, 2):
                at = x + (to_x - x) * share / 10, y + (to_y - y) * share / 10
                assert not any(inside(box, *at) for box in drawing.boxes.values())


@given(GRAPHS)
@settings(derandomize=True, max_examples=40, deadline=None)
def test_edges_without_a_circle_point_down(graph: tuple[dict[str, float], list[tuple[str, str]]]) -> None:
    widths, edges = graph
    straight = [(a, b) for a, b in edges if NAMES.index(a) < NAMES.index(b)]  # so there is no circle
    drawing = draw(widths, straight)
    for a, b in straight:
        assert drawing.boxes[a].y < drawing.boxes[b].y


def test_a_drawing_is_the_same_for_the_same_graph_in_another_order() -> None:
    widths = {"a": 100.0, "b": 120.0, "c": 90.0, "d": 100.0}
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("a", "d")]
    assert draw(widths, edges) == draw(dict(reversed(widths.items())), edges[::-1] + edges)


def test_a_chain_is_a_straight_line() -> None:
    drawing = draw({"a": 100, "b": 200, "c": 100}, [("a", "b"), ("b", "c")])
    assert len({round(box.middle, 3) for box in drawing.boxes.values()}) == 1


def test_what_could_be_drawn_without_a_crossing_is() -> None:
    # Two families whose names are interleaved.
    edges = [("a", "x1"), ("c", "x1"), ("b", "x2"), ("d", "x2"), ("x1", "y"), ("x2", "y")]
    drawing = draw(dict.fromkeys("abcdy", 80.0) | {"x1": 80.0, "x2": 80.0}, edges)
    assert _crossings(drawing, edges) == 0


def _crossings(drawing: Drawing, edges: list[tuple[str, str]]) -> int:
    """Straight from the picture: pairs of edges between the same two rows whose ends are in another order."""
    count = 0
    for (a, b), (c, d) in combinations(edges, 2):
        one, two, three, four = (drawing.boxes[each] for each in (a, b, c, d))
        if one.y == three.y and two.y == four.y:
            count += (one.x - three.x) * (two.x - four.x) < 0
    return count


def test_crossings_are_counted() -> None:
    below: dict[str, list[str]] = defaultdict(list, {"a": ["y"], "b": ["x"]})
    assert crossings([["a", "b"], ["x", "y"]], below) == 1  # type: ignore[arg-type]
    assert crossings([["a", "b"], ["y", "x"]], below) == 0  # type: ignore[arg-type]


def test_parts_stand_beside_each_other_as_far_as_there_is_room() -> None:
    widths = dict.fromkeys("abcdef", 100.0)
    edges = [("a", "b"), ("c", "d"), ("e", "f")]
    assert len({box.y for box in draw(widths, edges, room=2000).boxes.values()}) == 2
    assert len({box.y for box in draw(widths, edges, room=100).boxes.values()}) == 6


def test_the_largest_part_comes_first() -> None:
    assert parts_of("abcde", [("a", "b"), ("c", "d"), ("d", "e")]) == [{"c", "d", "e"}, {"a", "b"}]


@pytest.mark.parametrize("length", [2000])
def test_a_chain_may_be_longer_than_calls_are_deep(length: int) -> None:
    names = [f"j{number}" for number in range(length)]
    drawing = draw(dict.fromkeys(names, 100.0), list(pairwise(names)))
    assert len({box.y for box in drawing.boxes.values()}) == length


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw({}, []) == Drawing({}, {}, 0.0, 0.0)


def test_a_line_is_bent_between_rows_and_straight_beside_boxes() -> None:
    assert curve([(0, 0), (10, 40), (10, 80), (0, 120)]) == "M2 2C2 22 12 22 12 42L12 82C12 102 2 102 2 122"
