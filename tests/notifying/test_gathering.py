"""When messages go out: in groups, not too many, not at night, and each in exactly one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.stored import StoredNotifier, StoredWindow
from status.notify.gathering import Send, Settings, Waiting, gather, settings_of

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 1_795_219_200 * SECOND
"""2026-11-21 00:00:00Z, a Saturday."""
SUMMER_ENDS = 1_792_886_400 * SECOND
"""2026-10-25 00:00:00Z: in Berlin the clocks go back at 01:00Z."""


def notifier(
    *, group: float = 30, rate: tuple[int, float] = (20, 3600), quiet: tuple[str, str] | None = None,
    digest: str | None = None, timezone: str = "UTC",
) -> Settings:  # fmt: skip
    hours = None if quiet is None else StoredWindow(from_=quiet[0], to=quiet[1])
    stored = StoredNotifier(
        name="ops", urls=("json://x",), group=group, rate_max=rate[0], rate_per=rate[1], quiet_hours=hours,
        digest=digest, timezone=timezone,
    )  # fmt: skip
    return settings_of(stored, default_timezone="UTC")


@dataclass(slots=True)
class Post:
    """A notifier over time: looks when something comes and when it said so."""

    settings: Settings
    last_digest: int | None = None
    waiting: list[Waiting] = field(default_factory=list)
    sent: list[tuple[int, Send]] = field(default_factory=list)
    look_at: int | None = None

    def come(self, at: int, id: str) -> None:
        self.until(at)
        self.waiting.append(Waiting(id=id, at=at))
        self.look(at)

    def until(self, at: int) -> None:
        for _ in range(10_000):
            if self.look_at is None or self.look_at > at:
                return
            self.look(self.look_at)
        raise AssertionError("it looks again and again")

    def look(self, now: int) -> None:
        gathered = gather(
            self.settings, self.waiting, sent=[at for at, _ in self.sent], last_digest=self.last_digest, now=now
        )
        for send in gathered.sends:
            self.sent.append((now, send))
            self.waiting = [each for each in self.waiting if each.id not in send.ids]
            if send.is_digest:
                self.last_digest = now
        assert gathered.look_at is None or gathered.look_at > now
        assert gathered.look_at is not None or not self.waiting
        self.look_at = gathered.look_at

    def shown(self, origin: int = DAY) -> list[str]:
        """`08:00:30 a b`."""
        found = []
        for at, send in self.sent:
            seconds = (at - origin) // SECOND
            what = "digest" if send.is_digest else " ".join(send.ids)
            found.append(f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02} {what}")
        return found


def at(text: str, origin: int = DAY) -> int:
    hours, minutes, *seconds = map(int, text.split(":"))
    return origin + hours * HOUR + minutes * MINUTE + (seconds[0] if seconds else 0) * SECOND


def test_what_comes_within_the_time_of_a_group_goes_together() -> None:
    post = Post(notifier(group=30))
    for time, id in (("08:00:00", "a"), ("08:00:29", "b"), ("08:00:30", "c"), ("09:00:00", "d")):
        post.come(at(time), id)
    post.until(at("10:00"))
    assert post.shown() == ["08:00:30 a b", "08:01:00 c", "09:00:30 d"]


def test_more_than_the_rate_waits_and_the_last_says_so() -> None:
    post = Post(notifier(group=1, rate=(3, 3600)))
    for minute in range(6):
        post.come(at(f"08:{minute:02}"), f"m{minute}")
    post.until(at("12:00"))
    assert post.shown() == ["08:00:01 m0", "08:01:01 m1", "08:02:01 m2", "09:00:01 m3 m4 m5"]
    assert [send.last_for_now for _, send in post.sent] == [None, None, at("09:00:01"), at("09:01:01")]


def test_at_night_nothing_goes_and_in_the_morning_all_of_it() -> None:
    post = Post(notifier(quiet=("22:00", "07:00")))
    for time, id in (("21:59:00", "a"), ("21:59:50", "b"), ("26:00:00", "c")):
        post.come(at(time), id)
    post.until(at("40:00"))
    assert post.shown() == ["21:59:30 a", "31:00:00 b c"]


@pytest.mark.parametrize(
    ("timezone", "sent"),
    [pytest.param("UTC", "07:00:00 a", id="utc"), pytest.param("Europe/Berlin", "06:00:00 a", id="winter-begins")],
)
def test_the_night_ends_by_the_clock_on_the_wall(timezone: str, sent: str) -> None:
    post = Post(notifier(quiet=("22:00", "07:00"), timezone=timezone))
    post.come(at("00:30", SUMMER_ENDS), "a")
    post.until(at("12:00", SUMMER_ENDS))
    assert post.shown(SUMMER_ENDS) == [sent]


def test_a_digest_comes_at_its_time_and_sums_up_since_the_last() -> None:
    post = Post(notifier(digest="daily at 08:00"), last_digest=at("05:00"))
    post.look(at("06:00"))
    post.until(at("57:00"))
    assert post.shown() == ["08:00:00 digest", "32:00:00 digest", "56:00:00 digest"]
    assert [send.digest_since for _, send in post.sent] == [at("05:00"), at("08:00"), at("32:00")]


def test_a_digest_in_quiet_hours_waits_for_their_end() -> None:
    post = Post(notifier(digest="daily at 06:00", quiet=("22:00", "07:00")), last_digest=DAY)
    post.come(at("05:00"), "a")
    post.until(at("08:00"))
    assert post.shown() == ["07:00:00 a", "07:00:00 digest"]


def test_a_digest_counts_among_the_rate() -> None:
    post = Post(notifier(digest="daily at 08:00", group=1, rate=(1, 3600)), last_digest=DAY)
    post.come(at("07:30"), "a")
    post.until(at("10:00"))
    assert post.shown() == ["07:30:01 a", "08:30:01 digest"]


def test_digests_that_passed_while_nobody_looked_are_one() -> None:
    post = Post(notifier(digest="daily at 08:00"), last_digest=DAY)
    post.look(at("100:00"))
    assert post.shown() == ["100:00:00 digest"]


def test_a_notifier_that_was_just_seen_first_sends_no_digest() -> None:
    post = Post(notifier(digest="daily at 08:00"), last_digest=at("09:00"))
    post.look(at("09:00"))
    assert (post.shown(), post.look_at) == ([], at("32:00"))


def test_a_clock_that_was_set_back_holds_nothing_up() -> None:
    waiting = [Waiting(id="a", at=at("12:00"))]
    gathered = gather(notifier(), waiting, sent=[at("12:00")] * 50, last_digest=None, now=at("08:00"))
    assert [send.ids for send in gathered.sends] == [("a",)]


def test_the_same_messages_make_the_same_send() -> None:
    """A crash between deciding and storing."""
    waiting = [Waiting(id="a", at=DAY), Waiting(id="b", at=DAY)]
    first = gather(notifier(), waiting, sent=[], last_digest=None, now=at("08:00"))
    again = gather(notifier(), waiting[::-1], sent=[], last_digest=None, now=at("08:01"))
    assert [send.id for send in first.sends] == [send.id for send in again.sends]


@given(
    comes=st.lists(st.integers(0, 3 * 24 * 60), max_size=60),
    group=st.sampled_from([1, 30, 300]),
    rate=st.tuples(st.integers(1, 4), st.sampled_from([600, 3600, 86_400])),
    quiet=st.sampled_from([None, ("22:00", "07:00"), ("12:00", "12:30"), ("00:00", "23:59")]),
    digest=st.sampled_from([None, "daily at 08:00", "every 6h"]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
)
@settings(derandomize=True, max_examples=80, deadline=None)
def test_nothing_is_lost_nothing_comes_at_night_and_never_too_much(
    comes: list[int],
    group: int,
    rate: tuple[int, int],
    quiet: tuple[str, str] | None,
    digest: str | None,
    timezone: str,
) -> None:
    kind = notifier(group=group, rate=rate, quiet=quiet, digest=digest, timezone=timezone)
    post = Post(kind, last_digest=SUMMER_ENDS if digest else None)
    for number, minute in enumerate(sorted(comes)):
        post.come(SUMMER_ENDS + minute * MINUTE, f"m{number}")
    post.until(SUMMER_ENDS + 60 * 24 * HOUR)
    gone = [id for _, send in post.sent for id in send.ids]
    assert sorted(gone) == sorted(f"m{number}" for number in range(len(comes)))
    instants = [instant for instant, _ in post.sent]
    for index, instant in enumerate(instants):
        within = [each for each in instants[: index + 1] if each > instant - rate[1] * SECOND]
        assert len(within) <= rate[0]
    if kind.quiet is not None:
        assert not any(kind.quiet.contains(instant) for instant in instants)
