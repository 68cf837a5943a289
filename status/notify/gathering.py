"""When what waits for a notifier goes out, and together with what: groups, the rate, quiet hours, the digest.

Called by the notify process for each notifier, after new messages and when it asked to look again. Pure: a function of
what waits, what was sent, the notifier's settings and `now`. Instants are integer microseconds UTC. Nothing is ever
dropped here: what may not go now waits, and goes with the next that may.

The rule: the first message opens a group, which goes `group` later with all that came meanwhile. Not in quiet hours:
then it goes at their end. Not when `max` were sent within `per`: then it goes when the first of these is that long ago;
the one that uses up the rate says so (`Send.last_for_now`), so that quiet is not taken for peace. A digest counts among
the `max`, and waits for the end of quiet hours too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2s

from specs.calendar import WindowSet
from specs.expression import ScheduleError
from specs.quiet import compile_digest, compile_quiet
from specs.schedule import Schedule
from specs.stored import StoredNotifier

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a notifier's document says of when. Durations are microseconds."""

    notifier: str
    group: int = 30 * _SECOND
    max: int = 20
    per: int = 3600 * _SECOND
    quiet: WindowSet | None = None
    digest: Schedule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that was not sent yet."""

    id: str
    at: int
    """When it came to wait: when it was stored, not when that happened which it tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """What goes out as one message."""

    id: str
    """Made from what is in it."""
    ids: tuple[str, ...] = ()
    """The messages, the oldest first; none for a digest."""
    digest_since: int | None = None
    """Of a digest: where the time begins that it sums up; it ends now. None for messages."""
    last_for_now: int | None = None
    """When the rate allows another, where this one uses it up; else None."""

    @property
    def is_digest(self) -> bool:
        """Whether it is a summary."""
        return self.digest_since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What to do for a notifier."""

    sends: tuple[Send, ...] = ()
    """To be sent now, each counting as sent at `now`."""
    look_at: int | None = None
    """When to ask again, unless a message comes before; None: only then. Always after `now`."""


def settings_of(notifier: StoredNotifier, *, default_timezone: str) -> Settings:
    """The settings of a stored document. What was sound when stored and is not any more (a zone left the tz database)
    is as if it were not said: rather a message at night than none."""
    zone = notifier.timezone or default_timezone
    quiet, digest = None, None
    try:
        quiet = None if notifier.quiet_hours is None else compile_quiet(notifier.quiet_hours, zone)
        digest = None if notifier.digest is None else compile_digest(notifier.digest, zone, notifier.name)
    except ScheduleError:
        pass
    return Settings(
        notifier=notifier.name,
        group=round(notifier.group * _SECOND),
        max=notifier.rate_max,
        per=round(notifier.rate_per * _SECOND),
        quiet=quiet,
        digest=digest,
    )


def gather(
    settings: Settings,
    waiting: Sequence[Waiting],
    *,
    sent: Sequence[int],
    last_digest: int | None,
    now: int,
) -> Gathered:
    """What goes out now, and when to look again.

    Args:
        waiting: of this notifier, in any order.
        sent: when its last sends were made, at least those within `settings.per`; digests too.
        last_digest: where the next digest begins: when the last was sent, else when the notifier was first seen. None
            for a notifier without one.
    """
    slot = _digest_slot(settings, last_digest, now)
    next_slot = _next_slot(settings, now) if last_digest is not None else None
    due = _due_at(settings, waiting, now)
    if slot is None and (due is None or due > now):
        return Gathered(look_at=_first(due, next_slot))
    if settings.quiet is not None and settings.quiet.contains(now):
        return Gathered(look_at=settings.quiet.next_change(now))
    recent = sorted(at for at in sent if now - settings.per < at <= now)
    sends: list[Send] = []
    for digest in (False, True):  # with room for one only, what happened is more than its summary
        if (slot is None) if digest else (due is None or due > now):
            continue
        if len(recent) >= settings.max:
            return Gathered(sends=tuple(sends), look_at=_free_at(settings, recent))
        recent.append(now)
        more = _free_at(settings, recent) if len(recent) >= settings.max else None
        sends.append(_digest(settings, last_digest, slot, more) if digest else _group(settings, waiting, more))
    still = due if due is not None and due > now else None
    return Gathered(sends=tuple(sends), look_at=_first(still, next_slot))


def _due_at(settings: Settings, waiting: Sequence[Waiting], now: int) -> int | None:
    """When the group that waits is complete; None when nothing waits."""
    if not waiting:
        return None
    first = min(each.at for each in waiting)
    return now if first > now else first + settings.group  # the clock was set back: it may be long until then


def _digest_slot(settings: Settings, last: int | None, now: int) -> int | None:
    if settings.digest is None or last is None or last >= now:
        return None
    return settings.digest.latest_through(now, after=last, anchor=0)


def _next_slot(settings: Settings, now: int) -> int | None:
    return None if settings.digest is None else settings.digest.next_after(now, anchor=0)


def _free_at(settings: Settings, recent: Sequence[int]) -> int:
    """When fewer than `max` were sent within `per`."""
    return sorted(recent)[-settings.max] + settings.per


def _group(settings: Settings, waiting: Sequence[Waiting], more: int | None) -> Send:
    ids = tuple(each.id for each in sorted(waiting, key=lambda each: (each.at, each.id)))
    return Send(id=send_id(settings.notifier, *ids), ids=ids, last_for_now=more)


def _digest(settings: Settings, since: int | None, slot: int | None, more: int | None) -> Send:
    return Send(id=send_id(settings.notifier, "digest", str(slot)), digest_since=since, last_for_now=more)


def send_id(*parts: str) -> str:
    """Of what goes out: the same for the same parts, 26 hex digits, so that one can type its beginning."""
    return blake2s("\n".join(parts).encode(), digest_size=13).hexdigest()


def _first(*instants: int | None) -> int | None:
    return min((at for at in instants if at is not None), default=None)
