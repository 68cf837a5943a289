"""Notifications that are due: which are sent now, each in a thread, and what came of them. For the notify process.

The process's one thread calls `start` and `take`; only it touches the outbox. A thread waits for the process that sends
(`status.notify.sending`), so what hangs there is ended there. To one address one goes at a time, in order; what did
not arrive waits for its next try and lets those of other jobs pass. Those of its own jobs try it again first: a
recovery does not come before its failure. If this process dies in between, the delivery is still pending: it is sent
again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from specs.outside import OutsideUnreadable, read_value
from specs.stored import StoredNotifier
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from status.notify.crashpoint import crashpoint
from status.notify.sending import Note, send_apart
from status.notify.wording import when
from status.words.instants import SECOND

THREADS = 4
LOOK, EACH = 1000, 2
"""Deliveries looked at in one turn, and at most for one address: those for one that hangs do not hide the others."""
TURNS = 8
"""Of looking again, twice as far each time, while what was seen was dropped."""
DELAYS = (30, 120, 600, 1800, 3600, 7200, 14_400, 28_800)
"""Seconds from each failed attempt to the next: nine in 16 hours. A night without mail loses no message."""
PATIENT = 3
"""Attempts of one that are given up because an earlier one did not arrive; then it goes alone: the service may refuse
that one for good, and what came later must not be kept back for the 16 hours until it has failed."""
LATE = 60 * SECOND
"""What is sent longer after it was written says so."""

Send = Callable[[str, Note], str | None]
"""`sending.send_apart`: None when it arrived, else why not."""


class Postman:
    """What is under way. Not for several threads."""

    def __init__(
        self,
        outbox: Outbox,
        notifiers: Callable[[], Mapping[str, StoredNotifier]],
        *,
        base_dir: Callable[[], Path],
        environ: Mapping[str, str],
        now: Callable[[], int],
        monotonic: Callable[[], float],
        wake: Callable[[], None],
        send: Send = send_apart,
    ) -> None:
        """
        Args:
            notifiers: those that are applied now, by name.
            base_dir, environ: where addresses from outside are found (`specs.outside`).
            wake: called by the threads: there is something to `take`.
        """
        self._outbox = outbox
        self._notifiers = notifiers
        self._base_dir = base_dir
        self._environ = environ
        self._now = now
        self._monotonic = monotonic
        self._wake = wake
        self._send = send
        self._ended: deque[tuple[Delivery, Attempt]] = deque()
        self._under_way: dict[str, tuple[str, int | None]] = {}
        """Notifier and number of the address, by delivery."""

    @property
    def under_way(self) -> int:
        """Attempts that are being made."""
        return len(self._under_way)

    def start(self, now: int) -> None:
        """Begin attempts at what is due (`now`: µs), as many as there is room for."""
        for turn in range(TURNS):
            if not self._start_some(now, each=EACH << turn):
                return
        self._wake()

    def _start_some(self, now: int, *, each: int) -> bool:
        """Whether some were dropped: what is behind them was not seen yet."""
        dropped: list[tuple[str, str | None]] = []
        for delivery in self._outbox.due(now, kind=DeliveryKind.NOTIFICATION, limit=LOOK, each=each):
            place = delivery.target, delivery.address
            if delivery.id in self._under_way or place in self._under_way.values():
                continue
            if len(self._under_way) >= THREADS:
                break
            notifier = self._notifiers().get(delivery.target)
            refusal = _refusal(delivery, notifier)
            if refusal is not None or notifier is None:
                dropped.append((delivery.id, refusal))
                continue
            self._under_way[delivery.id] = place
            url = notifier.urls[delivery.address or 0]
            earlier = self._outbox.before(delivery)
            threading.Thread(target=self._go, args=(earlier, delivery, url), name="postman", daemon=True).start()
        if dropped:
            with self._outbox.transaction():
                for id, reason in dropped:
                    self._outbox.end(id, Outcome(state=DeliveryState.DROPPED, reason=reason), now=now)
        return bool(dropped)

    def take(self) -> int:
        """Store what attempts came to that have ended. How many.

        Raises StateError: what could not be stored stays under way, or a full disk would send it again and again.
        """
        count = 0
        while self._ended:
            delivery, attempt = self._ended[0]
            self._outbox.record_attempt(delivery.id, attempt, outcome_of(attempt))
            crashpoint("notify-recorded")
            self._ended.popleft()
            self._under_way.pop(delivery.id, None)
            count += 1
        return count

    def _go(self, earlier: Sequence[Delivery], delivery: Delivery, url: object) -> None:
        """Send one delivery, and those before it first. Theirs is no attempt of their own unless it arrives: they have
        their own times, and as many attempts as any."""
        attempt: Attempt | None = None
        for each in earlier:
            first = self._attempt(each, url)
            if first.error is not None:
                attempt = replace(first, number=delivery.attempts + 1, error=f"after {each.id}: {first.error}")
                break
            self._ended.append((each, first))
            self._wake()
        if attempt is None or delivery.attempts >= PATIENT:
            attempt = self._attempt(delivery, url)
        self._ended.append((delivery, attempt))
        self._wake()

    def _attempt(self, delivery: Delivery, url: object) -> Attempt:
        began, started = self._now(), self._monotonic()
        try:
            error = self._one(delivery, url)
        except Exception as failure:  # a mistake of ours in one delivery: it is told with it, and holds no other
            error = f"cannot be sent: {type(failure).__name__}"
        seconds = round(max(0.0, self._monotonic() - started), 3)
        return Attempt(number=delivery.attempts + 1, sent_at=began, seconds=seconds, error=error)

    def _one(self, delivery: Delivery, url: object) -> str | None:
        said = orjson.loads(delivery.payload)
        subject = f"urls[{delivery.address or 0}] of Notifier {delivery.target}"
        try:
            address = read_value(url, subject=subject, base_dir=self._base_dir(), environ=self._environ).strip()
        except OutsideUnreadable as error:
            return str(error)
        crashpoint("notify-sending")
        late = delivery.attempts > 0 or self._now() - delivery.created_at > LATE
        body = f"{said['body']}\n{_late_words(delivery)}" if late else said["body"]
        problem = self._send(address, Note(said["title"], body, said["tone"]))
        crashpoint("notify-sent")
        return problem


def outcome_of(attempt: Attempt) -> Outcome:
    """What an attempt means for its notification. The same delays for every address: services have limits of theirs."""
    if attempt.error is None:
        return Outcome(state=DeliveryState.DELIVERED)
    if attempt.number > len(DELAYS):
        return Outcome(state=DeliveryState.FAILED, reason=f"{attempt.error}; {attempt.number} attempts were made")
    ended = attempt.sent_at + round(attempt.seconds * SECOND)
    return Outcome(
        state=DeliveryState.PENDING,
        next_attempt_at=ended + DELAYS[attempt.number - 1] * SECOND,
        reason=attempt.error,
    )


def _late_words(delivery: Delivery) -> str:
    """Later messages of other jobs do not wait for it, those of its own not for ever: it must not be taken for news."""
    return (
        f"Sent late: it was written at {when(delivery.created_at, 'UTC')}; what was written since may have come before"
    )


def _refusal(delivery: Delivery, notifier: StoredNotifier | None) -> str | None:
    """Why it is not sent any more. Never its age: its job counts as told of, so nothing would tell it anew."""
    if notifier is None:
        return f"no Notifier {delivery.target} is applied any more"
    if (delivery.address or 0) >= len(notifier.urls):
        return f"Notifier {delivery.target} has only {len(notifier.urls)} addresses now"
    return None
