"""One daemon per home, whatever happened to the one before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.lock import AlreadyRunning, take_lock

HOLDER = """
import sys; from pathlib import Path; from reconciler.lock import take_lock
take_lock(Path(sys.argv[1])); print("held", flush=True); sys.stdin.read()
"""


def test_a_second_daemon_is_refused_with_the_pid_of_the_first_and_a_killed_one_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=f"pid {holder.pid}"):
            take_lock(path)
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
        os.close(take_lock(path))


def test_the_lock_is_not_inherited_by_children(tmp_path: Path) -> None:
    fd = take_lock(tmp_path / "lock")
    with subprocess.Popen(["sleep", "30"], close_fds=False) as child:
        os.close(fd)
        os.close(take_lock(tmp_path / "lock"))
        child.kill()


def test_a_symlink_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        take_lock(tmp_path / "lock")
