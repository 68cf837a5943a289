"""What a run left and what it used reads the same over HTTP: bytes of its files, samples; and no file beside them."""

from __future__ import annotations

import json
import struct

import pytest

from tests.commands.conftest import NOW

SECOND = 1_000_000
BIG = bytes(range(256)) * 12_000
"""3 MB: several answers."""


@pytest.fixture(scope="module")
def left(town):
    """Files and samples in the directory of a run that others do not look at."""
    directory = town.home.root / ".jobsctl" / "runs" / "default" / "hello" / town.runs["hello7"]
    outputs = directory / "outputs"
    (outputs / "deep").mkdir(parents=True)
    (outputs / "deep" / "big.bin").write_bytes(BIG)
    (outputs / "lines.txt").write_bytes(b"".join(b"line %d\n" % number for number in range(50_000)))
    (outputs / "empty").touch()
    (outputs / "link").symlink_to("/etc/passwd")
    looks = [(NOW + second * SECOND, second * SECOND // 2, second << 20) for second in range(1, 500)]
    (directory / "series.bin").write_bytes(b"".join(struct.pack("<qQQ", *look) for look in looks))
    return town.runs["hello7"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["lines.txt"], id="a text"),
        pytest.param(["lines.txt", "--tail", "3"], id="its last lines"),
        pytest.param(["lines.txt", "--head", "3"], id="its first lines"),
        pytest.param(["lines.txt", "--range", "8-15"], id="bytes of it"),
        pytest.param(["lines.txt", "--range", "99999999-"], id="bytes behind its end"),
        pytest.param(["empty"], id="an empty one"),
        pytest.param(["link"], id="a link"),
        pytest.param(["../series.bin"], id="a file beside them"),
        pytest.param(["report ü.csv"], id="one that is not there"),
        pytest.param([], id="the list"),
        pytest.param(["-o", "json"], id="the list as data"),
    ],
)
def test_kept_files_are_the_same(town, ask, left, arguments):
    here, there = (ask(where, "outputs", left, *arguments) for where in (town.home, town.url))
    assert there == here


def test_a_big_file_comes_whole(town, left, capsysbinary):
    from cli.main import run
    from cli.options import Settings

    assert run(["outputs", left, "deep/big.bin"], Settings(server=town.url)) == 0
    assert capsysbinary.readouterr().out == BIG


@pytest.mark.parametrize("form", ["table", "json"])
def test_series_are_the_same(town, ask, left, form):
    here, there = (ask(where, "metrics", left, "-o", form) for where in (town.home, town.url))
    assert there == here
    assert "cpu_usage" in here.out


def test_a_look_is_the_same(town, ask):
    here, there = (json.loads(ask(where, "top", "-o", "json").out) for where in (town.home, town.url))
    assert there == here
    assert [each["percent"] for each in there["running"]] == [40.0]
