"""Clients that mean harm, or are broken: after each the server answers the next one at once. Real sockets.

What is only refused is in tests/seeing/test_http_server.py.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.streaming.conftest import Town

SOON = 5.0
"""Seconds within which anybody is answered, on a slow machine too; it takes milliseconds."""
REQUEST = b"GET %b HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
FOLLOWING = b"Accept: text/event-stream\r\n"


@pytest.fixture(autouse=True)
def well_afterwards(town: Town) -> Iterator[None]:
    """Every test of this file ends with this."""
    yield
    answers_at_once(town)


def status_of(town: Town) -> int:
    return httpx.get(f"http://127.0.0.1:{town.server.port}/api/v1/jobs", timeout=SOON).status_code


def answers_at_once(town: Town) -> None:
    began = time.monotonic()
    assert status_of(town) == 200
    assert time.monotonic() - began < SOON
    assert town.server.process.poll() is None


@contextlib.contextmanager
def crowd(town: Town, count: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections, each with its first words said."""
    plugs: list[socket.socket] = []
    try:
        for _ in range(count):
            plugs.append(socket.create_connection(("127.0.0.1", town.server.port), timeout=10))
            if first:
                plugs[-1].sendall(first)
        yield plugs
    finally:
        for plug in plugs:
            plug.close()


def resident(town: Town) -> int:
    """Bytes."""
    return int(Path(f"/proc/{town.server.process.pid}/statm").read_text().split()[1]) * 4096


def test_a_thousand_streams_open_at_once_and_all_are_told(town: Town) -> None:
    before = resident(town)
    with crowd(town, 1000, REQUEST % (b"/api/v1/events", FOLLOWING)) as plugs:
        for plug in plugs:
            assert plug.recv(9) == b"HTTP/1.1 "
        answers_at_once(town)
        run = town.carry_out("ops/backup")
        for plug in plugs:
            heard = b""
            while heard.count(run.id.encode()) < 3:
                piece = plug.recv(65536)
                assert piece
                heard += piece
        assert resident(town) - before < 30_000_000
        answers_at_once(town)


def test_a_header_without_end_is_cut_off(town: Town) -> None:
    with crowd(town, 20, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ") as plugs:
        for plug in plugs:
            with contextlib.suppress(OSError):
                for _ in range(64):
                    plug.sendall(b"x" * 4096)
            with contextlib.suppress(ConnectionResetError):
                assert plug.recv(65536).startswith(b"HTTP/1.1 431 ")


def test_a_hundred_requests_in_one_breath_are_answered_in_order(town: Town) -> None:
    requests = b"".join(REQUEST % (b"/api/v1/runs?limit=%d" % number, b"") for number in range(1, 101))
    with crowd(town, 1, requests) as (plug,):
        answer = b""
        while answer.count(b"HTTP/1.1 200 ") < 100:
            piece = plug.recv(65536)
            assert piece, answer[-300:]
            answer += piece


def test_thousands_of_requests_in_one_breath_from_one_who_never_reads_are_hung_up_on(town: Town) -> None:
    before = resident(town)
    requests = b"".join(REQUEST % (b"/metrics", b"") for _ in range(200))
    with crowd(town, 10) as plugs:
        for plug in plugs:
            plug.settimeout(0.2)
            with contextlib.suppress(OSError):
                plug.sendall(requests * 10)
        answers_at_once(town)
        assert resident(town) - before < 40_000_000
        for plug in plugs:
            plug.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                while plug.recv(1 << 20):
                    pass


def test_clients_that_follow_and_never_read_cost_little_and_delay_nobody(town: Town) -> None:
    eager = town.follow("/api/v1/events")
    eager.opening()
    before = resident(town)
    lazy = [town.follow("/api/v1/events", 0, receive_buffer=2048) for _ in range(100)]
    for _ in range(80):
        town.carry_out("ops/report")
    assert len(eager.take(240)) == 240
    assert resident(town) - before < 30_000_000
    answers_at_once(town)
    assert int(lazy[0].take(50)[-1].id) == 50  # it takes up reading, and has missed nothing


def test_connections_that_are_half_closed_or_reset_are_forgotten(town: Town) -> None:
    with crowd(town, 100, REQUEST % (b"/api/v1/events", b"")) as plugs:
        for plug in plugs[:50]:
            plug.shutdown(socket.SHUT_WR)
        for plug in plugs[50:]:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            plug.close()
        # Fifty of them are still owed an answer: whoever comes meanwhile may be told to come again, not for long.
        until = time.monotonic() + SOON
        while status_of(town) == 503:
            assert time.monotonic() < until


def test_any_path_query_and_cursor_gets_an_answer_that_is_none_of_ours_to_be_sorry_for(town: Town) -> None:
    """Fuzzed, with a fixed seed: never a 5xx, always JSON or a page."""
    dice = random.Random(5)
    pieces = ["api", "v1", "jobs", "runs", "events", "logs", "outputs", "..", "%2e%2e", "%00", "%ff", "a b", "é", "'",
              '"', "\\", "{id}", "~", "0", "-1", "9" * 30, "ops", "backup", "static", "records", "log", "bounds",
              "house", ";", "%", "%zz", "*", "null", "a" * 300]  # fmt: skip
    names = ["after", "before", "limit", "order", "since", "until", "label", "q", "status", "follow", "tail", "x", ""]
    values = ["", "0", "-1", "1e9", "9" * 19, "true", "%00", "%ff%fe", "a=b,!c", "2026-13-41T00:00:00Z", "1d", "'; --",
              "ops/backup", "/", "%2F..%2F", "desc", "0" * 26, "7" * 26, "a" * 1025, "\u202e"]  # fmt: skip
    for _ in range(400):
        path = "/" + "/".join(dice.choices(pieces, k=dice.randint(0, 7)))
        if dice.random() < 0.6:
            path = "/api/v1/" + dice.choice(["jobs", "runs", "events", "search", "running", "deliveries"])
        query = "&".join(f"{dice.choice(names)}={dice.choice(values)}" for _ in range(dice.randint(0, 4)))
        raw = f"{path}?{query}".replace(" ", "%20").replace("follow=true", "follow=false").encode()
        with crowd(town, 1, REQUEST % (raw, b"Connection: close\r\n")) as (plug,):
            answer = b""
            while piece := plug.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 "), raw
        assert 200 <= int(answer[9:12]) < 500, (raw, answer[:300])
