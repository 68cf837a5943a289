"""Callbacks that are due: which are sent now, each in a thread, and what came of them. For the notify process.

The process's one thread calls `start` and `take`; only it touches the outbox. A slow receiver holds `EACH` threads of
`THREADS` and nobody else's; of what is due, each receiver's first few are looked at, so that a thousand for one that
hangs do not hide what others wait for. One that asks for time (429, 503 with `Retry-After`) is left alone so long. If
the process dies in an attempt, the delivery is still pending: it is sent again, under the same id.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable

from specs.stored import StoredCallback, StoredJob, Unreadable
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from status.notify.callbacks.answer import Answer
from status.notify.callbacks.payload import OUTSIDE
from status.notify.callbacks.retrying import outcome_of
from status.notify.callbacks.sending import Sender, Sent
from status.notify.crashpoint import crashpoint
from status.words.instants import SECOND, rfc3339

THREADS = 16
EACH = 2
"""At once to one receiver."""
MOST_WAITING = 1000
"""Of one job. A receiver that is away for days is told what came last; more would only fill the disk."""
COUNT_EVERY = 60 * SECOND
LOOK = 1000
"""Deliveries looked at in one turn."""
TURNS = 8
"""Of looking again, twice as far each time, while what was seen was dropped."""


class Dispatcher:
    """What is under way. Not for several threads."""

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        job_of: Callable[[Delivery], StoredJob | None],
        *,
        wake: Callable[[], None],
        threads: int = THREADS,
        each: int = EACH,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """
        Args:
            job_of: the job of a delivery as it is applied now; None when nothing is known of it any more. May raise
                `Unreadable`.
            wake: called by the threads: there is something to `take`.
        """
        self._outbox = outbox
        self._sender = sender
        self._job_of = job_of
        self._wake = wake
        self._threads = threads
        self._each = each
        self._most_waiting = most_waiting
        self._counted = 0
        """When it was last looked whether too many wait, µs."""
        self._ended: deque[tuple[Delivery, str, str, Sent]] = deque()
        self._under_way: dict[str, str] = {}
        """Receiver by delivery."""
        self._pauses: dict[str, int] = {}
        """Until when (µs) nothing is sent to a receiver, because it asked for that. Forgotten with the process."""

    @property
    def under_way(self) -> int:
        """Attempts that are being made."""
        return len(self._under_way)

    def next_start(self) -> int | None:
        """When (µs) a receiver's wish for quiet ends: `start` is to be called then. None: there is none."""
        return min(self._pauses.values(), default=None)

    def set_back(self, by: int) -> None:
        """The clock was set back `by` µs."""
        self._pauses = {receiver: until - by for receiver, until in self._pauses.items()}

    def start(self, now: int) -> None:
        """Begin attempts at what is due (`now`: µs), as many as there is room for."""
        if abs(now - self._counted) >= COUNT_EVERY:
            self._give_up(now)
        self._pauses = {receiver: until for receiver, until in self._pauses.items() if until > now}
        for turn in range(TURNS):
            if not self._start_some(now, look=2 * self._each << turn):
                return
        self._wake()

    def _start_some(self, now: int, *, look: int) -> bool:
        """Whether some were dropped: what is behind them was not seen yet."""
        dropped: list[tuple[str, str]] = []
        busy = Counter(self._under_way.values())
        # Those under way are still due to the outbox: of each receiver as many more are asked for.
        for delivery in self._outbox.due(now, kind=DeliveryKind.CALLBACK, limit=LOOK, each=look):
            if len(self._under_way) >= self._threads:
                break
            receiver = _receiver(delivery)
            if delivery.id in self._under_way or busy[receiver] >= self._each or receiver in self._pauses:
                continue
            try:
                job = self._job_of(delivery)
                callback = None if job is None else job.callback
            except Unreadable:  # damaged, or of another version: one must not hold up all the others
                dropped.append((delivery.id, "what is stored of its job cannot be read"))
                continue
            if job is None or callback is None:
                dropped.append((delivery.id, "its job has no callback any more"))
                continue
            disabled = self._outbox.disabled_endpoint(job.identity, callback.digest)
            if disabled is not None:
                since = (rfc3339(disabled.disabled_at) or "")[:19]
                dropped.append((delivery.id, f"not sent: since {since}Z its receiver is gone ({disabled.reason})"))
                continue
            busy[receiver] += 1
            self._under_way[delivery.id] = receiver
            threading.Thread(
                target=self._attempt, args=(delivery, job.identity, callback), name="callback", daemon=True
            ).start()
        if dropped:
            with self._outbox.transaction():
                for id, reason in dropped:
                    self._outbox.end(id, Outcome(state=DeliveryState.DROPPED, reason=reason), now=now)
        return bool(dropped)

    def take(self) -> int:
        """Store what attempts came to that have ended. How many.

        Raises StateError: what could not be stored stays under way, and is stored by the next call.
        """
        count = 0
        while self._ended:
            delivery, identity, digest, sent = self._ended[0]
            with self._outbox.transaction():
                self._outbox.record_attempt(delivery.id, sent.attempt, sent.outcome)
                if sent.gone:
                    self._outbox.disable_endpoint(
                        identity, digest, now=sent.attempt.sent_at, reason=sent.attempt.error or "answered 410"
                    )
            crashpoint("notify-call-recorded")
            self._ended.popleft()
            receiver = self._under_way.pop(delivery.id)
            if sent.quiet_until is not None:
                self._pauses[receiver] = max(sent.quiet_until, self._pauses.get(receiver, 0))
            count += 1
        return count

    def _attempt(self, delivery: Delivery, identity: str, callback: StoredCallback) -> None:
        try:
            crashpoint("notify-calling")
            sent = self._sender.send(delivery, callback)
            crashpoint("notify-called")
        except Exception as error:  # a mistake of ours in one delivery: it is told with it, and holds no other
            number, now = delivery.attempts + 1, self._sender.now()
            answer = Answer(error=f"cannot be sent: {type(error).__name__}")
            sent = Sent(
                Attempt(number=number, sent_at=now, seconds=0.0, error=answer.error),
                outcome_of(delivery.id, number, answer, ended_at=now),
            )
        self._ended.append((delivery, identity, callback.digest, sent))
        self._wake()

    def _give_up(self, now: int) -> None:
        """Of what waits for a receiver that never takes it, the oldest."""
        ids = self._outbox.overfull(DeliveryKind.CALLBACK, self._most_waiting)
        with self._outbox.transaction():
            for id in set(ids) - self._under_way.keys():
                reason = f"given up: {self._most_waiting:,} newer ones of its job wait for the receiver"
                self._outbox.end(id, Outcome(state=DeliveryState.DROPPED, reason=reason), now=now)
        self._counted = now


def _receiver(delivery: Delivery) -> str:
    return delivery.identity or "" if delivery.target == OUTSIDE else delivery.target
