"""The month of `tests.page.month` behind a real status process whose clock stands still: equal pages at every run.

Used by the tests of this folder and by `docs/picture_page.py`. Must not import pytest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from state.home import Home

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds; ten thousand jobs on a machine that has much else to do."""
_PROGRAM = "import sys, jobsctl, status.serve as s; at = int(sys.argv.pop(1)); s.now_us = lambda: at; s.main()"


@contextmanager
def served_at(home: Home, now: int, *more: str) -> Iterator[str]:
    """The address (`http://127.0.0.1:PORT`) of a status process for which it is `now` (µs) all the time.

    Args:
        more: further options of `status.serve`.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(now), "--home", str(home.root), "--listen", "127.0.0.1:0", *more],
        stdin=subprocess.PIPE, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin is not None
    try:
        yield _address(home, process)
    finally:
        process.stdin.close()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()


def _address(home: Home, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(timeout=PATIENCE) as client:
        while True:
            assert process.poll() is None, "the status process ended"
            assert time.monotonic() < deadline, "the status process does not answer"
            try:
                address = f"http://{json.loads(home.http.read_bytes())['listen']}"
                if client.get(f"{address}/api/v1/jobs").status_code in (200, 401):
                    return address
            except (OSError, ValueError, httpx.TransportError):
                pass
            time.sleep(0.02)
