"""Deliveries read from the home's outbox, as views. Used by `cli.reading`; over HTTP the server does the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from state.home import Home
from state.outbox.reads import OutboxReader
from state.outbox.records import DeliveryKind, DeliveryState
from status.deliveries import delivery_detail, delivery_view
from status.views import View


def deliveries(home: Home, given: Mapping[str, Any]) -> tuple[list[View], str | None]:
    """As `Reading.deliveries`."""
    limit: int = given["limit"]
    kind = given.get("kind")
    with OutboxReader(home.outbox) as outbox:
        found = outbox.deliveries(
            job=given.get("job"),
            project=given.get("project"),
            run_id=given.get("run"),
            target=given.get("target"),
            kind=None if kind is None else DeliveryKind(kind),
            states=[DeliveryState(state) for state in given["state"].split(",")] if "state" in given else None,
            since=given.get("since"),
            until=given.get("until"),
            before=given.get("before"),
            limit=limit + 1,
        )
    views = [delivery_view(delivery) for delivery in found[:limit]]
    return views, str(views[-1]["number"]) if len(found) > limit else None


def delivery(home: Home, id: str) -> View:
    """As `Reading.delivery`."""
    with OutboxReader(home.outbox) as outbox:
        found = outbox.delivery(id)
        return delivery_detail(found, outbox.attempts(found), outbox.messages(found))
