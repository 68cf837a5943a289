"""What the runs of the month (`tests.page.month`) left on the disk: output, samples, progress, results, kept files."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Mapping
from pathlib import Path

from state.home import Home
from state.records import RunState
from state.store import Store
from tests.page.habits import Habit, failing, steps
from tests.page.living import SECOND, Life, Made

BIG = 2 << 20
"""Bytes: the log of the run that reindexed last."""
_SAMPLES = 60


class Traces:
    """Writes run directories."""

    def __init__(self, home: Home, store: Store, *, now: int, seed: int) -> None:
        self.home, self.store, self.now = home, store, now
        self.random = random.Random(f"{seed}:traces")

    def leave(self, lives: Mapping[str, Life]) -> None:
        """Directories of the newest runs of every job; in the store how much they wrote."""
        sizes: list[tuple[int, str]] = []
        for life in lives.values():
            started = [made for made in life.runs if made.started_at is not None]
            for place, made in enumerate(reversed(started[-life.habit.logs :])):
                size = self._run(life.habit, made, newest=place == 0)
                if made.end is not None:
                    sizes.append((size, made.run.id))
        # No call of the store changes what a run that is over wrote.
        self.store._connection.executemany("UPDATE run SET output_bytes = ? WHERE id = ?", sizes)

    def _run(self, habit: Habit, made: Made, *, newest: bool) -> int:
        run = made.run
        place = self.home.run_dir(run.project, run.job, run.id)
        place.mkdir(parents=True, mode=0o700)
        start, until = made.started_at or 0, made.end.at if made.end else self.now
        identity = run.identity
        failed = made.end is not None and made.end.state is not RunState.SUCCEEDED
        text = (habit.writes or steps)(self.random)
        if identity == "shop/invoices" and failed:
            text = failing(self.random)
        if identity == "shop/search-reindex" and newest:
            text = text * (BIG // len(text) + 1)
        data = text.encode("utf-8", "surrogateescape")
        if identity == "data/transform":
            self._stream(place, "stdout", data, start, until)
            self._stream(place, "stderr", b"warning: 3 customers without a region\n", start, until)
        elif made.end is None or made.end.exit_code is not None or made.end.signal is not None:
            self._stream(place, "output", data, start, until)
        self._samples(place, habit, start, until)
        if made.end is None:
            said = {"percent": 62.5, "done": 18, "total": 29, "message": "day 18 of 29 <b>2026-11-02</b>"}
            (place / "progress.json").write_text(json.dumps(said))
        elif made.end.result is not None:
            (place / "result.json").write_text(json.dumps(made.end.result))
        if not failed and made.end is not None:
            for name, content in habit.outputs.items():
                path = place / "outputs" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        return len(data)

    def _stream(self, place: Path, stream: str, data: bytes, start: int, until: int) -> None:
        """The bytes, and when they came: in lines, evenly over the life of the run."""
        (place / f"{stream}.log").write_bytes(data)
        looks = 16
        marks = []
        for look in range(1, looks + 1):
            upto = len(data) * look // looks
            end = data.rfind(b"\n", 0, upto) + 1
            marks.append(f"{start + (until - start) * look // looks} {end if look < looks else len(data)}\n")
        (place / f"{stream}.idx").write_text("".join(marks))

    def _samples(self, place: Path, habit: Habit, start: int, until: int) -> None:
        """CPU rises, memory climbs to what is usual and wavers."""
        count = min(_SAMPLES, (until - start) // SECOND + 1)
        records, used, swing = [], 0.0, self.random.uniform(0.1, 0.4)
        for look in range(1, count + 1):
            at = start + (until - start) * look // count
            share = look / count
            used += (until - start) / count * habit.cores * self.random.uniform(0.4, 1.5)
            level = min(1.0, share * 4) * (1 - swing * self.random.random()) * (0.7 if share > 0.9 else 1)
            records.append(struct.pack("<qQQ", at, round(used), round(habit.memory * level)))
        (place / "series.bin").write_bytes(b"".join(records))
