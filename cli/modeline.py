"""The line of a spec file that leads an editor to the schema, in files that we write.

Used by `apply`. Files of people are never touched: a line is put only into what we write ourselves.
"""

from __future__ import annotations

from pathlib import Path

from specs.schema.editors import FILE, modeline, with_modelines


def for_editors(data: bytes, target: Path, root: Path) -> bytes:
    """The content of a spec file that we are about to make at `target`. As it is when the folder has no schema."""
    schema = root / FILE
    return with_modelines(data, target, schema) if target.suffix != ".json" and schema.is_file() else data


def is_ours(there: bytes, target: Path, root: Path) -> bool:
    """Whether a file has the line that we would put there."""
    return modeline(target, root / FILE).encode() in there
