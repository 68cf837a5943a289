"""Whether those who want to be told can be: apprise, the outbox, what did not arrive, the ping."""

from __future__ import annotations

from collections.abc import Iterator

from cli.health.finding import DAY, Check, Finding, Patient, ok, problem, warning
from state.errors import StateError
from state.outbox.reads import OutboxReader
from status.notify.sending import INSTALL, available
from status.problems.undelivered import undelivered
from status.words.counting import counted
from status.words.times import relative

LOOKED_AT = 10_000


def check_telling(patient: Patient) -> Iterator[Finding]:
    """Notifiers need apprise; a target that fails again and again needs somebody."""
    notifiers = 0 if patient.reader is None else len(patient.reader.documents("Notifier"))
    if notifiers and not available():
        yield problem(f"{counted(notifiers, 'notifier')} and no apprise: notifications are recorded as failed", INSTALL)
    set_aside = patient.home.state.glob(f"{patient.home.outbox.name}.damaged-*")
    damaged = sorted(path for path in set_aside if not path.name.endswith(("-wal", "-shm")))
    if damaged:
        yield warning(
            f"{damaged[-1]}: an outbox that was damaged; what waited in it was not told",
            "look at the disk and the kernel's log; remove the file when you need it no more",
        )
    if not patient.home.outbox.exists():
        return
    try:
        with OutboxReader(patient.home.outbox, timeout=2.0) as outbox:
            failing = undelivered(outbox, patient.now)
            made = len(outbox.deliveries(since=patient.now - DAY, limit=LOOKED_AT))
            pinged = outbox.note("ping")
    except StateError as error:
        yield problem(f"the outbox cannot be read: {error.message}", error.hint or "restart the daemon: it mends it")
        return
    yield from (warning(f"{each.subject}: {each.message}", each.next) for each in failing)
    if made and not failing:
        yield ok(f"deliveries in the last day: {made}; none fails")
    if patient.config.ping is not None and pinged is not None and pinged["error"] is not None:
        yield warning(
            f"the last ping ({relative(pinged['at'], patient.now)}) came to nothing: {pinged['error']}",
            "look at `ping` in jobsctl.yaml and at what it pings",
        )


CHECKS = (Check("telling", "apprise, the outbox, deliveries that fail, the ping", check_telling),)
