"""The dead man's ping to a real receiver: it comes while the daemon is well, and stops when it is not."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import jobsctl
from state.outbox.reads import OutboxReader
from status.heartbeat import DOWN_AFTER, Heartbeat
from status.notify.ping import ping, unwell
from status.words.instants import SECOND
from tests.notifying.receivers import http_receiver, silent_receiver
from tests.notifying.rig import Rig

NOON = 1_800_014_400 * SECOND


@pytest.mark.parametrize(
    ("beat", "why"),
    [
        pytest.param(Heartbeat(at=NOON, state="ready", last_pass_at=NOON), None, id="well"),
        pytest.param(Heartbeat(at=NOON - DOWN_AFTER, state="ready"), None, id="late"),
        pytest.param(None, "there is no heartbeat", id="none"),
        pytest.param(Heartbeat(at=NOON - DOWN_AFTER - 1, state="ready"), "the last heartbeat is 15 s old", id="gone"),
        pytest.param(Heartbeat(at=NOON, state="stopping"), "the daemon is stopping", id="stopping"),
        pytest.param(
            Heartbeat(at=NOON, state="ready", last_pass_at=NOON - 2, last_error="disk full", last_error_at=NOON - 1),
            "last error: disk full",
            id="last-pass-failed",
        ),
        pytest.param(
            Heartbeat(at=NOON, state="ready", last_pass_at=NOON, last_error="disk full", last_error_at=NOON - 1),
            None,
            id="mended",
        ),
    ],
)
def test_only_a_daemon_that_is_well_is_pinged_for(beat: Heartbeat | None, why: str | None) -> None:
    assert unwell(beat, NOON) == why


def test_what_became_of_a_ping_is_told_without_its_address() -> None:
    with http_receiver([500, 204]) as received:
        assert ping(f"{received.url}/secret", version="1") == "answered 500"
        assert ping(f"{received.url}/secret", version="1") is None
    assert received.requests == [("GET", "/secret", b"")] * 2
    with silent_receiver() as port:
        assert ping(f"http://127.0.0.1:{port}/secret", version="1", timeout=0.1) == "no answer in time"
    assert ping(f"http://127.0.0.1:{port}/secret", version="1") == "Connection refused"
    assert ping("file:///etc/passwd", version="1") == "the address is not http:// or https://"
    assert ping("rubbish", version="1") == "the address is not one, or the answer is not HTTP"


def test_pings_come_while_the_heartbeat_is_fresh_and_failures_are_recorded(rig: Rig) -> None:
    with http_receiver([503]) as received:
        rig.settings(f"ping: {{url: '{received.url}/ping', every: 1s}}\n")
        rig.heartbeat()
        rig.start()
        received.wait_for(2)
        rig.heartbeat(state="stopping")
        rig.wait(lambda: "not sent: the daemon is stopping" in str(_note(rig)))
        rig.stop()
    with OutboxReader(rig.home.outbox) as outbox:
        counts = outbox.counts()
    assert counts["ping", "ping", "failed"] == 1
    assert counts["ping", "ping", "delivered"] >= 1


def _note(rig: Rig) -> object:
    with OutboxReader(rig.home.outbox) as outbox:
        return outbox.note("ping")


def test_a_daemon_that_is_killed_is_pinged_for_no_more(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "jobs").mkdir(parents=True)
    with http_receiver() as received:
        (home / "jobsctl.yaml").write_text(f"http: null\nping: {{url: '{received.url}/ping', every: 1s}}\n")
        daemon = subprocess.Popen(
            [sys.executable, "-m", "jobsctl", "--home", str(home), "daemon"],
            env={**os.environ, "PYTHONPATH": str(Path(jobsctl.__file__).parents[1])},
            stderr=subprocess.DEVNULL,
        )
        try:
            received.wait_for(2)
            notify = _child(daemon.pid)
        finally:
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
        _wait_gone(notify)
        count = len(received.requests) + 1  # one may still have been on its way
        assert not received.wait_quietly(count + 1, 2.5)


def _child(parent: int) -> int:
    """The notify process of a daemon."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if stat.rpartition(")")[2].split()[1] == str(parent) and b"status.notify.process" in line:
            return int(entry.name)
    raise AssertionError("no notify process")


def _wait_gone(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 10)[0], "it outlived the daemon"
    finally:
        os.close(handle)
