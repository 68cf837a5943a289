"""Homes with a database, and real status processes over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from state.home import Home
from state.store import Store
from tests.seeing.building import NINE, make_home

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0


def until(holds: Callable[[], object], what: str) -> None:
    """Poll a real process; fail by name."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.005)


@dataclass
class StatusProcess:
    """A running `status.serve`."""

    home: Home
    process: subprocess.Popen[bytes]
    client: httpx.Client | None = None

    @property
    def http(self) -> httpx.Client:
        assert self.client is not None
        return self.client

    @property
    def port(self) -> int:
        return int(json.loads(self.home.http.read_text())["listen"].rpartition(":")[2])

    def ring(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def close(self) -> int:
        if self.client is not None:
            self.client.close()
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            if self.process.stderr is not None:
                self.process.stderr.close()


def start_process(home: Home, listen: str | None, *more: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", "import jobsctl; from status.serve import main; main()", "--home", str(home.root)]
    return subprocess.Popen(
        [*argv, "--listen", listen, *more] if listen else [*argv, *more],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def serve(home: Home, *more: str, listen: str | None = "127.0.0.1:0", token: str | None = None) -> StatusProcess:
    """Start it, and wait until it has read the database. `more`: of its options; `token`: what the client sends."""
    server = StatusProcess(home, start_process(home, listen, *more))
    if listen is not None:
        try:
            until(lambda: home.http.exists() or server.process.poll() is not None, "http.json")
            assert server.process.poll() is None, server.process.stderr and server.process.stderr.read().decode()
            server.client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE)
            if token is not None:
                server.client.headers["authorization"] = f"Bearer {token}"
            until(lambda: server.http.get("/api/v1/jobs").status_code == 200, "the first picture")
        except BaseException:
            server.process.kill()
            server.close()
            raise
    return server


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    store = Store.open(home.database, now=NINE)
    yield store
    store.close()


@pytest.fixture
def start(home: Home) -> Iterator[Callable[..., StatusProcess]]:
    """Starts status processes over `home`; they end with the test."""
    servers: list[StatusProcess] = []

    def start_one(listen: str | None = "127.0.0.1:0") -> StatusProcess:
        servers.append(serve(home, listen=listen))
        return servers[-1]

    yield start_one
    for server in servers:
        server.close()
