"""Printing one file that a run kept. Used by `outputs`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cli.errors import NotFound
from cli.logprint import Sink
from cli.output import counted, say
from cli.reading import Reading
from state.records import Run
from status.outputs import Piece, kept_of, read_piece
from status.words.times import relative


def print_kept(seen: Reading, runs: Sequence[Run], name: str, piece: Piece | None, *, of: str) -> None:
    """Print file `name` of the first of `runs` that kept one.

    Raises:
        NotFound: none did; with the nearest names.
        InvalidQuery: `piece` begins behind the end of the file.
    """
    for place, run in enumerate(runs):
        file = seen.files(run).output(name)
        if file is None:
            continue
        data = read_piece(file, piece or Piece())
        if place:
            say(f"of run {run.id}, {relative(run.started_at, seen.now)}: {counted(place, 'newer run')} did not keep it")
        sink = Sink(sys.stdout)
        for each in data:
            sink.write(each)
        sink.close()
        return
    raise NotFound(f"{of} kept no file {name}", hint=_hint(seen, runs, name, of))


def _hint(seen: Reading, runs: Sequence[Run], name: str, of: str) -> str:
    from difflib import get_close_matches

    for run in runs:
        names = [kept.file.path for kept in kept_of(run, seen.files(run).outputs())]
        if names:
            close = get_close_matches(name, names, n=3)
            return f"did you mean {' or '.join(close)}?" if close else f"`jobsctl outputs {of}` lists what there is"
    return "a job keeps what it writes below $JOBSCTL_OUTPUT_DIR"
