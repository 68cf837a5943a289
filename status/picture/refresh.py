"""Keeps the picture and the status files equal to the database: one thread of the status process.

Started by `status.serve`. The daemon's bell (one byte on stdin) says that something changed; what changed is asked of
the database by sequence number, so a lost bell costs delay and nothing else. It rests in proportion to its work, so
that a burst of 2,000 runs is read a few times, not 6,000, and leaves the machine to the runs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from state.errors import NotFound, StateError
from state.reads import Reader
from state.records import JobRecord
from status.calendars import compile_calendars
from status.picture.board import Board, Picture
from status.picture.files import StatusFiles
from status.words.yaml import dump_yaml

RESYNC = 5.0
"""Seconds after which it looks without a bell."""
LEAST_REST = 0.02
MOST_REST = 1.0
REST_SHARE = 4
"""It rests this many times as long as it worked: at most a fifth of one processor."""
QUIET, MOST_DELAY = 0.1, 2.0
"""Seconds without a bell that end a burst, and how long a burst is waited for at most: while hundreds of runs start,
the processors are theirs, and what is read at the end is read once."""
MANY, QUIET_AFTER_MANY = 8, 0.6
"""So many bells make a burst, and in one it is quiet only after this (seconds): the supervisor tells what started and
ended twice a second then."""
BATCH = 100
"""Jobs read at once: 2 MB of records, views and texts."""


class Refresher(threading.Thread):
    """The thread. `picture`, `problem` and `files_problem` may be read from any other."""

    def __init__(
        self,
        database: Path,
        board: Board,
        files: StatusFiles,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], int],
        resync: float = RESYNC,
    ) -> None:
        super().__init__(name="refresher", daemon=True)
        self._database = database
        self._board = board
        self._files = files
        self._monotonic = monotonic
        self._now = now
        self._resync = resync
        self._changed = threading.Event()
        self._bells = 0
        """How many since the last look; a hint, so no lock."""
        self._ended = threading.Event()
        self._reader: Reader | None = None
        self._files_open = False
        self._seq = 0
        self._source_problem: str | None = None
        self._calendars: list[tuple[str, str]] = []
        self._silenced: set[str | None] = set()
        """Whose silence began or ended since the last picture; None: that of all jobs."""
        self.problem: str | None = "the database was not read yet"
        """Why the database cannot be read now; None when it can."""
        self.files_problem: str | None = None
        """Why status files cannot be written now; None when they can."""
        self.refreshes = 0

    @property
    def picture(self) -> Picture:
        return self._board.picture

    @property
    def timezone(self) -> str:
        """Of jobs that name none."""
        return self._board.default_timezone

    @property
    def files_written(self) -> int:
        return self._files.writes

    def ring(self, times: int = 1) -> None:
        """Something changed; `times`: in so many commits."""
        self._bells += times
        self._changed.set()

    def stop(self) -> None:
        """End after the present round."""
        self._ended.set()
        self._changed.set()

    def run(self) -> None:
        while not self._ended.is_set():
            began = self._monotonic()
            wait = self.round()
            rest = min(max(LEAST_REST, REST_SHARE * (self._monotonic() - began)), MOST_REST)
            if self._ended.wait(rest):
                break
            self._changed.wait(max(0.0, min(wait, self._resync) - rest))
            self._let_a_burst_pass()
        if self._reader is not None:
            self._reader.close()

    def _let_a_burst_pass(self) -> None:
        until = self._monotonic() + MOST_DELAY
        while self._changed.is_set() and not self._ended.is_set() and self._monotonic() < until:
            self._changed.clear()
            self._changed.wait(QUIET if self._bells < MANY else QUIET_AFTER_MANY)
        self._bells = 0
        self._changed.clear()

    def round(self) -> float:
        """Read what changed and write what is due. Seconds until the next round is due without a bell."""
        try:
            if self._reader is None:
                self._reader = Reader(self._database)
            self._refresh(self._reader)
            self.problem = None
        except StateError as error:
            # No daemon yet, a busy moment, a damaged file: health says so, and the next round tries again.
            self.problem = str(error)
            self._drop_reader()
            return MOST_REST
        try:
            due = self._files.flush(self._monotonic())
        except OSError as error:
            self.files_problem = str(error)
            return MOST_REST
        if not self._files.waiting:
            self.files_problem = None
        return self._resync if due is None else due

    def _refresh(self, reader: Reader) -> None:
        seq = reader.seq()
        source = reader.source()
        problem = source.problem if source else None
        picture = self._board.picture
        silenced = self._silenced
        silenced |= self._take_silences(reader)
        everything = not picture.loaded or (problem is None) != (self._source_problem is None) or None in silenced
        if not everything and not silenced and seq == self._seq and source == picture.source:
            return
        if (not picture.loaded or source != picture.source) and self._calendars_changed(reader):
            everything = True
        if not self._files_open:
            self._open_files()
        newest = 0 if everything else self._seq
        while records := reader.changed_since(newest, limit=BATCH):
            self._take(reader, records, problem)
            newest = records[-1].seq
        if not everything:
            self._take(reader, list(self._still_there(reader, filter(None, silenced))), problem)
        # Asked last: a removal that came before the newest change just read must not be passed over. One that came
        # after it is seen again next time, which does no harm.
        removed = {identity for identity in reader.removed_since(self._seq) if identity in self._board}
        recreated = {record.identity for record in self._still_there(reader, removed)}
        for identity in self._board.remove(removed - recreated):
            self._remove_file(identity)
        self._source_problem = problem
        self._seq = max(newest, seq)
        first = not picture.loaded
        self._silenced = set()
        self._board.publish(source=source, seq=self._seq)
        if first and self._files_open:
            self._sweep_files()
        self.refreshes += 1

    def _take_silences(self, reader: Reader) -> set[str | None]:
        """Take over the silences that hold now; of whom one came, changed or went, also by time (None: of all jobs)."""
        now, before = self._now(), self._board.silences
        holding = [each for each in reader.silences(after=now) if each.holds(now)]
        after = {each.identity: each for each in sorted(holding, key=lambda each: each.over_at)}
        self._board.silences = after
        return {identity for identity in before.keys() | after.keys() if before.get(identity) != after.get(identity)}

    def _calendars_changed(self, reader: Reader) -> bool:
        """Take over the calendars, when a look brought others: they say when jobs are expected."""
        documents = reader.documents("Calendar")
        digests = [(document.name, document.digest) for document in documents]
        if digests == self._calendars:
            return False
        self._calendars = digests
        self._board.calendars = compile_calendars(documents, default_timezone=self._board.default_timezone)
        return True

    def _take(self, reader: Reader, records: list[JobRecord], problem: str | None) -> None:
        runs = reader.runs_of_ids(record.last_run_id for record in records if record.last_run_id is not None)
        views = self._board.update(records, last_runs=runs, source_problem=problem)
        for identity, view in views.items():
            self._put_file(identity, dump_yaml(view))

    @staticmethod
    def _still_there(reader: Reader, identities: Iterable[str]) -> Iterable[JobRecord]:
        for identity in identities:
            try:
                yield reader.job(identity)
            except NotFound:
                continue

    # Status files are the lesser duty: when they cannot be written, HTTP goes on, and health says why they are old.

    def _open_files(self) -> None:
        try:
            self._files.open()
            self._files_open = True
        except OSError as error:
            self.files_problem = str(error)

    def _sweep_files(self) -> None:
        try:
            self._files.keep_only(self._board.picture.entries)
        except OSError as error:
            self.files_problem = str(error)

    def _put_file(self, identity: str, text: str) -> None:
        try:
            self._files.put(identity, text, self._monotonic())
        except OSError as error:
            self.files_problem = str(error)

    def _remove_file(self, identity: str) -> None:
        try:
            self._files.remove(identity)
        except OSError as error:
            self.files_problem = str(error)

    def _drop_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
