"""Health and readiness: who is told what, when things are not well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.heartbeat import Heartbeat as Written
from state.home import Home
from status.health import Facts, health_view, ready_view
from status.heartbeat import DOWN_AFTER, Heartbeat, HeartbeatFile, read_heartbeat
from tests.seeing.building import MINUTE, NINE, SECOND, beat, make_home, source_state

WELL = Facts(
    now=NINE,
    heartbeat=Heartbeat(at=NINE, state="ready", pid=1, last_pass_at=NINE, raw={"watch": {"up": True}}),
    source=source_state(),
    loaded=True,
    database_problem=None,
    files_problem=None,
)


def _beating(**changes: Any) -> Facts:
    assert WELL.heartbeat is not None
    return replace(WELL, heartbeat=replace(WELL.heartbeat, **changes))


ROWS = [
    ("all is well", WELL, "ok", 200, ""),
    ("the last beat is fresh enough", _beating(at=NINE - DOWN_AFTER), "ok", 200, ""),
    ("the last beat is too old", _beating(at=NINE - DOWN_AFTER - SECOND), "down", 503, "16 s old"),
    ("no daemon", replace(WELL, heartbeat=None), "down", 503, "not running"),
    ("a clock set back is not an age", _beating(at=NINE + MINUTE), "ok", 200, ""),
    ("an error since the last good pass", _beating(last_error="disk full", last_error_at=NINE + 1), "degraded", 200,
     "disk full"),
    ("an error before the last good pass", _beating(last_error="disk full", last_error_at=NINE - 1), "ok", 200, ""),
    ("the watcher is down", _beating(raw={"watch": {"up": False, "error": "no inotify"}}), "degraded", 200,
     "no inotify"),
    ("the specs are gone", replace(WELL, source=source_state(problem="no such directory")), "degraded", 200,
     "no such directory"),
    ("the prune guard holds", replace(WELL, source=source_state(prune_blocked=("a/b",))), "degraded", 200,
     "--confirm-prune"),
    ("the database cannot be read", replace(WELL, database_problem="damaged"), "degraded", 200, "database: damaged"),
    ("status files cannot be written", replace(WELL, files_problem="no space"), "degraded", 200, "no space"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "status", "code", "says"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_health_says_how_it_is_and_where_to_look(facts: Facts, status: str, code: int, says: str) -> None:
    body, found = health_view(facts)
    assert (body["status"], found) == (status, code)
    assert bool(body["problems"]) is (status != "ok")
    assert says in "; ".join(body["problems"])


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        pytest.param(WELL, "", id="ready"),
        pytest.param(_beating(state="starting"), "the daemon is starting", id="it has not looked yet"),
        pytest.param(_beating(state="stopping"), "the daemon is stopping", id="it goes away"),
        pytest.param(replace(WELL, heartbeat=None), "the daemon is down", id="no daemon"),
        pytest.param(replace(WELL, source=None), "the specs were not looked at yet", id="no good look"),
        pytest.param(replace(WELL, loaded=False, database_problem="locked"), "locked", id="nothing was read"),
    ],
)
def test_ready_means_that_the_first_good_look_was_applied(facts: Facts, says: str) -> None:
    body, code = ready_view(facts)
    assert (code, body["ready"]) == ((503, False) if says else (200, True))
    assert says in "; ".join(body["reasons"])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"at": 1', id="torn"),
        pytest.param(b"[]", id="not an object"),
        pytest.param(b"\xff\xfe", id="not text"),
    ],
)
def test_a_heartbeat_that_cannot_be_read_is_none(home: Home, content: bytes) -> None:
    home.heartbeat.write_bytes(content)
    assert read_heartbeat(home) is None


def test_a_heartbeat_of_another_version_gives_what_can_be_read(home: Home) -> None:
    assert read_heartbeat(home) is None
    beat(home, NINE, state=7, lag="new format", pid="x")
    found = read_heartbeat(home)
    assert found is not None
    assert (found.at, found.state, found.pid, found.number("lag", "sum")) == (NINE, "unknown", None, None)


def test_who_asks_often_is_told_every_heartbeat_and_its_end(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    asked, written = HeartbeatFile(home), Written(home.heartbeat)
    assert asked.read() is None
    for at in range(NINE, NINE + 20):
        written.write({"at": at})
        beat = asked.read()
        assert beat is not None
        assert beat.at == at
        assert asked.read() is beat
    home.heartbeat.write_bytes(b"{")
    assert asked.read() is None
    written.write({"at": NINE})
    assert asked.read() is not None
    written.remove()
    assert asked.read() is None
