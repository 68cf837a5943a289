"""`.../metrics` of runs and jobs: each series with its own status, windows, thinning."""

from __future__ import annotations

import struct

import pytest

from state.records import Run
from tests.api.conftest import Town
from tests.seeing.building import SECOND

RECORD = struct.Struct("<qqq")


@pytest.fixture(scope="module")
def measured(town: Town) -> Town:
    """Ten looks, one each second, at the first two runs of `default/hello`."""
    for number, run in enumerate(town.runs["default/hello"][:2]):
        samples = [
            RECORD.pack((run.started_at or 0) + second * SECOND, second * 500_000, (number + 1) * 1000 + second)
            for second in range(1, 11)
        ]
        (town.home.run_dir_of(run) / "series.bin").write_bytes(b"".join(samples))
    return town


def series(town: Town, path: str) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in town.get(f"/api/v1/{path}").json()["items"]}


def run_of(town: Town, number: int) -> Run:
    return town.runs["default/hello"][number]


def test_a_run_tells_cpu_and_memory(measured: Town) -> None:
    answer = measured.get(f"/api/v1/runs/{run_of(measured, 0).id}/metrics").json()
    assert (answer["kind"], answer["job"], answer["run"]) == ("Metrics", "default/hello", run_of(measured, 0).id)
    cpu, memory = answer["items"]
    assert (cpu["name"], cpu["unit"], cpu["status"], cpu["mean"], len(cpu["points"])) == (
        "cpu_usage", "cores", "ok", 0.5, 10,
    )  # fmt: skip
    assert (memory["name"], memory["unit"], memory["min"], memory["last"]) == ("memory_usage", "bytes", 1001, 1010)


@pytest.mark.parametrize(
    ("query", "points"),
    [
        pytest.param("", 10, id="all"),
        pytest.param("since=2026-11-21T09:00:06Z", 5, id="since"),
        pytest.param("start=2026-11-21T09:00:06Z&end=2026-11-21T09:00:07Z", 2, id="of two seconds"),
        pytest.param("points=3", 3, id="thinned"),
    ],
)
def test_a_window_of_a_run(measured: Town, query: str, points: int) -> None:
    found = series(measured, f"runs/{run_of(measured, 0).id}/metrics?names=memory_usage&{query}".rstrip("&"))
    assert len(found["memory_usage"]["points"]) == points


def test_one_series_that_cannot_be_told_hides_no_other(measured: Town) -> None:
    path = f"runs/{run_of(measured, 0).id}/metrics?names=cpu_usage,nope,duration"
    found = series(measured, path)
    assert {name: each["status"] for name, each in found.items()} == {
        "cpu_usage": "ok", "nope": "error", "duration": "error",
    }  # fmt: skip
    assert "no such series" in str(found["nope"]["error"])
    unmeasured = series(measured, f"runs/{run_of(measured, 5).id}/metrics")
    assert {each["status"] for each in unmeasured.values()} == {"empty"}


def test_a_job_tells_what_its_runs_took(measured: Town) -> None:
    found = series(measured, "jobs/default/hello/metrics")
    assert list(found) == ["duration", "cpu_time", "peak_memory"]
    points = found["duration"]["points"]
    assert [point["run"] for point in points] == [run.id for run in measured.runs["default/hello"]]
    assert {point["value"] for point in points} == {2.0}
    assert len(series(measured, "jobs/default/hello/metrics?limit=2")["duration"]["points"]) == 2
    window = "jobs/default/hello/metrics?start=2026-11-21T10:00:00Z&end=2026-11-21T12:00:00Z"
    assert len(series(measured, window)["duration"]["points"]) == 2


def test_a_job_tells_what_its_runs_used_one_after_another(measured: Town) -> None:
    found = series(measured, "jobs/default/hello/metrics?names=cpu_usage,memory_usage,duration,nope")
    assert {name: each["status"] for name, each in found.items()} == {
        "cpu_usage": "ok", "memory_usage": "ok", "duration": "ok", "nope": "error",
    }  # fmt: skip
    assert str(found["nope"]["error"]).endswith("duration, cpu_time, peak_memory, cpu_usage, memory_usage")
    points = found["memory_usage"]["points"]
    assert [point["value"] for point in points] == [*range(1001, 1011), *range(2001, 2011)]
    assert {point["run"] for point in points} == {run_of(measured, 0).id, run_of(measured, 1).id}
    later = series(measured, "jobs/default/hello/metrics?names=memory_usage&since=2026-11-21T09:30:00Z")
    assert [point["value"] for point in later["memory_usage"]["points"]] == list(range(2001, 2011))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("points=1", 400, id="one point"),
        pytest.param("since=1h&start=1h", 422, id="two beginnings"),
        pytest.param("start=1h&end=2h", 422, id="nothing between"),
        pytest.param("names=" + ",".join(f"n{number}" for number in range(17)), 400, id="many names"),
        pytest.param("window=1h", 400, id="an unknown parameter"),
    ],
)
def test_what_cannot_be_asked_is_refused(measured: Town, query: str, status: int) -> None:
    measured.get(f"/api/v1/jobs/default/hello/metrics?{query}", status)
