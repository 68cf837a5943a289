"""How the status process lives and ends: it follows the database, and never outlives a daemon."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import uvicorn

from state.home import Home
from state.store import Store
from status.serve import Server
from tests.seeing.building import NINE, carry_out, record_of
from tests.seeing.conftest import StatusProcess, start_process, until

Start = Callable[..., StatusProcess]


def test_a_ring_shows_a_change_at_once(home: Home, store: Store, start: Start) -> None:
    job = store.put_job(record_of())
    server = start()
    assert server.http.get("/api/v1/jobs/hello").json()["phase"] == "pending"
    carry_out(store, job)
    server.ring()
    until(lambda: server.http.get("/api/v1/jobs/hello").json()["phase"] == "active", "the change, over HTTP")
    until(lambda: "phase: active" in (home.status / "default/hello.yaml").read_text(), "the change, in its file")


def test_the_idle_server_wakes_once_a_second_to_write_a_new_date(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)
        server.server_state.default_headers = []
        server.should_exit = len(rests) == 3

    server = Server(uvicorn.Config(app="unused", server_header=False))
    server.config.encoded_headers = []
    monkeypatch.setattr(asyncio, "sleep", rest)
    asyncio.run(server.main_loop())
    assert rests == [1, 1, 1]
    assert [name for name, _ in server.server_state.default_headers] == [b"date"]


def test_it_serves_before_there_is_a_database_and_says_what_is_missing(home: Home) -> None:
    server = StatusProcess(home, start_process(home, "127.0.0.1:0"))
    try:
        until(home.http.exists, "http.json")
        server.client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}")
        health = server.http.get("/healthz")
        assert (health.status_code, health.json()["status"]) == (503, "down")
        assert server.http.get("/readyz").status_code == 503
        for path in ("/api/v1/jobs", "/api/v1/jobs/hello", "/api/v1/runs"):
            response = server.http.get(path)
            assert (response.status_code, response.json()["error"]["type"]) == (503, "unavailable")
        store = Store.open(home.database, now=NINE)
        store.close()
        server.ring()
        until(lambda: server.http.get("/api/v1/jobs").status_code == 200, "the list, once there is a database")
    finally:
        server.close()


def test_it_ends_when_its_pipe_ends_and_takes_its_address_along(home: Home, store: Store, start: Start) -> None:
    server = start()
    assert json.loads(home.http.read_text())["pid"] == server.process.pid
    assert server.close() == 0
    assert not home.http.exists()


def test_it_ends_at_once_when_told_also_with_open_connections(home: Home, store: Store, start: Start) -> None:
    server = start()
    with socket.create_connection(("127.0.0.1", server.port)):
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(2) == 0


def test_an_interrupt_at_the_terminal_is_the_daemons_to_handle(home: Home, store: Store, start: Start) -> None:
    server = start()
    server.process.send_signal(signal.SIGINT)
    assert server.http.get("/healthz").status_code == 503
    assert server.close() == 0


def test_without_an_address_it_writes_status_files_only(home: Home, store: Store) -> None:
    store.put_job(record_of())
    server = StatusProcess(home, start_process(home, None))
    try:
        until((home.status / "default/hello.yaml").exists, "the status file")
        assert not home.http.exists()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(2) == 0
    finally:
        server.close()


@pytest.mark.parametrize(
    ("listen", "says"),
    [
        pytest.param("127.0.0.1:{taken}", "another program has this port; set http.listen", id="a port in use"),
        pytest.param("192.0.2.1:0 --insecure", "an address of this machine", id="another machine's address"),
        pytest.param("0.0.0.0:0", "others reach 0.0.0.0:0, and http.tokens names no file", id="open to everybody"),
        pytest.param("127.0.0.1", "is not HOST:PORT", id="no address"),
        pytest.param("127.0.0.1:99999", "is not HOST:PORT", id="no port"),
    ],
)
def test_an_address_it_cannot_have_is_one_line_and_an_exit_code(home: Home, listen: str, says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start_process(home, *listen.format(taken=taken.getsockname()[1]).split())
        _, stderr = process.communicate(timeout=10)
    assert process.returncode == 1
    assert stderr.startswith(b"error: ")
    assert says.encode() in stderr
    assert stderr.count(b"\n") == 1
    assert not home.http.exists()


def test_it_does_not_outlive_a_daemon_that_was_killed(home: Home, store: Store, start: Start) -> None:
    """The pipe's other end is also held by somebody else: then the death of the parent must do."""
    reading, writing = os.pipe()
    script = (
        "import os, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import jobsctl; from status.serve import main; main()', "
        f"'--home', {str(home.root)!r}], stdin={reading})\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, pass_fds=[reading], cwd=Path(__file__).parents[2]
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        until((home.status).exists, "the status process to be up")
        parent.kill()
        parent.wait()
        until(lambda: not _alive(pid), "the status process to end")
    finally:
        os.close(writing)
        os.close(reading)
        parent.kill()
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
