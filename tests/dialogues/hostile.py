"""Text that tries to drive a terminal, put into everything that people outside can write; and what a terminal got."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from cli.main import run
from cli.options import Settings
from state.home import Home
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.records import Event, RunState, SilenceRecord
from tests.commands.conftest import HOUR, MINUTE, NOW, Known, StoppedClock
from tests.seeing.building import beat

DRIVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""All that moves a cursor, sets a title or a clipboard, ends a line, or turns the direction of text."""
EVIL = (
    "EVIL\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]52;c;Y29weQ==\x07\x1b[2J\x1b[31m\x9b2J\x9d0;t\x9c\x90q\x9c"
    "\u202egpj.exe\u2066\r\x08\x7f売上e\u0301 END"
)
FILE = EVIL.replace("/", "")[:100]
"""As the name of a file."""
LONG = "LONG" + "\x1b[A" * 5000
"""A line of 20,000 characters."""


def quoted(text: str) -> str:
    """As a YAML text in quotes."""
    return json.dumps(text, ensure_ascii=True)


JOB = f"""\
name: hello
description: {quoted(EVIL)}
labels: {{team: {quoted(EVIL)}}}
tags: [{quoted(EVIL[:30])}]
annotations: {{note: {quoted(EVIL)}, long: {quoted(LONG[:4000])}}}
schedule: every 10m
pool: heavy
params: {{day: {{default: {quoted(EVIL)}, description: {quoted(EVIL)}}}}}
env: {{NAME: {quoted(EVIL)}}}
run: {{command: [echo, {quoted(EVIL)}]}}
"""
FOLLOWING = """\
name: after
depends_on: [hello]
schedule: every 10m
run: {command: [echo]}
"""
BROKEN = f"""\
name: broken
schedule: {quoted(EVIL)}
{quoted(EVIL)}: 1
run: {{command: [{quoted(EVIL)}]}}
"""


def fill(known: Known, home: Home) -> dict[str, str]:
    """The home with all of it; what commands need to be named."""
    hello = known.job(JOB)
    after = known.job(FOLLOWING, path="after.yaml")
    (home.specs / f"{EVIL.replace('/', '')[:120]}.yaml").write_text(BROKEN)
    failed = known.run(hello, state=RunState.FAILED, error=EVIL, requested_by=EVIL, result={"rows": EVIL}).id
    active = known.run(hello, state=RunState.RUNNING, ago=MINUTE, requested_by=EVIL).id
    known.run(after, ago=2 * HOUR)
    known.store.add_silence(
        SilenceRecord(id="s", identity=None, since=NOW - 1, until=NOW + 60 * MINUTE, reason=EVIL, silenced_by=EVIL),
        now=NOW,
    )
    known.update(
        hello, suspended_at=NOW - MINUTE, suspended_by=EVIL, suspended_reason=EVIL, path=f"{EVIL}.yaml",
        problem=({"code": "JOB030", "message": EVIL, "path": EVIL, "line": 1, "column": 1},), problem_since=NOW,
    )  # fmt: skip
    known.source(
        problem=EVIL, revision=EVIL,
        diagnostics=({"code": "JOB030", "severity": "error", "message": EVIL, "path": EVIL, "line": 1, "column": 1},),
    )  # fmt: skip
    known.store.add_events(
        [Event(at=NOW - 1, job_id=hello.id, run_id=failed, type="Warning", reason="noted", message=EVIL)]
    )
    for name in (failed, active):
        folder = home.run_dir_of(known.store.run(name))
        (folder / "outputs").mkdir(parents=True)
        (folder / "output.log").write_bytes(f"{EVIL}\n{LONG}\n".encode() + b"\xff\xfe\x9b\n")
        (folder / "outputs" / FILE).write_text(EVIL)
        (folder / "progress.json").write_text(json.dumps({"percent": 40, "message": EVIL}))
    _told(home, failed)
    beat(home, NOW)
    return {"failed": failed, "active": active}


def _told(home: Home, run_id: str) -> None:
    """A notification of which everything is somebody else's: the service's answer, the job's words."""
    payload = json.dumps({"title": EVIL, "body": f"{EVIL}\n{LONG}", "tone": "failure"}).encode()
    with closing(Outbox.open(home.outbox, now=NOW)) as outbox:
        outbox.add_delivery(
            Delivery(
                id="e71100", kind=DeliveryKind.NOTIFICATION, target=EVIL, address=1, batch="e711",
                identity="default/hello", run_id=run_id, event=EVIL, created_at=NOW, next_attempt_at=NOW,
                payload=payload,
            )
        )  # fmt: skip
        outbox.record_attempt(
            "e71100",
            Attempt(number=1, sent_at=NOW, seconds=1.0, error=EVIL),
            Outcome(state=DeliveryState.FAILED, reason=EVIL),
        )


class Tty(io.TextIOWrapper):
    """A standard stream that says it is a terminal, and keeps what it gets."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True)

    def isatty(self) -> bool:
        return True

    def got(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


def on_terminal(*arguments: str, home: Home | None = None, server: str | None = None) -> str:
    """All that a call in this process writes to a terminal: without colours, so that no escape is its own."""
    settings = replace(Settings(clock=StoppedClock()), home_option=home.root if home else None, server=server)
    before = sys.stdin, sys.stdout, sys.stderr
    shown = Tty()
    sys.stdin, sys.stdout, sys.stderr = Path(os.devnull).open(), shown, shown  # noqa: SIM115
    try:
        with patch.dict(os.environ, {"TERM": "dumb"}):  # without what tells of progress
            run([*arguments, "--no-color"], settings)
    finally:
        sys.stdin.close()
        sys.stdin, sys.stdout, sys.stderr = before
    return shown.got()
