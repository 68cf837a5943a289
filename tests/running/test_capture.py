"""What a job writes is kept: exact, by time, within its limit; changed only where it was asked for."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.running.rig import Rig, eventually

MIB = 1 << 20
COUNTING = "import os,sys\nfor i in range({n}): os.write(1, b'%015d\\n' % i){pause}\n"


def counting(size: int, pause: str = "") -> str:
    """A program that writes `size` bytes, each 16 of which tell where they are."""
    return COUNTING.format(n=size // 16, pause=pause)


def numbers(start: int, end: int) -> bytes:
    """Bytes [start, end) of what it writes."""
    first = start // 16
    data = b"".join(b"%015d\n" % number for number in range(first, -(-end // 16)))
    return data[start - first * 16 : end - first * 16]


def samples(path: Path) -> list[tuple[int, int]]:
    return [(int(at), int(size)) for at, size in (line.split() for line in path.read_text().splitlines())]


def test_both_streams_are_kept_in_order_and_exactly(rig: Rig) -> None:
    end = rig.run("r1", "printf 'a\\000b'; printf '\\377' >&2; printf c")
    assert rig.output("r1") == b"a\0b\xffc"
    assert end.output_bytes == 5


def test_streams_are_kept_apart_when_asked(rig: Rig) -> None:
    end = rig.run("r1", "echo one; echo two >&2; echo three", separate_streams=True)
    assert rig.output("r1", "stdout") == b"one\nthree\n"
    assert rig.output("r1", "stderr") == b"two\n"
    assert end.output_bytes == 14
    assert not (rig.run_dir("r1") / "output.log").exists()


def test_the_index_tells_when_output_came(rig: Rig) -> None:
    end = rig.run("r1", "printf 12345; sleep 0.6; printf 678; sleep 0.6")
    index = samples(rig.run_dir("r1") / "output.idx")
    assert index[0] == (end.started_at, 0)
    assert [size for _, size in index] == [0, 5, 8], "only when it changed"
    first, second = index[1][0], index[2][0]
    assert end.started_at is not None
    assert first - end.started_at < 0.55e6 < second - end.started_at < 1.2e6


def test_the_index_of_a_short_run_ends_with_its_size(rig: Rig) -> None:
    end = rig.run("r1", "echo hello")
    assert samples(rig.run_dir("r1") / "output.idx") == [(end.started_at, 0), (end.at, 6)]


def test_a_silent_run_has_no_index(rig: Rig) -> None:
    rig.run("r1", "true")
    assert not (rig.run_dir("r1") / "output.idx").exists()


@pytest.mark.parametrize("piped", [pytest.param(False, id="direct"), pytest.param(True, id="piped")])
def test_a_limit_keeps_head_and_tail_and_says_what_is_gone(rig: Rig, piped: bool) -> None:
    size, limit = 3 * MIB, MIB
    secrets = ("never-written",) if piped else ()
    end = rig.run("r1", "/usr/bin/python3", "-c", counting(size), output_max=limit, secrets=secrets)
    log = rig.run_dir("r1") / "output.log"
    start, stop = map(int, (rig.run_dir("r1") / "output.gap").read_text().split())
    assert limit // 4 <= start < limit // 4 + 4096
    assert size - stop >= limit - limit // 4 > size - stop - 4096
    data = log.read_bytes()
    assert len(data) == size == end.output_bytes, "offsets stay what they were"
    assert data[:start] == numbers(0, start)
    assert data[stop:] == numbers(stop, size)
    assert not any(data[start:stop])
    assert log.stat().st_blocks * 512 <= limit + 3 * 4096
    assert "cut" in end.details["output"]


def test_a_limit_holds_while_it_runs(rig: Rig) -> None:
    rig.start("r1", "/usr/bin/python3", "-c", counting(4 * MIB) + "import time; time.sleep(100)", output_max=MIB)
    log = rig.run_dir("r1") / "output.log"
    eventually(
        lambda: log.stat().st_size == 4 * MIB and log.stat().st_blocks * 512 <= MIB + 3 * 4096, "the middle is freed"
    )
    rig.runner.stop("r1", grace=0)
    rig.ended("r1")


def test_output_within_the_limit_is_left_alone(rig: Rig) -> None:
    rig.run("r1", "/usr/bin/python3", "-c", counting(MIB), output_max=MIB)
    assert hashlib.sha256(rig.output("r1")).digest() == hashlib.sha256(numbers(0, MIB)).digest()
    assert not (rig.run_dir("r1") / "output.gap").exists()


def test_secrets_never_reach_the_disk(rig: Rig) -> None:
    secret = 'p@ss/w+"rd\\é?'
    raw = secret.encode()
    forms = {
        "raw": raw,
        "base64": base64.b64encode(raw),
        "inside base64": base64.b64encode(b"user:" + raw + b"\n"),
        "url": quote(secret, safe="").encode(),
        "json": b'p@ss/w+\\"rd\\\\\\u00e9?',
    }
    (rig.home / "say").write_bytes(b"".join(b"<" + form + b">\n" for form in forms.values()))
    rig.run("r1", f"cat {rig.home}/say; cat {rig.home}/say >&2", secrets=(secret,))
    text = rig.output("r1")
    lines = text.decode().splitlines()
    assert [line for line in lines if "***" not in line] == []
    assert lines[0] == "<***>"
    for name, form in forms.items():
        assert form not in text, name
    for path in rig.home.rglob("*"):
        if path.is_file() and path.name != "say":
            assert raw not in path.read_bytes(), path


def test_a_secret_in_two_writes_is_still_one(rig: Rig) -> None:
    rig.run("r1", "printf 'key=abcd'; sleep 0.2; printf 'efgh end\\n'", secrets=("abcdefgh",))
    assert rig.output("r1") == b"key=*** end\n"


def test_output_that_cannot_be_a_secret_is_not_held_back(rig: Rig) -> None:
    rig.start("r1", "printf 'progress: 50%%'; sleep 100", secrets=("abcdefgh",))
    rig.said("r1", b"progress: 50%")
    rig.runner.stop("r1", grace=0)
    rig.ended("r1")


def test_what_began_like_a_secret_is_let_out_at_the_end(rig: Rig) -> None:
    rig.run("r1", "printf 'abcd'", secrets=("abcdefgh",))
    assert rig.output("r1") == b"abcd"


def test_every_line_gets_its_instant_when_asked(rig: Rig) -> None:
    rig.run("r1", "printf 'one\\ntw'; sleep 0.1; printf 'o\\n\\nlast'", stamp_lines=True)
    lines = rig.output("r1").decode().split("\n")
    found = [re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (.*)", line) for line in lines]
    assert [match[2] for match in found if match] == ["one", "two", "", "last"]
    stamps = [match[1] for match in found if match]
    assert stamps == sorted(stamps)


def test_a_pipe_held_by_a_background_child_holds_up_nothing(rig: Rig) -> None:
    before = time.monotonic()
    rig.run("r1", "sleep 1000 & echo done", secrets=("never-written",))
    assert rig.output("r1") == b"done\n"
    assert time.monotonic() - before < 3


def test_much_piped_output_is_complete(rig: Rig) -> None:
    rig.run("r1", "/usr/bin/python3", "-c", counting(8 * MIB), secrets=("never-written", "another one"))
    assert hashlib.sha256(rig.output("r1")).digest() == hashlib.sha256(numbers(0, 8 * MIB)).digest()


def test_cpu_and_memory_are_sampled_over_the_whole_tree(rig: Rig) -> None:
    burn = "import time; x=bytearray(50<<20); t=time.time()+1.3\nwhile time.time()<t or time.process_time()<0.7: pass"
    end = rig.run("r1", f"/usr/bin/python3 -c '{burn}' & wait")
    data = (rig.run_dir("r1") / "series.bin").read_bytes()
    assert len(data) >= 24
    at, cpu, memory = (int.from_bytes(data[i : i + 8], "little") for i in (0, 8, 16))
    assert end.started_at is not None
    assert 0.9e6 < at - end.started_at < 1.4e6
    assert 0.05e6 < cpu < 1.4e6
    assert memory > 50 << 20
    assert end.peak_memory is not None
    assert end.peak_memory > 50 << 20
    assert end.cpu_seconds is not None
    assert end.cpu_seconds > 0.69


@pytest.mark.parametrize(
    ("keep", "low", "high"),
    [
        pytest.param("pass", 10_000, 1 << 30, id="as glibc does"),
        pytest.param("libc.keep_freed(1 << 20)", 0, 5_000, id="kept"),
    ],
)
def test_memory_that_was_freed_is_used_again_without_the_kernel(keep: str, low: int, high: int) -> None:
    """What a pipe's chunks need: pages the kernel zeroes anew for each cost as much as carrying them."""
    chunks = "a, b = bytearray(b'x') * 262_144, bytearray(b'x') * 335_544; del a, b"
    as_at_first = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}  # later it learns, at times
    script = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from runners.supervisor import libc
{keep}
before = resource.getrusage(0).ru_minflt
for _ in range(200): {chunks}
print(resource.getrusage(0).ru_minflt - before)
"""
    command = [sys.executable, "-I", "-S", "-c", script]
    done = subprocess.run(command, env=as_at_first, capture_output=True, text=True, check=True)
    assert low <= int(done.stdout) <= high
