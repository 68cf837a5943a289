"""How a program is started: what it gets, what it does not, and what is said when it cannot be."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.base import EndReason, Exited
from tests.running.rig import PATH, Rig

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root switches users")


def test_a_job_gets_no_descriptor_but_its_three(rig: Rig) -> None:
    rig.run("r1", "ls -l /proc/self/fd")
    lines = [line.split() for line in rig.output("r1").decode().splitlines()[1:]]
    targets = {int(line[8]): line[10] for line in lines}
    own = {fd for fd, target in targets.items() if target.startswith("/proc/")}  # ls reading the folder
    assert set(targets) - own == {0, 1, 2}
    assert targets[0] == "/dev/null"
    assert targets[1] == targets[2] == str(rig.run_dir("r1") / "output.log")


@root
def test_a_forked_start_leaks_no_descriptor_either(rig: Rig) -> None:
    rig.run("r1", "ls -l /proc/self/fd", nofile=100)
    targets = {line.split()[8]: line.split()[10] for line in rig.output("r1").decode().splitlines()[1:]}
    assert {fd for fd, target in targets.items() if not target.startswith("/proc/")} == {"0", "1", "2"}


@pytest.mark.parametrize("more", [pytest.param({}, id="spawned"), pytest.param({"nofile": 100}, id="forked")])
def test_a_job_starts_with_default_signals(rig: Rig, more: dict[str, Any]) -> None:
    rig.run("r1", "grep Sig /proc/self/status", **more)
    masks = dict(line.split(":\t") for line in rig.output("r1").decode().splitlines() if line.startswith("Sig"))
    of_the_c_library = 0b11 << 31  # signals 32 and 33, which glibc's posix_spawn leaves ignored
    assert (int(masks["SigBlk"], 16), int(masks["SigIgn"], 16) & ~of_the_c_library) == (0, 0)


@pytest.mark.parametrize("more", [pytest.param({}, id="spawned"), pytest.param({"nofile": 100}, id="forked")])
def test_a_job_leads_its_own_session_in_its_directory_with_its_umask(rig: Rig, more: dict[str, Any]) -> None:
    (rig.home / "place").mkdir()
    rig.run("r1", "ps -o sid=,pgid=,pid= $$; pwd; umask", working_dir=str(rig.home / "place"), umask=0o027, **more)
    ids, folder, umask = rig.output("r1").decode().splitlines()
    assert len(set(ids.split())) == 1
    assert folder == str(rig.home / "place")
    assert int(umask, 8) == 0o027
    rig.run("r2", "sh", "-c", "umask")
    assert int(rig.output("r2"), 8) == _own_umask(), "the next one has the daemon's again"


def _own_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_environment_is_exactly_what_was_asked_for(rig: Rig) -> None:
    rig.run("r1", "/usr/bin/env", env={"GREETING": "grüß \n gott"})
    assert sorted(rig.output("r1").decode().split("\n")) == sorted(
        [f"PATH={PATH}", "JOBSCTL_RUN_ID=r1", "GREETING=grüß ", " gott", ""]
    )


def test_a_script_is_written_for_its_interpreter(rig: Rig) -> None:
    script = rig.run_dir("r1") / "script"
    rig.run("r1", "/bin/sh", "-eu", str(script), script="echo one\nfalse\necho two\n")
    assert rig.output("r1") == b"one\n"
    assert rig.ended("r1").exit_code == 1
    assert stat.S_IMODE(script.stat().st_mode) == 0o700


def test_a_run_directory_is_private_and_ready(rig: Rig) -> None:
    rig.run("r1", "true")
    folder = rig.run_dir("r1")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "outputs").is_dir()
    assert stat.S_IMODE((folder / "output.log").stat().st_mode) == 0o600


@pytest.mark.parametrize("more", [pytest.param({}, id="spawned"), pytest.param({"nofile": 100}, id="forked")])
@pytest.mark.parametrize(
    ("argv", "text"),
    [
        pytest.param(["no-such-program"], "not in PATH", id="not-in-path"),
        pytest.param(["/no/such/program"], "does not exist", id="absent"),
        pytest.param(["/etc/passwd"], "chmod +x", id="not-executable"),
        pytest.param(["/tmp"], "is a directory", id="directory"),
        pytest.param(["{home}/no-interpreter"], "first line does not exist", id="no-interpreter"),
        pytest.param(["{home}/not-a-program"], "not a program", id="not-a-program"),
        pytest.param(["true", "x" * 200_000], "too long", id="too-long"),
    ],
)
def test_a_program_that_cannot_run_says_why(rig: Rig, argv: list[str], text: str, more: dict[str, Any]) -> None:
    _program(rig.home / "no-interpreter", "#!/no/such/shell\n")
    _program(rig.home / "not-a-program", "\x7fnonsense")
    end = rig.run("r1", *(part.format(home=rig.home) for part in argv), **more)
    assert end.reason is EndReason.START_ERROR
    assert end.error is not None
    assert text in end.error
    assert end.pid is None


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_a_bad_working_directory_says_so(rig: Rig) -> None:
    end = rig.run("r1", "true", working_dir="/no/such/place")
    assert end.error is not None
    assert "working directory /no/such/place" in end.error


def test_relative_programs_start_at_the_working_directory(rig: Rig) -> None:
    _program(rig.home / "tool", "#!/bin/sh\necho here\n")
    rig.run("r1", "./tool", working_dir=str(rig.home))
    assert rig.output("r1") == b"here\n"


@root
def test_another_user_gets_its_ids_and_no_way_back(rig: Rig) -> None:
    nobody = pwd.getpwnam("nobody")
    rig.run("r1", "id -u; id -g; id -G; grep NoNewPrivs /proc/self/status", user="nobody")
    uid, gid, groups, privileges = rig.output("r1").decode().splitlines()
    assert (int(uid), int(gid), groups) == (nobody.pw_uid, nobody.pw_gid, str(nobody.pw_gid))
    assert privileges == "NoNewPrivs:\t1"


@root
def test_another_user_can_write_where_it_is_told_to(open_home: Path) -> None:
    rig = Rig(open_home)
    try:
        folder = rig.run_dir("r1")
        end = rig.run("r1", f"echo kept > {folder}/outputs/file; echo '{{}}' > {folder}/progress.json", user="nobody")
        assert end.exit_code == 0, rig.output("r1")
        assert (folder / "outputs" / "file").read_text() == "kept\n"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(open_home.stat().st_mode) == 0o711, "it may pass through, not look around"
    finally:
        rig.clean()


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home outside the test's own private folder."""
    home = Path(tempfile.mkdtemp())
    try:
        yield home
    finally:
        shutil.rmtree(home)


