"""When a slot starts: its instant plus the job's jitter.

Called by the reconciler (when to wake, what is due) and the status room (what comes next). Pure: the same answer in
every process, after every restart, on every machine. All instants and lengths are integer microseconds.
docs/schedules.md tells people the rule.

A slot keeps its instant: it is what is recorded, and what makes it unique. Only its start is later, by two offsets:

- one of the job, in [0, spread): every slot of the job starts that much later, for ever;
- one of the slot, in [0, random), and less than the distance to the next slot.

So starts have the order of their slots, and no two are together. A spread may be longer than the distance between
slots: then several slots have passed before the first of them starts, and each still starts.
"""

from __future__ import annotations

from hashlib import blake2s

from specs.schedule import Schedule


def start_of(slot: int, next_slot: int | None, *, identity: str, spread: int, random: int) -> int:
    """When `slot` starts. `next_slot` is the one after it in the schedule, None when there is none.

    `identity` (`project/name`) decides on the offsets.
    """
    room = random if next_slot is None else min(random, next_slot - slot)
    return slot + stable_offset(identity, spread) + _below(room, f"slot:{identity}:{slot}")


def stable_offset(identity: str, spread: int) -> int:
    """How much later than its instant every slot of the job starts, in [0, spread); 0 without a spread."""
    return _below(spread, f"job:{identity}")


def next_start(
    schedule: Schedule, cursor: int, *, anchor: int, identity: str, spread: int, random: int
) -> tuple[int, int] | None:
    """The first slot after `cursor` and its start; None when the schedule has no more."""
    slot = schedule.next_after(cursor, anchor=anchor)
    if slot is None:
        return None
    following = schedule.next_after(slot, anchor=anchor) if random else None
    return slot, start_of(slot, following, identity=identity, spread=spread, random=random)


def latest_started(
    schedule: Schedule, now: int, *, after: int, anchor: int, identity: str, spread: int, random: int
) -> int | None:
    """The last slot in (after, now] whose start is not later than `now`; all slots before it have started too."""
    latest = schedule.latest_through(now - stable_offset(identity, spread), after=after, anchor=anchor)
    if latest is None or not random:
        return latest
    following = schedule.next_after(latest, anchor=anchor)
    if start_of(latest, following, identity=identity, spread=spread, random=random) <= now:
        return latest
    # The slot before `latest` starts before `latest + stable offset`, which is not later than `now`.
    return schedule.latest_through(latest - 1, after=after, anchor=anchor)


def _below(bound: int, text: str) -> int:
    """A number in [0, bound), the same for the same text for ever. Python's hash() differs from process to process."""
    if bound <= 0:
        return 0
    digest = blake2s(f"jobsctl jitter 1:{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) * bound >> 64
