"""A home in which every metric has something to say: for tests of metrics, and for the page about them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import orjson

from state.home import Home
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.records import DocumentRecord, Reason, RunState
from state.store import RunStarted, Store
from tests.seeing.building import HOUR, NINE, SECOND, beat, carry_out, record_of, run_of, source_state

NOON = NINE + 3 * HOUR


def furnish(home: Home, store: Store) -> None:
    """Jobs in every phase that shows, a pool, a notifier with deliveries, a backup, a heartbeat."""
    ran = store.put_job(record_of("ran", spec={"schedule": "@hourly", "timeout": "5m"}))
    store.put_job(record_of("new", project="data", spec={"schedule": "daily at 09:00", "timezone": "Europe/Berlin"}))
    store.put_job(record_of("off", spec={"schedule": "@hourly"}, suspended_at=NINE))
    first, second = (store.put_job(record_of(name, spec={"schedule": "@hourly", "pool": "db"})) for name in "ab")
    carry_out(store, ran, at=NINE + HOUR, seconds=90)
    carry_out(store, ran, at=NINE + 2 * HOUR, state=RunState.FAILED)
    running = run_of(first, at=NINE + HOUR)
    waiting = replace(run_of(second, at=NINE + 2 * HOUR), state=RunState.BLOCKED, reason=Reason.POOL)
    store.insert_runs([running, waiting])
    store.started([RunStarted(run_id=running.id, at=NINE + HOUR, pid=1, pid_start=1)])
    store.put_documents(
        [
            _document(
                "Pool", "db", b'{"apiVersion":"jobsctl/v1","description":"","kind":"Pool","name":"db","slots":1}'
            ),
            _document("Notifier", "ops", b"{}"),
        ],
        [],
    )
    store.set_source(source_state(diagnostics=({"code": "JOB012", "severity": "error"}, {"severity": "warning"})))
    beat(home, NOON, last_error="x", last_error_at=NINE)
    home.last_backup.write_bytes(orjson.dumps({"at": NINE, "file": "/srv/backup.tar.gz"}))
    with closing(Outbox.open(home.outbox, now=NINE)) as outbox:
        for number, state in enumerate((DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.PENDING)):
            deliver(outbox, f"c{number}", DeliveryKind.CALLBACK, "hooks.example.com", state)


def deliver(outbox: Outbox, id: str, kind: DeliveryKind, target: str, state: DeliveryState) -> None:
    """A delivery and the attempt that made it what it is."""
    outbox.add_delivery(
        Delivery(id=id, kind=kind, target=target, event="failure", created_at=NINE, next_attempt_at=NINE, payload=b"{}")
    )
    outbox.record_attempt(
        id,
        Attempt(number=1, sent_at=NINE, seconds=0.1, status_code=200 if state is DeliveryState.DELIVERED else 500),
        Outcome(state=state, next_attempt_at=NINE + 60 * SECOND if state is DeliveryState.PENDING else None),
    )


def _document(kind: str, name: str, spec: bytes) -> DocumentRecord:
    return DocumentRecord(kind=kind, name=name, spec=spec, digest="d", path="shared.yaml", line=1)
