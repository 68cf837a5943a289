"""`jobsctl backup` and `restore`: what is saved comes back, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import resource
import signal
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from cli.main import run
from cli.options import Settings
from reconciler.lock import take_lock
from state.archive import is_member, read_manifest, unpack
from state.home import Home
from state.ids import new_id
from state.reads import Reader
from state.schema import VERSION
from state.store import Store
from tests.commands.conftest import NOW, StoppedClock


@pytest.fixture
def saved(known, jobsctl, tmp_path) -> Path:
    """A backup of a home with a job, a run and its output."""
    done = known.run(known.job())
    output = known.home.run_dir_of(done)
    (output / "outputs" / "deep").mkdir(parents=True)
    (output / "output.log").write_text("hello\n")
    (output / "outputs" / "deep" / "näme").write_bytes(b"\0\1")
    (output / "outputs" / "link").symlink_to("/etc/passwd")
    os.mkfifo(output / "pipe")
    known.source()
    file = tmp_path / "backup.tar.gz"
    assert jobsctl("backup", file, "--runs").code == 0
    return file


def restore(root: Path, *arguments: object) -> int:
    given = [str(argument) for argument in ("restore", *arguments)]
    return int(run(given, Settings(home_option=root, clock=StoppedClock())))


def runs_of(root: Path) -> list[str]:
    with Reader(Home(root).database) as reader:
        return [found.id for found in reader.runs()]


def test_what_is_saved_comes_back_in_another_home(saved, known, tmp_path):
    assert saved.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob(".backup*")] == []
    there = tmp_path / "new"
    assert restore(there, saved) == 0
    with Reader(Home(there).database) as reader:
        (found,) = reader.runs()
        (job,) = reader.jobs()
    (original,) = known.store.each_job()
    assert job == replace(original, spec=job.spec)
    run_dir = Home(there).run_dir_of(found)
    assert (run_dir / "output.log").read_text() == "hello\n"
    assert (run_dir / "outputs/deep/näme").read_bytes() == b"\0\1"
    assert not (run_dir / "outputs/link").is_symlink()
    assert not (run_dir / "pipe").exists()
    modes = {path.stat().st_mode & 0o077 for path in Home(there).state.rglob("*") if path.name != ".gitignore"}
    assert modes == {0}


def test_a_backup_without_run_files_into_a_folder(known, jobsctl, tmp_path):
    known.run(known.job())
    (tmp_path / "kept").mkdir()
    done = jobsctl("backup", tmp_path / "kept", "-o", "json")
    view = json.loads(done.out)
    assert view["file"] == str(tmp_path / "kept" / "jobsctl-20261121T080000Z.tar.gz")
    assert (view["jobs"], view["runs"], view["runFiles"], view["files"]) == (1, 1, False, 1)
    assert jobsctl("backup", "--verify", view["file"], "-o", "name").out.strip() == view["file"]


def test_a_backup_is_made_while_a_writer_is_in_a_transaction(known, jobsctl, tmp_path):
    job = known.job()
    with known.store.transaction():
        known.store.add_events([])
        known.store.put_job(replace(known.store.job(job.id), suspended_at=NOW))
        assert jobsctl("backup", tmp_path / "b.tar.gz").code == 0
    assert restore(tmp_path / "new", tmp_path / "b.tar.gz") == 0
    with Reader(Home(tmp_path / "new").database) as reader:
        assert reader.job("hello").suspended_at is None


def test_what_cannot_be_backed_up_is_said_and_leaves_nothing(home, known, jobsctl, tmp_path):
    known.job()
    assert jobsctl("backup", home.state / "b.tar.gz").code != 0
    assert jobsctl("backup", tmp_path / "no" / "b.tar.gz").code == 4
    known.store.close()
    data = bytearray(home.database.read_bytes())
    data[8192 : 8192 + 2000] = b"\xff" * 2000
    home.database.write_bytes(data)
    (tmp_path / "b.tar.gz").write_text("the good one of yesterday")
    assert jobsctl("backup", tmp_path / "b.tar.gz").code != 0
    assert (tmp_path / "b.tar.gz").read_text() == "the good one of yesterday"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_state_is_only_replaced_with_force_and_is_kept_aside(saved, known, jobsctl, home):
    later = known.run(known.store.job(1), ago=0)
    known.store.close()
    refused = jobsctl("restore", saved)
    assert (refused.code, later.id in runs_of(home.root)) == (7, True)
    view = json.loads(jobsctl("restore", saved, "--force", "-o", "json").out)
    assert later.id not in runs_of(home.root)
    before = Path(view["before"])
    assert before.parent == home.root
    with Reader(before / "jobsctl.db") as reader:
        assert later.id in [found.id for found in reader.runs()]
    assert [path.name for path in home.root.glob(".jobsctl.restoring*")] == []


def test_the_old_state_is_kept_even_when_it_cannot_get_its_name(saved, known, jobsctl, home, monkeypatch):
    later = known.run(known.store.job(1), ago=0)
    known.store.close()
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if ".before-" in str(target):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    view = json.loads(jobsctl("restore", saved, "--force", "-o", "json").out)
    assert later.id not in runs_of(home.root)
    with Reader(Path(view["before"]) / "jobsctl.db") as reader:
        assert later.id in [found.id for found in reader.runs()]


def test_over_a_running_daemon_not_even_with_force(saved, known, jobsctl, home):
    lock = take_lock(home.lock)
    try:
        assert jobsctl("restore", saved, "--force").code == 7
    finally:
        os.close(lock)
    assert jobsctl("restore", saved, "--force").code == 0


def test_over_runs_that_go_on_only_with_force(saved, known, jobsctl, home, tmp_path):
    home.supervisors.mkdir()
    (home.supervisors / "abc-1.journal").touch()
    (home.database).rename(tmp_path / "away.db")
    child = os.spawnv(os.P_NOWAIT, sys.executable, ["python", "-c", "input()", "abc-1"])
    try:
        while b"abc-1" not in Path(f"/proc/{child}/cmdline").read_bytes():
            pass
        assert jobsctl("restore", saved).code == 7
        assert jobsctl("restore", saved, "--force").code == 0
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def rewritten(saved: Path, to: Path, change) -> Path:
    """The archive with its members changed by `change(list of (TarInfo, bytes))`."""
    with tarfile.open(saved) as tar:
        members = [(entry, tar.extractfile(entry).read()) for entry in tar]
    with tarfile.open(to, "w:gz") as tar:
        for entry, data in change(members):
            entry.size = len(data) if entry.isreg() else 0
            tar.addfile(entry, io.BytesIO(data))
    return to


def with_member(name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = ""):
    """One more file, told in the manifest too."""

    def change(members):
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, link
        manifest = orjson.loads(members[-1][1])
        manifest["files"][name] = [len(data), hashlib.sha256(data).hexdigest()]
        return [*members[:-1], (entry, data), (members[-1][0], orjson.dumps(manifest))]

    return change


def manifest_with(**fields):
    def change(members):
        return [*members[:-1], (members[-1][0], orjson.dumps(orjson.loads(members[-1][1]) | fields))]

    return change


RUN_ID = new_id(NOW)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_member("../evil"), id="out of the folder"),
        pytest.param(with_member("/tmp/evil"), id="absolute"),
        pytest.param(with_member(f"runs/p/j/{RUN_ID}/../../../../evil"), id="out of a run's folder"),
        pytest.param(with_member(f"runs/../x/{RUN_ID}/evil"), id="out as a project"),
        pytest.param(with_member("lock"), id="another file of the state"),
        pytest.param(with_member(f"runs/p/j/{RUN_ID}/l", b"", tarfile.SYMTYPE, "/etc"), id="symbolic link"),
        pytest.param(with_member(f"runs/p/j/{RUN_ID}/l", b"", tarfile.LNKTYPE, "jobsctl.db"), id="hard link"),
        pytest.param(with_member(f"runs/p/j/{RUN_ID}/l", b"", tarfile.FIFOTYPE), id="pipe"),
        pytest.param(with_member(f"runs/p/j/{RUN_ID}/l", b"", tarfile.CHRTYPE), id="device"),
        pytest.param(with_member("jobsctl.db"), id="twice"),
        pytest.param(lambda members: members[:-1], id="no manifest"),
        pytest.param(lambda members: members[1:], id="no database"),
        pytest.param(lambda members: [members[0], *members[2:]], id="a file is missing"),
        pytest.param(lambda members: [*members, members[1]], id="a file behind the manifest"),
        pytest.param(lambda members: [(members[0][0], b"SQLite format 3\0"), *members[1:]], id="another database"),
        pytest.param(manifest_with(format=2), id="newer format"),
        pytest.param(manifest_with(files={}), id="manifest without checksums"),
        pytest.param(manifest_with(files=7), id="manifest of nonsense"),
    ],
)
def test_an_archive_that_is_not_ours_changes_nothing(saved, known, home, jobsctl, tmp_path, change):
    file = rewritten(saved, tmp_path / "changed.tar.gz", change)
    known.store.close()
    before = sorted(str(path) for path in tmp_path.rglob("*") if "-shm" not in path.name and "-wal" not in path.name)
    assert jobsctl("restore", file, "--force").code not in (0, 130)
    assert jobsctl("backup", "--verify", file).code not in (0, 130)
    after = sorted(str(path) for path in tmp_path.rglob("*") if "-shm" not in path.name and "-wal" not in path.name)
    assert [path for path in after if not path.endswith("/lock")] == before
    assert len(runs_of(home.root)) == 1


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.99])
def test_an_archive_that_is_cut_off_or_damaged_changes_nothing(saved, home, jobsctl, tmp_path, part):
    data = saved.read_bytes()
    place = int(len(data) * part)
    cut, flipped = tmp_path / "cut.tar.gz", tmp_path / "flipped.tar.gz"
    cut.write_bytes(data[:place])
    whole = bytearray(gzip.decompress(data))
    whole[int(len(whole) * part * 0.8)] ^= 0x40
    flipped.write_bytes(gzip.compress(bytes(whole)))
    for file in (cut, flipped):
        done = jobsctl("restore", file, "--force")
        assert done.code == 1, done.err
        assert "another backup" in done.err


def test_a_newer_schema_is_refused(saved, home, jobsctl, tmp_path, known):
    known.store._connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with tarfile.open(saved) as tar:
        manifest = read_manifest(tar.extractfile("manifest.json").read())
    assert manifest.schema == VERSION
    known.store.close()
    data = home.database.read_bytes()

    def change(members):
        (database, _), *rest = members
        files = dict(manifest.files) | {"jobsctl.db": (len(data), hashlib.sha256(data).hexdigest())}
        return [(database, data), *rest[:-1], (rest[-1][0], replace(manifest, files=files).to_json())]

    done = jobsctl("--home", tmp_path / "new", "restore", rewritten(saved, tmp_path / "newer.tar.gz", change))
    assert done.code != 0
    assert "newer jobsctl" in done.err
    assert not (tmp_path / "new" / ".jobsctl").exists()


def test_names_lead_nowhere_else():
    assert is_member(f"runs/p/j/{RUN_ID}/output.log")
    for name in (f"runs/p/j/{RUN_ID}", f"runs/p/j/{RUN_ID}/a//b", f"runs/p/j/{RUN_ID}/.", "runs", "", "./jobsctl.db"):
        assert not is_member(name)


def test_a_new_home_is_only_made_where_one_was_named(saved, tmp_path, monkeypatch):
    (tmp_path / "somewhere").mkdir()
    monkeypatch.chdir(tmp_path / "somewhere")
    assert run(["restore", str(saved)]) == 4
    assert list((tmp_path / "somewhere").iterdir()) == []
    assert run(["--home", ".", "restore", str(saved)]) == 0


@pytest.mark.parametrize("version", [1, 2])
def test_a_state_of_an_older_jobsctl_is_saved_and_comes_back(jobsctl, home, tmp_path, version):
    """Before an update, or after one when no daemon was started yet."""
    old = Path(__file__).parents[1] / "storing" / f"version_{version}.db.gz"
    home.state.mkdir()
    home.database.write_bytes(gzip.decompress(old.read_bytes()))
    assert jobsctl("backup", "--runs", tmp_path / "b.tar.gz").code == 0
    there = Home(tmp_path / "new")
    assert restore(there.root, tmp_path / "b.tar.gz") == 0
    Store.open(there.database, now=NOW).close()
    with Reader(there.database) as reader:
        assert reader.jobs(archived=None)


def test_a_state_that_is_a_link_to_another_disk_stays_one(saved, known, jobsctl, home, tmp_path):
    known.store.close()
    (tmp_path / "disk").mkdir()
    home.state.rename(tmp_path / "disk" / "state")
    home.state.symlink_to(tmp_path / "disk" / "state")
    assert jobsctl("restore", saved, "--force").code == 0
    assert home.state.is_symlink()
    assert len(runs_of(home.root)) == 1
    assert len(list((tmp_path / "disk").glob("state.before-*"))) == 1


CHANGES = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "ctypes.call_function"})
"""Audit events of what changes a disk, besides opening for writing."""


def killed_at(root: Path, file: Path, number: int) -> bool:
    """Restore in a process that dies (SIGKILL) just before the change of this number. Whether it got that far."""
    child = os.fork()
    if child == 0:
        count = 0

        def watch(event: str, given: tuple[object, ...]) -> None:
            nonlocal count
            opened = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)
            if event in CHANGES or opened:
                count += 1
                if count == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watch)
            os._exit(restore(root, file, "--force"))
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_killed_anywhere_the_state_is_the_old_or_the_new_one_whole(saved, known, home):
    """Before every single change to the disk that a restore makes."""
    later = known.run(known.store.job(1), ago=0)
    known.store.close()
    (home.run_dir_of(later)).mkdir(parents=True)
    (home.run_dir_of(later) / "output.log").write_text("later\n")
    saved_runs = [found for found in runs_of(home.root) if found != later.id]
    seen = set()
    number = 0
    while True:
        number += 1
        got_there = killed_at(home.root, saved, number)
        found = runs_of(home.root)
        seen.add(len(found))
        if later.id in found:
            assert (home.run_dir_of(later) / "output.log").read_text() == "later\n"
        else:
            assert found == saved_runs
            unpack(saved, None)
            (old,) = {path.parent for path in home.root.rglob("output.log") if path.read_text() == "later\n"}
            with Reader(old.parents[3] / "jobsctl.db") as reader:
                assert later.id in [each.id for each in reader.runs()]
            break
    assert seen == {1, 2}
    assert number > 10
    while got_there:
        number += 1
        got_there = killed_at(home.root, saved, number)
        assert runs_of(home.root) == saved_runs


def test_a_file_that_could_be_written_in_part_only_is_no_restore(known, jobsctl, tmp_path):
    """A disk that fills up takes the beginning of a write, and says so with the next one."""
    done = known.run(known.job())
    folder = known.home.run_dir_of(done)
    folder.mkdir(parents=True)
    (folder / "output.log").write_bytes(b"x" * (3 << 20))
    file = tmp_path / "backup.tar.gz"
    assert jobsctl("backup", file, "--runs").code == 0
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5 << 19, before[1]))
    try:
        assert restore(tmp_path / "new", file) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "new" / ".jobsctl").exists()


def test_a_state_of_another_user_is_not_exchanged(saved, known, jobsctl, monkeypatch):
    before = runs_of(known.home.root)
    monkeypatch.setattr("cli.backups.os.geteuid", lambda: 4711)
    done = jobsctl("restore", saved, "--force")
    assert (done.code, runs_of(known.home.root)) == (7, before)
    assert "restore as the user of the daemon" in done.err
    assert list(known.home.root.glob(".jobsctl.*")) == []
