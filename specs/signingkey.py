"""The key a callback is signed with, as Standard Webhooks 1.0.0 writes it: `whsec_` and base64 of 24 to 64 bytes.

Read by `specs.notifiers` where somebody wrote one in clear, and by `status.notify.callbacks` when something is signed.
"""

from __future__ import annotations

import base64
import binascii

PREFIX = "whsec_"
MIN_KEY, MAX_KEY = 24, 64
"""Bytes of a key, by the standard ("Signature scheme")."""


class InvalidSecret(ValueError):
    """Raised for a text that is no signing key. Its words follow "it"; they never hold the text."""


def key_of(secret: str) -> bytes:
    """The key; white space around the text is ignored, missing padding is added.

    Raises:
        InvalidSecret: with what is wrong.
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
