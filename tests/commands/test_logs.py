"""`logs`: the bytes of a run, whole, by time, by line, as they grow; harmless on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from cli.logprint import Sink, Wanted, _follow
from state.records import Reason, RunState
from state.store import RunEnd

MINUTE = 60_000_000
NOW = 1_795_248_000_000_000
BYTES = b"one\ntwo \xff\x00\x1b[31mred\nERROR three\nlast, without an end"


@pytest.fixture
def ran(known, home):
    """A run that ended, and the function that writes a log of it."""
    run = known.run(known.job(), ago=10 * MINUTE)
    return run, writer(home, run)


def writer(home, run):
    directory = home.run_dir("default", "hello", run.id)
    directory.mkdir(parents=True)

    def write(data: bytes, stream: str = "output", mode: str = "wb") -> None:
        with (directory / f"{stream}.log").open(mode) as file:
            file.write(data)

    return write


@pytest.fixture
def raw(capsysbinary, jobsctl, home):
    """Calls and gives stdout and stderr as bytes."""
    from cli.main import run
    from cli.options import Settings

    def call(*arguments: str) -> tuple[int, bytes, bytes]:
        capsysbinary.readouterr()
        code = run(list(arguments), Settings(home_option=home.root))
        return code, *capsysbinary.readouterr()

    return call


def test_following_a_run_that_is_over_leaves_out_no_unfinished_last_line(raw, ran):
    run, write = ran
    write(BYTES)
    code, out, _ = raw("logs", "-f", run.id, "--grep", "last|one")
    assert (code, out) == (0, b"one\nlast, without an end\n")


def test_a_pipe_gets_exactly_the_bytes(raw, ran):
    run, write = ran
    write(BYTES)
    assert raw("logs", "hello") == (0, BYTES, b"")
    assert raw("logs", run.id) == (0, BYTES, b"")


@pytest.mark.parametrize("displaced", [False, True], ids=["waits", "displaced-and-waits"])
def test_of_a_job_that_waits_for_its_next_attempt_it_prints_what_the_failed_one_wrote(raw, known, home, displaced):
    job = known.job()
    failed = known.run(job, ago=3 * MINUTE, state=RunState.FAILED)
    writer(home, failed)(b"no space left\n")
    if displaced:
        attempt = known.waiting(job, Reason.BACKOFF, ago=2 * MINUTE, attempt=2, scheduled_for=failed.scheduled_for)
        end = RunEnd(run_id=attempt.id, at=NOW, state=RunState.CANCELLED, reason=Reason.SUPERSEDED, error="replaced")
        known.store.finished([end])
    known.waiting(job, Reason.BACKOFF, ago=MINUTE, attempt=2)
    assert raw("logs", "hello") == (0, b"no space left\n", b"")


def test_an_empty_log_is_told_apart_from_one_without_fitting_lines(raw, home, known):
    job = known.job()
    writer(home, known.run(job, ago=60 * MINUTE))(b"something\n")
    assert raw("logs", "hello", "--grep", "nothing") == (0, b"", b"no line fits\n")
    failed = known.run(job, ago=MINUTE, state=RunState.FAILED, error="exit code 1")
    writer(home, failed)(b"")
    told = f"run {failed.id} failed: exit code 1; it wrote nothing\n"
    assert raw("logs", "hello") == (0, b"", told.encode())


def test_of_a_job_that_never_started_anything_it_says_that_it_waits(raw, known):
    waiting = known.waiting(known.job(), Reason.POOL, ago=MINUTE)
    told = f"run {waiting.id} is blocked; it wrote nothing yet; `jobsctl why default/hello` tells why\n"
    assert raw("logs", "hello")[2].decode() == told


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--tail", "1"], b"last, without an end", id="last_line"),
        pytest.param(["--tail", "2"], b"ERROR three\nlast, without an end", id="last_two"),
        pytest.param(["--tail", "0"], b"", id="none"),
        pytest.param(["--tail", "99"], BYTES, id="more_than_there_are"),
        pytest.param(["--grep", "ERR|one"], b"one\nERROR three\n", id="pattern"),
        pytest.param(["--grep", "one", "--tail", "2"], b"", id="pattern_within_the_tail"),
        pytest.param(["--since", "5m"], b"ERROR three\nlast, without an end", id="since"),
        pytest.param(["--until", "5m"], b"one\ntwo \xff\x00\x1b[31mred\n", id="until"),
        pytest.param(["--until", "5m", "--tail", "1"], b"two \xff\x00\x1b[31mred\n", id="tail_of_a_window"),
    ],
)
def test_a_part_can_be_asked_for(jobsctl, capsysbinary, home, ran, arguments, expected):
    from cli.main import run
    from cli.options import Settings

    ended, write = ran
    write(BYTES)
    half = BYTES.index(b"ERROR")
    index = home.run_dir("default", "hello", ended.id) / "output.idx"
    index.write_text(f"{NOW - 8 * MINUTE} {half}\n{NOW - 5 * MINUTE} {half}\n{NOW - 4 * MINUTE} {len(BYTES)}\n")
    clock = StoppedAt(NOW)
    code = run(["logs", "hello", *arguments], Settings(home_option=home.root, clock=clock))
    assert (code, capsysbinary.readouterr().out) == (0, expected)


class StoppedAt:
    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        return time.monotonic()


class TestSeparateStreams:
    def test_go_where_the_job_sent_them(self, raw, ran):
        _, write = ran
        write(b"out\n", "stdout")
        write(b"err\n", "stderr")
        assert raw("logs", "hello") == (0, b"out\n", b"err\n")

    def test_one_of_them_goes_to_stdout(self, raw, ran):
        _, write = ran
        write(b"out\n", "stdout")
        write(b"err\n", "stderr")
        assert raw("logs", "hello", "--stream", "stderr") == (0, b"err\n", b"")

    def test_that_are_not_apart_are_not_found(self, raw, ran):
        _, write = ran
        write(b"x")
        code, out, err = raw("logs", "hello", "--stream", "stderr")
        assert (code, out) == (4, b"")
        assert b"both went into one" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["hallo"], 4, b"did you mean default/hello?", id="mistyped_job"),
        pytest.param(["hello"], 4, b"nothing was captured, or it was pruned", id="no_log"),
        pytest.param(["hello", "-f", "--until", "5m"], 2, b"has no --until", id="follow_until"),
        pytest.param(["hello", "--since", "5m", "--until", "6m"], 2, b"--since is not before", id="nothing_between"),
    ],
)
def test_what_cannot_be_printed_is_said(raw, ran, arguments, code, said):
    ended, out, err = raw("logs", *arguments)
    assert (ended, out) == (code, b"")
    assert said in err


def test_a_pattern_that_is_none_ends_with_2(raw, ran):
    _, write = ran
    write(BYTES)
    code, out, err = raw("logs", "hello", "--grep", "(")
    assert (code, out) == (2, b"")
    assert b"regular expression" in err


def test_what_a_stream_ended_with_is_printed_once_though_the_other_goes_on(capsysbinary):
    """The last round of one stream is not the last one of the other."""

    class Pieces:
        bell = over = None

        def __init__(self, *pieces: bytes) -> None:
            self.pieces = list(pieces)

        def poll(self) -> bytes:
            return self.pieces.pop(0) if self.pieces else b""

    over = SimpleNamespace(id="1", state=RunState.SUCCEEDED, error=None)
    seen = SimpleNamespace(reader=SimpleNamespace(run=lambda prefix: over), pause=0.0)
    followers = {"stdout": Pieces(b"an x"), "stderr": Pieces(b"", b"x\n")}
    _follow(seen, over, followers, {name: Sink(sys.stdout) for name in followers}, Wanted(pattern="x"))
    assert capsysbinary.readouterr().out == b"an x\nx\n"


def test_a_skipped_slot_has_no_log(raw, known, jobsctl):
    known.skip(known.job(), reason=Reason.MISSED)
    run_id = jobsctl("runs", "-o", "name").out.strip().removeprefix("run/")
    code, _, err = raw("logs", run_id)
    assert code == 4
    assert b"its slot was skipped (missed)" in err


class TestFollow:
    @pytest.fixture
    def live(self, known, home):
        """A running run and its log's writer."""
        run = known.run(known.job(), state=RunState.RUNNING, ago=MINUTE)
        return run, writer(home, run)

    def end(self, known, run):
        known.store.finished(
            [RunEnd(run_id=run.id, at=NOW, state=RunState.FAILED, reason=Reason.EXIT_CODE, error="exit code 3")]
        )

    @pytest.fixture
    def follow(self, home):
        """Starts `jobsctl logs -f`; what a failed test leaves is ended."""
        started = []

        def start(*arguments):
            command = [sys.executable, "-m", "jobsctl", "--home", home.root, "logs", "-f", "hello", *arguments]
            started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
            return started[-1]

        yield start
        for process in started:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()

    @pytest.mark.parametrize(
        ("arguments", "first", "expected"),
        [
            pytest.param([], b"one\nt", b"one\ntwo\nthree\nrest", id="all"),
            pytest.param(["--tail", "1"], b"t", b"two\nthree\nrest", id="from_the_last_line"),
            pytest.param(["--grep", "[et]"], b"one\n", b"one\ntwo\nthree\nrest\n", id="lines_also_when_cut_in_two"),
        ],
    )
    def test_prints_what_comes_until_the_run_ends(self, follow, known, live, arguments, first, expected):
        run, write = live
        write(b"one\nt")
        follower = follow(*arguments)
        got = b""
        while got != first:
            got += os.read(follower.stdout.fileno(), 1)
        write(b"wo\nthr", mode="ab")
        while not got.endswith(b"\n") or got == b"one\n":
            got += os.read(follower.stdout.fileno(), 1)
        write(b"ee\nrest", mode="ab")
        self.end(known, run)
        out, err = follower.communicate(timeout=10)
        assert got + out == expected
        assert err == f"run {run.id} failed: exit code 3\n".encode()
        assert follower.returncode == 0

    def test_of_a_run_that_is_over_prints_it_and_ends(self, raw, ran):
        _, write = ran
        write(BYTES)
        assert raw("logs", "-f", "hello") == (0, BYTES, b"")

    def test_waits_for_a_run_that_wrote_nothing_yet(self, follow, known, live):
        run, write = live
        follower = follow()
        with pytest.raises(subprocess.TimeoutExpired):
            follower.wait(0.6)
        write(b"late\n")
        self.end(known, run)
        out, _ = follower.communicate(timeout=10)
        assert (follower.returncode, out) == (0, b"late\n")

    def test_ctrl_c_ends_with_130_and_says_nothing(self, follow, live):
        _, write = live
        write(b"one\n")
        follower = follow()
        assert follower.stdout.readline() == b"one\n"
        follower.send_signal(2)
        assert follower.communicate(timeout=10) == (b"", b"")
        assert follower.returncode == 130

    def test_a_reader_that_goes_away_ends_it(self, follow, live):
        _, write = live
        write(b"one\n")
        follower = follow()
        assert follower.stdout.readline() == b"one\n"
        follower.stdout.close()
        write(b"two\n", mode="ab")
        assert follower.wait(10) == 141
        assert follower.stderr.read() == b""
        follower.stderr.close()


