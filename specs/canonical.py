"""One form for equal jobs: canonical JSON and its digest.

Called by `specs.load`. Comments, key order, quoting, YAML or JSON and written-out defaults do not change it. Secrets
never come into it: a spec holds references (`from_file`, `from_env`, `credential`), the values are read at a start.
"""

from __future__ import annotations

import hashlib

import orjson

from specs.model import Job


def canonical_bytes(job: Job) -> bytes:
    """JSON with every default applied and keys sorted."""
    # pydantic's own JSON read back is faster than its plain data, and says the same.
    written = orjson.dumps(orjson.loads(job.model_dump_json()), option=orjson.OPT_SORT_KEYS)
    return bytes(memoryview(written))  # a copy: orjson's own result keeps its 8 KB buffer as long as it lives


def digest_of(spec: bytes) -> str:
    """sha256 of canonical JSON, 64 hex digits."""
    return hashlib.sha256(spec).hexdigest()
