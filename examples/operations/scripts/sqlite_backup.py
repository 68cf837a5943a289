"""Back up a live SQLite database: copy online, compress, verify what was written, then rotate.

Environment: DATABASE (file), BACKUP_DIR (made when missing), KEEP (newest copies kept, default 7).
An old copy is removed only after the new one has been read back and found whole.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path


def main() -> None:
    database, directory = Path(os.environ["DATABASE"]), Path(os.environ["BACKUP_DIR"])
    keep = int(os.environ.get("KEEP", "7"))
    if keep < 1:
        sys.exit("KEEP must be 1 or more: with 0 the copy just made would be removed")
    if not database.is_file():
        sys.exit(f"{database}: no such database; set DATABASE in jobs/sqlite-backup.yaml")
    directory.mkdir(parents=True, exist_ok=True)

    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = directory / f"{database.stem}-{stamp}.db.gz"
    with tempfile.TemporaryDirectory(dir=directory, prefix=".partial-") as work:
        copy, packed, again = Path(work, "copy.db"), Path(work, "packed.gz"), Path(work, "again.db")
        copy_online(database, copy)
        rows = verified_rows(copy)
        with copy.open("rb") as source, gzip.open(packed, "wb") as out:
            shutil.copyfileobj(source, out)
        with gzip.open(packed, "rb") as source, again.open("wb") as out:
            shutil.copyfileobj(source, out)
        if verified_rows(again) != rows:
            sys.exit(f"{target}: what was read back differs from what was written")
        with packed.open("rb") as written:
            os.fsync(written.fileno())
        packed.rename(target)
    removed = rotate(directory, database.stem, keep)

    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    print(f"{target}: {target.stat().st_size} bytes, {sum(rows.values())} rows in {len(rows)} tables, sha256 {digest}")
    for old in removed:
        print(f"removed {old}")
    tell(
        "JOBSCTL_RESULT_FILE",
        file=str(target),
        bytes=target.stat().st_size,
        sha256=digest,
        rows=rows,
        removed=len(removed),
    )


def copy_online(database: Path, copy: Path) -> None:
    """SQLite's own backup: readers and writers go on, and the copy is one consistent moment."""

    def progress(_status: int, remaining: int, total: int) -> None:
        tell("JOBSCTL_PROGRESS_FILE", percent=round(100 * (total - remaining) / max(total, 1)), message="copying")

    try:
        with (
            closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as destination,
        ):
            source.backup(destination, pages=2000, progress=progress)
    except sqlite3.DatabaseError as error:
        sys.exit(f"{database}: cannot be copied: {error}")


def verified_rows(database: Path) -> dict[str, int]:
    """Rows per table of a whole database; ends the job when SQLite finds damage."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            if found != ["ok"]:
                sys.exit(f"integrity check failed: {'; '.join(found[:5])}")
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
            quoted = [(name, name.replace('"', '""')) for (name,) in tables]
            return {name: connection.execute(f'SELECT count(*) FROM "{q}"').fetchone()[0] for name, q in quoted}
    except sqlite3.DatabaseError as error:
        sys.exit(f"integrity check failed: {error}")


def rotate(directory: Path, stem: str, keep: int) -> list[Path]:
    """Removes all but the `keep` newest copies; the stamp in the name sorts by time."""
    old = sorted(directory.glob(f"{stem}-????????T??????Z.db.gz"))[:-keep]
    for path in old:
        path.unlink()
    return old


def tell(variable: str, **facts: object) -> None:
    """Progress and result files, when jobsctl runs this; written whole and renamed: a reader sees no half file."""
    if path := os.environ.get(variable):
        part = Path(f"{path}.part")
        part.write_text(json.dumps(facts))
        part.rename(path)


if __name__ == "__main__":
    main()
