"""The tables, as SQL: the ordered steps that make the newest schema, and what every column is for.

Read by `state.migrations`. Instants are integer microseconds UTC, booleans and documents do not occur in WHERE clauses.
Not STRICT and without RETURNING: RHEL 9 ships Python 3.11 with SQLite 3.34.

Why the tables are cut as they are:
- A job's spec may be 256 KiB; its counters change three times a run. So `spec` is a table of its own.
- "All jobs with their latest run" must not search the history: `job` repeats what lists show (last_*, counts).
- A page is a walk down one index: (job_id, id), (state, id), or the primary key. Ids sort by time: "since" is a bound.
"""

from __future__ import annotations

VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('clean', 0), ('seq', 0);

CREATE TABLE job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project TEXT NOT NULL, name TEXT NOT NULL,
  digest TEXT NOT NULL, generation INTEGER NOT NULL,
  path TEXT NOT NULL, line INTEGER NOT NULL, revision TEXT,
  created_at INTEGER NOT NULL, applied_at INTEGER NOT NULL, archived_at INTEGER, missing_since INTEGER,
  problem TEXT NOT NULL DEFAULT '[]', problem_since INTEGER,
  schedule_digest TEXT NOT NULL DEFAULT '', anchor_at INTEGER NOT NULL, cursor_at INTEGER NOT NULL, next_at INTEGER,
  boot_id TEXT, suspended_at INTEGER, suspended_by TEXT, suspended_reason TEXT, completed_at INTEGER, stalled TEXT,
  active_runs INTEGER NOT NULL DEFAULT 0 CHECK (active_runs >= 0),
  last_run_id TEXT, last_run_state TEXT, last_scheduled_for INTEGER, last_started_at INTEGER, last_finished_at INTEGER,
  last_success_at INTEGER, health TEXT NOT NULL DEFAULT 'unknown', health_since INTEGER,
  consecutive_failures INTEGER NOT NULL DEFAULT 0,
  succeeded INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, cancelled INTEGER NOT NULL DEFAULT 0,
  expired INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0,
  newest_row_id TEXT, last_success_id TEXT, kept_runs INTEGER NOT NULL DEFAULT 0,
  seq INTEGER NOT NULL
);
CREATE UNIQUE INDEX job_identity ON job (project, name);
CREATE INDEX job_name ON job (name);
CREATE UNIQUE INDEX job_seq ON job (seq);
CREATE INDEX job_kept ON job (kept_runs);

CREATE TABLE spec (
  job_id INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
  canonical BLOB NOT NULL
);
CREATE TABLE label (
  job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (job_id, key)
) WITHOUT ROWID;
CREATE INDEX label_value ON label (key, value, job_id);
CREATE TABLE removal (seq INTEGER PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL);

CREATE TABLE run (
  id TEXT PRIMARY KEY,
  job_id INTEGER NOT NULL REFERENCES job (id), generation INTEGER NOT NULL, digest TEXT NOT NULL, revision TEXT,
  trigger TEXT NOT NULL, scheduled_for INTEGER, attempt INTEGER NOT NULL,
  state TEXT NOT NULL, reason TEXT, error TEXT,
  created_at INTEGER NOT NULL, started_at INTEGER, finished_at INTEGER,
  exit_code INTEGER, signal INTEGER, cpu_seconds REAL, peak_memory INTEGER, output_bytes INTEGER,
  requested_by TEXT, request_id TEXT, cancel_requested_at INTEGER, cancel_requested_by TEXT,
  supervisor TEXT, boot_id TEXT, pid INTEGER, pid_start INTEGER,
  skipped_first INTEGER, skipped_count INTEGER, progress TEXT, result TEXT
);
CREATE UNIQUE INDEX run_slot ON run (job_id, scheduled_for, attempt) WHERE scheduled_for IS NOT NULL;
CREATE UNIQUE INDEX run_request ON run (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX run_job ON run (job_id, id);
CREATE INDEX run_state ON run (state, id);

CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL, job_id INTEGER, run_id TEXT, type TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
  data TEXT
);
CREATE INDEX event_run ON event (run_id, id) WHERE run_id IS NOT NULL;
CREATE INDEX event_job ON event (job_id, id);
CREATE INDEX event_age ON event (at) WHERE run_id IS NULL;

