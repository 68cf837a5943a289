"""A home is claimed before the daemon is loaded, so nobody is told that there is none while it starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.claim import claimed
from reconciler.lock import AlreadyRunning
from state.home import Home
from state.inbox import Request, RequestKind, read_requests, write_request


def request(number: int) -> Request:
    return Request(
        id=f"{number:026d}", kind=RequestKind.TRIGGER, identity="default/a", requested_by="ann@desk", requested_at=0
    )


def test_who_asks_while_it_starts_is_heard(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with claimed(home):
        assert write_request(home, request(1))
    assert not write_request(home, request(2))
    assert len(read_requests(home)) == 2


def test_a_second_one_is_refused_and_takes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with claimed(home):
        with pytest.raises(AlreadyRunning), claimed(home):
            pass
        assert write_request(home, request(1))
    with claimed(home):
        pass
    assert not home.doorbell.exists()


def test_claiming_loads_nothing_heavy() -> None:
    code = "import reconciler.claim, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "pydantic",
        "ruamel",
        "peewee",
        "watchfiles",
        "croniter",
        "orjson",
        "runners",
        "state.store",
        "specs.model",
    }
    assert not heavy & set(loaded)
