"""The schema file of a specs directory, and the first lines of spec files that lead to it.

Used by `init`, `apply` and `schema --write`. The file is ours: it is written anew when this version has another one.
Files of people are never touched: a line is put only before what we write ourselves.
"""

from __future__ import annotations

from pathlib import Path

from cli.placing import Placement, write
from specs import schema


def renew(root: Path) -> tuple[Path, str]:
    """Have the schema of this version below `root`. Where it is, and `created`, `changed` or `kept`.

    Raises OSError.
    """
    target, data = root / schema.FILE, schema.compact()
    there = target.read_bytes() if target.exists() else None
    if there == data:
        return target, "kept"
    write(Placement(target, data, replaces=there is not None))
    return target, "created" if there is None else "changed"


def with_modeline(data: bytes, target: Path, root: Path) -> bytes:
    """The content of a spec file that we are about to make at `target`, below its line for editors.

    As it is when it has such a line, is JSON, does not begin at its beginning (a byte order mark, a directive), or when
    there is no schema file that the line could lead to.
    """
    if target.suffix == ".json" or schema.has_modeline(data) or not (root / schema.FILE).is_file():
        return data
    if data.startswith((b"\xef\xbb\xbf", b"%", b"\xff\xfe", b"\xfe\xff")):
        return data
    return schema.modeline(target, root).encode() + data
