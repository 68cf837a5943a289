"""Who is told of a job, as data: `notify` and `callback` of `JobStatus`. Called by `status.views`. Pure.

No address is shown: of a callback only its host, and nothing where the address is a secret from outside.
"""

from __future__ import annotations

from typing import Any

from specs.stored import StoredCallback, StoredJob, Unreadable


def notify_view(job: StoredJob) -> list[dict[str, Any]]:
    """Rule by rule, which notifiers hear of what. Empty for rules of no use to this version: they tell nobody."""
    try:
        return [{"to": list(rule.to), "on": sorted(rule.on)} for rule in job.notify]
    except Unreadable:
        return []


def callback_view(job: StoredJob) -> dict[str, Any] | None:
    """The host that the ends of its runs go to, and which ends."""
    try:
        callback = job.callback
    except Unreadable:
        return None
    return None if callback is None else {"host": host_of(callback), "on": sorted(callback.on)}


def host_of(callback: StoredCallback) -> str | None:
    """The host a callback goes to; None when the address is a secret, or none that anything is sent to."""
    from status.notify.callbacks.url import InvalidUrl, parse_url

    if not isinstance(callback.url, str):
        return None
    try:
        return parse_url(callback.url).host
    except InvalidUrl:
        return None
