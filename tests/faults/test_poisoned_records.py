"""One record of the database is of no use: damaged, or written by another version. Its job is stalled, alone."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing

import pytest

from tests.faults.doors import get
from tests.faults.ticking import settle, ticking, ticks_again
from tests.household import Household, eventually

BAD = "name: bad\nschedule: every 1h\nrun: {command: ['true']}\n"
# FAULTS=full tries all.
POISON = {
    "no-json": """UPDATE spec SET canonical = CAST('{"broken' AS BLOB)""",
    "no-job": """UPDATE spec SET canonical = CAST('{"name": "bad", "project": "default"}' AS BLOB)""",
    "unknown-field": """UPDATE spec SET canonical = CAST('{"from_the_future": 1, ' || substr(canonical, 2) AS BLOB)""",
    "no-schedule": """UPDATE spec SET canonical = CAST(replace(canonical, 'every 1h', 'every banana') AS BLOB)""",
}


@pytest.mark.parametrize("name", POISON if os.environ.get("FAULTS") == "full" else ["no-json", "unknown-field"])
def test_a_stored_spec_of_no_use_stalls_its_job_and_hides_no_other(name: str, household: Household) -> None:
    witness = ticking(household)
    household.write("bad.yaml", BAD)
    eventually(lambda: household.job("default/bad"), "the job is known")
    assert household.stop() == 0
    with closing(sqlite3.connect(household.home.database)) as connection, connection:
        changed = connection.execute(f"{POISON[name]} WHERE job_id = (SELECT id FROM job WHERE name = 'bad')")
        assert changed.rowcount == 1
    household.start("--listen", "127.0.0.1:0")
    ticks_again(household, witness)
    assert "default/ticker" in household.jobsctl("list").stdout
    said = household.jobsctl("status", check=False)
    assert "ready" in said.stdout, said.stderr
    jobs = eventually(lambda: json.loads(get(household, "/api/v1/jobs")).get("items"), "HTTP lists the jobs")
    assert {"bad", "ticker"} <= {job["metadata"]["name"] for job in jobs}
    household.write("bad.yaml", BAD + "description: edited\n")
    eventually(lambda: (job := household.job("default/bad")) is not None and job.generation == 2, "an edit mends it")
    household.jobsctl("trigger", "bad")
    eventually(lambda: [run.state for run in household.runs("default/bad")] == ["succeeded"], "it runs again")
    assert "Traceback" not in household.log(), household.log()
    settle(household, witness)
