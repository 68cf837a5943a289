"""What could pile up in the outbox, and does not."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from state.outbox.records import Delivery, DeliveryKind, DeliveryState, Message
from state.outbox.store import Outbox
from state.telling import TellingReader
from status.notify import outgoing, process
from status.notify.settings import CLOSED
from status.notify.watching import Watch
from tests.notifying.rig import Rig, now


def test_however_many_wait_for_a_notifier_that_is_gone_all_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "MOST_MESSAGES", 2)
    rig, at = Rig(tmp_path / "home"), now()
    with closing(Outbox.open(rig.home.outbox, now=at)) as outbox, closing(TellingReader(rig.home.database)) as reader:
        outbox.add_messages(
            Message(id=f"failure/{number}/gone", notifier="gone", identity="a/b", run_id=None, at=at, stored_at=at,
                    payload=b'{"what":"failure"}')
            for number in range(5)
        )  # fmt: skip
        assert outbox.waiting_notifiers() == {"gone"}
        going = outgoing.Outgoing(rig.home, outbox, default_timezone="UTC")
        going.step(reader, Watch(default_timezone="UTC"), set(), at)
        assert (outbox.waiting_messages(), outbox.waiting_notifiers()) == ([], set())
    assert [each.state for each in rig.deliveries()] == [DeliveryState.DROPPED] * 3
    rig.close()


def test_the_more_messages_deliveries_have_the_fewer_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "KEPT_DELIVERIES", 8)
    monkeypatch.setattr(process, "KEPT_MESSAGES", 10)
    rig, at = Rig(tmp_path / "home"), now()
    with closing(Outbox.open(rig.home.outbox, now=at)) as outbox:
        for number in range(8):
            outbox.add_delivery(
                Delivery(
                    id=str(number), kind=DeliveryKind.NOTIFICATION, target="ops", batch=str(number), event="group",
                    created_at=at, next_attempt_at=None, state=DeliveryState.DELIVERED, payload=b"{}",
                )
            )  # fmt: skip
            outbox.add_messages(
                Message(id=f"{number}/{place}", notifier="ops", identity="a/b", run_id=None, at=at, stored_at=at,
                        payload=b"{}", batch=str(number))
                for place in range(number + 1)
            )  # fmt: skip
        assert outbox.gathered() == 36
        made = process.NotifyProcess(rig.home, outbox, CLOSED, default_timezone="UTC")
        made._prune(at)
        assert outbox.gathered() == 8 + 7
    assert [each.id for each in rig.deliveries()] == ["6", "7"]
    rig.close()
