#!/bin/sh
# Fail when a file system is short of bytes or inodes, and say what is biggest there.
# Environment: PATHS ("/ /var"), MAX_PERCENT (default 90).
set -eu

: "${PATHS:?set PATHS}"
max=${MAX_PERCENT:-90}
bad=0

for path in $PATHS; do
  [ -e "$path" ] || { echo "$path: does not exist; correct PATHS" >&2; exit 1; }
  for what in bytes inodes; do
    option=-P
    [ "$what" = bytes ] || option=-Pi
    # The fifth column of the second line, without its percent sign; '-' where a file system does not count inodes.
    used=$(df $option "$path" | awk 'NR == 2 {sub("%", "", $5); print $5}')
    case $used in
      *[!0-9]* | '') continue ;;
    esac
    if [ "$used" -gt "$max" ]; then
      echo "FAIL $path: $used % of $what used, more than $max %"
      bad=$((bad + 1))
    else
      echo "ok   $path: $used % of $what used"
    fi
  done
done

if [ "$bad" -gt 0 ]; then
  for path in $PATHS; do
    echo "biggest in $path:"
    du -xhd 1 "$path" 2>/dev/null | sort -rh | head -n 6
  done >"${JOBSCTL_OUTPUT_DIR:-.}/biggest.txt"
  cat "${JOBSCTL_OUTPUT_DIR:-.}/biggest.txt"
  exit 1
fi
