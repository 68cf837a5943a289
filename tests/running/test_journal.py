"""The journal survives its writer, a torn end and a full disk; frames survive being cut."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.supervisor import journal
from runners.supervisor.journal import Journal
from runners.supervisor.wire import BrokenFrame, Channel, pack, unpack


def write(path: Path) -> bytes:
    """Two runs, one of them over; what is in the file then."""
    one = Journal(str(path), create=True)
    one.intend([("r1", b"/d1", [], 9, False), ("r2", b"/d2", [b"/g"], 9, True)])
    one.record([(journal.STARTED, "r1", 11, 111, 1111), (journal.STARTED, "r2", 22, 222, 2222)])
    one.record([(journal.STOP, "r2", "timeout", 5), (journal.EXIT, "r1", 256, 7)])
    one.record([(journal.ENDED, "r1", {"at": 7, "reason": "exit"})])
    one.close()
    return path.read_bytes()


def test_what_was_written_is_read_by_the_next(tmp_path: Path) -> None:
    write(tmp_path / "j")
    read = Journal(str(tmp_path / "j"))
    first, second = read.entries["r1"], read.entries["r2"]
    assert (first.pid, first.pid_start, first.started_at, first.exit, first.end) == (
        11,
        111,
        1111,
        (256, 7),
        {"at": 7, "reason": "exit"},
    )
    assert (second.pid, second.stop, second.exit, second.end, second.cgroups) == (22, "timeout", None, None, [b"/g"])
    read.close()


def test_a_torn_end_costs_the_torn_record_only(tmp_path: Path) -> None:
    whole = write(tmp_path / "j")
    ends = [end for _, end in unpack(whole)]
    for size in range(len(whole)):
        path = tmp_path / f"j{size}"
        path.write_bytes(whole[:size])
        read = Journal(str(path))
        good = max((end for end in ends if end <= size), default=0)
        assert path.stat().st_size == good, "what comes next must not stand behind a torn record"
        assert read.entries.keys() == ({"r1", "r2"} if good >= ends[1] else {"r1"} if good >= ends[0] else set())
        read.close()


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    first = Journal(str(tmp_path / "j"), create=True)
    with pytest.raises(BlockingIOError):
        Journal(str(tmp_path / "j"))
    first.close()


def test_what_is_acknowledged_is_forgotten_and_at_last_the_file(tmp_path: Path) -> None:
    write(tmp_path / "j")
    one = Journal(str(tmp_path / "j"))
    one.acknowledge(["r1"])
    one.close()
    again = Journal(str(tmp_path / "j"))
    assert again.entries.keys() == {"r2"}
    again.acknowledge(["r2"])
    again.close()
    assert not (tmp_path / "j").exists()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(values, max_size=5), st.integers(0, 400))
def test_frames_come_whole_or_not_at_all(sent: list[object], cut: int) -> None:
    data = b"".join(map(pack, sent))
    got = list(unpack(data[:cut]))
    assert [value for value, _ in got] == sent[: len(got)]
    assert got == list(unpack(data))[: len(got)]
    if cut >= len(data):
        assert len(got) == len(sent)


def test_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenFrame):
        list(unpack(b"\xff\xff\xff\xff????"))
    (tmp_path / "j").write_bytes(b"\x04\0\0\0nope")
    read = Journal(str(tmp_path / "j"))
    assert read.entries == {}
    read.close()


def test_what_a_dead_peer_had_sent_is_heard_before_its_end() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    here, there = Channel(ours), Channel(theirs)
    here.send("never read: the end of the other side is a reset")
    for number in range(100):
        there.send(number)
    there.close()
    assert here.receive() == list(range(100))
    assert here.closed
    here.send("into the void")
    here.close()
