"""Other schedulers doing the same work, each at its best: how to get, configure, start and ask it.

Used by `benchmarks.rivals`. They are installed below the cache, never on the machine; they listen on loopback only.
Output capture and logging are off for all of them, state is in memory: what they then do is less than what we do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import processes
from benchmarks.workshop import CACHE, Unavailable, environment

Entry = tuple[str, Sequence[str]]
"""A job: its name, and the program with its arguments."""
EVERY_MINUTE = "* * * * *"
NEVER_TODAY = "0 0 29 2 *"


class Peer:
    """A scheduler of one folder of files. Subclasses say how; instances own one process tree."""

    name = ""
    minutely = True
    """Jobs can be due at minutes only, so bursts are measured from the minute."""
    reads_yaml = True

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def obtain(self) -> None:
        """Raises Unavailable."""

    def configure(self, entries: Sequence[Entry], schedule: str, *, files: bool = False) -> None:
        """Write its configuration: all in one file (its quickest), or with `files` one file for each job."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """How it is started."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it; it is ready when `loaded` says so."""
        with (self.folder / "peer.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def loaded(self) -> int | None:
        """How many jobs it knows; None when it does not answer (yet)."""
        raise NotImplementedError

    def memory(self) -> int:
        """PSS of its tree in bytes."""
        return sum(processes.pss(pid) for pid in processes.tree(self.pid))

    def ended(self) -> str | None:
        """The end of its log when it is not running any more."""
        if self._process is not None and self._process.poll() is None:
            return None
        return (self.folder / "peer.log").read_text(encoding="utf-8", errors="replace")[-300:]

    def stop(self) -> None:
        """Again: nothing."""
        if self._process is not None:
            processes.end(reversed(processes.tree(self._process.pid)))
            self._process.wait()
            self._process = None

    def _get(self, path: str) -> bytes | None:
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.port}{path}", headers={"Accept": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                body: bytes = answer.read()
                return body
        except OSError:
            return None


class Yacron(Peer):
    """yacron 0.19, the YAML daemon cronstable comes from."""

    name = "yacron"
    requirement = "yacron==0.19.0"
    log_level = "ERROR"
    configured = 0

    def obtain(self) -> None:
        environment(self.name, self.requirement)

    def configure(self, entries: Sequence[Entry], schedule: str, *, files: bool = False) -> None:
        specs = self.folder / "config"
        specs.mkdir(exist_ok=True)
        if files and self.name == "yacron":
            # Of several files its web server heeds the last one only, so its log must tell when all are loaded.
            self.configured, self.log_level = len(entries), "DEBUG"
        web = f"web:\n  listen:\n    - http://127.0.0.1:{self.port}\n"
        texts = [self._job(name, argv, schedule) for name, argv in entries]
        if files:
            (specs / "web.yaml").write_text(web, encoding="utf-8")
            for (name, _), text in zip(entries, texts, strict=True):
                self.write_one(name, text)
        else:
            (specs / "all.yaml").write_text(f"{web}jobs:\n{''.join(texts)}", encoding="utf-8")

    def write_one(self, name: str, text: str) -> None:
        """A file of its own for one job."""
        (self.folder / "config" / f"{name}.yaml").write_text(f"jobs:\n{text}", encoding="utf-8")

    def _job(self, name: str, argv: Sequence[str], schedule: str) -> str:
        command = "".join(f"      - {part}\n" for part in argv)  # strictyaml knows no flow lists
        return (
            f"  - name: {name}\n    command:\n{command}    schedule: '{schedule}'\n"
            "    captureStdout: false\n    captureStderr: false\n"
        )

    def add_one(self, name: str) -> None:
        """A further job, as a person would add it: a file in the folder."""
        self.write_one(name, self._job(name, ["/bin/true"], NEVER_TODAY))

    def command(self) -> list[str]:
        python = environment(self.name, self.requirement)
        return [str(python.parent / self.name), "-l", self.log_level, "-c", str(self.folder / "config")]

    def loaded(self) -> int | None:
        if self.configured:
            log = (self.folder / "peer.log").read_text(encoding="utf-8", errors="replace")
            return self.configured if "Will sleep for" in log else None
        body = self._get("/status")
        return None if body is None else len(json.loads(body))


class Cronstable(Yacron):
    """cronstable: yacron's living fork."""

    name = "cronstable"
    requirement = "cronstable==1.2.72"


class APScheduler(Peer):
    """APScheduler 3 with its memory store: a library, so a script of ours is its daemon."""

    name = "APScheduler 3"
    minutely = False
    reads_yaml = False
    requirement = "apscheduler<4"

    def __init__(self, folder: Path, port: int, *, threads: int = 10) -> None:
        super().__init__(folder, port)
        self.threads = threads
        self.at = 0.0

    def obtain(self) -> None:
        environment("apscheduler", self.requirement)

    def configure(self, entries: Sequence[Entry], schedule: str, *, files: bool = False) -> None:
        (self.folder / "jobs.json").write_text(json.dumps([list(argv) for _, argv in entries]), encoding="utf-8")

    def command(self) -> list[str]:
        script = Path(__file__).resolve().parent / "apscheduler_daemon.py"
        python = environment("apscheduler", self.requirement)
        return [str(python), str(script), str(self.folder / "jobs.json"), str(self.threads), repr(self.at)]

    def loaded(self) -> int | None:
        ready = self.folder / "ready"
        return int(ready.read_text(encoding="ascii")) if ready.exists() else None


