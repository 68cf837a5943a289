"""What makes a finding the same one after lines above it came or went. Used by the formats that compare two commits.

Not the message: some hold line numbers or dates. Not the line number. Equal findings are counted in their order.
"""

from __future__ import annotations

import hashlib
from collections import Counter

from specs.diagnostic import Diagnostic


def fingerprints(diagnostics: list[Diagnostic]) -> list[str]:
    """One for each, all different: 64 hex digits of sha256 over path, code, job, the text of the line, and a count."""
    seen: Counter[tuple[str, ...]] = Counter()
    found: list[str] = []
    for each in diagnostics:
        what = each.source_line.strip() if each.source_line is not None else each.message
        key = (each.path, each.code, each.identity or "", what)
        found.append(hashlib.sha256("\0".join((*key, str(seen[key]))).encode("utf-8", "backslashreplace")).hexdigest())
        seen[key] += 1
    return found
