"""The first line of a spec file that we write: it tells an editor where the schema is.

Used by `apply`. Files of people are never touched: a line is put only before what we write ourselves.
"""

from __future__ import annotations

from pathlib import Path

from specs import schema


def with_modeline(data: bytes, target: Path, root: Path) -> bytes:
    """The content of a spec file that we are about to make at `target`, below its line for editors.

    As it is when it has such a line, is JSON, must begin at its beginning (a byte order mark, a directive), or when
    there is no schema file that the line could lead to.
    """
    if target.suffix == ".json" or schema.has_modeline(data) or not (root / schema.FILE).is_file():
        return data
    if data.startswith((b"\xef\xbb\xbf", b"%")):
        return data
    return schema.modeline(target, root).encode() + data


def is_ours(there: bytes, target: Path, root: Path) -> bool:
    """Whether the file begins with the line that we would put there."""
    return there.startswith(schema.modeline(target, root).encode())
