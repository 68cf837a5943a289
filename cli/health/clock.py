"""The clock: is it set by somebody, did it jump, are there time zones."""

from __future__ import annotations

import ctypes
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime

from cli.health.finding import DAY, SECOND, Check, Finding, Patient, ok, problem, warning
from state.ids import time_of
from status.words.instants import rfc3339

UNSYNCHRONISED = 0x40
"""STA_UNSYNC of adjtimex(2)."""
AHEAD = 60 * SECOND
OLD_ZONES = 730 * DAY
"""Governments change their rules a few times a year."""


def check_sync(patient: Patient) -> Iterator[Finding]:
    """Whether something keeps the clock right, as the kernel knows it."""
    if (patient.run / "systemd/timesync/synchronized").exists():
        yield ok("set by systemd-timesyncd")
        return
    status = _kernel_status()
    if status is None:
        return
    if status & UNSYNCHRONISED:
        yield warning(
            "nothing sets the clock: the kernel says it is not synchronised, so slots come early or late with it",
            "start a time service (systemctl enable --now systemd-timesyncd, or chrony); "
            "in a container or a machine whose host sets its clock this is fine",
        )
    else:
        yield ok("synchronised, says the kernel")


def _kernel_status() -> int | None:
    """`status` of struct timex; None where adjtimex is not to be had."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    # struct timex: modes (int, padded), offset, freq, maxerror, esterror (long), status (int); 208 bytes on 64 bit.
    buffer = ctypes.create_string_buffer(512)
    if adjtimex(buffer) < 0:
        return None
    long = ctypes.sizeof(ctypes.c_long)
    return ctypes.c_int.from_buffer(buffer, 5 * long).value


def check_jumps(patient: Patient) -> Iterator[Finding]:
    """A clock that was set back leaves things that happened in the future."""
    beat = patient.heartbeat
    if beat is not None and beat.at > patient.now + AHEAD:
        yield problem(
            f"the daemon's last sign of life is from {rfc3339(beat.at)}, in the future: the clock was set back",
            "set the clock right; the daemon goes on by itself",
        )
    newest = patient.rows("SELECT max(id) FROM run")
    if newest and isinstance(newest[0][0], str) and (at := time_of(newest[0][0])) > patient.now + AHEAD:
        yield problem(
            f"the newest run is from {rfc3339(at)}, in the future: the clock was wrong then, or is now",
            "set the clock right; slots up to then will not run again",
        )
    jumps = beat.number("clock_jumps") if beat is not None and patient.alive else None
    if jumps:
        yield warning(f"the clock jumped {jumps:.0f} times since the daemon started", "look at the time service's log")


def check_zones(patient: Patient) -> Iterator[Finding]:
    """The time zone database, and how old it is."""
    try:
        zoneinfo.ZoneInfo("Europe/Berlin")  # the list of all takes 10 ms and more
    except zoneinfo.ZoneInfoNotFoundError:
        yield problem(
            "there is no time zone database: schedules with a timezone cannot be computed",
            "install the system's tzdata package, or `pip install tzdata`",
        )
        return
    for folder in zoneinfo.TZPATH:
        with_version = patient.text(patient.etc.parent.joinpath(*folder.split("/")) / "tzdata.zi")
        if with_version.startswith("# version "):
            version = with_version.split("\n", 1)[0].removeprefix("# version ").strip()
            year = int(version[:4]) if version[:4].isdigit() else 9999
            if patient.now > int(datetime(min(year, 9000) + 1, 1, 1, tzinfo=UTC).timestamp()) * SECOND + OLD_ZONES:
                yield warning(
                    f"the time zone database is of {version}: rules that changed since are not known",
                    "update the tzdata package, then restart the daemon",
                )
            else:
                yield ok(f"time zone database {version}")
            return
    yield ok("there is a time zone database")


CHECKS = (
    Check("clock-sync", "whether something keeps the clock right", check_sync),
    Check("clock-jumps", "signs of life and runs from the future; jumps the daemon saw", check_jumps),
    Check("timezones", "the time zone database and its age", check_zones),
)
