"""The inbox: whole requests or none, a doorbell, and nothing a stranger can put there hurts."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from state import inbox
from state.errors import Unwritable
from state.home import Home
from state.ids import new_id
from state.inbox import BadRequest, Request, RequestKind, daemon_alive, read_requests, remove_request, write_request
from tests.storing.making import NOON


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def bell(home: Home) -> Iterator[socket.socket]:
    """A daemon's end of the doorbell."""
    home.state.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.settimeout(5)
        bell.bind(str(home.doorbell))
        yield bell


def a_request(**more: object) -> Request:
    values = {"kind": RequestKind.TRIGGER, "identity": "default/report"} | more
    return Request(id=new_id(NOON), requested_by="ann", requested_at=NOON, **values)  # type: ignore[arg-type]


def test_a_request_comes_back_as_it_was_written(home: Home) -> None:
    first = a_request(params={"day": "1"}, reason="because")
    second = a_request(kind="cancel", identity=None, run_id="r")
    assert write_request(home, first) is False
    write_request(home, second)
    assert read_requests(home) == [first, second] == read_requests(home)
    remove_request(home, first.id)
    remove_request(home, first.id)
    assert read_requests(home) == [second]


def test_nobody_else_reads_requests(home: Home) -> None:
    write_request(home, a_request())
    assert home.requests.stat().st_mode & 0o777 == 0o700
    assert [entry.stat().st_mode & 0o777 for entry in home.requests.iterdir()] == [0o600]


def test_an_empty_house_has_no_requests_and_no_daemon(home: Home) -> None:
    assert read_requests(home) == []
    assert not daemon_alive(home)


def test_the_daemon_hears_a_request(home: Home, bell: socket.socket) -> None:
    assert daemon_alive(home)
    assert write_request(home, a_request()) is True
    assert bell.recv(16)


def test_a_daemon_that_does_not_drain_is_there_all_the_same(home: Home, bell: socket.socket) -> None:
    for _ in range(2000):
        assert inbox.ring(home)


def test_a_dead_daemons_socket_is_no_daemon(home: Home, bell: socket.socket) -> None:
    bell.close()
    assert home.doorbell.exists()
    assert not daemon_alive(home)
    assert write_request(home, a_request()) is False


def test_a_deep_home_has_a_doorbell_too(tmp_path: Path) -> None:
    home = Home(tmp_path / ("deep" * 40))
    home.state.mkdir(parents=True)
    folder = os.open(home.state, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(f"/proc/self/fd/{folder}/doorbell")
        os.close(folder)
        assert daemon_alive(home)


def test_what_is_written_by_half_is_not_seen(home: Home) -> None:
    write_request(home, a_request())
    (home.requests / f".{new_id(NOON)}.tmp").write_text('{"id"')
    assert len(read_requests(home)) == 1


ID = "01m7yjck70b57cph9jqfh017wj"
GOOD = {"id": ID, "kind": "trigger", "identity": "default/a", "requested_by": "ann", "requested_at": NOON}


def _write(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _json(**change: object) -> Callable[[Path], object]:
    return _write(orjson.dumps({name: value for name, value in (GOOD | change).items() if value is not ...}))


def _link(path: Path) -> None:
    target = path.parent.parent / "elsewhere"
    target.write_bytes(orjson.dumps(GOOD))
    path.symlink_to(target)


def _foreign(path: Path) -> None:
    path.write_bytes(orjson.dumps(GOOD))
    os.chown(path, 12345, 12345)


BAD = [
    pytest.param(_write(b'{"id": "01m7'), "not JSON", id="cut"),
    pytest.param(_write(b""), "not JSON", id="empty"),
    pytest.param(_write(b"[1]"), "not a JSON object", id="a list"),
    pytest.param(_write(b"\xff\xfe"), "not JSON", id="binary"),
    pytest.param(_write(b"[" * 60_000), "not JSON", id="nested deep"),
    pytest.param(_write(b" " * 70_000), "larger than", id="huge"),
    pytest.param(_json(id="01m7yjck70b57cph9jqfh017wk"), "not its file name", id="another id"),
    pytest.param(_json(kind="format_disk"), "unknown kind 'format_disk'", id="unknown kind"),
    pytest.param(_json(kind=["trigger"]), "unknown kind", id="kind is a list"),
    pytest.param(_json(colour="red"), "unknown field 'colour'", id="unknown field"),
    pytest.param(_json(requested_by=...), "'requested_by' is missing", id="nobody asks"),
    pytest.param(_json(requested_at="now"), "'requested_at' is not", id="time as text"),
    pytest.param(_json(requested_at=True), "'requested_at' is not", id="time as bool"),
    pytest.param(_json(requested_by=1), "'requested_by' is not", id="asker is a number"),
    pytest.param(_json(identity=...), "names a job", id="trigger of nothing"),
    pytest.param(_json(identity="a"), "not project/name", id="identity without project"),
    pytest.param(_json(identity=1), "'identity' is not", id="identity is a number"),
    pytest.param(_json(params=[]), "'params' is not", id="params is a list"),
    pytest.param(_json(kind="cancel", identity=...), "names a run", id="cancel of nothing"),
    pytest.param(_link, "cannot be opened", id="a link"),
    pytest.param(lambda path: os.mkfifo(path), "not a regular file", id="a pipe nobody writes to"),
    pytest.param(lambda path: path.mkdir(), "not a regular file", id="a folder"),
    pytest.param(
        _foreign, "owned by uid 12345", id="another user's",
        marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("put", "reason"), BAD)
def test_what_is_no_request_is_set_aside_with_the_reason(
    home: Home, put: Callable[[Path], object], reason: str
) -> None:
    home.requests.mkdir(parents=True)
    put(home.requests / f"{ID}.json")
    good = a_request()
    write_request(home, good)
    bad, *rest = sorted(read_requests(home), key=lambda found: isinstance(found, Request))
    assert isinstance(bad, BadRequest)
    assert reason in bad.reason
    assert rest == [good] == read_requests(home)
    assert reason in (home.requests / "rejected" / f"{ID}.json.reason").read_text()


def test_a_name_that_is_no_id_is_set_aside(home: Home) -> None:
    home.requests.mkdir(parents=True)
    (home.requests / "please.json").write_bytes(orjson.dumps(GOOD))
    (bad,) = read_requests(home)
    assert isinstance(bad, BadRequest)
    assert bad.name == "please.json"


def test_rejected_files_are_not_kept_for_ever(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MAX_REJECTED", 3)
    home.requests.mkdir(parents=True)
    for number in range(10):
        (home.requests / f"bad-{number}").write_text("x")
    assert len(read_requests(home)) == 10
    assert len(list((home.requests / "rejected").iterdir())) == 6


def test_an_inbox_that_cannot_be_written_is_told(home: Home) -> None:
    home.state.touch()
    with pytest.raises(Unwritable) as refused:
        write_request(home, a_request())
    assert refused.value.hint
