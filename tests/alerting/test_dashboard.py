"""The dashboard: what the generator makes, sound to Grafana's rules, asking for metrics that there are."""

from __future__ import annotations

import re
import time
from typing import Any

import promql_parser
import pytest

from docs.generate_dashboard import FILE, document
from docs.generate_metrics import families
from tests.alerting.panels import DASHBOARD, PANELS, expressions
from tests.alerting.town import Town
from tests.alerting.watched import PATIENCE
from tests.household import eventually

VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
BUILT_IN = {"__rate_interval", "__interval", "__range"}
SUFFIXES = ("_total", "_bucket", "_sum", "_count")


def names_of(expression: str) -> set[str]:
    """Metrics an expression names."""
    return set(re.findall(r"\b(?:jobsctl|process)_[a-z_]+\b", re.sub(r"\{[^}]*\}|by \([^)]*\)", "", expression)))


def test_the_file_is_what_the_generator_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == document(), "python -m docs.generate_dashboard"


def test_ids_are_unique_and_panels_stand_side_by_side() -> None:
    ids = [panel["id"] for panel in PANELS]
    assert len(ids) == len(set(ids))
    taken: dict[tuple[int, int], str] = {}
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]


@pytest.mark.parametrize("panel", [pytest.param(p, id=f"{p['id']} {p['title']}") for p in PANELS if p["type"] != "row"])
def test_a_panel_has_a_title_a_source_and_queries_with_their_own_letters(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["type"] in {"stat", "table", "timeseries", "state-timeline", "heatmap"}
    letters = [target["refId"] for target in panel["targets"]]
    assert letters and len(letters) == len(set(letters))
    assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
    used = {name for target in panel["targets"] for name in re.findall(r"\$(\w+)", target["expr"])}
    assert used <= VARIABLES.keys() | BUILT_IN


@pytest.mark.parametrize("expression", [pytest.param(e, id=f"{n} {t}") for n, (t, e) in enumerate(expressions())])
def test_an_expression_is_promql_and_asks_for_metrics_that_there_are(expression: str) -> None:
    promql_parser.parse(expression)
    found = families()
    known = found.keys() | {"process_cpu_seconds_total", "process_resident_memory_bytes"}
    for name in names_of(expression):
        if name.startswith("jobsctl_daemon_process_"):
            name = name.removeprefix("jobsctl_daemon_")
        bare = next((name.removesuffix(end) for end in SUFFIXES if name.removesuffix(end) in found), name)
        assert bare in known, name
        assert found.get(name) is None or found[name].type != "counter", f"{name} is a counter: {name}_total"


def test_the_variables_are_the_data_source_and_what_is_chosen() -> None:
    assert list(VARIABLES) == ["datasource", "job", "instance", "project", "job_name"]
    for variable in list(VARIABLES.values())[1:]:
        metric = re.search(r"label_values\((\w+)", variable["query"]["query"])
        assert metric is not None
        assert metric[1] in families()


def test_what_people_need_first_stands_first() -> None:
    assert [panel["title"] for panel in PANELS[:6]] == [
        "Overview",
        "Late",
        "Failing",
        "Running",
        "Waiting",
        "Next start",
    ]


@pytest.mark.timeout(180)
def test_every_panel_shows_something_of_a_real_prometheus(town: Town) -> None:
    """Each query, filled as if everything were chosen, has had a value within the last ten minutes."""

    def shown(expression: str) -> bool:
        now = float(town.prometheus.get("query", query="time()")["result"][0])
        found = town.prometheus.get("query_range", query=expression, start=str(now - 600), end=str(now), step="2")
        assert found is not None, f"Prometheus does not understand {expression}"
        return any(value != "NaN" for series in found["result"] for _, value in series["values"])

    def empty() -> list[str]:
        return [f"{title}: {expression}" for title, expression in expressions() if not shown(expression)]

    eventually(lambda: town.prometheus.query("jobsctl_jobs"), "it was scraped", PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while found := empty():
        assert time.monotonic() < deadline, found
