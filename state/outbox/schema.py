"""The tables of the outbox, as SQL: ordered steps as in `state.schema`. Instants are integer microseconds UTC.

Read by `state.outbox.store` and `state.outbox.reads`. Nothing here holds a secret: addresses and keys are read from
the specs when something is sent.
"""

from __future__ import annotations

from pathlib import Path

from state.errors import NotADatabase

VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('clean', 0);

CREATE TABLE memory (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE message (
  id TEXT PRIMARY KEY, notifier TEXT NOT NULL, identity TEXT, run_id TEXT, at INTEGER NOT NULL,
  stored_at INTEGER NOT NULL, payload BLOB NOT NULL, batch TEXT
) WITHOUT ROWID;
CREATE INDEX message_waiting ON message (notifier, at) WHERE batch IS NULL;
CREATE INDEX message_batch ON message (batch) WHERE batch IS NOT NULL;
CREATE INDEX message_job ON message (identity) WHERE identity IS NOT NULL;

CREATE TABLE delivery (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, target TEXT NOT NULL, address INTEGER, batch TEXT,
  identity TEXT, run_id TEXT, event TEXT NOT NULL,
  created_at INTEGER NOT NULL, next_attempt_at INTEGER, attempts INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL, reason TEXT, ended_at INTEGER, payload BLOB NOT NULL
);
CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE state = 'pending';
CREATE INDEX delivery_job ON delivery (identity, number) WHERE identity IS NOT NULL;
CREATE INDEX delivery_batch ON delivery (batch) WHERE batch IS NOT NULL;
CREATE INDEX delivery_run ON delivery (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX delivery_target ON delivery (target, number);
CREATE INDEX delivery_state ON delivery (state, number);

CREATE TABLE attempt (
  delivery INTEGER NOT NULL REFERENCES delivery (number) ON DELETE CASCADE, number INTEGER NOT NULL,
  sent_at INTEGER NOT NULL, seconds REAL NOT NULL, status_code INTEGER, error TEXT,
  PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

CREATE TABLE endpoint (
  identity TEXT NOT NULL, digest TEXT NOT NULL, disabled_at INTEGER NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (identity, digest)
) WITHOUT ROWID;

CREATE TABLE counter (
  kind TEXT NOT NULL, target TEXT NOT NULL, result TEXT NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY (kind, target, result)
) WITHOUT ROWID;
"""
"""`memory`: what the rules must remember, by a key of theirs, as JSON. `batch`: the messages that go out
together, in one delivery for each address of their notifier; NULL in `message`: not gathered yet.
`event`: what a delivery tells (`failure`, `recovery`, `succeeded`, ...), one word for lists; a group has `group`.
`endpoint`: callbacks that answered 410 Gone, by job and digest of what its file says: another file, another try."""

STEPS: tuple[str, ...] = (VERSION_1,)
"""Step n takes an outbox from version n to n + 1. A released step is never edited."""

VERSION = len(STEPS)
APPLICATION_ID = 0x6A6F626F
"""`PRAGMA application_id`: "jobo"."""


def refuse_folder(path: Path) -> None:
    """Raises NotADatabase for a directory, of which SQLite would say "disk I/O error"."""
    if path.is_dir():
        raise NotADatabase(path, "is a directory, not the outbox", hint="move it away; a new outbox will be made")
