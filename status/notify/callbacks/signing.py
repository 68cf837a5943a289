"""Signatures of Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).

Called by `status.notify.callbacks.sending` and, for literal secrets, by the command line's lint. Pure. The official
package verifies what is signed here in the tests; docs/decisions/0014 says why it does not sign.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
MIN_KEY, MAX_KEY = 24, 64
"""Bytes of a key, by the standard ("Signature scheme")."""


class InvalidSecret(ValueError):
    """Raised for a text that is no signing secret. Never holds the text."""


def key_of(secret: str) -> bytes:
    """The key of `whsec_` and base64; white space around it is ignored, missing padding is added.

    Raises:
        InvalidSecret: with words that follow "the secret".
    """
    text = secret.strip()
    if not text.startswith(PREFIX):
        raise InvalidSecret(f"does not begin with `{PREFIX}`")
    encoded = text.removeprefix(PREFIX).rstrip("=")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSecret(f"is not base64 after `{PREFIX}`") from None
    if not MIN_KEY <= len(key) <= MAX_KEY:
        raise InvalidSecret(f"holds {len(key)} bytes, and a key has {MIN_KEY} to {MAX_KEY}")
    return key


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
