#!/bin/sh
# Restore the newest dump into a scratch database, count every table's rows, drop the scratch database again.
# Environment: PGHOST PGPORT PGUSER PGPASSWORD as libpq has them (a role with CREATEDB), BACKUP_DIR,
# MAX_AGE_HOURS (default 30: a newest dump older than this fails the check).
set -eu

: "${BACKUP_DIR:?set BACKUP_DIR}"
newest=$(find "$BACKUP_DIR" -maxdepth 1 -name '*.dump' ! -name '.*' | sort | tail -n 1)
[ -n "$newest" ] || { echo "$BACKUP_DIR: no dump to restore" >&2; exit 1; }
age=$(( ($(date +%s) - $(stat -c %Y "$newest")) / 3600 ))
[ "$age" -le "${MAX_AGE_HOURS:-30}" ] || { echo "$newest: is $age hours old: the dump job has not worked since" >&2; exit 1; }

scratch=restore_check_$$
trap 'dropdb --no-password --if-exists --maintenance-db=postgres "$scratch"' EXIT
trap 'exit 143' TERM INT # so that a cancel or timeout of the run also drops it

echo "restoring $newest into $scratch"
createdb --no-password --maintenance-db=postgres "$scratch"
pg_restore --no-password --exit-on-error --no-owner --no-privileges --dbname="$scratch" "$newest"

report=${JOBSCTL_OUTPUT_DIR:-.}/rows.tsv
psql --no-password --no-psqlrc --quiet --tuples-only --no-align --field-separator="$(printf '\t')" \
  --set ON_ERROR_STOP=1 --dbname="$scratch" >"$report" <<'SQL'
SELECT format('SELECT %L, count(*) FROM %I.%I', schemaname || '.' || tablename, schemaname, tablename)
FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 \gexec
SQL
cat "$report"
rows=$(awk -F '\t' '{sum += $2} END {print sum + 0}' "$report")
tables=$(wc -l <"$report")
[ "$rows" -gt 0 ] || { echo "$newest: restores, but holds no rows" >&2; exit 1; }

echo "$newest: $tables tables, $rows rows restored"
if [ -n "${JOBSCTL_RESULT_FILE:-}" ]; then
  printf '{"file": "%s", "tables": %d, "rows": %d, "age_hours": %d}\n' "$newest" "$tables" "$rows" "$age" >"$JOBSCTL_RESULT_FILE.part"
  mv "$JOBSCTL_RESULT_FILE.part" "$JOBSCTL_RESULT_FILE"
fi
