"""The outbox across a backup and a restore: what waits is not lost, what was told is not told again."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson

from state.archive import OUTBOX, unpack
from state.backup import make_backup
from state.outbox.reads import OutboxReader
from state.outbox.records import Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.restore import exchange, staged
from state.store import Store
from tests.notifying.receivers import http_receiver
from tests.notifying.rig import Rig, job, notifier, now


def waiting(id: str) -> Delivery:
    return Delivery(
        id=id, kind=DeliveryKind.CALLBACK, target="hooks.example", identity="default/report", run_id=None,
        event="failed", created_at=now(), next_attempt_at=now(), payload=b"{}",
    )  # fmt: skip


def put(rig: Rig, id: str, *, delivered: bool = False) -> None:
    outbox = Outbox.open(rig.home.outbox, now=now())
    outbox.add_delivery(waiting(id))
    if delivered:
        outbox.end(id, Outcome(state=DeliveryState.DELIVERED), now=now())
    outbox.close()


def states(path: Path) -> dict[str, DeliveryState]:
    with OutboxReader(path) as outbox:
        return {each.id: each.state for each in outbox.deliveries()}


def saved(rig: Rig, tmp_path: Path) -> Path:
    archive = tmp_path / "backup.tar.gz"
    make_backup(rig.home, archive, now=now(), version="1", with_runs=False)
    return archive


def restored(rig: Rig, archive: Path) -> None:
    rig.store.close()
    with staged(rig.home, archive, "test") as (state, _):
        exchange(rig.home, state, "test")
    rig.store = Store.open(rig.home.database, now=now())


def test_what_waits_comes_back_in_another_home(rig: Rig, tmp_path: Path) -> None:
    put(rig, "waits")
    archive = saved(rig, tmp_path)
    assert OUTBOX in unpack(archive, None).files
    rig.store.close()
    shutil.rmtree(rig.home.state)
    rig.store = Store.open(rig.home.database, now=now())
    restored(rig, archive)
    assert states(rig.home.outbox) == {"waits": DeliveryState.PENDING}
    assert rig.home.outbox.stat().st_mode & 0o777 == 0o600


def test_over_a_state_the_newer_outbox_stays(rig: Rig, tmp_path: Path) -> None:
    put(rig, "waits")
    archive = saved(rig, tmp_path)
    outbox = Outbox.open(rig.home.outbox, now=now())
    outbox.end("waits", Outcome(state=DeliveryState.DELIVERED), now=now())
    outbox.add_delivery(waiting("newer"))
    outbox.close()
    restored(rig, archive)
    assert states(rig.home.outbox) == {"waits": DeliveryState.DELIVERED, "newer": DeliveryState.PENDING}


def test_a_damaged_outbox_keeps_neither_backup_nor_restore_from_the_history(rig: Rig, tmp_path: Path) -> None:
    put(rig, "waits")
    sound = saved(rig, tmp_path)
    rig.home.outbox.write_bytes(b"rubbish" * 1000)
    told: list[str] = []
    other = tmp_path / "other.tar.gz"
    make_backup(rig.home, other, now=now(), version="1", with_runs=False, tell=told.append)
    assert any("leaving out what waits to be told" in each for each in told)
    assert OUTBOX not in unpack(other, None).files
    restored(rig, sound)
    assert states(rig.home.outbox) == {"waits": DeliveryState.PENDING}


def test_history_put_back_is_not_told_again_and_what_comes_is(rig: Rig, tmp_path: Path) -> None:
    with http_receiver() as received:
        rig.apply(notifier(f"json://127.0.0.1:{received.port}"))
        report, other = rig.apply(job() + job("other"))
        rig.begin()
        rig.run(report)
        archive = saved(rig, tmp_path)  # with an event that nobody has read
        rig.run(report)
        rig.start()
        received.wait_for(1)
        rig.wait(lambda: (rig.meta("cursor") or 0) >= 6)
        rig.stop()
        restored(rig, archive)
        rig.run(other)
        rig.start()
        received.wait_for(2)
        rig.stop()
    titles = [orjson.loads(body)["title"] for _, _, body in received.requests]
    assert titles == ["default/report failed: exit code 3", "default/other failed: exit code 3"]
