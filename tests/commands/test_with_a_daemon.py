"""The commands against a real daemon: what they say is what really happened."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import jobsctl as jobsctl_package
from cli.main import run

GOOD = "name: fresh\nrun: {command: [echo, one]}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A home on which a daemon runs; both go afterwards, and so does what runs."""
    root = tmp_path_factory.mktemp("home")
    (root / "jobs").mkdir()
    (root / "jobsctl.yaml").write_text("http: null\nprune_grace: 0.2\n")
    log = (root / "daemon.log").open("wb")
    environment = {**os.environ, "PYTHONPATH": str(Path(jobsctl_package.__file__).parents[1])}
    daemon = subprocess.Popen(
        [sys.executable, "-m", "jobsctl", "--home", str(root), "daemon"], stdout=log, stderr=log, env=environment
    )
    try:
        wait_until(lambda: (root / ".jobsctl" / "doorbell").exists(), root)
        yield root
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(10)
        log.close()
        # The supervisor outlives a daemon on purpose; nothing of a test may.
        for journal in (root / ".jobsctl" / "supervisors").glob("*.journal"):
            end_holder_of(journal)


def wait_until(holds, root: Path) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, (root / "daemon.log").read_text()
        time.sleep(0.02)


def end_holder_of(path: Path) -> None:
    """End the process that has this file open."""
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if entry.readlink() == path:
                os.kill(int(entry.parts[2]), signal.SIGTERM)


@pytest.fixture
def call(home, capsysbinary, monkeypatch):
    """`jobsctl` on this home: exit code, stdout, stderr."""

    def answer(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsysbinary.readouterr()
        code = run(["--home", str(home), *arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return answer


def test_a_job_from_its_file_to_its_end(home, call):
    """created, unchanged, configured, run, read, failed, deleted, purged."""
    written = f"wrote {home}/jobs/fresh.yaml\n"
    assert call("apply", "-f", "-", stdin=GOOD) == (0, "job/default/fresh created\n", written)
    assert call("apply", "-f", "-", stdin=GOOD) == (0, "job/default/fresh unchanged\n", "")
    code, run_id, _ = call("trigger", "fresh", "--wait")
    assert code == 0
    assert call("logs", "fresh") == (0, "one\n", "")
    code, out, _ = call("run", run_id.strip(), "-o", "json")
    assert (code, json.loads(out)["state"]) == (0, "succeeded")

    code, out, _ = call("apply", "-f", "-", stdin=GOOD.replace("[echo, one]", "[sh, -c, 'echo two; exit 3']"))
    assert (code, out) == (0, "job/default/fresh configured\n")
    code, _, err = call("trigger", "fresh", "--wait")
    assert (code, err.splitlines()[-1][-20:]) == (1, " failed: exit code 3")
    assert call("status", "fresh")[0] == 1

    assert call("delete", "fresh")[:2] == (0, "job/default/fresh deleted\n")
    assert call("list")[1] == ""
    assert len(call("runs", "fresh", "-o", "name")[1].split()) == 2
    assert call("delete", "fresh", "--purge")[:2] == (0, "job/default/fresh purged\n")
    assert call("runs", "fresh")[0] == 4


def test_waiting_for_a_run_is_waiting_for_its_last_attempt(call):
    spec = "name: patient\nretry: {attempts: 2, delay: 0.05}\nrun: {script: 'test $JOBSCTL_ATTEMPT = 2'}\n"
    call("apply", "-f", "-", stdin=spec)
    code, run_id, err = call("trigger", "patient", "--wait")
    assert code == 0
    assert f"attempt 2 follows: run {run_id.strip()}" in err
    call("delete", "patient", "--purge")


def test_a_run_is_followed_and_cancelled(home, call):
    call("apply", "-f", "-", stdin="name: slow\nrun: {script: 'echo begun; sleep 60'}\n")
    _, out, _ = call("trigger", "slow")
    follower = subprocess.Popen(
        [sys.executable, "-m", "jobsctl", "--home", str(home), "logs", "-f", out.strip()],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert follower.stdout.readline() == "begun\n"
    assert re.fullmatch(r"run/\w{26} cancelled\n", call("cancel", "slow", "--wait")[1])
    assert follower.communicate(timeout=10)[1].startswith(f"run {out.strip()} cancelled")


def test_a_pause_is_told_once(call):
    call("apply", "-f", "-", stdin="name: pause\nschedule: every 1h\nrun: {command: ['true']}\n")
    assert call("resume", "pause")[1] == "job/default/pause unchanged\n"
    assert call("suspend", "pause", "--reason", "moving")[1] == "job/default/pause suspended\n"
    assert call("suspend", "pause")[1] == "job/default/pause unchanged\n"
    assert "moving" in call("status", "pause")[1]
    assert call("resume", "pause")[1] == "job/default/pause resumed\n"


def test_jobs_that_vanish_together_are_kept_until_somebody_confirms(home, call):
    for name in "abcdefgh":
        (home / "jobs" / f"v-{name}.yaml").write_text(f"name: v-{name}\nrun: {{command: ['true']}}\n")
    assert call("apply", "-p", "default")[0] == 0
    for path in (home / "jobs").glob("v-*.yaml"):
        path.unlink()
    code, out, err = call("apply")
    assert code == 7
    assert "job/default/v-a unchanged" in out
    assert "jobsctl apply --confirm-prune" in err
    code, out, _ = call("status", "-o", "json")
    assert (code, [problem["kind"] for problem in json.loads(out)["problems"]]) == (1, ["prune"])
    code, out, _ = call("apply", "--confirm-prune")
    assert code == 0
    assert out.count(" pruned\n") == 8


def test_a_mistake_keeps_the_last_good_job_and_says_so(home, call):
    call("apply", "-f", "-", stdin="name: kept\nrun: {command: ['true']}\n")
    path = home / "jobs" / "kept.yaml"
    path.write_text("name: kept\nrun: {comand: ['true']}\n")
    code, _, err = call("apply")
    assert code == 3
    assert "kept.yaml:2:7: error[JOB030]" in err
    code, out, _ = call("status")
    assert code == 1
    assert "kept.yaml:2:7: unknown key `comand` in `run`; the last good version runs on" in out
    assert call("trigger", "kept", "--wait")[0] == 0
    path.unlink()
    call("apply")


def test_a_second_daemon_is_refused(call):
    code, _, err = call("daemon")
    assert code == 7
    assert "another jobsctl daemon" in err


def test_a_folder_gives_to_its_jobs_also_what_apply_waits_for(home, call):
    folder = home / "jobs" / "team"
    folder.mkdir()
    (folder / "_defaults.yaml").write_text("kind: Defaults\njob: {project: team, timeout: 5m, pool: db}\n")
    (home / "jobs" / "pools.yaml").write_text("kind: Pool\nname: db\nslots: 1\n")
    (folder / "given.yaml").write_text("name: given\nrun: {command: ['true']}\n")
    # It waits until the daemon has the spec that it computed itself; which of them saw the file first does not matter.
    code, out, err = call("apply", "-f", str(folder / "given.yaml"))
    assert (code, out.split()[0]) == (0, "job/team/given"), err
    (folder / "_defaults.yaml").write_text("kind: Defaults\njob: {project: team, timeout: 6m, pool: db}\n")
    assert call("apply", "-f", str(folder / "given.yaml"))[0] == 0
    code, out, _ = call("describe", "team/given")
    assert code == 0
    assert "6m" in out
