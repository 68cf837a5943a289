"""`outputs`: the files runs kept, and one of them: its bytes, a part of it, and nothing outside of it."""

from __future__ import annotations

import json
import os
import socket
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.errors import InvalidQuery
from state.records import RunState
from status.outputs import CHUNK, OpenFile, Piece, read_piece, read_range, type_of
from tests.commands.conftest import MINUTE

BYTES = b"one\ntwo \xff\x00\x1b[31mred\nlast, without an end"


@pytest.fixture
def keep(home):
    """Writes files of a run: `keep(run, {"a.csv": b"..."})`, the first one the newest."""

    def keep(run, files: dict[str, bytes]):
        outputs = home.run_dir_of(run) / "outputs"
        outputs.mkdir(parents=True, exist_ok=True)
        for age, (name, data) in enumerate(files.items()):
            path = outputs / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            at = (run.created_at - age * MINUTE) * 1000
            os.utime(path, ns=(at, at))
        return outputs

    return keep


@pytest.fixture
def raw(capsysbinary, home):
    """Calls and gives exit code and bytes."""
    from cli.main import run
    from cli.options import Settings

    def call(*arguments: str) -> tuple[int, bytes, bytes]:
        capsysbinary.readouterr()
        code = run(list(arguments), Settings(home_option=home.root))
        return code, *capsysbinary.readouterr()

    return call


def names(jobsctl, *arguments: object) -> list[str]:
    done = jobsctl("outputs", *arguments, "-o", "json")
    return [item["name"] for item in json.loads(done.out)["items"]]


def test_the_newest_run_and_in_it_the_newest_file_stands_first(jobsctl, known, keep):
    job = known.job()
    old, new = known.run(job, ago=60 * MINUTE), known.run(job, ago=10 * MINUTE)
    keep(old, {"a.csv": b"1"})
    keep(new, {"b.csv": b"22", "deep/er/a.csv": b"333"})
    assert names(jobsctl, "hello") == ["b.csv", "deep/er/a.csv", "a.csv"]
    assert names(jobsctl, old.id) == ["a.csv"]
    assert names(jobsctl, "hello", "--run", new.id) == ["b.csv", "deep/er/a.csv"]
    assert names(jobsctl) == ["b.csv", "deep/er/a.csv", "a.csv"]
    done = jobsctl("outputs", "hello", "-n", "2")
    assert done.out.splitlines()[1].split() == ["b.csv", "2", "B", "text/csv", "10m", "ago", new.id, "succeeded"]
    assert "There are more: `-n 20`" in done.err


def test_the_shape_is_an_output(jobsctl, known, keep):
    run = known.run(known.job())
    keep(run, {"a.csv": b"1"})
    (item,) = json.loads(jobsctl("outputs", "-o", "json").out)["items"]
    assert item == {
        "apiVersion": "jobsctl/v1", "kind": "Output", "name": "a.csv", "sizeBytes": 1, "type": "text/csv",
        "modifiedAt": "2026-11-21T07:50:00.000Z", "job": "default/hello", "run": run.id, "runState": "succeeded",
    }  # fmt: skip


def test_a_job_without_files_is_told_how_to_keep_some(jobsctl, known):
    known.run(known.job())
    assert jobsctl("outputs", "hello").err == (
        "default/hello kept no files: a job keeps what it writes below $JOBSCTL_OUTPUT_DIR.\n"
    )
    assert jobsctl("outputs").err.startswith("No run kept a file")
    done = jobsctl("outputs", "hello", "a.csv")
    assert (done.code, done.err.splitlines()[0]) == (4, "error: default/hello kept no file a.csv")


def test_a_pipe_gets_exactly_the_bytes(raw, known, keep):
    keep(known.run(known.job()), {"a.bin": BYTES})
    assert raw("outputs", "hello", "a.bin") == (0, BYTES, b"")


def test_a_terminal_gets_no_control_characters(raw, known, keep, monkeypatch):
    keep(known.run(known.job()), {"a.bin": BYTES})
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    _, out, _ = raw("outputs", "hello", "a.bin")
    assert out == b"one\ntwo \\xff\\x00\\x1b[31mred\nlast, without an end\n"


