"""One attempt, made as the notify process makes it, against a receiver of `tests.callbacks.receiver`."""

from __future__ import annotations

import base64
import os
import ssl
import time
from collections.abc import Sequence
from pathlib import Path

from specs.outside import read_value
from specs.stored import StoredCallback, StoredValue
from state.outbox.records import Delivery, DeliveryKind
from status.notify.callbacks.guard import Allowed, Resolver
from status.notify.callbacks.sending import Sender, Sent
from tests.callbacks.receiver import Names, Receiver

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
BODY = b'{"type":"job.run.failed","timestamp":"2026-11-18T11:06:42.000Z","data":{}}'


def delivery(attempts: int = 0) -> Delivery:
    """What the outbox has of it."""
    return Delivery(
        id="run_01m7yhz29aer7whczpkpf7957w", kind=DeliveryKind.CALLBACK, target="x", identity="shop/report",
        event="failed", created_at=1, next_attempt_at=1, attempts=attempts, payload=BODY,
    )  # fmt: skip


def now() -> int:
    """The clock: the official verifier reads it too."""
    return time.time_ns() // 1000  # noqa: TID251


def sender(
    receiver: Receiver | None = None,
    *,
    allowed: Allowed | None = None,
    resolve: Resolver | None = None,
    tls: ssl.SSLContext | None = None,
    timeout: float = 10.0,
    base_dir: Path = Path("/nowhere"),
) -> Sender:
    """One that may reach the receiver."""
    ports = [80, 443] if receiver is None else [receiver.port]
    return Sender(
        allowed=allowed or Allowed(private=["127.0.0.1"], ports=ports),
        read_value=lambda value, subject: read_value(value, subject=subject, base_dir=base_dir, environ=os.environ),
        now=now,
        monotonic=time.monotonic,
        resolve=resolve or Names(),
        tls=tls,
        version="0.1.0",
        timeout=timeout,
    )


def attempt(
    receiver: Receiver,
    *,
    url: StoredValue | None = None,
    secrets: Sequence[StoredValue] = (KEY,),
    timeout: float = 10.0,
) -> Sent:
    """Send to it, by its address, once."""
    return sender(receiver, timeout=timeout).send(delivery(), StoredCallback(url or receiver.url(), tuple(secrets)))