CREATE TABLE request (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, identity TEXT, run_id TEXT, requested_by TEXT NOT NULL,
  requested_at INTEGER NOT NULL, handled_at INTEGER NOT NULL, outcome TEXT NOT NULL, message TEXT NOT NULL,
  data TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE spec_file (
  path BLOB PRIMARY KEY, version TEXT NOT NULL, inode TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL, documents BLOB NOT NULL
);
CREATE TABLE source (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  root TEXT NOT NULL, revision TEXT, scanned_at INTEGER NOT NULL, files INTEGER NOT NULL, jobs INTEGER NOT NULL,
  invalid INTEGER NOT NULL, problem TEXT, prune_blocked TEXT NOT NULL, diagnostics TEXT NOT NULL
);
CREATE TABLE counter (
  name TEXT NOT NULL, labels TEXT NOT NULL, value NOT NULL,
  PRIMARY KEY (name, labels)
) WITHOUT ROWID;
"""

VERSION_2 = """
ALTER TABLE job ADD COLUMN resumed_at INTEGER;
ALTER TABLE job ADD COLUMN skipped_overlap INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN skipped_missed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN skipped_suspended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN skipped_past INTEGER NOT NULL DEFAULT 0;
UPDATE job SET
  skipped_overlap = coalesce((SELECT value FROM counter WHERE counter.name = 'skipped_slots' AND
    labels = '{"job":"' || job.name || '","project":"' || project || '","reason":"overlap"}'), 0),
  skipped_missed = coalesce((SELECT value FROM counter WHERE counter.name = 'skipped_slots' AND
    labels = '{"job":"' || job.name || '","project":"' || project || '","reason":"missed"}'), 0),
  skipped_suspended = coalesce((SELECT value FROM counter WHERE counter.name = 'skipped_slots' AND
    labels = '{"job":"' || job.name || '","project":"' || project || '","reason":"suspended"}'), 0),
  skipped_past = coalesce((SELECT value FROM counter WHERE counter.name = 'skipped_slots' AND
    labels = '{"job":"' || job.name || '","project":"' || project || '","reason":"past"}'), 0);
DELETE FROM counter WHERE name = 'skipped_slots';
CREATE TABLE doomed_directory (
  id INTEGER PRIMARY KEY, project TEXT NOT NULL, job TEXT NOT NULL, run_id TEXT
);
"""
"""`doomed_directory`: what lies on the disk of rows that are gone, run_id NULL for the folder of a job. A row goes in
with the commit that deletes history and out when the directory is gone, so a crash in between leaves no orphan."""

VERSION_3 = """
ALTER TABLE run ADD COLUMN not_before INTEGER;
ALTER TABLE run ADD COLUMN params TEXT;
ALTER TABLE run ADD COLUMN upstream TEXT;
ALTER TABLE run ADD COLUMN filed_under TEXT;
ALTER TABLE run ADD COLUMN output_pruned INTEGER;
CREATE INDEX run_filed ON run (filed_under) WHERE filed_under IS NOT NULL;
ALTER TABLE job ADD COLUMN repeat_done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN completion_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN last_end_id TEXT;
ALTER TABLE job ADD COLUMN consumed TEXT;
ALTER TABLE job ADD COLUMN skipped_pool INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN skipped_dependency INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN skipped_daemon_down INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN skipped_grace INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN skipped_calendar INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN skipped_horizon INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN skipped_dst_gap INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN retention_runs INTEGER;
ALTER TABLE job ADD COLUMN retention_age_us INTEGER;
ALTER TABLE job ADD COLUMN keep_success INTEGER NOT NULL DEFAULT 1;
ALTER TABLE job ADD COLUMN output_max INTEGER;
UPDATE job SET last_end_id =
  (SELECT max(run.id) FROM run WHERE job_id = job.id AND state IN ('succeeded', 'failed', 'expired'));
DROP INDEX job_kept;
ALTER TABLE doomed_directory RENAME TO doomed_before;
CREATE TABLE doomed_directory (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, job TEXT NOT NULL, run_id TEXT,
  output_only INTEGER NOT NULL DEFAULT 0
);
INSERT INTO doomed_directory (id, project, job, run_id) SELECT id, project, job, run_id FROM doomed_before;
DROP TABLE doomed_before;
CREATE TABLE document (
  kind TEXT NOT NULL, name TEXT NOT NULL, canonical BLOB NOT NULL, digest TEXT NOT NULL,
  path TEXT NOT NULL, line INTEGER NOT NULL, revision TEXT, applied_at INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
);
"""
"""`filed_under`: `project/name` of the folder a run's files are in, NULL for its job's present one. The retention
columns of `job` repeat its spec, NULL where that says nothing; `output_pruned`: when a run's output was deleted;
`output_only`: of the doomed directory only the output goes. Its ids are not used again: housekeeping walks them.
`job_kept` made every run change one more index."""

VERSION_4 = """
CREATE TABLE silence (
  id TEXT PRIMARY KEY, identity TEXT, since INTEGER NOT NULL, until INTEGER NOT NULL,
  reason TEXT NOT NULL, silenced_by TEXT NOT NULL, ended_at INTEGER, ended_by TEXT
) WITHOUT ROWID;
CREATE INDEX silence_until ON silence (until);
"""
"""`silence`: while one holds, nobody is notified of a job (`project/name`; NULL: of any). The id is the request's."""

VERSION_5 = """
ALTER TABLE job ADD COLUMN suspends INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN scheduled INTEGER NOT NULL DEFAULT 1;
ALTER TABLE job ADD COLUMN follows TEXT;
UPDATE job SET suspends = 1 WHERE id IN
  (SELECT job_id FROM spec WHERE instr(canonical, CAST('"suspend":false' AS BLOB)) = 0);
UPDATE job SET scheduled = 0 WHERE id IN
  (SELECT job_id FROM spec WHERE instr(canonical, CAST('"schedule":null' AS BLOB)) > 0);
UPDATE job SET follows = (
  SELECT json_group_array(CASE instr(name, '/') WHEN 0 THEN job.project || '/' || name ELSE name END) FROM (
    SELECT CASE each.type WHEN 'object' THEN json_extract(each.value, '$.job') ELSE each.value END AS name
    FROM spec CROSS JOIN json_each(CAST(spec.canonical AS TEXT), '$.depends_on') AS each WHERE spec.job_id = job.id
  )
) WHERE id IN (
  SELECT job_id FROM spec
  WHERE instr(canonical, CAST('"depends_on":' AS BLOB)) > 0 AND json_valid(CAST(canonical AS TEXT))
);
CREATE INDEX job_follows ON job (id) WHERE follows IS NOT NULL;
"""
"""What is asked of all specs at once, repeated in columns. `suspends`: the file does; `scheduled`: it has a schedule;
`follows`: JSON, the identities it depends on."""

STEPS: tuple[str, ...] = (VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5)
"""Step n takes a database from version n to n + 1. A released step is never edited."""

VERSION = len(STEPS)
APPLICATION_ID = 0x6A6F6263
"""`PRAGMA application_id`: "jobc"; tells our file from anybody else's."""
