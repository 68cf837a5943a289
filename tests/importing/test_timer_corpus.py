"""Timers of public repositories: each is read with its service, written soundly, and starts when systemd would."""

from __future__ import annotations

import pytest

from cli.importing.imported import Import
from cli.importing.systemd.reader import read_systemd
from tests.importing.corpora import Found, checked, corpus, home_of, sound

TIMERS = corpus("timers.txt")
RELATIVE = {"cleanup", "dnf-makecache", "brew-update", "davidhi7/backup", "escoand/dockerfiles"}
"""Counted from the run before: systemd itself knows no instants."""


def imported(found: Found, zone: str = "UTC") -> Import:
    return read_systemd(found.units(), timezone=zone, timezone_given=True, home_of=home_of)


def test_there_are_enough_of_them():
    assert sum(len(imported(found).jobs) for found in TIMERS) >= 18


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("found", TIMERS, ids=lambda found: found.source.rpartition(" ")[0].replace(" ", ":"))
def test_a_real_timer_starts_when_systemd_would_have_started_it(found: Found, zone: str) -> None:
    made = imported(found, zone)
    assert not made.unreadable
    assert len(made.jobs) == found.text.count("[Timer]")
    assert sound(made)
    for job in made.jobs:
        outcome = checked(job, zone)
        relative = job.name in RELATIVE or str(found) in RELATIVE
        assert outcome.state == ("incomparable" if relative else "same"), (job.name, outcome)


def test_a_service_with_a_bad_first_line_is_read_as_systemd_reads_it():
    (found,) = (each for each in TIMERS if str(each) == "zfsonlinux/zfs-auto-snapshot")
    (job,) = imported(found).jobs
    assert job.tree["description"] == "ZFS frequent snapshot timer"
    assert [note.what for note in job.notes if note.level == "lost"] == ["Description=ZFS frequent snapshot service"]
    assert job.tree["run"]["command"][-1] == "//"
