"""The daemon and its supervisors: alive, well, of this version, one only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cli.health.finding import SECOND, Check, Finding, Patient, ok, problem, warning
from cli.output import counted
from cli.supervisors import living_supervisors, supervisor_names
from status.health import Facts, health_view
from status.heartbeat import DOWN_AFTER
from status.words.times import relative

OLD_REQUEST = 60 * SECOND


def check_alive(patient: Patient) -> Iterator[Finding]:
    """Whether it runs, and gives signs of life."""
    beat = patient.heartbeat
    holder = _lock_holder(patient)
    if not patient.alive and holder is not None:
        yield problem(
            f"process {holder} holds {patient.home.lock} and does not answer: it is starting, stopping or hangs",
            f"look at its log; if it stays so: kill {holder}",
        )
    elif not patient.alive:
        last = f", last seen {relative(beat.at, patient.now)}" if beat is not None and beat.at else ""
        yield problem(f"no daemon is running{last}: nothing is started", "jobsctl daemon, or systemctl start jobsctl")
    elif beat is None or beat.age(patient.now) > DOWN_AFTER:
        age = relative(beat.at, patient.now) if beat is not None else "never"
        yield problem(
            f"a daemon listens, but its last sign of life is {age}", "look at its log and at the machine's load"
        )
    else:
        yield ok(f"daemon {beat.pid} is {beat.state}")


def check_work(patient: Patient) -> Iterator[Finding]:
    """What the daemon itself says is wrong, as /healthz tells it."""
    beat = patient.heartbeat
    if not patient.alive or beat is None or beat.age(patient.now) > DOWN_AFTER:
        return
    source = patient.reader.source() if patient.reader is not None else None
    facts = Facts(patient.now, beat, source, patient.reader is not None, None, None)
    body, _ = health_view(facts)
    problems = [text for text in body["problems"] if not text.startswith("watcher")]
    for text in problems:
        yield problem(text, "`jobsctl status` tells more; so does the daemon's log")
    if not problems:
        yield ok("it reports no trouble")


def check_version(patient: Patient) -> Iterator[Finding]:
    """A daemon that was not restarted after an update."""
    beat = patient.heartbeat
    if not patient.alive or beat is None:
        return
    if beat.version != patient.version:
        yield warning(
            f"the daemon is version {beat.version}, this program is {patient.version}",
            "restart the daemon: what runs goes on",
        )
    else:
        yield ok(f"daemon and program are version {patient.version}")


def check_supervisors(patient: Patient) -> Iterator[Finding]:
    """Processes that own runs: they outlive a daemon on purpose, for as long as they have one."""
    folder = patient.home.supervisors
    if not folder.is_dir():
        return
    living = living_supervisors(patient.home, patient.proc)
    dead = [name for name in supervisor_names(patient.home) if name not in living]
    active = patient.reader.runs(active=True, limit=1000) if patient.reader is not None else []
    running = [run for run in active if run.pid is not None]
    if dead and patient.alive and patient.heartbeat and patient.heartbeat.text("supervisor") in dead:
        yield problem(
            "the daemon's supervisor process is gone", "it starts another one by itself; its log says why, if it cannot"
        )
    if not patient.alive and running:
        yield warning(
            f"still going on without a daemon: {counted(len(running), 'run')}, "
            f"under {counted(len(living), 'supervisor')}; nobody writes down how they end until a daemon runs",
            "start the daemon; it takes them over",
        )
    for path in sorted(folder.glob("*.err")):
        if path.stat().st_size and path.stem not in living:
            last = patient.text(path).strip().splitlines()[-1:]
            yield warning(f"a supervisor failed: {' '.join(last)[:300]}", f"the whole of it is in {path}")
    if living:
        yield ok(f"{counted(len(living), 'supervisor')} running")


def check_requests(patient: Patient) -> Iterator[Finding]:
    """Requests nobody answers, and those that were refused as unreadable."""
    folder = patient.home.requests
    if not folder.is_dir():
        return
    old = patient.now - OLD_REQUEST
    files = [path for path in folder.iterdir() if path.is_file()]
    stuck = [path for path in files if path.suffix == ".json" and _modified(path) < old]
    if stuck and patient.alive:
        yield problem(
            f"unanswered for longer than a minute, though a daemon runs: {counted(len(stuck), 'request')}, "
            f"as {stuck[0].name}",
            "look at the daemon's log",
        )
    elif stuck:
        yield warning(f"left for the next daemon: {counted(len(stuck), 'request')}", "they are done when one starts")
    rests = [path for path in files if path.suffix == ".tmp" and _modified(path) < patient.now - 3600 * SECOND]
    if rests:

        def remove() -> str:
            for path in rests:
                path.unlink(missing_ok=True)
            return f"removed {counted(len(rests), 'half-written request')}"

        yield warning(
            f"{counted(len(rests), 'half-written request')} in {folder}", "rm them: nobody will finish them", fix=remove
        )
    rejected = sorted((folder / "rejected").glob("*.json"), key=_modified)
    if rejected:
        reason = patient.text(rejected[-1].with_name(f"{rejected[-1].name}.reason")).strip()
        yield warning(
            f"{counted(len(rejected), 'request')} could not be read, the last one because: {reason or 'unknown'}",
            f"look at {folder / 'rejected'}, then delete what is there",
        )


def _modified(path: Path) -> int:
    """Microseconds; the end of time for what is gone by now."""
    try:
        return path.stat().st_mtime_ns // 1000
    except FileNotFoundError:
        return 1 << 62


def _lock_holder(patient: Patient) -> int | None:
    """The process that holds the daemon's lock, asked without taking it: a daemon that starts now must not meet us."""
    with suppress(OSError):
        status = patient.home.lock.stat()
        for line in patient.text(patient.proc / "locks").splitlines():
            parts = line.split()
            # 1: FLOCK  ADVISORY  WRITE 4711 08:02:1234 0 EOF
            if len(parts) > 5 and parts[1] == "FLOCK" and parts[5].rpartition(":")[2] == str(status.st_ino):
                return int(parts[4])
    return None


CHECKS = (
    Check("daemon", "whether it runs and gives signs of life; who holds the lock", check_alive),
    Check("daemon-work", "what it says of itself, as `/healthz`", check_work),
    Check("version", "whether daemon and program are the same version", check_version),
    Check("supervisors", "processes that own runs: gone, failed, or without a daemon", check_supervisors),
    Check("requests", "requests that wait, are half written, or were not readable", check_requests),
)