def on_a_terminal(*arguments: object, columns: int = 80, **environment: str) -> str:
    """What a terminal of this width would show of the real program."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "jobsctl", *map(str, arguments)],
        stdout=theirs,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns), **environment},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    process.wait(10)
    return shown.decode().replace("\r\n", "\n")


class TestTerminal:
    def test_control_characters_of_a_log_are_written_out(self, home, ran):
        _, write = ran
        write(b"a\x1b]0;title\x07b\rc\x9bd\xc2\x9be\nT\xc3\xa4st\n")
        shown = on_a_terminal("--home", home.root, "logs", "hello")
        whose, _, log = shown.partition("\n")
        assert log == "a\\x1b]0;title\\x07b\\x0dc\\x9bd\\x9be\nTäst\n"
        assert " of default/hello: succeeded, ended " in whose

    def test_the_prompt_gets_a_line_of_its_own(self, home, ran):
        _, write = ran
        write(b"no end")
        assert on_a_terminal("--home", home.root, "logs", "hello").splitlines(keepends=True)[1:] == ["no end\n"]

    def test_colours_are_there_for_who_wants_them(self, home, known):
        known.run(known.job(), state=RunState.FAILED)
        known.store.close()
        assert "\x1b[31m" in on_a_terminal("--home", home.root, "list")
        assert "\x1b[31m" in on_a_terminal("--home", home.root, "status", "hello")

    @pytest.mark.parametrize(
        ("options", "environment"),
        [
            pytest.param([], {"NO_COLOR": "1"}, id="NO_COLOR"),
            pytest.param([], {"TERM": "dumb"}, id="dumb_terminal"),
            pytest.param(["--no-color"], {}, id="option"),
            pytest.param([], {"JOBSCTL_NO_COLOR": "1"}, id="our_variable"),
        ],
    )
    def test_colours_can_be_refused(self, home, known, options, environment):
        known.run(known.job(), state=RunState.FAILED)
        known.store.close()
        shown = on_a_terminal("--home", home.root, *options, "list", **environment)
        assert "default/hello" in shown
        assert "\x1b" not in shown

    def test_a_narrow_terminal_keeps_names_in_one_piece(self, home, known):
        known.job("name: a-job-with-a-long-name\nschedule: every 10m\nrun: {command: [a]}\n")
        known.store.close()
        shown = on_a_terminal("--home", home.root, "list", "--no-color", columns=50)
        assert max(map(len, shown.splitlines())) <= 50
        assert "default/a-job-with-a-long-name" in shown
