"""A real Prometheus scrapes a real daemon: the real thing happens, the alert fires; it is mended, the alert resolves.

The rules are the shipped ones in a hurry (`hurried`). Not caused here, as they take a broken kernel or a full disk, and
so only proved by promtool: JobsctlWatchDown, JobsctlSupervisorDown, JobsctlSchedulerLag, JobsctlDiskFull,
JobsctlDiskFilling, JobsctlWalLarge, and those of projects, which `metrics.max_jobs` switches.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.alerting.panels import PANELS, expressions, filled
from tests.alerting.receiver import Refusing
from tests.alerting.rules import alerts, hurried, shipped
from tests.alerting.server import Prometheus, free_port
from tests.household import Household, eventually

CONFIG = """\
resync: 1s
prune_limit: {{jobs: 0, share: 0}}
prune_grace: 1s
callbacks: {{private: [127.0.0.1], ports: [{port}]}}
"""
NOTIFIER = "kind: Notifier\nname: ops\nurls: ['json://127.0.0.1:{port}/notify']\ngroup: 1s\n"
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
TELLING = (
    "notify: [{{to: ops, on: [failure]}}]",
    "callback: {{url: 'http://127.0.0.1:{port}/hook', secret: {{from_file: key}}}}",
)
PATIENCE = 40.0
BY_PROMTOOL_ALONE = {
    "JobsctlWatchDown", "JobsctlSupervisorDown", "JobsctlSchedulerLag", "JobsctlDiskFull", "JobsctlDiskFilling",
    "JobsctlWalLarge", "JobsctlProjectMissedSuccess", "JobsctlProjectLastRunsFailed", "JobsctlMetricsTruncated",
}  # fmt: skip


class Town:
    """A daemon whose jobs are in trouble until `mended` is there, and a Prometheus that looks at it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.household = Household(root / "home")
        self.server: Prometheus | None = None
        self.address = f"127.0.0.1:{free_port()}"
        self.receiver = Refusing()
        self.mended = root / "mended"
        until_mended = f"while [ ! -e {self.mended} ]; do sleep 0.1; done"
        if_mended = f"[ -e {self.mended} ]"
        self.files = {
            "failing.yaml": _job("failing", if_mended),
            "late.yaml": _job("late", if_mended, "schedule: every 1s", "timeout: 1s", "grace: 1s"),
            "stuck.yaml": _job("stuck", f"trap '' TERM; {until_mended}", "timeout: 1s", "grace: 10m"),
            "endless.yaml": _job("endless", until_mended),
            "holder.yaml": _job("holder", until_mended, "pool: one"),
            "queued.yaml": _job("queued", "true", "pool: one"),
            "pool.yaml": "kind: Pool\nname: one\nslots: 1\n",
            "off.yaml": _job("off", "true", "schedule: every 1h", "suspend: true"),
            "wrong.yaml": _job("wrong", "true"),
            "going.yaml": _job("going", "true"),
            "telling.yaml": _job("telling", "false", *(line.format(port=self.receiver.port) for line in TELLING)),
            "ops.yaml": NOTIFIER.format(port=self.receiver.port),
            "well.yaml": _job("well", "true", "schedule: every 1s", "timeout: 10m"),
        }

    def open(self) -> None:
        (self.root / "home" / "jobsctl.yaml").write_text(CONFIG.format(port=self.receiver.port), encoding="utf-8")
        (self.root / "home" / "key").write_text(f"{KEY}\n", encoding="utf-8")
        self.household.commit(self.files)
        self.household.start("--listen", self.address)
        self.server = Prometheus(self.root / "prometheus", self.address, hurried(shipped(), patient=PATIENT))

    def close(self) -> None:
        self.receiver.close()
        if self.server is not None:
            self.server.close()
        self.household.close()

    @property
    def prometheus(self) -> Prometheus:
        assert self.server is not None
        return self.server