class DebianCron(Peer):
    """Debian's cron in a mount namespace of its own: its own /etc and /run, so no cron of the machine is touched."""

    name = "Debian cron"
    reads_yaml = False

    def obtain(self) -> None:
        if os.geteuid() != 0:
            raise Unavailable("Debian cron needs root (it starts jobs for users, and a namespace of its own)")
        if shutil.which("unshare") is None or shutil.which("dpkg") is None:
            raise Unavailable("Debian cron needs unshare and dpkg")
        if (CACHE / "cron" / "usr" / "sbin" / "cron").exists():
            return
        target = CACHE / "cron"
        target.mkdir(parents=True, exist_ok=True)
        commands = (["apt-get", "download", "cron"], ["sh", "-c", "dpkg -x cron_*.deb ."])
        for command in commands:
            done = subprocess.run(command, cwd=target, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode != 0:
                raise Unavailable(f"{' '.join(command)}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")

    def configure(self, entries: Sequence[Entry], schedule: str, *, files: bool = False) -> None:
        upper = self.folder / "etc"
        (upper / "cron.d").mkdir(parents=True)
        (upper / "pam.d").mkdir()
        shutil.copy(CACHE / "cron" / "etc" / "pam.d" / "cron", upper / "pam.d" / "cron")
        (upper / "crontab").write_text("", encoding="ascii")
        lines = [f"{schedule} root {' '.join(argv)}\n" for _, argv in entries]
        (upper / "cron.d" / "bench").write_text("".join(lines), encoding="ascii")
        for made in (upper, *upper.rglob("*")):
            made.chmod(0o755 if made.is_dir() else 0o644)
        (self.folder / "overlay").mkdir()
        # /var/run is a link to /run on Debian: the pid file, with its lock, is in there.
        script = (
            f"mount -t overlay overlay -o lowerdir=/etc,upperdir={upper},workdir={self.folder}/overlay /etc\n"
            "mount -t tmpfs tmpfs /run\nmkdir -p /var/spool/cron/crontabs\nmount -t tmpfs tmpfs /var/spool/cron\n"
            f"mkdir /var/spool/cron/crontabs\nexec {CACHE}/cron/usr/sbin/cron -f -L 0\n"
        )
        (self.folder / "start.sh").write_text(f"set -e\n{script}", encoding="utf-8")

    def command(self) -> list[str]:
        return ["unshare", "--mount", "--propagation", "private", "sh", str(self.folder / "start.sh")]

    def loaded(self) -> int | None:
        for pid in processes.tree(self.pid):
            if Path(f"/proc/{pid}/exe").resolve().name == "cron":
                return -1  # it runs; it does not say what it has read
        return None


class Dagu(Peer):
    """dagu 1.30: one Go program with its scheduler. A run is a process of it, and its history is kept in files."""

    name = "dagu"
    package = "@dagu-org/dagu-linux-x64@1.30.2"
    configured = 0

    def obtain(self) -> None:
        if (CACHE / "dagu" / "package" / "bin" / "dagu").exists():
            return
        if shutil.which("npm") is None:
            raise Unavailable("dagu needs npm, which is how its binary is published")
        target = CACHE / "dagu"
        target.mkdir(parents=True, exist_ok=True)
        for command in (["npm", "pack", "--silent", self.package], ["sh", "-c", "tar xzf *.tgz"]):
            done = subprocess.run(command, cwd=target, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode != 0:
                raise Unavailable(f"{' '.join(command)}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")

    def configure(self, entries: Sequence[Entry], schedule: str, *, files: bool = False) -> None:
        if schedule == EVERY_MINUTE:
            # When it starts it makes up for the minute that has begun: only the coming one is named.
            coming = datetime.now() + timedelta(minutes=1)  # noqa: DTZ005  (it goes by the local clock)
            schedule = f"{coming.minute} {coming.hour} * * *"
        specs = self.folder / "dags"
        specs.mkdir()
        for name, argv in entries:
            text = f"schedule: '{schedule}'\nsteps:\n  - name: run\n    command: {' '.join(argv)}\n"
            (specs / f"{name}.yaml").write_text(text, encoding="utf-8")
        self.configured = len(entries)

    def command(self) -> list[str]:
        binary, home = CACHE / "dagu" / "package" / "bin" / "dagu", self.folder / "home"
        return [
            "env", f"DAGU_SCHEDULER_PORT={self.port}", str(binary), "scheduler", f"--dagu-home={home}",
            f"--dags={self.folder / 'dags'}",
        ]  # fmt: skip

    def loaded(self) -> int | None:
        log = (self.folder / "peer.log").read_text(encoding="utf-8", errors="replace")
        return self.configured if "Scheduler started" in log else None


PEERS: tuple[type[Peer], ...] = (Cronstable, Yacron, APScheduler, DebianCron, Dagu)
