"""Schemas of what is about the whole: health, source, deliveries, records, errors. Used by `document`. Pure data."""

from __future__ import annotations

from state.outbox.records import DeliveryKind, DeliveryState
from status.openapi.jobs import FINDING, RUN_ID
from status.openapi.types import (
    Schema,
    flag,
    instant,
    kind,
    mapping,
    nullable,
    number,
    page,
    record,
    several,
    text,
    whole,
    word,
)

HEALTH = record(
    "How the daemon is. A caller without a token, where one is asked for, is told `status`, all else is null.",
    status=word("`degraded`: somebody should look; `down`: no heartbeat.", ("ok", "degraded", "down"), "ok"),
    problems=nullable(several("What is wrong, the gravest first.", text("A sentence.", "prune: 2 jobs are kept"))),
    heartbeat=nullable(
        record(
            "Its last sign of life.",
            at=nullable(instant("When.")),
            ageSeconds=nullable(number("How long ago.", 1.2)),
        )
    ),
    daemon=nullable(
        record(
            "The process.",
            state=text("`starting ready stopping down`.", "ready"),
            pid=nullable(whole("Its number.", 4711)),
            version=nullable(text("Of jobsctl.", "0.1.0")),
            startedAt=nullable(instant("When it began.")),
        )
    ),
    lastPass=nullable(
        record(
            "The last time it looked at everything.",
            at=nullable(instant("When.")),
            seconds=nullable(number("How long it took.", 0.01)),
        )
    ),
    lastError=nullable(
        record("What went wrong last.", message=text("What.", "disk full"), at=nullable(instant("When.")))
    ),
    revision=nullable(text("Of the specs.", "main@sha1:8d0c")),
)
READY = record(
    "Whether the first good look at the files was applied. `reasons` is null for a caller without a token.",
    ready=flag("Whether.", True),
    reasons=nullable(several("Why not.", text("A sentence.", "the specs were not looked at yet"))),
)
SOURCE = record(
    "The last look at the specs directory; all null before the first.",
    **kind("Source"),
    root=nullable(text("The directory.", "/srv/specs")),
    revision=nullable(text("Branch and commit, or a digest.", "main@sha1:8d0c")),
    scannedAt=nullable(instant("When.")),
    files=nullable(whole("Spec files.", 12)),
    jobs=nullable(whole("Jobs in them.", 14)),
    invalid=nullable(whole("Documents that are not applied because something is wrong in them.", 0)),
    problem=nullable(text("Why the directory could not be looked at.", "no such directory")),
    pruneBlocked=several("Jobs the prune guard keeps.", text("`project/name`.", "default/old")),
    diagnostics=several("What is wrong.", FINDING | {"required": []}),
)
_DELIVERY: dict[str, Schema] = {
    "id": text("Of this delivery; the same at every attempt.", "9f2c"),
    "number": whole("Counts up; the cursor of lists.", 7),
    "kind": word("Through what it goes out.", [each.value for each in DeliveryKind], "notification"),
    "target": text("The notifier, or the job that names the address.", "ops"),
    "address": nullable(text("Where to, without anything secret.", "hooks.example.org")),
    "job": nullable(text("`project/name`.", "default/hello")),
    "run": nullable(text("The run.", RUN_ID)),
    "event": nullable(text("What it tells.", "failure")),
    "title": nullable(text("Its first line.", "default/hello failed")),
    "state": word("How far it is.", [each.value for each in DeliveryState], "delivered"),
    "reason": nullable(text("Why it was given up.", "410")),
    "attempts": whole("Tried so often.", 1),
    "createdAt": instant("When it was decided on."),
    "nextAttemptAt": nullable(instant("When it is tried again.")),
    "endedAt": nullable(instant("When it was delivered or given up.")),
}
DELIVERY_DETAIL = record(
    "A delivery with its attempts.",
    **_DELIVERY,
    body=nullable(text("What was said.", "exit code 3 after 2 s")),
    tries=several("Every attempt.", record(
        "One attempt.",
        number=whole("From 1.", 1),
        sentAt=nullable(instant("When.")),
        seconds=nullable(number("How long it took.", 0.2)),
        statusCode=nullable(whole("What the other side answered.", 200)),
        error=nullable(text("What went wrong.", "connection refused")),
    )),
    messages=several("What it tells.", record(
        "One thing.",
        what=text("Which rule.", "failure"),
        job=nullable(text("`project/name`.", "default/hello")),
        run=nullable(text("The run.", RUN_ID)),
        at=instant("When it happened."),
    )),
)  # fmt: skip
ERROR = record(
    "What went wrong.",
    error=record(
        "The same shape for every error.",
        type=text("Stable, for programs.", "bad_request"),
        message=text("For people.", "unknown parameter 'x'"),
        details=mapping("More, by type.", {}, {"parameter": "x", "known": ["active"]}),
    ),
)
ANSWER = {
    "type": "object",
    "description": "Records as the database has them, for `jobsctl --server` of the same version. Not for programs.",
    "examples": [{"items": []}],
}

SCHEMAS: dict[str, Schema] = {
    "Health": HEALTH,
    "Ready": READY,
    "Source": SOURCE,
    "Delivery": record("What was told to somebody, and what came of it.", **_DELIVERY),
    "DeliveryPage": page("Deliveries, the newest first.", "Delivery"),
    "DeliveryDetail": DELIVERY_DETAIL,
    "Records": ANSWER,
    "Error": ERROR,
    "Document": {"type": "object", "description": "This document.", "examples": [{"openapi": "3.1.0"}]},
}
