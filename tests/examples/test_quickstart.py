"""examples/quickstart: its jobs do what their descriptions say, and `make demo` tells the whole story."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.repository import EXAMPLES, ROOT, Jobsctl, copy_example, daemon, git


@pytest.mark.parametrize("name", ["quickstart", "operations", "pipeline"])
def test_every_spec_of_an_example_validates_without_a_warning(name: str) -> None:
    done = Jobsctl(EXAMPLES / name)("validate")
    assert "warning" not in done.stdout + done.stderr
    assert "no errors" in done.stderr


def test_quickstart_jobs_run_and_the_wrong_one_works_once_repaired(tmp_path: Path) -> None:
    home = copy_example("quickstart", tmp_path / "home")
    with daemon(home) as jobsctl:
        assert jobsctl.run("hello").output == "hello\n"
        wrong = jobsctl.run("import-orders")
        assert wrong.state == "failed"
        assert "data/order.csv" in wrong.output
        report = jobsctl.run("report")
        assert report.result == {"rows": 3}
        assert (report.outputs / "by-amount.csv").read_text().splitlines()[0].startswith("1003,")

        spec = home / "jobs" / "import-orders.yaml"
        spec.write_text(spec.read_text().replace("data/order.csv", "data/orders.csv"))
        git(home, "commit", "--quiet", "--all", "--message", "Read the file that exists")
        jobsctl("apply", "-f", str(spec))
        assert jobsctl.run("import-orders").output == "3 orders, total 185.4\n"


def processes_below(directory: str) -> list[str]:
    """Command lines that name `directory`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if directory in line:
            found.append(line)
    return found


@pytest.mark.timeout(150)
def test_demo_tells_its_story_and_leaves_nothing_behind(tmp_path: Path) -> None:
    env = os.environ | {"TMPDIR": str(tmp_path), "NO_COLOR": "1"}
    told = ""
    command = [sys.executable, str(EXAMPLES / "demo.py")]
    with subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE) as demo:
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                told += line
                if line.startswith("== That was the story"):
                    demo.send_signal(signal.SIGINT)
            assert demo.wait(30) == 0, told
        finally:
            demo.kill()
    for claim in (
        "data/order.csv",  # the failure, from the job's own output
        "3 orders, total 185.4",  # repaired
        "jobs/hello.yaml:2:11: error[",  # the mistake, with its place
        "$ kill -9",
        "/api/v1/jobs",
        "[ops is told]  default/import-orders failed",
        "[ops is told]  default/import-orders recovered",
    ):
        assert claim in told
    after_the_kill = told.partition("$ kill -9")[2]
    assert "step 4 of 4" in after_the_kill or "succeeded" in after_the_kill.lower()
    assert list(tmp_path.iterdir()) == []
    assert processes_below(str(tmp_path)) == []


def test_demo_ends_by_itself_after_demo_seconds(tmp_path: Path) -> None:
    env = os.environ | {"TMPDIR": str(tmp_path), "NO_COLOR": "1", "DEMO_SECONDS": "4"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "demo.py")], cwd=ROOT, env=env, text=True, capture_output=True, timeout=40
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
    assert processes_below(str(tmp_path)) == []
