"""Which jobs follow which, as SQL that leaves all other jobs unread. Used by `state.reads`. Pure text."""

from __future__ import annotations

LINKED = """
WITH likely AS (
  SELECT job.id, job.project, CAST(spec.canonical AS TEXT) AS text FROM job CROSS JOIN spec ON spec.job_id = job.id
  WHERE job.archived_at IS NULL AND instr(spec.canonical, CAST('"depends_on":' AS BLOB)) > 0
), below AS (
  SELECT id, project, json_extract(text, '$.depends_on') AS names FROM likely WHERE json_valid(text)
), named AS (
  SELECT project, CASE each.type WHEN 'object' THEN json_extract(each.value, '$.job') ELSE each.value END AS name
  FROM below CROSS JOIN json_each(below.names) AS each WHERE names IS NOT NULL
), above AS (
  SELECT DISTINCT CASE instr(name, '/') WHEN 0 THEN project ELSE substr(name, 1, instr(name, '/') - 1) END AS project,
    substr(name, instr(name, '/') + 1) AS name
  FROM named
)
SELECT id FROM below WHERE names IS NOT NULL UNION
SELECT job.id FROM above CROSS JOIN job ON job.project = above.project AND job.name = above.name
WHERE job.archived_at IS NULL
"""
"""The numbers of live jobs that depend on others, and of those they depend on. `specs.policy` says how `depends_on` is
read. Canonical JSON has no blanks and leaves the field out where it says nothing, so the bytes tell most specs, at a
twentieth of the price of parsing. A damaged spec says nothing."""