PATIENT = ("JobsctlBackupOld",)


def _job(name: str, script: str, *lines: str) -> str:
    return "\n".join([f"name: {name}", *lines, "run:", f"  script: {json.dumps(script)}", ""])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("town"))
    try:
        made.open()
        eventually(lambda: _cursor(made.household.home.outbox) is not None, "the notify process reads on")
        made.household.jobsctl("trigger", "telling")
        made.household.jobsctl("trigger", "failing", "stuck", "endless", "holder")
        eventually(lambda: made.household.runs("default/holder"), "the pool is full")
        made.household.jobsctl("trigger", "queued")
        made.household.home.last_backup.write_text(json.dumps({"at": 1, "file": "/srv/old.tar.gz"}))
        yield made
    finally:
        made.close()


def _cursor(outbox: Path) -> int | None:
    try:
        with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT value FROM meta WHERE key = 'cursor'").fetchone()
    except sqlite3.OperationalError:
        return None
    return None if found is None else int(found[0])


def fires(town: Town, alert: str, **labels: str) -> None:
    eventually(lambda: town.prometheus.firing(alert, **labels), f"{alert} fires", PATIENCE)


def resolves(town: Town, alert: str, **labels: str) -> None:
    eventually(
        lambda: town.prometheus.query("up") and not town.prometheus.firing(alert, **labels),
        f"{alert} resolves",
        PATIENCE,
    )


def test_callbacks_that_do_not_arrive_are_told_of_until_they_do(town: Town) -> None:
    fires(town, "JobsctlCallbacksFailing", target="127.0.0.1")
    town.receiver.release()
    resolves(town, "JobsctlCallbacksFailing")


OF_JOBS = (
    ("JobsctlJobLastRunFailed", {"job_name": "failing"}),
    ("JobsctlJobMissedSuccess", {"job_name": "late"}),
    ("JobsctlJobRunTooLong", {"job_name": "stuck"}),
    ("JobsctlJobRunTooLong", {"job_name": "endless"}),
    ("JobsctlRunWaitsLong", {"reason": "pool"}),
)


def test_alerts_of_jobs_fire_while_they_are_in_trouble_and_resolve_when_they_are_mended(town: Town) -> None:
    for alert, labels in OF_JOBS:
        fires(town, alert, **labels)
    town.mended.touch()
    town.household.jobsctl("trigger", "failing")
    for alert, labels in OF_JOBS:
        resolves(town, alert, **labels)


def test_a_suspended_job_is_told_of_and_not_any_more_when_its_file_takes_it_up(town: Town) -> None:
    fires(town, "JobsctlJobSuspendedLong", job_name="off")
    assert not town.prometheus.firing("JobsctlJobMissedSuccess", job_name="off")
    town.household.commit({"off.yaml": _job("off", "true", "schedule: every 1h")})
    resolves(town, "JobsctlJobSuspendedLong", job_name="off")


def test_a_wrong_file_is_told_of_with_its_job_until_it_is_corrected(town: Town) -> None:
    town.household.commit({"wrong.yaml": "name: wrong\nrun: {command: 7}\n"})
    fires(town, "JobsctlSpecInvalid")
    fires(town, "JobsctlJobNotReady", job_name="wrong")
    town.household.commit({"wrong.yaml": town.files["wrong.yaml"]})
    resolves(town, "JobsctlSpecInvalid")
    resolves(town, "JobsctlJobNotReady", job_name="wrong")


def test_jobs_that_vanish_are_kept_and_told_of_until_somebody_confirms(town: Town) -> None:
    town.household.commit({"going.yaml": None})
    fires(town, "JobsctlPruneBlocked")
    town.household.jobsctl("apply", "--confirm-prune")
    resolves(town, "JobsctlPruneBlocked")


