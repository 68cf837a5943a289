"""The page `/deliveries`: what was told to whom, what waits, what did not arrive. Called by `status.page.pages`.

Reads the outbox (`state.outbox`), whose only writer is the notify process. A home without one has told nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from state.outbox.reads import OutboxReader
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState
from state.records import SilenceRecord
from state.silences import read_silences
from status.page.filters import with_query
from status.page.visit import Visit

PAGE = 100
PARAMETERS = ("state", "kind", "target", "job", "run", "before")


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery, with what was tried."""

    delivery: Delivery
    title: str
    """What a notification says, in a line; empty for a callback."""
    attempts: Sequence[Attempt]
    """Of one that did not arrive at once."""


def deliveries_page(visit: Visit) -> str:
    """The page.

    Raises:
        BadRequest: a parameter that cannot be understood.
    """
    visit.require_loaded()
    query = visit.query(known=PARAMETERS, repeatable=("state",))
    states = query.words("state", [state.value for state in DeliveryState])
    kinds = query.words("kind", [kind.value for kind in DeliveryKind])
    chosen: dict[str, Any] = {name: query.text(name) for name in PARAMETERS}
    before = query.whole("before", least=1, most=1 << 62)
    with OutboxReader(visit.home.outbox) as outbox:
        found = outbox.deliveries(
            job=chosen["job"],
            project=visit.project,
            run_id=chosen["run"],
            target=chosen["target"],
            kind=DeliveryKind(next(iter(kinds))) if kinds else None,
            states=[DeliveryState(state) for state in sorted(states)] or None,
            before=before,
            limit=PAGE + 1,
        )
        rows = [_row(outbox, delivery) for delivery in found[:PAGE]]

    def address(**changes: Any) -> str:
        return with_query("/deliveries", {**chosen, "before": None, **changes})

    return visit.render(
        "deliveries.html",
        title="Deliveries",
        current="deliveries",
        refresh=15,
        rows=rows,
        chosen=chosen,
        filtered=any(chosen[name] for name in PARAMETERS if name != "before"),
        everything=address(state=None),
        facets=[
            (state.value, address(state=None if states == {state} else state.value), state in states)
            for state in (DeliveryState.PENDING, DeliveryState.FAILED, DeliveryState.DROPPED, DeliveryState.DELIVERED)
        ],
        any_state=bool(states),
        older=address(before=rows[-1].delivery.number) if len(found) > PAGE else None,
        newest=address() if before is not None else None,
        silences=_silences(visit),
    )


def _row(outbox: OutboxReader, delivery: Delivery) -> Row:
    troubled = delivery.attempts > 1 or delivery.state is not DeliveryState.DELIVERED
    return Row(delivery, _title(delivery), outbox.attempts(delivery) if troubled and delivery.attempts else ())


def _title(delivery: Delivery) -> str:
    if delivery.kind is not DeliveryKind.NOTIFICATION:
        return ""
    try:
        said = orjson.loads(delivery.payload)
    except orjson.JSONDecodeError:
        return ""
    title = said.get("title") if isinstance(said, dict) else None
    return title if isinstance(title, str) else ""


def _silences(visit: Visit) -> list[SilenceRecord]:
    found = read_silences(visit.ask, after=visit.now)
    return [
        each
        for each in found
        if each.holds(visit.now) and (each.identity is None or visit.may_see(each.identity.partition("/")[0]))
    ]
