"""A real Prometheus scrapes a real daemon: the real thing happens, the alert fires; it is mended, the alert resolves.

The rules are the shipped ones in a hurry (`hurried`). What is about disk, limits, log, lag and projects:
`test_real_alerts_of_scarcity`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.alerting.rules import alerts, shipped
from tests.alerting.town import Town
from tests.alerting.watched import PATIENCE, job
from tests.household import eventually

pytestmark = pytest.mark.timeout(180)
"""Seconds: the first test here opens two homes."""


def test_callbacks_that_do_not_arrive_are_told_of_until_they_do(town: Town) -> None:
    town.fires("JobsctlCallbacksFailing", target="127.0.0.1")
    town.receiver.release()
    town.resolves("JobsctlCallbacksFailing")


OF_JOBS = (
    ("JobsctlJobLastRunFailed", {"job_name": "failing"}),
    ("JobsctlJobMissedSuccess", {"job_name": "late"}),
    ("JobsctlJobRunTooLong", {"job_name": "stuck"}),
    ("JobsctlJobRunTooLong", {"job_name": "endless"}),
    ("JobsctlRunWaitsLong", {"reason": "pool"}),
)


def test_alerts_of_jobs_fire_while_they_are_in_trouble_and_resolve_when_they_are_mended(town: Town) -> None:
    for alert, labels in OF_JOBS:
        town.fires(alert, **labels)
    town.mended.touch()
    town.household.jobsctl("trigger", "failing")
    for alert, labels in OF_JOBS:
        town.resolves(alert, **labels)


def test_a_suspended_job_is_told_of_and_not_any_more_when_its_file_takes_it_up(town: Town) -> None:
    town.fires("JobsctlJobSuspendedLong", job_name="off")
    assert not town.firing("JobsctlJobMissedSuccess", job_name="off")
    town.household.commit({"off.yaml": job("off", "true", "schedule: every 1h")})
    town.resolves("JobsctlJobSuspendedLong", job_name="off")


def test_a_wrong_file_is_told_of_with_its_job_until_it_is_corrected(town: Town) -> None:
    town.household.commit({"wrong.yaml": "name: wrong\nrun: {command: 7}\n"})
    town.fires("JobsctlSpecInvalid")
    town.fires("JobsctlJobNotReady", job_name="wrong")
    town.household.commit({"wrong.yaml": town.files["wrong.yaml"]})
    town.resolves("JobsctlSpecInvalid")
    town.resolves("JobsctlJobNotReady", job_name="wrong")


def test_jobs_that_vanish_are_kept_and_told_of_until_somebody_confirms(town: Town) -> None:
    town.household.commit({"going.yaml": None})
    town.fires("JobsctlPruneBlocked")
    town.household.jobsctl("apply", "--confirm-prune")
    town.resolves("JobsctlPruneBlocked")


def test_specs_that_cannot_be_read_are_told_of_until_they_are_back(town: Town) -> None:
    specs = town.household.home.specs
    aside = specs.with_name("elsewhere")
    specs.rename(aside)
    town.fires("JobsctlSourceDown")
    aside.rename(specs)
    town.resolves("JobsctlSourceDown")


def test_an_old_backup_is_told_of_until_there_is_a_new_one(town: Town, tmp_path: Path) -> None:
    town.fires("JobsctlBackupOld")
    town.household.jobsctl("backup", str(tmp_path / "backup.tar.gz"))
    town.resolves("JobsctlBackupOld")


def test_a_database_that_takes_no_writes_is_told_of_until_it_does(town: Town) -> None:
    holder = sqlite3.connect(town.household.home.database, isolation_level=None, timeout=20)
    try:
        holder.execute("BEGIN IMMEDIATE")
        town.fires("JobsctlReconcileStale")
        eventually(
            lambda: town.prometheus.query(f'jobsctl_db_busy_total{{instance="{town.address}"}} > 0'), "it is counted"
        )
    finally:
        holder.close()
    town.resolves("JobsctlReconcileStale")


def test_status_files_that_cannot_be_written_are_told_of_until_they_can(town: Town) -> None:
    status = town.household.home.status
    shutil.rmtree(status)
    status.touch()
    town.fires("JobsctlStatusDown")
    status.unlink()
    town.resolves("JobsctlStatusDown")


def test_an_exemplar_names_a_run_that_is_there(town: Town) -> None:
    def exemplar() -> str | None:
        found = town.prometheus.get(
            "query_exemplars", start="0", end="99999999999",
            query=f'jobsctl_run_duration_seconds_bucket{{instance="{town.address}"}}',
        )  # fmt: skip
        return found[0]["exemplars"][-1]["labels"]["run_id"] if found else None

    run = eventually(exemplar, "an exemplar came through")
    assert run is not None
    town.household.jobsctl("run", run)


STORED = (
    "jobsctl_runs_total", "jobsctl_slots_skipped_total", "jobsctl_retries_total", "jobsctl_deliveries_total",
    "jobsctl_run_duration_seconds_bucket", "jobsctl_run_duration_seconds_sum", "jobsctl_run_wait_seconds_count",
)  # fmt: skip
"""Counters that outlive every process."""


def test_notifications_that_do_not_arrive_are_told_of_until_they_do(town: Town) -> None:
    town.fired("JobsctlNotificationsFailing", target="ops")  # for half a minute
    town.resolves("JobsctlNotificationsFailing")


def test_runs_are_counted_under_their_own_labels(town: Town) -> None:
    runs = 'jobsctl_runs_total{job_name="well",state="succeeded"}'
    (series,) = eventually(lambda: town.prometheus.query(f"{runs} >= 2"), "two runs are counted", PATIENCE)
    assert "exported_job" not in series["metric"], "one of our labels collides with Prometheus's own"
    assert series["metric"]["instance"] == town.address
    since = 'time() - jobsctl_job_last_success_timestamp_seconds{job_name="well"}'
    eventually(lambda: town.prometheus.query(f"{since} < 30"), "it succeeds again and again", PATIENCE)


def test_a_killed_daemon_is_told_of_and_no_stored_counter_goes_back(town: Town) -> None:
    runs = f'sum(jobsctl_runs_total{{instance="{town.address}", job_name=~"late|well"}})'
    before = float(eventually(lambda: town.prometheus.query(runs), "runs are counted")[0]["value"][1])
    town.household.kill()
    town.fires("JobsctlDaemonDown")
    town.household.start("--listen", town.address)
    town.resolves("JobsctlDaemonDown")
    _kill_status_process(town)
    eventually(lambda: town.prometheus.query(f"{runs} > {before}"), "counting goes on from where it was", PATIENCE)
    for name in STORED:
        resets = town.prometheus.query(f"sum(resets({name}[10m]))")
        assert float(resets[0]["value"][1]) == 0, name


def _kill_status_process(town: Town) -> None:
    http = town.household.home.http
    before = eventually(lambda: http.exists() and json.loads(http.read_bytes())["pid"], "it serves")
    os.kill(before, signal.SIGKILL)
    eventually(lambda: http.exists() and json.loads(http.read_bytes())["pid"] != before, "it serves again", PATIENCE)


def test_a_job_that_is_well_is_never_told_of(town: Town) -> None:
    assert town.prometheus.query('jobsctl_job_info{job_name="well"}')
    town.fired("JobsctlJobLastRunFailed", job_name="failing")
    assert not town.prometheus.query('count_over_time(ALERTS{job_name="well", alertstate="firing"}[10m])')


def test_every_alert_is_caused_here_or_for_scarcity() -> None:
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_real_alerts*.py")]
    caused = {alert["alert"] for alert in alerts(shipped()) if any(f'"{alert["alert"]}"' in text for text in texts)}
    assert caused == {alert["alert"] for alert in alerts(shipped())}
