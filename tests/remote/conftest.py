"""One rich home with a real status process over it, asked from beside it and from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from cli.main import run
from cli.options import Settings
from state.home import Home
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.records import Event, Reason, RunState, SilenceRecord, Trigger
from tests.commands.conftest import HOUR, MINUTE, NOW, Done, Known, StoppedClock, plain_environment
from tests.seeing.building import beat
from tests.seeing.conftest import StatusProcess, serve

__all__ = ["plain_environment"]

POOL = "apiVersion: jobsctl/v1\nkind: Pool\nname: heavy\nslots: 1\n"
JOBS = (
    "name: extract\nproject: data\nlabels: {team: data}\nschedule: '@hourly'\nrun: {command: [echo, 'grüße']}\n",
    "name: load\nproject: data\nlabels: {team: data}\ndepends_on: [extract]\nschedule: '@hourly'\n"
    "params: {day: {default: today, description: Which day.}}\nrun: {command: [echo, load]}\n",
    "name: broken\ndescription: Fails, always.\nschedule: every 5m\nretry: {attempts: 2}\nrun: {command: ['false']}\n",
    "name: apart\ncapture: {streams: separate}\nrun: {command: [echo, apart]}\n",
    "name: hello\nproject: twins\nrun: {command: [echo, twin]}\n",
    "name: gone\nrun: {command: [echo, gone]}\n",
)


@dataclass
class Town:
    """The home, its server, and the ids of some runs."""

    home: Home
    server: StatusProcess
    runs: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


def fill(known: Known) -> dict[str, str]:
    """Jobs in many states, with runs, skips, waits, events, logs and kept files."""
    hello = known.job()
    extract, load, broken, apart, twin, gone = (
        known.job(text, path=f"{number}.yaml") for number, text in enumerate(JOBS)
    )
    ids: dict[str, str] = {}
    for hour in range(30):
        ids[f"hello{hour}"] = known.run(hello, ago=(40 - hour) * HOUR, took=1_234_567 + hour).id
    ids["extract"] = known.run(extract, ago=HOUR + 7, took=777).id
    ids["failed"] = known.run(broken, state=RunState.FAILED, result={"rows": 3}, error="exit code 1\x1b[31m").id
    ids["oom"] = known.run(broken, ago=3 * HOUR, state=RunState.FAILED, reason=Reason.OOM, trigger=Trigger.RETRY).id
    ids["apart"] = known.run(apart, trigger=Trigger.MANUAL, scheduled_for=None, requested_by="ann@desk").id
    ids["running"] = known.run(hello, ago=MINUTE, state=RunState.RUNNING).id
    ids["waiting"] = known.waiting(load, Reason.DEPENDENCY, ago=2 * MINUTE, not_before=NOW + MINUTE + 3).id
    known.skip(hello, reason=Reason.OVERLAP, count=3)
    known.run(twin, ago=2 * HOUR)
    known.update(gone, archived_at=NOW - HOUR)
    for id, identity in (("s1", "default/broken"), ("s2", "data/load")):
        until = NOW + (HOUR if id == "s1" else MINUTE)
        silence = SilenceRecord(
            id=id, identity=identity, since=NOW - 1, until=until, reason="moving", silenced_by="ann@desk"
        )
        known.store.add_silence(silence, now=NOW)
    problem = {"code": "JOB030", "message": "unknown key", "path": "2.yaml", "line": 3, "column": 1}
    known.update(broken, problem=(problem,), problem_since=NOW - HOUR, suspended_at=NOW - 5, suspended_reason="wait")
    known.store.add_events(
        [Event(at=NOW - 9, job_id=hello.id, run_id=None, type="Warning", reason="noted", message=f"note {number}")
         for number in range(1300)]
    )  # fmt: skip
    known.source(problem="a file cannot be read", diagnostics=({**problem, "severity": "error"},))
    for name, stream, text in (
        ("hello29", "output", b"".join(b"line %d\n" % number for number in range(300_000))),
        ("running", "output", b"one\ntwo\n\x1b[31mthree"),
        ("apart", "stdout", b"out\n"),
        ("apart", "stderr", b"err\n"),
    ):
        directory = known.home.run_dir_of(known.store.run(ids[name]))
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{stream}.log").write_bytes(text)
        (directory / f"{stream}.idx").write_text("".join(f"{NOW - (9 - n) * MINUTE} {n * 9}\n" for n in range(9)))
        (directory / "progress.json").write_text('{"percent": 40}')
        (directory / "outputs").mkdir(exist_ok=True)
        (directory / "outputs" / "report ü.csv").write_text("a,b\n")
    tell(known.home, ids["failed"])
    beat(known.home, NOW)
    return ids


def tell(home: Home, run_id: str) -> None:
    """A callback that failed, and notifications that wait: one to two addresses, and another."""
    outbox = Outbox.open(home.outbox, now=NOW)
    plain = Delivery(
        id=f"run_{run_id}", kind=DeliveryKind.CALLBACK, target="hooks.example", identity="default/broken",
        run_id=run_id, event="failed", created_at=NOW - HOUR, next_attempt_at=NOW, payload=b"{}",
    )  # fmt: skip
    outbox.add_delivery(plain)
    outbox.record_attempt(
        plain.id,
        Attempt(number=1, sent_at=NOW - HOUR, seconds=0.25, status_code=500, error="answered 500"),
        Outcome(state=DeliveryState.FAILED, reason="answered 500"),
    )
    said = b'{"title":"broken failed","body":"exit code 1\\nlast line","tone":"failure"}'
    for id, number in (("aa11bb0", 0), ("aa11bb1", 1), ("aa11cc0", 0)):
        outbox.add_delivery(
            replace(plain, id=id, kind=DeliveryKind.NOTIFICATION, target="ops", address=number,
                    run_id=None, event="failure", created_at=NOW - MINUTE, payload=said)
        )  # fmt: skip
    outbox.close()


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = Home(tmp_path_factory.mktemp("town"))
    home.specs.mkdir()
    home.config.write_text("timezone: Europe/Berlin\n")
    known = Known(home)
    ids = fill(known)
    server = serve(home)
    yield Town(home, server, ids)
    server.close()
    known.store.close()


@pytest.fixture
def ask(capsysbinary) -> Callable[..., Done]:
    """`ask(town.home, "list")` or `ask(town.url, "list")`: the program in this process, with a clock that stands."""

    def call(where: Home | str | None, *arguments: object) -> Done:
        capsysbinary.readouterr()
        settings = Settings(clock=StoppedClock())
        if isinstance(where, Home):
            settings = replace(settings, home_option=where.root)
        elif where is not None:
            settings = replace(settings, server=where)
        code = run([str(argument) for argument in arguments], settings)
        captured = capsysbinary.readouterr()
        return Done(int(code), captured.out.decode(), captured.err.decode())

    return call
