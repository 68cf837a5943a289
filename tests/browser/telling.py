"""Deliveries and a silence for the month of `tests.page.month`, which has none of its own."""

from __future__ import annotations

from state.home import Home
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.records import SilenceRecord
from state.store import Store

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def tell(home: Home, now: int) -> None:
    """What was told of the last hours before `now` (µs): it arrived, was refused and is tried again, was given up."""
    outbox = Outbox.open(home.outbox, now=now)
    try:
        for number, (identity, event, state, ago) in enumerate(
            (
                ("shop/invoices", "failure", DeliveryState.DELIVERED, 16 * HOUR),
                ("data/load", "failure", DeliveryState.DELIVERED, 7 * HOUR),
                ("data/quality", "missed", DeliveryState.FAILED, 2 * HOUR),
                ("shop/stock-sync", "failure", DeliveryState.PENDING, 90 * SECOND),
            )
        ):
            title = f"{identity} {'missed its deadline' if event == 'missed' else 'failed'}"
            _deliver(outbox, f"d{number}", identity, event, state, now - ago, title=title)
        _deliver(outbox, "d9", "ops/backup-db", "succeeded", DeliveryState.PENDING, now - 5 * MINUTE, callback=True)
    finally:
        outbox.close()
    store = Store.open(home.database, now=now)
    try:
        store.add_silence(
            SilenceRecord(id="s1", identity="ops/patch-hosts", since=now - HOUR, until=now + 7 * HOUR,
                          reason="nothing is patched during the audit", silenced_by="bob@desk"),
            now=now,
        )  # fmt: skip
    finally:
        store.close()


def _deliver(
    outbox: Outbox, id: str, identity: str, event: str, state: DeliveryState, at: int, *, title: str = "",
    callback: bool = False,
) -> None:  # fmt: skip
    kind = DeliveryKind.CALLBACK if callback else DeliveryKind.NOTIFICATION
    payload = b"{}" if callback else b'{"title": "%s", "body": ""}' % title.encode()
    outbox.add_delivery(
        Delivery(id=id, kind=kind, target="hooks.shop.example" if callback else "on-call", event=event,
                 identity=identity, created_at=at, next_attempt_at=at, payload=payload,
                 batch=None if callback else f"b-{id}")
    )  # fmt: skip
    if state is DeliveryState.DELIVERED:
        attempt, outcome = Attempt(number=1, sent_at=at, seconds=0.4), Outcome(state=state)
    elif state is DeliveryState.FAILED:
        attempt = Attempt(number=1, sent_at=at, seconds=5.0, error="no answer within 5 s")
        outcome = Outcome(state=state, reason="no answer within 5 s")
    else:
        attempt = Attempt(number=1, sent_at=at, seconds=0.2, status_code=503, error="HTTP 503")
        outcome = Outcome(state=state, next_attempt_at=at + 10 * MINUTE, reason="HTTP 503")
    outbox.record_attempt(id, attempt, outcome)
