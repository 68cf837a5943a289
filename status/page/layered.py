"""A drawing of a directed graph in layers: every edge goes down, nothing lies upon anything. Pure geometry.

Called by `status.page.graph`. The steps are those of Sugiyama, Tagawa and Toda (1981): layers by the longest path,
a place in every layer for edges that pass through, few crossings by medians, then places side by side. Small on
purpose: some hundred nodes are drawn well in milliseconds, and more than that nobody reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

HEIGHT = 42
"""Of a node; all lengths are pixels."""
BETWEEN_LAYERS = 46
BETWEEN_NODES = 18
BETWEEN_PARTS = 40
THREAD = 8
"""Width of the place in a layer through which an edge passes."""
SWEEPS = 8

Edge = tuple[str, str]
Thing = str | tuple[str, str, int]
"""A node, or the place of an edge in a layer between its ends."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node is: its left upper corner and size."""

    x: float
    y: float
    width: float
    height: float = HEIGHT

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes by node, and for each edge the points it runs through, from the lower side of one to the other's upper.

    An edge that would close a circle is drawn the other way round, so that it goes down as well.
    """

    boxes: Mapping[str, Box]
    edges: Mapping[Edge, Sequence[tuple[float, float]]]
    width: float
    height: float


def draw(widths: Mapping[str, float], edges: Iterable[Edge], *, room: float = 1200) -> Drawing:
    """Lay out a graph. Its unconnected parts stand side by side as far as `room` pixels go, then below each other.

    Args:
        widths: of every node.
        edges: from the upper to the lower node; both must be in `widths`. Loops and doubles are left out.
    """
    known = sorted({(a, b) for a, b in edges if a != b})
    parts = [_draw_part(part, widths, [edge for edge in known if edge[0] in part]) for part in parts_of(widths, known)]
    boxes: dict[str, Box] = {}
    lines: dict[Edge, Sequence[tuple[float, float]]] = {}
    x = y = lowest = widest = 0.0
    for part in parts:
        if x and x + part.width > room:
            x, y = 0.0, lowest + BETWEEN_PARTS
        for name, box in part.boxes.items():
            boxes[name] = Box(box.x + x, box.y + y, box.width)
        for edge, points in part.edges.items():
            lines[edge] = [(px + x, py + y) for px, py in points]
        lowest, widest = max(lowest, y + part.height), max(widest, x + part.width)
        x += part.width + BETWEEN_PARTS
    return Drawing(boxes, lines, widest, lowest)


def parts_of(nodes: Iterable[str], edges: Iterable[Edge]) -> list[set[str]]:
    """The connected parts, the largest first, then by name."""
    beside: dict[str, set[str]] = {node: set() for node in nodes}
    for a, b in edges:
        beside[a].add(b)
        beside[b].add(a)
    left, parts = set(beside), []
    for node in sorted(beside):
        if node not in left:
            continue
        part, waiting = set(), [node]
        while waiting:
            here = waiting.pop()
            if here not in part:
                part.add(here)
                waiting += beside[here] - part
        left -= part
        parts.append(part)
    return sorted(parts, key=lambda part: (-len(part), min(part)))


def _draw_part(part: set[str], widths: Mapping[str, float], edges: Sequence[Edge]) -> Drawing:
    down = _without_circles(part, edges)
    layer = _layers(part, down.values())
    rows, links = _with_threads(part, layer, down)
    _order(rows, links)
    size = {thing: widths[thing] if isinstance(thing, str) else THREAD for row in rows for thing in row}
    middle = _place(rows, links, size)
    left = min(middle[thing] - size[thing] / 2 for row in rows for thing in row)
    boxes = {
        node: Box(middle[node] - widths[node] / 2 - left, layer[node] * (HEIGHT + BETWEEN_LAYERS), widths[node])
        for node in sorted(part)
    }
    lines = {
        edge: _line(one, other, layer, middle, left, boxes) for edge, (one, other) in down.items()
    }  # fmt: skip
    right = max(middle[thing] + size[thing] / 2 - left for row in rows for thing in row)
    return Drawing(boxes, lines, right, len(rows) * (HEIGHT + BETWEEN_LAYERS) - BETWEEN_LAYERS)


def _line(
    one: str, other: str, layer: Mapping[str, int], middle: Mapping[Thing, float], left: float, boxes: Mapping[str, Box]
) -> list[tuple[float, float]]:
    step = HEIGHT + BETWEEN_LAYERS
    points = [(boxes[one].middle, boxes[one].y + HEIGHT)]
    for between in range(layer[one] + 1, layer[other]):
        x = middle[one, other, between] - left
        points += [(x, between * step), (x, between * step + HEIGHT)]
    return [*points, (boxes[other].middle, boxes[other].y)]


def _without_circles(part: set[str], edges: Sequence[Edge]) -> dict[Edge, Edge]:
    """Every edge as it is drawn: turned around when it would lead back to where the walk came from."""
    after: dict[str, list[str]] = defaultdict(list)
    for a, b in edges:
        after[a].append(b)
    before = {b for _, b in edges}
    state: dict[str, int] = {}  # 1: on the way, 2: done
    turned: set[Edge] = set()
    for root in sorted(part, key=lambda node: (node in before, node)):
        if root in state:
            continue
        state[root] = 1
        walk = [(root, iter(after[root]))]  # a stack, not recursion: chains may be longer than calls are deep
        while walk:
            here, rest = walk[-1]
            following = next(rest, None)
            if following is None:
                state[here] = 2
                walk.pop()
            elif state.get(following) == 1:
                turned.add((here, following))
            elif following not in state:
                state[following] = 1
                walk.append((following, iter(after[following])))
    return {edge: (edge[1], edge[0]) if edge in turned else edge for edge in edges}


def _layers(part: set[str], edges: Iterable[Edge]) -> dict[str, int]:
    """How many layers each node is below the top: one more than the lowest of what it follows."""
    after: dict[str, set[str]] = {node: set() for node in part}
    waits: dict[str, int] = dict.fromkeys(part, 0)
    for a, b in set(edges):
        after[a].add(b)
        waits[b] += 1
    first = sorted(node for node, count in waits.items() if not count)
    layer = dict.fromkeys(part, 0)
    ready = list(first)
    while ready:
        here = ready.pop()
        for below in after[here]:
            layer[below] = max(layer[below], layer[here] + 1)
            waits[below] -= 1
            if not waits[below]:
                ready.append(below)
    # What begins something stands right above it, not at the very top.
    for node in first:
        if after[node]:
            layer[node] = min(layer[below] for below in after[node]) - 1
    return layer


def _with_threads(
    part: set[str], layer: Mapping[str, int], down: Mapping[Edge, Edge]
) -> tuple[list[list[Thing]], list[tuple[Thing, Thing]]]:
    """The layers from the top, with a thing in each that an edge passes; and the links between neighbouring layers."""
    rows: list[list[Thing]] = [[] for _ in range(max(layer.values()) + 1)]
    for node in sorted(part):
        rows[layer[node]].append(node)
    links: list[tuple[Thing, Thing]] = []
    for one, other in sorted(set(down.values())):
        here: Thing = one
        for between in range(layer[one] + 1, layer[other]):
            thread: Thing = (one, other, between)
            rows[between].append(thread)
            links.append((here, thread))
            here = thread
        links.append((here, other))
    return rows, links


def _order(rows: list[list[Thing]], links: Sequence[tuple[Thing, Thing]]) -> None:
    """Put the things of each layer into an order with few crossings: by the middle of what they are linked to."""
    above: dict[Thing, list[Thing]] = defaultdict(list)
    below: dict[Thing, list[Thing]] = defaultdict(list)
    for one, other in links:
        below[one].append(other)
        above[other].append(one)
    best, fewest = [list(row) for row in rows], crossings(rows, below)
    for sweep in range(SWEEPS):
        upwards = sweep % 2 == 1
        linked = below if upwards else above
        for number in range(len(rows) - 2, -1, -1) if upwards else range(1, len(rows)):
            beside = {thing: place for place, thing in enumerate(rows[number + 1 if upwards else number - 1])}
            rows[number] = _by_middle(rows[number], linked, beside)
        count = crossings(rows, below)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    rows[:] = best


def _by_middle(row: list[Thing], linked: Mapping[Thing, list[Thing]], beside: Mapping[Thing, int]) -> list[Thing]:
    """Those without a link stay where they are; the others share the remaining places in the order of their middles."""
    middles = {
        thing: sum(beside[each] for each in linked[thing]) / len(linked[thing]) for thing in row if linked[thing]
    }
    moving = iter(sorted(middles, key=lambda thing: middles[thing]))
    return [next(moving) if thing in middles else thing for thing in row]


def crossings(rows: Sequence[Sequence[Thing]], below: Mapping[Thing, Sequence[Thing]]) -> int:
    """How many pairs of links cross."""
    count = 0
    for number in range(len(rows) - 1):
        place = {thing: index for index, thing in enumerate(rows[number + 1])}
        ends = [index for thing in rows[number] for index in sorted(place[each] for each in below.get(thing, ()))]
        count += sum(1 for at, end in enumerate(ends) for earlier in ends[:at] if earlier > end)
    return count


def _place(
    rows: Sequence[Sequence[Thing]], links: Sequence[tuple[Thing, Thing]], size: Mapping[Thing, float]
) -> dict[Thing, float]:
    """The middle of each thing: near the middles of what it is linked to, never too near to its neighbours."""
    beside: dict[Thing, list[Thing]] = defaultdict(list)
    for one, other in links:
        beside[one].append(other)
        beside[other].append(one)
    middle: dict[Thing, float] = {}
    for row in rows:
        x = 0.0
        for thing in row:
            middle[thing] = x + size[thing] / 2
            x += size[thing] + BETWEEN_NODES
    for sweep in range(SWEEPS * 2):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = [
                sum(middle[each] for each in beside[thing]) / len(beside[thing]) if beside[thing] else middle[thing]
                for thing in row
            ]
            for thing, x in zip(row, _apart(row, wanted, size), strict=True):
                middle[thing] = x
    return _straightened(rows, links, size, middle)


def _straightened(
    rows: Sequence[Sequence[Thing]],
    links: Sequence[tuple[Thing, Thing]],
    size: Mapping[Thing, float],
    middle: dict[Thing, float],
) -> dict[Thing, float]:
    """Once more from the top: the only follower of the only thing it follows stands exactly below it."""
    follows: dict[Thing, list[Thing]] = defaultdict(list)
    followed: dict[Thing, int] = defaultdict(int)
    for one, other in links:
        follows[other].append(one)
        followed[one] += 1
    for row in rows:
        wanted = []
        for thing in row:
            above = follows[thing]
            alone = len(above) == 1 and followed[above[0]] == 1
            wanted.append(middle[above[0]] if alone else middle[thing])
        for thing, x in zip(row, _apart(row, wanted, size), strict=True):
            middle[thing] = x
    return middle


def _apart(row: Sequence[Thing], wanted: Sequence[float], size: Mapping[Thing, float]) -> list[float]:
    """The places nearest to the wanted ones that keep order and distance: neighbours that push are moved as one block.

    The least squares with an order, by pooling (Ayer et al. 1955): each block stands where its members want on average.
    """
    blocks: list[tuple[float, int]] = []  # sum of wishes, freed of distances; number of members
    offsets = [0.0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + size[one] / 2 + BETWEEN_NODES + size[other] / 2)
    for wish, offset in zip(wanted, offsets, strict=True):
        total, count = wish - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            more, members = blocks.pop()
            total, count = total + more, count + members
        blocks.append((total, count))
    bases = [total / count for total, count in blocks for _ in range(count)]
    return [base + offset for base, offset in zip(bases, offsets, strict=True)]
