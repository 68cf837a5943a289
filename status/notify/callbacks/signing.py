"""Signatures of Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).

Called by `status.notify.callbacks.sending`. Pure; keys are read by `specs.signingkey`. The official package verifies
what is signed here in the tests; docs/decisions/0014 says why it does not sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence


def signature(key: bytes, id: str, timestamp: int, body: bytes) -> str:
    """`v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`; `timestamp` in seconds since the epoch."""
    signed = b"%s.%d.%s" % (id.encode("ascii"), timestamp, body)
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


def headers(keys: Sequence[bytes], id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The three headers of the standard, signed with every key: while a key is rotated, the old and the new one.

    Raises:
        ValueError: no key, or an id with a `.`, which would let one message be read as another.
    """
    if not keys or not id or "." in id:
        raise ValueError("a message is signed with at least one key, and its id has no `.`")
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(key, id, timestamp, body) for key in keys),
    }
