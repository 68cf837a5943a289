"""As `test_real_alerts`, for what is scarce: each alert fires, its page's first command shows why, and it resolves.

The cause is the real one: a disk of its own that is filled, a kernel that gives no more watches, a daemon that may
open no more files, one that was stopped, a program that does not let go of the database, more jobs than series.
"""

from __future__ import annotations

import os
import resource
import signal

import pytest

from tests.alerting.cramped import Cramped
from tests.household import eventually

pytestmark = pytest.mark.timeout(180)
"""Seconds: the first test here waits for everything to go wrong."""


def shows(cramped: Cramped, alert: str, *fragments: str) -> None:
    """The first command of the alert's page comes to tell it."""

    def told() -> bool:
        said = cramped.runbook(alert)
        return all(fragment in said for fragment in fragments)

    eventually(told, f"the page of {alert} leads to {fragments}")


def test_a_kernel_that_gives_no_watches_is_told_of_until_it_gives_some(cramped: Cramped) -> None:
    cramped.settle()
    cramped.watches(0)
    try:
        cramped.household.write("new/folder.yaml", "name: in-a-new-folder\nrun: {command: ['true']}\n")
        cramped.fires("JobsctlWatchDown")
        shows(
            cramped,
            "JobsctlWatchDown",
            "hears of no change",
            "OS file watch limit reached",
            "fs.inotify.max_user_watches",
        )
    finally:
        cramped.watches(10_000)
    cramped.resolves("JobsctlWatchDown")


def test_more_jobs_than_series_are_told_of_by_their_projects_until_the_limit_is_raised(cramped: Cramped) -> None:
    cramped.settle()
    in_project = ("JobsctlProjectLastRunsFailed", "JobsctlProjectMissedSuccess")
    for alert in in_project:
        cramped.fires(alert, project="default")
    cramped.fires("JobsctlMetricsTruncated")
    shows(cramped, "JobsctlProjectLastRunsFailed", "failing")
    shows(cramped, "JobsctlProjectMissedSuccess", "default/late")
    shows(cramped, "JobsctlMetricsTruncated", "failing", "late")
    assert not cramped.prometheus.query(f'jobsctl_job_info{{instance="{cramped.address}"}}'), "series of jobs"
    cramped.mended.touch()
    cramped.household.jobsctl("trigger", "failing")
    for alert in in_project:
        cramped.resolves(alert)
    assert cramped.household.stop() == 0
    cramped.start(most_jobs=1000)
    cramped.resolves("JobsctlMetricsTruncated")
    eventually(
        lambda: cramped.prometheus.query(f'jobsctl_job_info{{instance="{cramped.address}", job_name="late"}}'),
        "jobs have series again",
    )


def test_a_start_that_was_late_is_told_of_until_others_are_in_time(cramped: Cramped) -> None:
    cramped.settle()
    cramped.fired("JobsctlSchedulerLag")
    shows(cramped, "JobsctlSchedulerLag", "late on average")
    cramped.resolves("JobsctlSchedulerLag")


def test_a_log_that_a_reader_keeps_long_is_told_of_until_the_reader_lets_go(cramped: Cramped) -> None:
    cramped.settle()
    assert cramped.reader is not None
    cramped.fires("JobsctlWalLarge")
    shows(cramped, "JobsctlWalLarge", "jobsctl.db-wal", "cannot be written back while a reader never lets go")
    cramped.reader.close()
    cramped.resolves("JobsctlWalLarge")


def test_a_supervisor_that_cannot_be_started_is_told_of_until_it_can(cramped: Cramped) -> None:
    cramped.settle()
    limits = cramped.few_descriptors()
    try:
        for pid in cramped.household.supervisors():
            os.kill(pid, signal.SIGKILL)
        cramped.fires("JobsctlSupervisorDown")
        shows(cramped, "JobsctlSupervisorDown", "cannot start: no supervisor process can be started")
    finally:
        resource.prlimit(cramped.daemon, resource.RLIMIT_NOFILE, limits)
    cramped.resolves("JobsctlSupervisorDown")


def test_a_disk_that_fills_is_told_of_twice_until_it_is_emptied(cramped: Cramped) -> None:
    cramped.settle()
    cramped.leave(900 << 20)
    cramped.fires("JobsctlDiskFilling")
    assert not cramped.firing("JobsctlDiskFull")
    shows(cramped, "JobsctlDiskFilling", "MiB free under")
    cramped.leave(80 << 20)
    cramped.fires("JobsctlDiskFull")
    shows(cramped, "JobsctlDiskFull", "without room nothing can be started")
    cramped.leave(1300 << 20)
    cramped.resolves("JobsctlDiskFull")
    cramped.resolves("JobsctlDiskFilling")
