"""Knowing when a job fires next, and waking up then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from benchmarks.figures import Figure, Target, compared, percentile
from benchmarks.timing import interleaved
from benchmarks.workshop import Bench
from reconciler.wake import Wakeup
from specs.model import Dst
from specs.schedule import parse_schedule

EXPRESSIONS = (
    "*/5 * * * *", "0 * * * *", "30 4 * * *", "15 9 * * 1-5", "0 0 1 * *", "7-59/13 8-18 * * *", "0 12 * jan-jun mon",
)  # fmt: skip
ZONES = ("UTC", "Europe/Berlin", "America/New_York")
NOW = 1_795_000_000_000_000
STEP = 3_456_789_012_345


def next_fire(bench: Bench) -> Iterator[Figure]:
    """next fire time"""
    cases = [
        (parse_schedule(text, timezone=zone, dst=Dst(), identity="p/job"), ZoneInfo(zone))
        for text in EXPRESSIONS
        for zone in ZONES
    ]
    times = [NOW + k * STEP % 31_536_000_000_000 for k in range(bench.size(200, 100))]
    calls = len(cases) * len(times)

    def ours() -> None:
        for schedule, _ in cases:
            for at in times:
                schedule.next_after(at, anchor=0)

    def floor() -> None:
        for _, zone in cases:
            for at in times:
                datetime.fromtimestamp(at / 1e6, zone).timestamp()

    taken = interleaved({"ours": ours, "floor": floor}, bench.size(9, 5))
    yield compared(
        "next fire time, 7 expressions in 3 zones, random instants",
        [seconds / calls for seconds in taken["ours"]],
        [seconds / calls for seconds in taken["floor"]],
        beside="zone round trip",
        target=Target(2),
    )
    fresh = [parse_schedule(f"{n % 60} {n // 60 % 24} * * 1-5", timezone="Europe/Berlin", dst=Dst(), identity="p/j")
             for n in range(10_000)]  # fmt: skip
    taken = interleaved({"ours": lambda: [s.next_after(NOW, anchor=0) for s in fresh]}, 3)
    yield compared("10,000 jobs given their next fire at start", taken["ours"], target=Target(0.060, "value"))


def wake_up(bench: Bench) -> Iterator[Figure]:
    """wake-up, idle"""
    wakeup = Wakeup()
    late: dict[str, list[float]] = {"ours": [], "sleep": []}
    for turn in range(bench.size(150, 60)):
        pause = 0.005 + turn * 7 % 30 / 1000
        for name in ("ours", "sleep") if turn % 2 else ("sleep", "ours"):
            due = time.time_ns() // 1000 + int(pause * 1e6)
            if name == "ours":
                wakeup.wait(due, 1.0)
            else:
                time.sleep(due / 1e6 - time.time_ns() / 1e9)
            late[name].append(time.time_ns() / 1e9 - due / 1e6)
    wakeup.close()
    tail = f"p99 {percentile(late['ours'], 99) * 1e3:.2f} ms, time.sleep {percentile(late['sleep'], 99) * 1e3:.2f} ms"
    yield compared(
        "wake-up lateness, idle", late["ours"], late["sleep"], beside="time.sleep", target=Target(1), note=tail
    )


PARTS = (next_fire, wake_up)
