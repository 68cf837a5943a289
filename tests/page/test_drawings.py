"""Drawings: sound XML, in words too, nothing that our policy forbids, and hostile text stays text."""

from __future__ import annotations

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.zones import find_zone
from status.page.plots.canvas import element
from status.page.plots.durations import Took, describe, duration_plot, running_median
from status.page.plots.heatmap import heatmap, kind_of, title_of
from status.page.plots.marks import SHAPES
from status.page.plots.usage import usage_plot
from status.series import Point, Series
from tests.page.month import DAY, FULL

BERLIN = find_zone("Europe/Berlin")
SECOND = 1_000_000
HOSTILE = "\"><script>alert('x')</script>&amp; ]]>"


def took(*seconds: float, state: str = "succeeded") -> list[Took]:
    return [Took(FULL - (len(seconds) - place) * DAY, each, state, f"run{place}") for place, each in enumerate(seconds)]


def drawn(runs: list[Took], **options: float) -> str:
    return str(duration_plot(runs, name="took", zone=BERLIN, start=FULL - 31 * DAY, end=FULL, **options))


def numbers(svg: str, name: str) -> list[float]:
    return [float(each) for each in re.findall(rf' {name}="([-0-9.]+)%"', svg)]


@pytest.mark.parametrize("state", sorted(SHAPES))
def test_every_state_has_a_mark_of_its_own_shape(state: str) -> None:
    root = ElementTree.fromstring(drawn(took(3, 4, state=state)))
    assert [each.get("d") for each in root.iter("path") if each.get("id") == f"took-{state}"] == [SHAPES[state]]
    marks = [each for each in root.iter("use") if each.get("href") == f"#took-{state}"]
    assert [each.get("data-run") for each in marks] == ["run0", "run1"]
    assert len(set(SHAPES.values())) == len(SHAPES)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 40 * 86_400), st.floats(0, 1e7), st.sampled_from(sorted(SHAPES))),
        min_size=1, max_size=40,
    ),
    st.none() | st.floats(1, 1e6),
)  # fmt: skip
def test_every_mark_of_any_runs_is_inside(runs: list[tuple[int, float, str]], limit: float | None) -> None:
    svg = drawn([Took(FULL - at * SECOND, seconds, state, "r") for at, seconds, state in runs], limit=limit)  # type: ignore[arg-type]
    root = ElementTree.fromstring(svg)
    marks = list(root.iter("use"))
    assert len(marks) == len(runs)
    for mark in marks:
        assert 0 <= float(mark.get("x", "").rstrip("%")) <= 100
        assert 0 <= float(mark.get("y", "")) <= float(root.get("height", ""))
    assert all(-0.01 <= each <= 100.01 for each in numbers(svg, "x"))
    assert " style=" not in svg
    assert "<script" not in svg


def test_a_longer_run_is_higher() -> None:
    root = ElementTree.fromstring(drawn(took(10, 20, 40)))
    heights = [float(mark.get("y", "")) for mark in root.iter("use")]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 3


def test_the_timeout_is_drawn_only_when_runs_come_near_it() -> None:
    assert "timeout 1m" in drawn(took(40, 50), limit=60.0)
    assert "timeout" not in drawn(took(1, 2), limit=60.0)


def test_one_slow_night_does_not_move_the_median() -> None:
    line = running_median([(place, 900.0 if place == 10 else 10.0) for place in range(20)])
    assert {value for _, value in line} == {10.0}
    assert running_median([(0, 1.0), (1, 2.0)]) == []


def test_a_drawing_says_in_words_what_is_seen() -> None:
    runs = [*took(10, 20, 30), *took(1, state="failed")]
    assert describe(runs) == (
        "4 runs; 3 succeeded and took between 10s and 30s, half of them at most 20s; 1 ended otherwise."
    )
    root = ElementTree.fromstring(drawn(runs))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "How long its runs took"
    assert root.get("aria-describedby") == "took-desc"
    assert root.findtext("desc") == describe(runs)


