"""Which jobs follow which, as SQL that leaves all other jobs unread. Used by `state.reads_jobs`. Pure text."""

from __future__ import annotations

_EDGES = """
edge AS (
  SELECT each.value AS above, job.project || '/' || job.name AS below
  FROM job CROSS JOIN json_each(job.follows) AS each WHERE job.follows IS NOT NULL AND job.archived_at IS NULL
)"""
_NAMED = """
SELECT job.id FROM named CROSS JOIN job ON job.project = substr(named.identity, 1, instr(named.identity, '/') - 1)
AND job.name = substr(named.identity, instr(named.identity, '/') + 1) WHERE job.archived_at IS NULL
"""
LINKED = f"""
WITH {_EDGES}, named(identity) AS (SELECT above FROM edge UNION SELECT below FROM edge) {_NAMED}
"""
"""The numbers of live jobs that depend on others, and of those they depend on."""


RELATED = f"""
WITH RECURSIVE {_EDGES}, up(identity) AS (
  SELECT ?1 UNION SELECT edge.above FROM up CROSS JOIN edge ON edge.below = up.identity
), down(identity) AS (
  SELECT ?1 UNION SELECT edge.below FROM down CROSS JOIN edge ON edge.above = down.identity
), named(identity) AS (
  SELECT identity FROM up UNION SELECT identity FROM down
  UNION SELECT edge.above FROM down CROSS JOIN edge ON edge.below = down.identity
) {_NAMED}
"""
"""Of one identity: the numbers of the jobs it follows, directly or not, of those that follow it, and of what else those
depend on."""
