"""The times `why --at` understands, against the standard library's own reading of local times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from specs.zones import find_zone, to_micros
from status.why.moment import read_moment

NOW = 1_795_248_000_000_000
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
wall_of = datetime.fromisoformat
walls = st.datetimes(min_value=wall_of("2020-01-01"), max_value=wall_of("2032-12-31")).map(
    lambda wall: wall.replace(second=0, microsecond=0)
)
NIGHTS = ("2026-03-29T02:00", "2026-10-25T02:00", "2026-03-08T02:00", "2026-11-01T01:00", "2026-04-05T01:30",
          "2026-10-04T02:00")  # fmt: skip
"""Of moved clocks: where the rules are."""
shifts = st.sampled_from([wall_of(night) for night in NIGHTS])
near = st.builds(lambda at, minutes: at + timedelta(minutes=minutes), shifts, st.integers(-90, 150))


@settings(derandomize=True, max_examples=400, deadline=None)
@given(wall=walls | near, name=st.sampled_from(ZONES))
def test_a_local_time_is_the_first_instant_that_reads_so_or_the_end_of_the_gap(wall: datetime, name: str) -> None:
    moment = read_moment(f"{wall:%Y-%m-%d %H:%M}", now=NOW, zone=find_zone(name))
    zone = ZoneInfo(name)
    candidates = [wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    read = [each for each in candidates if each.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall]
    instants = sorted({to_micros(each) for each in read})
    if instants:
        assert moment.at == instants[0]
        assert len(moment.notes) == len(instants) - 1
    else:
        assert len(moment.notes) == 1
        before, after = (datetime.fromtimestamp(moment.at // 1_000_000 + d, zone) for d in (-1, 0))
        assert before.replace(tzinfo=None) < wall < after.replace(tzinfo=None)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(wall=walls, name=st.sampled_from(ZONES), hours=st.integers(-12, 14))
def test_with_an_offset_the_zone_does_not_matter(wall: datetime, name: str, hours: int) -> None:
    offset = f"{'-' if hours < 0 else '+'}{abs(hours):02}:00"
    moment = read_moment(f"{wall:%Y-%m-%dT%H:%M}{offset}", now=NOW, zone=find_zone(name))
    assert moment.at == to_micros(wall.replace(tzinfo=UTC)) - hours * 3_600_000_000
    assert moment.notes == ()
