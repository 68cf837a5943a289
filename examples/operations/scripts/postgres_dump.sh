#!/bin/sh
# Dump one PostgreSQL database, check that the dump can be read, then rotate.
# Environment: PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE as libpq has them, BACKUP_DIR, KEEP (default 7).
set -eu

: "${PGDATABASE:?set PGDATABASE}" "${BACKUP_DIR:?set BACKUP_DIR}"
keep=${KEEP:-7}
[ "$keep" -ge 1 ] || { echo "KEEP must be 1 or more" >&2; exit 1; }
umask 077
mkdir -p "$BACKUP_DIR"

stamp=$(date -u +%Y%m%dT%H%M%SZ)
target=$BACKUP_DIR/$PGDATABASE-$stamp.dump
part=$BACKUP_DIR/.partial-$$.dump
trap 'rm -f "$part"' EXIT

echo "dumping $PGDATABASE from ${PGHOST:-local socket}:${PGPORT:-5432}"
pg_dump --format=custom --no-password --file="$part"

# A dump cut short has no readable table of contents, or one without data.
tables=$(pg_restore --list "$part" | grep -c ' TABLE DATA ' || true)
[ "$tables" -gt 0 ] || { echo "$PGDATABASE: the dump holds no table data" >&2; exit 1; }
sync "$part"
mv "$part" "$target"

# Only now, with a good new dump in place, may an old one go. The stamp in the name sorts by time.
removed=0
while read -r old; do
  [ -n "$old" ] || continue
  rm -- "$old"
  echo "removed $old"
  removed=$((removed + 1))
done <<LIST
$(find "$BACKUP_DIR" -maxdepth 1 -name "$PGDATABASE-*.dump" | sort | head -n "-$keep")
LIST

bytes=$(wc -c <"$target")
echo "$target: $bytes bytes, $tables tables"
if [ -n "${JOBSCTL_RESULT_FILE:-}" ]; then
  printf '{"file": "%s", "bytes": %d, "tables": %d, "removed": %d}\n' "$target" "$bytes" "$tables" "$removed" >"$JOBSCTL_RESULT_FILE.part"
  mv "$JOBSCTL_RESULT_FILE.part" "$JOBSCTL_RESULT_FILE"
fi
