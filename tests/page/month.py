"""A month of a small shop's jobs, written as the daemon writes it: what the page, the API and the browser are tried on.

    python -m tests.page.month DIR

makes a home in DIR with a repository, 40 jobs in three projects and what became of them until now. `make_month` is the
same with a `now` of its own: equal arguments make equal histories (run ids included). Nothing here needs a daemon; one
can be started on the home afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from unittest.mock import patch

from specs.desired import Desired
from specs.source import Source
from state.home import Home
from state.ids import first_id
from state.records import DocumentRecord, Event, JobRecord, SourceState
from state.store import Advance, Store
from tests.page import specs
from tests.page.living import SECOND, Life, Step, Steps, lives_of
from tests.page.traces import Traces

DAY = 86_400 * SECOND
FULL = 1_795_251_810 * SECOND
"""2026-11-21T09:03:30Z, a Saturday: the `now` of the tests."""
WINDOW = 300 * SECOND
"""What happens within is stored together: a call for each run would take three times as long."""


def make_month(root: Path, *, now: int = FULL, seed: int = 1, days: int = 30) -> Home:
    """Write the month before `now` (µs) into the empty or missing folder `root`."""
    home = Home(root)
    home.specs.mkdir(parents=True)
    home.state.mkdir(mode=0o700)
    since = now - days * DAY - 100 * SECOND
    repository = Repository(home, now)
    store = Store.open(home.database, now=since)
    try:
        with store.transaction(), _same_ids():
            month = Month(home, store, repository, since=since, now=now, seed=seed)
            month.write()
    finally:
        store.close()
    beat(home, now, revision=repository.head)
    return home


def beat(home: Home, now: int, *, revision: str | None = None) -> None:
    """The heartbeat of a daemon that is well, `now`."""
    said = {
        "pid": os.getpid(), "version": "0.1.0", "started_at": now - 12 * DAY, "at": now, "state": "ready",
        "last_pass_at": now, "last_pass_seconds": 0.004, "last_error": None, "last_error_at": None, "passes": 51_200,
        "reconcile": {"ok": 51_200, "error": 0, "seconds_sum": 160.0}, "root": str(home.specs), "revision": revision,
        "scan": {"at": now, "seconds": 0.002, "files": 17, "parsed": 0, "jobs": 42, "invalid": 1, "problem": None},
        "watch": {"up": True, "restarts": 0, "error": None}, "queue": {"depth": 40, "retrying": 0},
        "runs": {"active": 3}, "lag": {"buckets": [[0.001, 900], [0.01, 990]], "sum": 2.1, "count": 1000},
        "clock_jumps": 0, "supervisor": "s1", "sqlite": "3.40.1", "timezone": "UTC",
    }  # fmt: skip
    home.heartbeat.write_text(json.dumps(said))


class Repository:
    """The home's git repository: four commits within the month."""

    def __init__(self, home: Home, now: int) -> None:
        self.home = home
        self.now = now
        self.head: str | None = None
        self._git("init", "-q", "-b", "main")
        (home.root / ".gitignore").write_text(".jobsctl/\n")
        (home.root / "bin").mkdir()
        for name in specs.PROGRAMS:
            program = home.root / "bin" / name
            program.write_text(specs.PROGRAM)
            program.chmod(0o755)

    def commit(self, files: Mapping[str, str | None], message: str, at: int) -> None:
        """Write (None: remove) files of the specs directory and commit them, `at` µs."""
        for name, text in files.items():
            path = self.home.specs / name
            path.parent.mkdir(exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(
                    text.replace("ONCE", _once(self.now - 9 * DAY)).replace("LATER", _once(self.now + 39 * DAY))
                )
        self._git("add", "-A", at=at)
        self._git("commit", "-q", "--no-gpg-sign", "-m", message, at=at)

    def _git(self, *words: str, at: int = 0) -> None:
        date = f"{at // SECOND} +0000"
        who = {"NAME": "Ann Ops", "EMAIL": "ann@shop.example", "DATE": date}
        env = {f"GIT_{role}_{key}": text for role in ("AUTHOR", "COMMITTER") for key, text in who.items()}
        env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
        subprocess.run(["git", "-C", str(self.home.root), *words], check=True, capture_output=True, env=env)


class Month:
    """What is stored, in the order in which it came."""

    def __init__(self, home: Home, store: Store, repository: Repository, *, since: int, now: int, seed: int) -> None:
        self.home, self.store, self.repository = home, store, repository
        self.since, self.now, self.seed = since, now, seed
        self.source = Source(home.specs, now=lambda: now)
        self.jobs: dict[str, JobRecord] = {}
        self.before: dict[str, JobRecord] = {}
        """Of jobs that were edited: the first generation."""
        self.edited = now - 12 * DAY - 3600 * SECOND
        self.gone = now - 5 * DAY
        self.broken = now - 16 * 3600 * SECOND

    def write(self) -> None:
        """All of it."""
        self._apply(dict(_first()), "Jobs of the shop, moved in from cron", self.since)
        self._edit()
        lives = lives_of(self.jobs, since=self.since, now=self.now, seed=self.seed)
        self._happen(lives)
        self._count_pruned(lives)
        self._stand_still(lives)
        Traces(self.home, self.store, now=self.now, seed=self.seed).leave(lives)

    def _apply(self, files: dict[str, str | None], message: str, at: int) -> Desired:
        """A commit, and the look at it."""
        self.repository.commit(files, message, at)
        desired = self.source.look().desired
        self.repository.head = desired.revision
        for identity in sorted(desired.jobs):
            job = desired.jobs[identity]
            old = self.jobs.get(identity)
            if old is not None and old.digest == job.digest:
                continue
            if old is not None:
                self.before[identity] = old
            changed = {"spec": job.spec, "digest": job.digest, "path": job.path, "line": job.line,
                       "revision": desired.revision, "applied_at": at}  # fmt: skip
            if old is None:
                record = JobRecord(
                    project=job.project, name=job.name, created_at=at, anchor_at=at, cursor_at=at, **changed
                )  # type: ignore[arg-type]
            else:
                record = replace(old, generation=old.generation + 1, **changed)  # type: ignore[arg-type]
            self.jobs[identity] = stored = self.store.put_job(record)
            word = "created" if old is None else "configured"
            self._tell(stored, word, f"{word} from {job.path}:{job.line}, generation {stored.generation}", at)
        if at == self.since:
            documents = [
                DocumentRecord(kind=one.kind, name=one.name, spec=one.spec, digest=one.digest, path=one.path,
                               line=one.line, revision=desired.revision, applied_at=at)
                for one in desired.documents.values()
            ]  # fmt: skip
            self.store.put_documents(documents, [])
        return desired

    def _edit(self) -> None:
        """The other commits, and what people asked for."""
        self._apply(
            {name: specs.FILES[name] for name in _BEFORE}, "Retry invoices; give the index more time", self.edited
        )
        self._apply({"ops/ftp.yaml": None}, "The old FTP server is gone", self.gone)
        old = self.jobs["ops/old-ftp-pull"]
        self.jobs[old.identity] = self.store.put_job(replace(old, archived_at=self.gone + 60 * SECOND))
        self._tell(old, "pruned", "archived: no file defines it any more; its history stays", self.gone + 60 * SECOND)
        desired = self._apply(
            {"data/kpi.yaml": specs.KPI_MAIL_WRONG}, "Try the figures again when mail fails", self.broken
        )
        findings = desired.invalid["data/kpi-mail"]
        wrong = self.jobs["data/kpi-mail"]
        problem = tuple(asdict(finding) for finding in findings)
        self.jobs[wrong.identity] = self.store.put_job(replace(wrong, problem=problem, problem_since=self.broken))
        message = f"{findings[0]}; the last good spec (generation {wrong.generation}) goes on"
        self._tell(wrong, "invalid", message, self.broken, type="Warning")
        hosts = self.jobs["ops/patch-hosts"]
        at = self.now - 9 * DAY
        self.jobs[hosts.identity] = self.store.put_job(
            replace(hosts, suspended_at=at, suspended_by="bob@desk", suspended_reason="freeze until the audit is over")
        )
        self._tell(hosts, "suspended", "by bob@desk: freeze until the audit is over", at)
        self.store.set_source(
            SourceState(
                root=str(self.home.specs), revision=desired.revision, scanned_at=self.now - 8 * SECOND,
                files=desired.files, jobs=len(desired.jobs) + len(desired.invalid), invalid=len(desired.invalid),
                diagnostics=tuple(asdict(finding) for finding in desired.diagnostics),
            )
        )  # fmt: skip

    def _tell(self, job: JobRecord, reason: str, message: str, at: int, *, type: str = "Normal") -> None:
        event = Event(at=at, job_id=job.id, run_id=None, type=type, reason=reason, message=message)
        self.store.add_events([event])

    def _happen(self, lives: Mapping[str, Life]) -> None:
        """Runs and skips, in windows of time."""
        steps = sorted((step for life in lives.values() for step in life.steps), key=lambda step: step.at)
        for number, step in enumerate((step for step in steps if step.run is not None and step.kind == "insert"), 1):
            assert step.run is not None
            made = step.run
            first = self.before.get(made.run.identity)
            was = {"generation": first.generation, "digest": first.digest, "revision": first.revision} if (
                first is not None and made.run.created_at < self.edited) else {}  # fmt: skip
            made.run = replace(made.run, id=f"{first_id(made.run.created_at)[:10]}{number:016d}", **was)  # type: ignore[arg-type]
        for life in lives.values():
            for made in life.runs:
                if made.follows:
                    made.run = replace(made.run, upstream={name: one.run.id for name, one in made.follows.items()})
        window: list[Step] = []
        for step in steps:
            if window and step.at // WINDOW != window[0].at // WINDOW:
                Steps(window).store(self.store)
                window = []
            window.append(step)
        Steps(window).store(self.store)

    def _count_pruned(self, lives: Mapping[str, Life]) -> None:
        """Runs that retention has taken are still counted. No call of the store does this: they never were there."""
        for life in lives.values():
            if life.pruned:
                self.store._connection.execute(
                    "UPDATE job SET succeeded = succeeded + ? WHERE id = ?", (life.pruned, life.job.id)
                )

    def _stand_still(self, lives: Mapping[str, Life]) -> None:
        """Where each schedule stands `now`."""
        self.store.advance(
            [
                Advance(job_id=life.job.id or 0, cursor_at=self.now, next_at=life.next_at,
                        consumed=life.consumed or None, completed_at=life.completed_at)
                for life in lives.values()
            ]
        )  # fmt: skip


_BEFORE = {
    "shop/invoices.yaml": ("retry: {attempts: 2, backoff: fixed, delay: 2m}\n", ""),
    "shop/catalogue.yaml": ("timeout: 3h", "timeout: 90m"),
}
"""What these files said before they were edited: what replaces what."""


def _first() -> Iterator[tuple[str, str]]:
    for name, text in specs.FILES.items():
        now, before = _BEFORE.get(name, ("", ""))
        yield name, text.replace(now, before) if now else text


def _once(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(at // SECOND))


@contextmanager
def _same_ids() -> Iterator[None]:
    """Records of skipped slots have ids that are the same every time."""
    made = iter(range(1, 1_000_000))
    with patch("state.store_skips.new_id", lambda at: f"{first_id(at)[:10]}{next(made) + 10**15:016d}"):
        yield


if __name__ == "__main__":
    place = Path(sys.argv[1])
    began = time.time_ns()  # noqa: TID251 - a month before the very moment
    make_month(place.resolve(), now=began // 1000)
    print(f"{place}: a month, made in {(time.time_ns() - began) / 1e9:.1f} s")  # noqa: T201, TID251