def test_without_runs_there_is_no_drawing() -> None:
    assert drawn([]) == ""
    assert usage_plot(Series("cpu_usage", "cores"), name="c", title="t", since=0, until=1) == ""


def test_text_in_elements_and_attributes_stays_text() -> None:
    svg = str(element("text", HOSTILE, data_note=HOSTILE))
    assert "<script" not in svg
    root = ElementTree.fromstring(svg)
    assert (root.text, root.get("data-note")) == (HOSTILE, HOSTILE)


def test_hostile_run_ids_and_states_stay_text() -> None:
    svg = drawn([Took(FULL - DAY, 3.0, "failed", HOSTILE)])
    assert [mark.get("data-run") for mark in ElementTree.fromstring(svg).iter("use")] == [HOSTILE]


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        pytest.param({}, "none", id="nothing"),
        pytest.param({"succeeded": 3}, "ok", id="all-well"),
        pytest.param({"succeeded": 3, "failed": 1}, "mixed", id="some-failed"),
        pytest.param({"failed": 1, "skipped": 2}, "bad", id="nothing-but-failures"),
        pytest.param({"expired": 1}, "bad", id="a-timeout"),
        pytest.param({"skipped": 4}, "skipped", id="skipped"),
        pytest.param({"running": 1}, "running", id="goes-on"),
        pytest.param({"succeeded": 1, "skipped": 9}, "ok", id="skips-beside-a-success"),
    ],
)
def test_a_day_is_shown_by_the_worst_that_matters(counts: dict[str, int], kind: str) -> None:
    assert kind_of(counts) == kind


def test_the_calendar_has_a_cell_for_every_day_in_its_weekdays_row() -> None:
    last = date(2026, 11, 21)
    first = last - timedelta(days=62)
    svg = str(heatmap({last: {"failed": 2, "succeeded": 22}}, name="days", first=first, last=last))
    root = ElementTree.fromstring(svg)
    cells = list(root.iter("g"))
    assert len(cells) == 63
    titles = [group.findtext("title") for group in cells]
    assert titles[-1] == title_of(last, {"failed": 2, "succeeded": 22}) == "Sat 21 Nov 2026: 2 failed, 22 succeeded"
    rows = {title[:3]: group.find("rect").get("y") for title, group in zip(titles, cells, strict=True)}  # type: ignore[index,union-attr]
    assert len(rows) == 7
    assert [rows[day] for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")] == sorted(rows.values(), key=int)  # type: ignore[arg-type]
    assert " style=" not in svg


def test_a_day_that_failed_has_a_shape_besides_its_colour() -> None:
    last = date(2026, 11, 21)

    def shapes(counts: dict[str, int]) -> int:
        root = ElementTree.fromstring(str(heatmap({last: counts}, name="d", first=last, last=last)))
        (group,) = root.iter("g")
        return len(list(group)) - 1

    assert shapes({"succeeded": 1}) == 1
    assert shapes({"failed": 1}) == 2
    assert shapes({"failed": 1, "succeeded": 1}) == 2


def test_use_is_drawn_from_the_start_of_the_run_with_others_behind_it() -> None:
    points = tuple(Point(FULL + place * SECOND, 1.0 + place % 2, SECOND) for place in range(1, 11))
    own = Series("cpu_usage", "cores", points)
    other = Series("cpu_usage", "cores", tuple(Point(each.at - DAY, 4.0, SECOND) for each in points))
    svg = str(
        usage_plot(own, name="cpu", title="CPU", since=FULL, until=FULL + 10 * SECOND, others=[(FULL - DAY, other)])
    )
    root = ElementTree.fromstring(svg)
    classes = [each.get("class") for each in root.iter("path")]
    assert classes == ["faint", "area", "line"]
    assert root.findtext("desc") == "On average 1.5 cores, at most 2 cores, over 10s."
    # The faint line is the higher one: it sets the axis.
    assert "4 cores" in svg
