"""What came of one attempt to send a callback, as data. Made by `sending`, read by `retrying`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one attempt."""

    status: int | None = None
    """HTTP's status code; None when there was no answer."""
    error: str | None = None
    """Why it did not arrive, in words; None when it did. Never holds a secret, a path or what was answered."""
    retry_after: float | None = None
    """Seconds the receiver asked to wait."""

    @property
    def gone(self) -> bool:
        """410: the receiver wants nothing more. Nothing is sent there until what the job's file says has changed."""
        return self.status == 410