def test_a_name_means_the_newest_run_that_has_it_and_says_which(raw, known, keep):
    job = known.job()
    old, new = known.run(job, ago=60 * MINUTE), known.run(job, ago=10 * MINUTE)
    keep(old, {"a.csv": b"old", "b.csv": b"old"})
    keep(new, {"b.csv": b"new"})
    code, out, err = raw("outputs", "hello", "a.csv")
    assert (code, out) == (0, b"old")
    assert err.decode().startswith(f"of run {old.id}, ")
    assert err.endswith(b": 1 newer run did not keep it\n")
    assert raw("outputs", "hello", "b.csv") == (0, b"new", b"")
    assert raw("outputs", "hello", "b.csv", "--run", old.id) == (0, b"old", b"")
    assert raw("outputs", old.id, "b.csv") == (0, b"old", b"")


HOSTILE = (
    "../run.json", "..", ".", "", "/etc/passwd", "deep/../../run.json", "link", "folder-link/passwd", "pipe", "socket",
    "deep", "deep/", "deep//a.csv", "./a.csv", "a.csv\x00",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_but_plain_files_below_the_folder_is_opened(raw, known, keep, name):
    run = known.run(known.job())
    outputs = keep(run, {"a.csv": b"1", "deep/a.csv": b"1"})
    (outputs.parent / "run.json").write_text("{}")
    (outputs / "link").symlink_to("/etc/passwd")
    (outputs / "folder-link").symlink_to("/etc")
    os.mkfifo(outputs / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(outputs, os.O_RDONLY)
        try:  # by its descriptor: the path of a socket is short
            listening.bind(f"/proc/self/fd/{here}/socket")
        finally:
            os.close(here)
        code, out, err = raw("outputs", "hello", name)
    assert (code, out) == (4, b"")
    assert b"kept no file" in err


def test_a_folder_that_is_a_link_is_no_folder_of_files(raw, jobsctl, known, home, tmp_path):
    run = known.run(known.job())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret").write_text("s")
    home.run_dir_of(run).mkdir(parents=True)
    (home.run_dir_of(run) / "outputs").symlink_to(elsewhere)
    assert names(jobsctl, "hello") == []
    assert raw("outputs", "hello", "secret")[0] == 4


def test_a_wrong_name_suggests_the_right_one(jobsctl, known, keep):
    keep(known.run(known.job()), {"summary.csv": b"1"})
    assert "hint: did you mean summary.csv?" in jobsctl("outputs", "hello", "sumary.csv").err
    assert "hint: `jobsctl outputs default/hello` lists what there is" in jobsctl("outputs", "hello", "xyz").err


USAGE = {
    "a part of no file": (("hello", "--head", "1"), "choose a part of one file"),
    "two parts": (("hello", "a.csv", "--head", "1", "--tail", "1"), "only one of"),
    "no range": (("hello", "a.csv", "--range", "x"), "'x' is no range of bytes"),
    "an empty range": (("hello", "a.csv", "--range", "-"), "'-' is no range of bytes"),
    "a range backwards": (("hello", "a.csv", "--range", "5-2"), "ends before it begins"),
}


@pytest.mark.parametrize(("arguments", "said"), USAGE.values(), ids=USAGE)
def test_what_makes_no_sense_is_a_usage_error(jobsctl, known, keep, arguments, said):
    keep(known.run(known.job()), {"a.csv": b"1"})
    done = jobsctl("outputs", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_run_of_another_job_is_refused(jobsctl, known):
    other = known.run(known.job())
    known.job("name: second\nrun: {command: [echo]}\n", path="second.yaml")
    done = jobsctl("outputs", "second", "--run", other.id)
    assert (done.code, done.err) == (2, f"error: run {other.id} is of default/hello, not of default/second\n")


RANGES = {
    "both ends": ("0-3", b"abcd"), "one byte": ("2-2", b"c"), "to the end": ("7-", b"hij"), "the last": ("-2", b"ij"),
    "more than there is": ("-99", b"abcdefghij"), "past the end": ("8-99", b"ij"),
    "as HTTP writes it": ("bytes=1-2", b"bc"), "none of the last": ("-0", b""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), RANGES.values(), ids=RANGES)
def test_a_range_is_counted_as_http_counts(raw, known, keep, text, expected):
    keep(known.run(known.job()), {"a.txt": b"abcdefghij"})
    assert raw("outputs", "hello", "a.txt", f"--range={text}") == (0, expected, b"")


def test_a_range_behind_the_end_says_how_long_the_file_is(raw, known, keep):
    keep(known.run(known.job()), {"a.txt": b"abc", "empty.txt": b""})
    code, out, err = raw("outputs", "hello", "a.txt", "--range", "3-")
    assert (code, out) == (2, b"")
    assert b"the file has 3 bytes" in err
    assert raw("outputs", "hello", "empty.txt", "--range", "0-") == (0, b"", b"")


class Memory(OpenFile):
    """A file in memory that gives few bytes at a time, and notes that it was let go."""

    def __init__(self, data: bytes, most: int) -> None:
        self.data, self.most, self.closed = data, most, False

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, count: int, start: int) -> bytes:
        return self.data[start : start + min(count, self.most)]

    def close(self) -> None:
        self.closed = True


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    lines=st.lists(st.binary(max_size=5).map(lambda line: line.replace(b"\n", b"")), max_size=12),
    ended=st.booleans(), number=st.integers(0, 14), tail=st.booleans(),
)  # fmt: skip
def test_lines_of_either_end_are_those_of_splitting(lines, ended, number, tail):
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    whole = data.split(b"\n")
    whole = [line + b"\n" for line in whole[:-1]] + ([whole[-1]] if whole[-1] else [])
    expected = b"".join(whole[len(whole) - min(number, len(whole)) :] if tail else whole[:number])
    file = Memory(data, most=CHUNK)
    piece = Piece(tail=number) if tail else Piece(head=number)
    assert b"".join(read_piece(file, piece)) == expected
    assert file.closed


def test_lines_are_found_across_the_pieces_a_file_is_read_in(known, keep):
    line = b"x" * (CHUNK // 3) + b"\n"
    data = line * 10
    assert b"".join(read_piece(Memory(data, CHUNK), Piece(head=7))) == line * 7
    assert b"".join(read_piece(Memory(data, CHUNK), Piece(tail=7))) == line * 7


def test_a_file_that_is_cut_while_it_is_read_ends_there():
    file = Memory(b"abc", 1)
    pieces = read_piece(file, Piece())
    assert next(pieces) == b"a"
    file.data = b""
    assert list(pieces) == []
    assert file.closed


def test_a_refused_range_lets_the_file_go():
    file = Memory(b"abc", 9)
    with pytest.raises(InvalidQuery):
        read_piece(file, read_range("9-"))
    assert file.closed


TYPES = {
    "a.csv": (b"", "text/csv"), "A.JSON": (b"", "application/json"), "a.log": (b"", "text/plain"),
    "a.tar.gz": (b"", "application/gzip"), "report.html": (b"", "text/html"), "README": (b"hello", "text/plain"),
    "umlaut": (b"x" * 511 + "ä".encode()[:1], "text/plain"),
    "latin": ("ä\n".encode("latin-1"), "application/octet-stream"),
    "core": (b"\x7fELF\x00", "application/octet-stream"), "empty": (b"", "text/plain"),
    "a.parquet": (b"", "application/vnd.apache.parquet"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "known_as"), TYPES.items(), ids=TYPES)
def test_the_type_is_that_of_the_name_else_of_the_beginning(name, known_as):
    beginning, expected = known_as
    assert type_of(name, lambda: beginning) == expected


def test_a_file_that_cannot_be_read_any_more_has_no_known_type():
    assert type_of("gone", lambda: None) == "application/octet-stream"


def test_only_runs_that_started_are_looked_through(jobsctl, known, keep):
    job = known.job()
    keep(known.run(job, state=RunState.RUNNING), {"partial.csv": b"1"})
    assert names(jobsctl, "hello") == ["partial.csv"]
    assert jobsctl("outputs", "hello", "-o", "name").out == "partial.csv\n"
