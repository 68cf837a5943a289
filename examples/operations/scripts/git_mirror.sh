#!/bin/sh
# Keep bare mirrors of repositories, and check that every ref of the origin is really here.
# Environment: MIRROR_DIR, REPOSITORIES (lines of "name url").
# One repository that fails does not keep the others from being mirrored.
set -eu

: "${MIRROR_DIR:?set MIRROR_DIR}" "${REPOSITORIES:?set REPOSITORIES}"
export GIT_TERMINAL_PROMPT=0 # a password prompt would wait for ever
mkdir -p "$MIRROR_DIR"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mirror() {
  name=$1 url=$2 path=$MIRROR_DIR/$1.git
  if [ -d "$path" ]; then
    git -C "$path" remote set-url origin "$url"
    git -C "$path" fetch --quiet --prune origin || return 1
  else
    # Cloned aside and renamed: an interrupted first clone must not look like a mirror.
    rm -rf "$path.partial"
    git clone --quiet --mirror "$url" "$path.partial" || return 1
    mv "$path.partial" "$path"
  fi
  git ls-remote --refs "$url" >"$work/unsorted" || return 1 # no pipe: its status would be sort's
  sort "$work/unsorted" >"$work/theirs"
  git -C "$path" for-each-ref --format='%(objectname)%09%(refname)' | sort >"$work/ours"
  if ! diff "$work/theirs" "$work/ours"; then
    echo "$name: refs differ from $url (a push in between is fetched next time)"
    return 1
  fi
  git -C "$path" fsck --connectivity-only --no-progress || return 1
  echo "ok   $name: $(wc -l <"$work/ours") refs, $(du -sk "$path" | cut -f 1) KiB"
}

failed=0
while read -r name url; do
  [ -n "$name" ] || continue
  case $name in
    */* | .*) echo "FAIL $name: a name, not a path" && failed=$((failed + 1)) && continue ;;
  esac
  mirror "$name" "$url" || { echo "FAIL $name: could not be mirrored from $url" && failed=$((failed + 1)); }
done <<LIST
$REPOSITORIES
LIST

[ "$failed" -eq 0 ] || { echo "$failed repositories not mirrored" >&2; exit 1; }
