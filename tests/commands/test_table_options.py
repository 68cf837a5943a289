"""`--sort-by` of lists, and tables without their first line."""

from __future__ import annotations

import pytest

from state.records import RunState
from tests.commands.conftest import HOUR, MINUTE, NOW


@pytest.fixture
def jobs(known):
    def job(name: str, **fields):
        return known.job(
            f"name: {name}\nschedule: '@hourly'\nrun: {{command: [echo]}}\n", path=f"{name}.yaml", **fields
        )

    known.run(job("a", next_at=NOW + 9 * MINUTE), ago=3 * HOUR)
    known.run(job("b", next_at=NOW + MINUTE), ago=HOUR, state=RunState.FAILED)
    job("c", next_at=NOW + 2 * MINUTE, suspended_at=NOW)
    known.run(job("d", next_at=None), ago=2 * HOUR)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        pytest.param("name", "abcd", id="name"),
        pytest.param("last", "bdac", id="last, never at the end"),
        pytest.param("next", "bacd", id="next, none at the end"),
        pytest.param("phase", "adbc", id="phase"),
        pytest.param("failures", "bacd", id="failures"),
    ],
)
def test_jobs_are_sorted_in_every_form(jobsctl, jobs, order, names):
    listed = jobsctl("list", "--sort-by", order, "-o", "name").out.split()
    assert listed == [f"job/default/{name}" for name in names]
    table = jobsctl("list", "--sort-by", order, "--no-headers").out.splitlines()
    assert [line.split()[0] for line in table] == [f"default/{name}" for name in names]


@pytest.mark.parametrize("command", ["list", "runs", "events", "timers"])
def test_a_table_without_its_first_line_is_the_rest_of_it(jobsctl, jobs, command):
    assert jobsctl("--no-headers", command).out == jobsctl(command).out.partition("\n")[2]