@root
@pytest.mark.parametrize(
    ("who", "text"),
    [
        pytest.param({"user": "nosuchuser"}, "unknown user nosuchuser", id="user"),
        pytest.param({"group": "nosuchgroup"}, "unknown group nosuchgroup", id="group"),
        pytest.param({"nofile": 1_000_000}, "limits.nofile", id="nofile"),
    ],
)
def test_a_step_that_fails_is_named(rig: Rig, who: dict[str, Any], text: str) -> None:
    end = rig.run("r1", "true", **who)
    assert end.reason is EndReason.START_ERROR
    assert end.error is not None
    assert text in end.error


def test_a_cancel_before_the_start_starts_nothing(rig: Rig) -> None:
    launches = [rig.launch(f"r{number}", "true") for number in range(300)]
    rig.runner.launch([*launches, rig.launch("last", f"touch {rig.home}/started")])
    rig.runner.stop("last", grace=1)
    end = rig.ended("last")
    assert end.reason is EndReason.CANCEL
    if end.pid is None:
        assert not (rig.home / "started").exists()


def test_two_thousand_in_one_batch_all_run_and_end(rig: Rig) -> None:
    rig.runner.launch([rig.launch(f"r{number}", "/bin/true") for number in range(2000)])
    deadline = time.monotonic() + 20
    while sum(isinstance(message, Exited) for message in rig.heard) < 2000 and time.monotonic() < deadline:
        rig.poll(seconds=1)
    ends = [message for message in rig.heard if isinstance(message, Exited)]
    assert len({end.run_id for end in ends}) == len(ends) == 2000
    assert {end.exit_code for end in ends} == {0}
