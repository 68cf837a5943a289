"""`metrics`: what a run used over its life, and what the runs of a job took, one after another."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.sparkline import ASCII, BLOCKS, blocks_for, sparkline
from state.records import RunState
from state.runfiles import Sample
from status.series import Point, is_peak, series_of_run, thinned
from tests.commands.conftest import HOUR, MINUTE, NOW

SECOND = 1_000_000


@pytest.fixture
def measure(home):
    """Writes the samples of a run: seconds after its start, CPU seconds so far, bytes."""

    def measure(run, *looks: tuple[float, float, int]) -> None:
        directory = home.run_dir_of(run)
        directory.mkdir(parents=True, exist_ok=True)
        records = [
            struct.pack("<qQQ", run.created_at + 20_000 + round(after * SECOND), round(cpu * SECOND), memory)
            for after, cpu, memory in looks
        ]
        (directory / "series.bin").write_bytes(b"".join(records))

    return measure


def items(jobsctl, *arguments: object) -> dict[str, dict[str, object]]:
    done = jobsctl("metrics", *arguments, "-o", "json")
    return {item["name"]: item for item in json.loads(done.out)["items"]}


def test_cpu_is_the_cores_in_use_since_the_look_before(jobsctl, known, measure):
    run = known.run(known.job(), state=RunState.RUNNING)
    measure(run, (1, 0.5, 100), (2, 2.5, 300), (4, 2.5, 200))
    found = items(jobsctl, run.id)
    assert [point["value"] for point in found["cpu_usage"].pop("points")] == [0.5, 2.0, 0.0]
    assert found["cpu_usage"] == {
        "name": "cpu_usage", "status": "ok", "error": None, "unit": "cores", "min": 0.0, "mean": 0.625, "max": 2.0,
        "last": 0.0,
    }  # fmt: skip
    assert found["memory_usage"]["points"][0] == {"time": "2026-11-21T07:50:01.020Z", "value": 100}
    assert (found["memory_usage"]["mean"], found["memory_usage"]["unit"]) == (200.0, "bytes")


def test_the_lines_show_shape_numbers_and_times(jobsctl, known, measure):
    run = known.run(known.job(), state=RunState.RUNNING)
    measure(run, (1, 0.5, 1 << 20), (2, 1.0, 8 << 20), (3, 2.0, 4 << 20))
    assert jobsctl("metrics", run.id).out == (
        f"default/hello run {run.id}: running\n\n"
        "cpu_usage  min 0.50 cores, mean 0.67 cores, max 1.00 cores, last 1.00 cores\n"
        "  ▅▅█\n"
        "  2026-11-21 07:50:00Z .. 2026-11-21 07:50:03Z\n\n"
        "memory_usage  min 1.0 MiB, mean 4.3 MiB, max 8.0 MiB, last 4.0 MiB\n"
        "  ▂█▅\n"
        "  2026-11-21 07:50:00Z .. 2026-11-21 07:50:03Z\n"
    )


def test_since_and_until_choose_what_was_measured_then(jobsctl, known, measure):
    run = known.run(known.job(), state=RunState.RUNNING)
    measure(run, *((second, second, second) for second in range(1, 10)))
    found = items(jobsctl, run.id, "--since", "2026-11-21T07:50:03Z", "--until", "2026-11-21T07:50:05.5Z")
    assert [point["value"] for point in found["memory_usage"]["points"]] == [3, 4, 5]
    assert jobsctl("metrics", run.id, "--since", "1m", "--until", "2m").code == 2


def test_one_series_that_cannot_be_told_does_not_hide_the_others(jobsctl, known, measure):
    run = known.run(known.job(), state=RunState.RUNNING)
    measure(run, (1, 0.5, 100))
    done = jobsctl("metrics", run.id, "--names", "memory_usage,nonsense,duration", "-o", "json")
    assert done.code == 0
    memory, nonsense, duration = json.loads(done.out)["items"]
    assert memory["status"] == "ok"
    assert (nonsense["status"], nonsense["error"]) == (
        "error", "no such series; a run has cpu_usage, memory_usage",
    )  # fmt: skip
    assert (duration["status"], duration["error"]) == ("error", "duration is a series of its job, not of a run")
    done = jobsctl("metrics", run.id, "--names", "nonsense")
    assert (done.code, done.out, "nonsense: no such series" in done.err) == (2, "", True)


def test_a_run_without_samples_says_that_nothing_was_measured(jobsctl, known):
    run = known.run(known.job())
    done = jobsctl("metrics", run.id)
    assert (done.code, done.out.count("nothing was measured")) == (0, 2)
    assert items(jobsctl, run.id)["cpu_usage"]["status"] == "empty"


def test_a_job_has_a_point_per_run_the_oldest_first(jobsctl, known):
    job = known.job()
    runs = [known.run(job, ago=ago * HOUR, took=took, cpu_seconds=took / 2e6, peak_memory=took)
            for ago, took in ((3, 1_000_000), (2, 4_000_000), (1, 2_000_000))]  # fmt: skip
    known.run(job, ago=MINUTE, state=RunState.RUNNING)
    known.run(job, ago=4 * HOUR, state=RunState.FAILED, peak_memory=None, took=9_000_000)
    found = items(jobsctl, "hello", "-n", "3")
    assert [(point["run"], point["value"]) for point in found["duration"]["points"]] == [
        (run.id, took) for run, took in zip(runs, (1.0, 4.0, 2.0), strict=True)
    ]
    assert [point["value"] for point in found["cpu_time"]["points"]] == [0.5, 2.0, 1.0]
    assert len(items(jobsctl, "hello")["duration"]["points"]) == 4
    assert len(items(jobsctl, "hello")["peak_memory"]["points"]) == 3
    assert items(jobsctl, "hello", "--names", "cpu_usage")["cpu_usage"]["error"] == (
        "cpu_usage is a series of one run, not of a job"
    )
    assert "  4 runs, 2026-11-21 04:00:00Z .. 2026-11-21 07:00:00Z" in jobsctl("metrics", "hello").out


def test_many_runs_are_told_by_so_many_points_as_were_asked_for(jobsctl, known, measure):
    run = known.run(known.job(), state=RunState.RUNNING)
    measure(run, *((second, second / 2, 50 if second == 77 else 1) for second in range(1, 101)))
    found = items(jobsctl, run.id, "--points", "10")
    assert len(found["cpu_usage"]["points"]) == len(found["memory_usage"]["points"]) == 10
    assert max(point["value"] for point in found["memory_usage"]["points"]) == 50
    assert {point["value"] for point in found["cpu_usage"]["points"]} == {0.5}


def test_names_and_lines_of_json(jobsctl, known, measure):
    run = known.run(known.job(), state=RunState.RUNNING)
    measure(run, (1, 0.5, 100))
    assert jobsctl("metrics", run.id, "-o", "name").out == "cpu_usage\nmemory_usage\n"
    assert [json.loads(line)["name"] for line in jobsctl("metrics", run.id, "-o", "jsonl").out.splitlines()] == [
        "cpu_usage", "memory_usage",
    ]  # fmt: skip
    whole = json.loads(jobsctl("metrics", run.id, "-o", "json").out)
    assert (whole["kind"], whole["job"], whole["run"]) == ("Metrics", "default/hello", run.id)


def test_an_unknown_target_is_not_found(jobsctl, known):
    assert jobsctl("metrics", "helo").code == 4


samples = st.lists(
    st.tuples(st.integers(-2, 20), st.integers(0, 40), st.integers(0, 1 << 40)), min_size=1, max_size=30
).map(
    lambda steps: [
        (NOW + sum(step for step, _, _ in steps[: place + 1]) * SECOND,
         sum(used for _, used, _ in steps[: place + 1]) / 10, memory)
        for place, (_, _, memory) in enumerate(steps)
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def a_run():
    from state.records import Run, Trigger

    return Run(
        id="01m7yjkbshspfz7aw3dyetqhqa", job_id=1, project="default", job="hello", generation=1, digest="d",
        revision=None, trigger=Trigger.MANUAL, scheduled_for=None, state=RunState.RUNNING, created_at=NOW,
        started_at=NOW - 10 * SECOND,
    )  # fmt: skip


@settings(derandomize=True, max_examples=100, deadline=None)
@given(looks=samples)
def test_no_sample_makes_a_series_that_cannot_be(a_run, looks):
    """Also when the clock was set back between two looks."""
    cpu, memory = series_of_run(a_run, [Sample(at, used, held) for at, used, held in looks])
    assert all(point.value >= 0 and point.span > 0 for point in cpu.points)
    assert [point.at for point in cpu.points] == [point.at for point in memory.points]
    if all(later[0] > earlier[0] for earlier, later in pairwise(looks)):
        used = sum(point.value * point.span for point in cpu.points) / SECOND
        assert used == pytest.approx(looks[-1][1])
        if cpu.points:
            whole = cpu.points[-1].at - cpu.points[0].at + cpu.points[0].span
            assert cpu.mean == pytest.approx(used * SECOND / whole)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    values=st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1e9)), min_size=1, max_size=60), most=st.integers(1, 20)
)
def test_thinning_keeps_peaks_sums_and_the_end(values, most):
    points = [Point(number, value, span) for number, (span, value) in enumerate(values)]
    peaks, means = thinned(points, most, peak=True), thinned(points, most, peak=False)
    assert len(peaks) == len(means) == min(most, len(points))
    assert max(point.value for point in peaks) == max(value for _, value in values)
    assert sum(point.value * point.span for point in means) == pytest.approx(
        sum(s * v for s, v in values), rel=1e-9, abs=1e-6
    )
    assert peaks[-1].at == means[-1].at == points[-1].at
    assert is_peak("memory_usage") and not is_peak("cpu_usage")


def test_cpu_time_that_went_with_a_child_makes_no_negative_usage(a_run):
    cpu, _ = series_of_run(a_run, [Sample(NOW, 5.0, 1), Sample(NOW + SECOND, 4.0, 1)])
    assert [point.value for point in cpu.points] == [0.5, 0.0]


def test_a_run_whose_start_is_not_known_is_measured_from_its_first_look(a_run):
    unknown = replace(a_run, started_at=None)
    cpu, _ = series_of_run(unknown, [Sample(NOW, 5.0, 1), Sample(NOW + SECOND, 6.0, 1)])
    assert [point.value for point in cpu.points] == [1.0]


SPARKS = {
    "from zero to the top": ([0, 1, 2, 3, 4, 5, 6, 8], "▁▂▃▄▅▆▇█"),
    "level": ([5, 5, 5], "███"),
    "nothing": ([0, 0], "▁▁"),
    "no values": ([], ""),
    "one peak": ([0, 0, 1e9, 0], "▁▁█▁"),
}


@pytest.mark.parametrize(("values", "line"), SPARKS.values(), ids=SPARKS)
def test_a_sparkline_begins_at_zero(values, line):
    assert sparkline(values) == line
    assert sparkline(values, blocks=ASCII) == "".join(ASCII[BLOCKS.index(block)] for block in line)


@pytest.mark.parametrize(
    ("encoding", "blocks"),
    [("utf-8", BLOCKS), ("ascii", ASCII), ("iso-8859-1", ASCII), (None, ASCII), ("no-such-encoding", ASCII)],
)
def test_a_terminal_without_blocks_gets_ascii(encoding, blocks):
    assert blocks_for(encoding) == blocks
