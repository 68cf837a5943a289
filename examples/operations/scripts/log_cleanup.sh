#!/bin/sh
# Compress quiet logs, remove old compressed ones. Symbolic links and other file systems are left alone.
# Environment: LOG_DIR, COMPRESS_AFTER_DAYS (default 2), REMOVE_AFTER_DAYS (default 60).
set -eu

: "${LOG_DIR:?set LOG_DIR}"
[ -d "$LOG_DIR" ] || { echo "$LOG_DIR: no such directory" >&2; exit 1; }
compress_after=${COMPRESS_AFTER_DAYS:-2}
remove_after=${REMOVE_AFTER_DAYS:-60}
case $(cd "$LOG_DIR" && pwd -P) in
  / | /etc | /usr | /var | /home) echo "$LOG_DIR: refused, that is not a log directory" >&2; exit 1 ;;
esac

before=$(du -sk "$LOG_DIR" | cut -f 1)
list=${JOBSCTL_OUTPUT_DIR:-.}/touched.txt

# -mmin, because -mtime +2 means "more than three days". gzip keeps owner, mode and time; an existing .gz is not overwritten.
{
  find "$LOG_DIR" -xdev -type f -name '*.log.gz' -mmin "+$((remove_after * 1440))" -print -delete
  find "$LOG_DIR" -xdev -type f -name '*.log' -size +0 -mmin "+$((compress_after * 1440))" -print -exec gzip -n {} +
} >"$list"

after=$(du -sk "$LOG_DIR" | cut -f 1)
echo "$(wc -l <"$list") files compressed or removed, $((before - after)) KiB freed, $after KiB left in $LOG_DIR"
