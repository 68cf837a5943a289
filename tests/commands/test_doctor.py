"""`jobsctl doctor`: what is wrong is found, what is right is not called wrong, and mending is safe."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.commands.doctor import NAMES
from cli.doctor import mend_all
from cli.health.checks import CHECKS, examine
from cli.health.finding import Level, Patient
from cli.options import Settings
from docs import generate_doctor
from state.ids import new_id
from state.records import RunState
from tests.commands.ailing import (
    AILMENTS,
    DAY,
    VERSION,
    beat,
    half_request,
    invalid_specs,
    old_backup,
    open_state,
    unknown_directory,
    young_directory,
)
from tests.commands.conftest import HOUR, NOW


@pytest.fixture
def machine(tmp_path) -> Path:
    """A machine on which nothing is wrong: `proc`, `run` and `etc`."""
    root = tmp_path / "machine"
    for folder in (
        "proc/sys/fs/inotify",
        "proc/self",
        "proc/77",
        "run/systemd/timesync",
        "etc/systemd/system",
        "sys/fs/cgroup/own",
    ):
        (root / folder).mkdir(parents=True)
    (root / "proc/sys/fs/inotify/max_user_watches").write_text("65536\n")
    (root / "proc/sys/fs/inotify/max_user_instances").write_text("128\n")
    (root / "proc/77/limits").write_text("Limit  Soft  Hard\nMax open files            65536 65536 files\n")
    (root / "run/systemd/timesync/synchronized").touch()
    return root


def disk(free: int = 50 << 30, inodes: int = 1_000_000, flags: int = 0) -> SimpleNamespace:
    return SimpleNamespace(f_bavail=free // 4096, f_frsize=4096, f_files=2_000_000, f_favail=inodes, f_flag=flags)


@pytest.fixture
def well(known, home, daemon, monkeypatch):
    """A home on which nothing is wrong, with a daemon that gives signs of life; on a good disk, whatever ours is."""
    monkeypatch.setattr("cli.health.disk.statvfs", lambda path: disk())
    monkeypatch.setattr("cli.health.limits.file_system", lambda path: "ext4")
    monkeypatch.setattr("cli.health.database.file_system", lambda path: "ext4")
    monkeypatch.setattr("cli.health.database.journal_mode", lambda path: "wal")
    home.root.chmod(0o755)
    known.run(known.job())
    for run in (known.store.job(1).last_run_id,):
        home.run_dir("default", "hello", run).mkdir(parents=True)
    known.source()
    home.config.write_text("http: null\n")
    os.utime(home.config, ns=(0, 0))
    beat(home)
    home.last_backup.write_text(json.dumps({"at": NOW - DAY, "file": "/b.tar.gz"}))
    return known


@pytest.fixture
def look(home, machine):
    """The findings of one check, or of all, that are not all right: (check, level, message)."""

    def at(*names: str, now: int = NOW) -> list[tuple[str, str, str]]:
        patient = Patient(
            home, now, VERSION, **{name: machine / name for name in ("proc", "run", "etc", "sys")}
        )  # fmt: skip
        try:
            told = examine(patient, [check for check in CHECKS if not names or check.name in names])
        finally:
            patient.close()
        return [
            (each.check, each.finding.level.value, each.finding.message)
            for each in told
            if each.finding.level is not Level.OK
        ]

    return at


def test_a_house_in_order_has_nothing_wrong(well, look):
    assert look() == []


@pytest.mark.parametrize(
    ("break_it", "check", "level", "words"),
    AILMENTS,
    ids=lambda value: getattr(value, "__name__", None) or (value if isinstance(value, str) else None),
)  # fmt: skip
def test_what_is_broken_is_found_by_its_check(well, machine, look, break_it, check, level, words):
    assert look(check) == []
    break_it(well, machine)
    found = look(check)
    try:
        assert [(each[0], each[1]) for each in found if words in each[2]] == [(check, level)], found
    finally:
        well.home.root.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("there", "check", "level", "words"),
    [
        pytest.param(disk(free=10 << 20), "disk", "problem", "10 MiB free", id="no room"),
        pytest.param(disk(free=500 << 20), "disk", "warning", "500 MiB free", id="little room"),
        pytest.param(disk(inodes=10), "disk", "problem", "10 inodes free", id="no inodes"),
        pytest.param(disk(inodes=5000), "disk", "warning", "5000 inodes free", id="few inodes"),
        pytest.param(disk(flags=os.ST_RDONLY), "disk", "problem", "read-only file system", id="read-only"),
        pytest.param(disk(free=2 << 30), "disk-pace", "warning", "full in 2 days", id="full soon"),
    ],
)
def test_disks(well, look, monkeypatch, there, check, level, words):
    assert look("disk", "disk-pace") == []
    if check == "disk-pace":
        well.run(well.store.job(1), ago=HOUR, output_bytes=1 << 30)
    monkeypatch.setattr("cli.health.disk.statvfs", lambda path: there)
    ((found, grave, message),) = look(check)
    assert (found, grave, words in message) == (check, level, True), message


def test_limits_of_trees_need_a_control_group_that_is_ours_to_divide(well, look, machine, monkeypatch):
    monkeypatch.setattr("cli.health.limits.os.geteuid", lambda: 0)
    well.job("name: big\nrun: {command: [a], limits: {memory: 1GiB}}\n", path="big.yaml")
    assert "memory is limited by 1 job, and there is no memory control group" in look("cgroups")[0][2]
    group = machine / "sys/fs/cgroup/own"
    (machine / "proc/77/cgroup").write_text("0::/own\n")
    (group / "cgroup.controllers").write_text("cpu memory pids\n")
    assert "there is no memory control group" in look("cgroups")[0][2]
    (group / "cgroup.subtree_control").write_text("memory\n")
    assert look("cgroups") == []
    assert look("limits") == []
    (group / "pids.max").write_text("100\n")
    (group / "pids.current").write_text("95\n")
    assert "95 of 100 processes" in look("limits")[0][2]


def test_a_drop_in_of_a_unit_counts(well, look, machine):
    folder = machine / "etc/systemd/system"
    (folder / "jobs.service").write_text(f"[Service]\nExecStart={sys.executable} -m jobsctl daemon\n")
    (folder / "multi-user.target.wants").mkdir()
    (folder / "multi-user.target.wants/jobs.service").symlink_to("../jobs.service")
    assert "no KillMode=process" in look("unit")[0][2]
    (folder / "jobs.service.d").mkdir()
    (folder / "jobs.service.d/kill.conf").write_text("[Service]\nKillMode=process\n")
    assert look("unit") == []


def test_a_network_file_system_brings_no_events_and_no_locks(well, look, monkeypatch):
    monkeypatch.setattr("cli.health.limits.file_system", lambda path: "nfs4")
    assert "is on nfs4: changes made on other machines ring no bell" in look("watcher")[0][2]
    monkeypatch.setattr("cli.health.database.journal_mode", lambda path: "delete")
    assert "locks of network file systems" in look("database-files")[0][2]


def test_a_port_that_another_program_has(known, home, look):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        home.config.write_text(f"http: {{listen: '127.0.0.1:{other.getsockname()[1]}'}}\n")
        ((_, level, message),) = look("http")
    assert (level, "another program listens" in message) == ("warning", True)


def test_without_a_daemon_what_waits_is_a_warning_and_the_lock_is_not_touched(known, home, look, machine):
    known.run(known.job(), state=RunState.RUNNING)
    home.lock.write_text("4711\n")
    home.requests.mkdir()
    path = home.requests / f"{new_id(NOW - HOUR)}.json"
    path.write_text("{}")
    os.utime(path, ns=((NOW - HOUR) * 1000,) * 2)
    assert look("daemon")[0][1:] == ("problem", "no daemon is running: nothing is started")
    assert look("requests")[0][1] == "warning"
    (machine / "proc/locks").write_text(f"1: FLOCK  ADVISORY  WRITE 4711 08:02:{home.lock.stat().st_ino} 0 EOF\n")
    assert "process 4711 holds" in look("daemon")[0][2]
    home.supervisors.mkdir()
    assert "still going on without a daemon: 1 run, under 0 supervisors" in look("supervisors")[0][2]


def test_the_age_of_the_time_zones(well, look, machine):
    folder = machine / "usr/share/zoneinfo"
    folder.mkdir(parents=True)
    (folder / "tzdata.zi").write_text("# version 2019c\n")
    assert "is of 2019c" in look("timezones")[0][2]
    (folder / "tzdata.zi").write_text("# version 2026a\n")
    assert look("timezones") == []


def damage(data: bytes) -> bytes:
    return data[:4096] + b"\xaa" * (len(data) - 8192) + data[-4096:]


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        pytest.param(lambda data: b"", "warning", "the database is empty", id="empty"),
        pytest.param(lambda data: b"hello" * 1000, "problem", "not an SQLite database", id="another file"),
        pytest.param(lambda data: data[:100], "problem", "", id="cut off"),
        pytest.param(damage, "problem", "damaged", id="damaged"),
    ],
)
def test_a_broken_database_is_told_and_everything_else_too(known, home, jobsctl, change, level, words):
    known.run(known.job())
    known.store.close()
    home.database.write_bytes(change(home.database.read_bytes()))
    done = jobsctl("doctor", "-o", "json")
    assert done.code == 1
    found = json.loads(done.out)["findings"]
    about = [each for each in found if each["check"] == "database"]
    assert (about[0]["level"], words in about[0]["message"]) == (level, True), about
    assert {"disk", "daemon", "specs", "rights-state"} <= {each["check"] for each in found}


def test_git(well, look, home):
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=home.root, check=True,
            capture_output=True,
        )  # fmt: skip

    git("init", "-q", "-b", "main")
    assert "no commit yet" in look("git")[0][2]
    git("add", "jobs")
    git("commit", "-q", "-m", "first")
    assert look("git") == []
    (home.specs / "hello.yaml").write_text("name: hello\nrun: {command: [b]}\n")
    (home.specs / "new.yaml").write_text("name: new\nrun: {command: [b]}\n")
    assert "not as committed: 2 files, as hello.yaml" in look("git")[0][2]
    git("add", "jobs")
    git("commit", "-q", "-m", "second")
    git("checkout", "-q", "--detach")
    assert "HEAD is detached" in look("git")[0][2]


class TestMending:
    def mend(self, home, machine, now=NOW):
        patient = Patient(home, now, VERSION, **{name: machine / name for name in ("proc", "run", "etc", "sys")})
        try:
            return mend_all(Settings(), examine(patient, CHECKS), yes=True)
        finally:
            patient.close()

    def test_it_closes_the_state_and_removes_what_is_old_and_unknown_only(self, well, machine, look, home):
        open_state(well, machine)
        half_request(well, machine)
        unknown_directory(well, machine)
        young_directory(well, machine)
        (home.state / "jobsctl.db").chmod(0o644)
        outside = home.root / "outside"
        outside.mkdir()
        (outside / "precious").touch()
        (home.runs / "default/hello" / new_id(NOW - 90 * DAY)).symlink_to(outside)
        before = {path.name for path in (home.runs / "default/hello").iterdir()}
        fixed = self.mend(home, machine)
        assert all(each.done for each in fixed)
        assert home.state.stat().st_mode & 0o777 == 0o711
        after = {path.name for path in (home.runs / "default/hello").iterdir()}
        assert len(before - after) == 1
        assert (outside / "precious").exists()
        assert well.store.job(1).last_run_id in after
        assert [each[0] for each in look()] == ["run-directories"]
        assert list(home.requests.glob(".*")) == []

    def test_a_directory_the_daemon_is_about_to_remove_is_its_own(self, well, machine, home, look):
        run_id = new_id(NOW - 90 * DAY)
        home.run_dir("default", "hello", run_id).mkdir(parents=True)
        well.store._connection.execute(
            "INSERT INTO doomed_directory (project, job, run_id) VALUES ('default', 'hello', ?)", (run_id,)
        )
        assert look("run-directories") == []

    def test_a_directory_stays_as_long_as_any_job_keeps_its_runs(self, well, machine, home, look, jobsctl):
        """The runs between a backup and its restore are such directories."""
        well.job("name: keeper\nretention: {max_age: 365d}\nrun: {command: [a]}\n", path="keeper.yaml")
        kept = home.run_dir("default", "keeper", new_id(NOW - 90 * DAY))
        kept.mkdir(parents=True)
        assert jobsctl("doctor", "--fix", "--yes", "--only", "run-directories").code == 0
        assert kept.is_dir()

    def test_off_a_terminal_it_needs_yes(self, well, machine, jobsctl, home):
        home.state.chmod(0o755)
        assert jobsctl("doctor", "--fix", "--only", "rights-state").code == 7
        assert home.state.stat().st_mode & 0o777 == 0o755
        done = jobsctl("doctor", "--fix", "--yes", "--only", "rights-state", "-o", "json")
        data = json.loads(done.out)
        assert (done.code, data["ok"], {each["done"] for each in data["fixed"]}) == (0, True, {True})

    def test_nothing_to_mend(self, well, jobsctl):
        assert "There is nothing to mend." in jobsctl("doctor", "--fix", "--only", "disk").err


def test_exit_codes_and_outputs(well, machine, jobsctl, home):
    assert jobsctl("doctor", "--only", "specs").code == 0
    assert jobsctl("doctor", "--only", "specs").out == "Nothing is wrong: 1 fine (-v shows them).\n"
    assert "ok       specs" in jobsctl("doctor", "--only", "specs", "-v").out
    old_backup(well, machine)
    done = jobsctl("doctor", "--only", "backup")
    assert (done.code, done.out.splitlines()[-1]) == (0, "0 problems, 1 warning, 0 fine (-v shows them)")
    invalid_specs(well, machine)
    done = jobsctl("doctor", "--only", "backup", "--only", "specs", "-o", "name")
    assert (done.code, done.out.split()) == (1, ["specs", "backup"])
    assert jobsctl("doctor", "--only", "nonsense").code == 2


def test_the_names_in_help_and_docs_are_those_of_the_checks():
    assert tuple(check.name for check in CHECKS) == NAMES
    written = (Path(generate_doctor.__file__).parent / "doctor.md").read_text()
    assert generate_doctor.document() == written