def test_specs_that_cannot_be_read_are_told_of_until_they_are_back(town: Town) -> None:
    specs = town.household.home.specs
    aside = specs.with_name("elsewhere")
    specs.rename(aside)
    fires(town, "JobsctlSourceDown")
    aside.rename(specs)
    resolves(town, "JobsctlSourceDown")


def test_an_old_backup_is_told_of_until_there_is_a_new_one(town: Town, tmp_path: Path) -> None:
    fires(town, "JobsctlBackupOld")
    town.household.jobsctl("backup", str(tmp_path / "backup.tar.gz"))
    resolves(town, "JobsctlBackupOld")


def test_a_database_that_takes_no_writes_is_told_of_until_it_does(town: Town) -> None:
    holder = sqlite3.connect(town.household.home.database, isolation_level=None, timeout=20)
    try:
        holder.execute("BEGIN IMMEDIATE")
        fires(town, "JobsctlReconcileStale")
        eventually(lambda: town.prometheus.query("jobsctl_db_busy_total > 0"), "it is counted")
    finally:
        holder.close()
    resolves(town, "JobsctlReconcileStale")


def test_status_files_that_cannot_be_written_are_told_of_until_they_can(town: Town) -> None:
    status = town.household.home.status
    shutil.rmtree(status)
    status.touch()
    fires(town, "JobsctlStatusDown")
    status.unlink()
    resolves(town, "JobsctlStatusDown")


def test_an_exemplar_names_a_run_that_is_there(town: Town) -> None:
    def exemplar() -> str | None:
        found = town.prometheus.get(
            "query_exemplars", query="jobsctl_run_duration_seconds_bucket", start="0", end="99999999999"
        )
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
    fired = 'max_over_time(ALERTS{alertname="JobsctlNotificationsFailing", target="ops", alertstate="firing"}[10m])'
    eventually(lambda: town.prometheus.query(fired), "it fires", PATIENCE)  # half a minute, perhaps past already
    resolves(town, "JobsctlNotificationsFailing")


def test_a_killed_daemon_is_told_of_and_no_stored_counter_goes_back(town: Town) -> None:
    runs = 'sum(jobsctl_runs_total{job_name=~"late|well"})'
    before = float(eventually(lambda: town.prometheus.query(runs), "runs are counted")[0]["value"][1])
    town.household.kill()
    fires(town, "JobsctlDaemonDown")
    town.household.start("--listen", town.address)
    resolves(town, "JobsctlDaemonDown")
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


def test_prometheus_understands_every_expression_of_the_dashboard(town: Town) -> None:
    eventually(lambda: town.prometheus.query("jobsctl_jobs"), "it was scraped")
    for title, expression in expressions():
        assert town.prometheus.get("query", query=expression) is not None, f"{title}: {expression}"
    stats = {panel["title"]: panel for panel in PANELS if panel["type"] == "stat"}
    for title in stats.keys() - {"Next start"}:  # absent while nothing comes
        expression = filled(stats[title]["targets"][0]["expr"])
        eventually(lambda asked=expression: town.prometheus.query(asked), f"{title} has a value")  # type: ignore[misc]


def test_a_job_that_is_well_is_never_told_of(town: Town) -> None:
    assert town.prometheus.query('jobsctl_job_info{job_name="well"}')
    failing = 'count_over_time(ALERTS{job_name="failing"}[10m])'
    eventually(lambda: town.prometheus.query(failing), "one that fails is told of", PATIENCE)
    assert not town.prometheus.query('count_over_time(ALERTS{job_name="well", alertstate="firing"}[10m])')


def test_every_alert_is_caused_here_or_said_to_be_proved_by_promtool_alone() -> None:
    caused = {name for name in (alert["alert"] for alert in alerts(shipped())) if f'"{name}"' in _TESTS}
    assert caused | BY_PROMTOOL_ALONE == {alert["alert"] for alert in alerts(shipped())}


_TESTS = Path(__file__).read_text(encoding="utf-8").partition("class Town")[2]
