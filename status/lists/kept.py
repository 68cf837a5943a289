"""`/api/v1/records/output|series/...`: the files a run kept and its samples, for `jobsctl --server`.

Called by `status.lists.records`, which mounts the routes. Bytes as they are on the disk, so that a command far away
sees what it would see at home.
"""

from __future__ import annotations

import os
from pathlib import Path

from starlette.responses import Response

from state.errors import NotFound
from state.runfiles import last_series, open_output
from status.server.query import Query

PIECE = 1 << 20
"""Bytes of a file in one answer."""
OUTPUT_PARAMETERS = frozenset(("path", "start", "end"))
SERIES_PARAMETERS = frozenset(("last",))
MOST_SAMPLES = 1 << 20


def output_piece(run_dir: Path, query: Query) -> Response:
    """At most a MiB of a kept file, from `start` up to `end`; `X-Output-Size` is that of the whole.

    Raises state.errors.NotFound: the run kept none of this path.
    """
    path = query.text("path") or ""
    descriptor = open_output(run_dir, path)
    if descriptor is None:
        raise NotFound(f"the run kept no file {path[:200]}")
    try:
        size = os.fstat(descriptor).st_size
        start = query.whole("start", least=0, most=10**17) or 0
        end = query.whole("end", least=0, most=10**17)
        end = size if end is None else min(end, size)
        body = os.pread(descriptor, max(min(end - start, PIECE), 0), start)
    finally:
        os.close(descriptor)
    # Whatever the job wrote, no browser may take it for a page of ours.
    return Response(body, headers={
        "x-output-size": str(size), "content-type": "application/octet-stream", "x-content-type-options": "nosniff",
        "content-disposition": "attachment",
    })  # fmt: skip


def series_piece(run_dir: Path, query: Query) -> Response:
    """The samples of a run as they are kept (`state.runfiles`), the last `last` of them or all."""
    count = query.whole("last", least=1, most=MOST_SAMPLES) or MOST_SAMPLES
    return Response(last_series(run_dir, count), media_type="application/octet-stream")
