"""The log of one run, as it is followed. Used by `status.streams.logs` and `.routes`. A position is an offset in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from state.errors import NotFound
from state.logs import Log, streams
from state.records import ACTIVE_STATES, Run
from status.streams.known import Known, Step, Target
from status.streams.pieces import end_of_line, end_of_text, piece_of
from status.streams.sse import END, message, name_of
from status.views import run_view


@dataclass(frozen=True, slots=True)
class RunLog:
    """Which log, and what of it."""

    run_id: str
    directory: Path
    stream: str
    wanted: bytes | None = None
    """Only whole lines that contain this."""
    end: int | None = None
    """What was written up to this instant, µs."""
    project: str | None = None
    """The only project whose runs the client may see: nothing is told when its job went to another one."""

    def target(self, known: Known, head: int) -> Target[int]:
        """How far the log goes now, and whether that is its end."""
        run = known.run(self.run_id)
        if run is None or self.project not in (None, run.project):
            return Target(head, gone=True)
        over = self._is_over(run, known.now)
        try:
            with Log(self.directory, self.stream) as log:
                size = log.size if self.end is None else log.offset_until(self.end)
                if not over:
                    size = end_of_text(log, size) if self.wanted is None else end_of_line(log, size, floor=head)
        except NotFound:
            if streams(self.directory) and not over:
                return Target(head, gone=True)  # it keeps its streams apart: the client must name one
            size = head
        reached = None if run.state not in ACTIVE_STATES else "end"
        return Target(max(size, head), ending=self._ending(run, reached) if over else None)

    def step(self, known: Known, position: int, through: int, lines: int | None) -> Step[int]:
        """The next event after `position`."""
        run = known.run(self.run_id)
        if run is None:
            return Step(b"", position)
        try:
            with Log(self.directory, self.stream) as log:
                all_there = self._is_over(run, known.now)
                piece = piece_of(log, position, through, all_there=all_there, wanted=self.wanted, lines=lines)
        except NotFound:
            return Step(b"", position)
        left = None if lines is None else lines - piece.lines
        text = b""
        if piece.data:
            data = {"start": position, "end": piece.end, "text": piece.text}
            text = message(name_of(str(piece.end), left), data)
        return Step(text, piece.end, piece.lines, self._ending(run, "limit") if left == 0 else None)

    def _is_over(self, run: Run, now: int) -> bool:
        return run.state not in ACTIVE_STATES or (self.end is not None and now >= self.end)

    def _ending(self, run: Run, reached: str | None) -> bytes:
        """The last event: the run as it is, and which bound ended the stream before the run was over."""
        return message(END, run_view(run) | {"reached": reached}, event=END)
