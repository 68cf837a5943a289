"""What a callback tells: the body, made once when a run ends, and kept so that every attempt sends the same bytes.

Called by the notify process for each event. Pure. The body is thin, as Standard Webhooks asks (below 20 kB): the run as
`/api/v1/runs/{id}` shows it, with long texts cut, the job's identity and labels, and where there is more. It never
holds output, environment or the job's program. docs/callbacks.md documents it, and a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from specs.stored import StoredCallback, StoredJob
from state.outbox.records import Delivery, DeliveryKind
from state.records import TERMINAL_STATES, Event, Run, RunState
from status.told import host_of
from status.views import run_view
from status.words.instants import rfc3339

MAX_BODY = 20_000
"""Bytes, by the standard ("Payload size")."""
_MAX_ERROR, _MAX_TEXT = 2000, 300
"""Bytes, as JSON, of the error and of every other text; longer ones are cut."""
_MAX_VALUES: Mapping[str, int] = {"result": 4000, "progress": 1000, "params": 2000, "upstream": 2000}
"""Bytes, as JSON, of what a job and people said; what is longer is left out. All together stay far below `MAX_BODY`."""
_MAX_LABELS = 3000
OUTSIDE = "(hidden address)"
"""What stands for the host of an address that is itself a secret."""


def callback_of(job: StoredJob) -> StoredCallback | None:
    """What a stored job says; None when it has no callback."""
    return job.callback


def is_end(event: Event, run: Run) -> bool:
    """Whether this event is the end of this run: of all its events one is, and a record of skipped slots begins so.

    What a blocked run waits for has the same words as a skip (`overlap`), but is `Normal`.
    """
    if run.state not in TERMINAL_STATES or event.run_id != run.id:
        return False
    if event.reason != (run.state.value if run.reason is None else run.reason.value):
        return False
    return (event.type == "Normal") is (run.state in (RunState.SUCCEEDED, RunState.CANCELLED))


def delivery_of(event: Event, run: Run, job: StoredJob) -> Delivery | None:
    """What this event has sent to the job's callback; None when nothing. The target is named when it is sent.

    The id follows from the run, so that an event that is read again adds nothing.
    """
    callback = callback_of(job)
    if callback is None or run.state.value not in callback.on or not is_end(event, run):
        return None
    return Delivery(
        id=f"run_{run.id}",
        kind=DeliveryKind.CALLBACK,
        target=target_of(callback),
        identity=run.identity,
        run_id=run.id,
        event=run.state.value,
        created_at=event.at,
        next_attempt_at=event.at,
        payload=body_of(run, labels=job.labels),
    )


def target_of(callback: StoredCallback) -> str:
    """The host that a callback goes to, for people; of an address from outside only that it is one."""
    return host_of(callback) or OUTSIDE


def body_of(run: Run, *, labels: Mapping[str, str]) -> bytes:
    """The body of a run that is over: the same bytes for the same run and labels."""
    view = run_view(run)
    cut: list[str] = []
    for name, most in _MAX_VALUES.items():
        if view[name] is not None and len(orjson.dumps(view[name])) > most:
            view[name] = None
            cut.append(f"run.{name}")
    for name, value in view.items():
        most = _MAX_ERROR if name == "error" else _MAX_TEXT
        if isinstance(value, str) and len(orjson.dumps(value)) > most:
            view[name] = _shortened(value, most - 50)
            cut.append(f"run.{name}")
    kept: Mapping[str, str] = dict(labels)
    if len(orjson.dumps(kept)) > _MAX_LABELS:
        kept = {}
        cut.append("labels")
    data: dict[str, Any] = {
        "job": run.identity,
        "project": run.project,
        "name": run.job,
        "labels": kept,
        "attempt": run.attempt,
        "run": view,
        "cut": sorted(cut),
        "links": {
            "run": f"/api/v1/runs/{run.id}",
            "logs": f"/api/v1/runs/{run.id}/logs",
            "page": f"/runs/{run.id}",
        },
    }
    told = {"type": f"job.run.{run.state.value}", "timestamp": rfc3339(run.finished_at), "data": data}
    return orjson.dumps(told)


def body_of_test(identity: str, *, labels: Mapping[str, str], at: int) -> bytes:
    """The body of a message by which a receiver is tried out: no run is told. `at`: µs."""
    project, _, name = identity.partition("/")
    kept = dict(labels)
    cut: list[str] = []
    if len(orjson.dumps(kept)) > _MAX_LABELS:
        kept, cut = {}, ["labels"]
    data = {"job": identity, "project": project, "name": name, "labels": kept, "cut": cut}
    return orjson.dumps({"type": "job.test", "timestamp": rfc3339(at), "data": data})


def _shortened(text: str, most: int) -> str:
    """The beginning of a text, at most so many bytes of JSON, with how much was cut."""
    kept = text[:most]
    while (length := len(orjson.dumps(kept))) > most:
        kept = kept[: len(kept) * most // length]  # control characters take six bytes, others up to four
    return f"{kept}... ({len(text) - len(kept)} more characters)"
