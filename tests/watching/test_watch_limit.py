"""A kernel that gives no watches: it is said, and sweeps find what changes; folders that may not be listed are left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from specs.watch import Places
from tests.components import lacking
from tests.household import ROOT

LOOKS = """
import sys, time
from pathlib import Path
from specs import watch
from tests.watching.conftest import Specs
from tests.watching.test_doorbell import Looks

watch.FIRST_PAUSE = 0.1
limit = Path("/proc/sys/user/max_inotify_watches")
limit.write_text(sys.argv[2])
looks = Looks(Specs(Path(sys.argv[1])), resync=0.2)
looks.specs.write("a.yaml", "a")
looks.thread.start()
looks.jobs("a")
looks.until(lambda look: looks.thread.watch_error is not None)
print(looks.thread.watch_up, looks.thread.watch_error)
looks.specs.write("b.yaml", "b")
looks.jobs("a", "b")
limit.write_text("1000")
looks.settle()
print(looks.thread.watch_up)
looks.thread.stop()
"""
"""In a user namespace of its own: there the limit may be set without touching that of others."""


@pytest.mark.parametrize("watches", [pytest.param(0, id="none"), pytest.param(1, id="fewer than folders")])
def test_a_watch_the_kernel_refuses_is_down_until_it_grants_it(tmp_path: Path, watches: int) -> None:
    alone = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        lacking("this machine allows no user namespaces")
    done = subprocess.run(
        [*alone, sys.executable, "-c", LOOKS, str(tmp_path / "specs"), str(watches)],
        capture_output=True, text=True, cwd=ROOT, timeout=40, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    down, up = done.stdout.splitlines()
    assert down.startswith("False OSError: OS file watch limit reached")
    assert up == "True"


def test_a_folder_that_is_gone_or_closed_takes_no_other_its_watch(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    places = Places(str(tmp_path), frozenset({("", 1), ("open", 2), ("gone", 3)}), frozenset())
    assert places.paths() == [str(tmp_path), str(tmp_path / "open")]
