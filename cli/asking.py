"""Asking the daemon to do something: a request file, then its answer in the database.

Used by the commands that change something. With no daemon running the request stays in the inbox and is done when one
starts; nothing is lost and nothing waits for it.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.errors import Refused, TimedOut
from cli.options import Settings
from cli.output import say
from cli.progress import Progress
from state.errors import NoDatabase, OlderSchema
from state.home import Home
from state.ids import new_id
from state.inbox import Request, RequestKind, write_request
from state.reads import Reader
from state.records import RequestRecord

LONGEST_PAUSE = 0.1
"""Seconds between two looks for the answer; the first ones come faster: the daemon answers in milliseconds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and, when a daemon runs, what became of it."""

    id: str
    answer: RequestRecord | None
    """None: no daemon is running, it is done when one starts."""

    def view(self) -> dict[str, Any]:
        """For `-o json`."""
        answer = self.answer
        return {
            "request": self.id,
            "outcome": answer.outcome if answer else "waiting",
            "message": answer.message if answer else "done when the daemon starts",
            "job": answer.identity if answer else None,
            "run": answer.run_id if answer else None,
        }


def ask(
    settings: Settings,
    kind: RequestKind,
    *,
    identity: str | None = None,
    run_id: str | None = None,
    reason: str | None = None,
    params: Mapping[str, Any] | None = None,
    timeout: float | None,
    wait: bool = True,
    refusals: bool = True,
) -> Asked:
    """Write the request and wait for its answer.

    Args:
        timeout: seconds to wait when a daemon is running; None: as long as it takes.
        wait: False: write it and leave.
        refusals: False: hand a refusal back instead of raising it.

    Raises:
        Refused: the daemon understood and did not do it.
        TimedOut: no answer yet; the request stays and may still be done.
    """
    home = settings.existing_home()
    # Before the inbox makes it with everybody's rights: the state of all jobs will be in it.
    home.state.mkdir(mode=0o700, exist_ok=True)
    now = settings.now()
    request = Request(
        id=new_id(now),
        kind=kind,
        identity=identity,
        run_id=run_id,
        reason=reason,
        requested_by=requester(),
        requested_at=now,
        params=dict(params or {}),
    )
    if not write_request(home, request):
        say("The daemon is not running: this is done when it starts (`jobsctl daemon`).")
        return Asked(request.id, None)
    if not wait:
        return Asked(request.id, None)
    with Progress("waiting for the daemon's answer"):
        answer = _answer(settings, home, request.id, timeout)
    if answer.outcome != "done" and refusals:
        raise Refused(answer.message)
    return Asked(request.id, answer)


def _answer(settings: Settings, home: Home, request_id: str, timeout: float | None) -> RequestRecord:
    deadline = None if timeout is None else settings.clock.monotonic() + timeout
    pause = 0.005
    while True:
        try:
            with Reader(home.database) as reader:
                answer = reader.request(request_id)
        except (NoDatabase, OlderSchema):
            answer = None  # the daemon is starting for the first time, or migrates
        if answer is not None:
            return answer
        _raise_if_rejected(home, request_id)
        if deadline is not None and settings.clock.monotonic() >= deadline:
            raise TimedOut(
                f"the daemon did not answer within {timeout:g}s; the request {request_id} stays and may still be done",
                hint="`jobsctl status` shows how the daemon is",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _raise_if_rejected(home: Home, request_id: str) -> None:
    """The daemon puts aside what it cannot read as a request, or will not take from this user."""
    note = home.requests / "rejected" / f"{request_id}.json.reason"
    if note.exists():
        raise Refused(f"the daemon does not take the request: {note.read_text(errors='replace').strip()}")


def requester() -> str:
    """`user@host`: who asked, for the audit."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
