"""The clock of a running notify process is set back: what waits, waits no longer for that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.wallclock import WallClock
from tests.notifying.receivers import http_receiver
from tests.notifying.rig import SECOND, Rig, job, notifier

DAY = 86_400


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "home")
    yield rig
    rig.close()


def start(rig: Rig, clock: WallClock, library: Path) -> None:
    rig.begin()
    rig.start(LD_PRELOAD=str(library), WALLCLOCK=str(clock.python.with_name("wallclock")))
    rig.wait_started()


def test_a_message_that_waits_for_its_group_goes_when_the_clock_was_set_back(
    rig: Rig, clock: WallClock, clock_library: Path
) -> None:
    with http_receiver() as received:
        (report,) = rig.apply(notifier(f"json://127.0.0.1:{received.port}/", more="group: 1h") + job())
        start(rig, clock, clock_library)
        rig.run(report, at=clock.now())
        rig.wait(lambda: rig.meta("cursor_at") == newest(rig))
        clock.jump(-3 * DAY)
        rig.bell()
        received.wait_for(1)


def test_what_is_tried_again_is_when_the_clock_was_set_back(rig: Rig, clock: WallClock, clock_library: Path) -> None:
    with http_receiver([500]) as received:
        (report,) = rig.apply(notifier(f"json://127.0.0.1:{received.port}/") + job())
        start(rig, clock, clock_library)
        rig.run(report, at=clock.now())
        rig.wait(lambda: [each.attempts for each in rig.deliveries()] == [1])
        clock.jump(-3 * DAY)
        rig.bell()

        def soon() -> bool:
            (delivery,) = rig.deliveries()
            return (delivery.next_attempt_at or 0) <= clock.now() + 30 * SECOND

        rig.wait(soon)


def newest(rig: Rig) -> int:
    """When the newest event happened."""
    return int(rig.store._connection.execute("SELECT at FROM event ORDER BY id DESC LIMIT 1").fetchone()[0])
