"""A signed test message to the receiver of a job's callback, sent here and now. Used by `notify test --callback`."""

from __future__ import annotations

import time
from dataclasses import dataclass

from cli.errors import NotFound, Refused
from cli.outsidehere import read_here
from cli.progress import Progress
from cli.reading import Reading
from jobsctl import __version__
from specs.stored import Unreadable
from state.ids import new_id
from state.outbox.records import Delivery, DeliveryKind
from state.records import JobRecord
from status.deadline import read_spec
from status.notify.callbacks.guard import Allowed
from status.notify.callbacks.payload import body_of_test, target_of
from status.notify.callbacks.sending import Sender, resolve_name


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    id: str
    """The `webhook-id` it was sent under."""
    target: str
    """The host; never more of the address."""
    seconds: float
    status_code: int | None
    """None: there was no answer, or nothing was sent."""
    error: str | None


def send_test_callback(seen: Reading, record: JobRecord) -> Result:
    """Send one event of type `job.test`, to where the daemon may send, signed with the job's keys.

    Raises:
        NotFound: the job, as it is applied, has no callback.
        Refused: its spec is of another version, or `jobsctl.yaml` is wrong: where callbacks may go is not known.
    """
    job, allowed = read_spec(record.spec), seen.config.callbacks
    try:
        callback = job.callback
    except Unreadable:
        raise Refused(f"{record.identity} was stored by another version", hint="use its jobsctl") from None
    if callback is None:
        raise NotFound(
            f"{record.identity} has no callback", hint="`jobsctl explain job.callback` tells what stands in one"
        )
    if seen.config_problem is not None:
        raise Refused(f"jobsctl.yaml is wrong: {seen.config_problem.diagnostics[0]}", hint="jobsctl validate")
    target = target_of(callback)
    made = Delivery(
        id=f"test_{new_id(seen.now)}", kind=DeliveryKind.CALLBACK, target=target, identity=record.identity,
        event="test", created_at=seen.now, next_attempt_at=seen.now,
        payload=body_of_test(record.identity, labels=job.labels, at=seen.now),
    )  # fmt: skip
    sender = Sender(
        allowed=Allowed(hosts=allowed.hosts, private=allowed.private, ports=allowed.ports),
        read_value=lambda value, subject: read_here(value, subject=subject, base_dir=seen.base_dir),
        now=lambda: seen.now,
        monotonic=time.monotonic,
        resolve=resolve_name,
        tls=None,
        version=__version__,
    )
    with Progress(f"sending to {target}"):
        attempt = sender.send(made, callback).attempt
    return Result(made.id, target, attempt.seconds, attempt.status_code, attempt.error)
