"""Positions in the logs of a job, and lines that hold a text: from any of them the rest is had, once and in order.

The real database and real files, without a server; oracles in plain Python.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.home import Home
from state.logs import Log, containing
from state.records import Reason, Run, RunState
from state.store import RunEnd, RunStarted, Store
from status.streams import pieces
from status.streams.joblogs import JobLogs, Mark, Open
from status.streams.known import Known, Remembered
from status.streams.logs import news_of, read_on
from status.streams.pieces import end_of_line, piece_of, start_of_last
from tests.seeing.building import NINE, SECOND, make_home, record_of, run_of

Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["start", "write", "write", "end", "look", "look", "read"]), st.integers(0, 5)),
    min_size=4,
    max_size=30,
)


Texts = dict[tuple[str, str], str]


class Follower:
    """A client, and what it was told: the text of each log, and the begins and ends of runs."""

    def __init__(self, mark: Mark, texts: Texts | None = None, bounds: tuple[tuple[str, str], ...] = ()) -> None:
        self.mark = mark
        self.texts = dict(texts or {})
        self.bounds = list(bounds)
        self.places: list[Follower] = []
        """It as it was behind each event: who comes back from there goes on like this."""

    def hear(self, framed: bytes, mark: Mark) -> None:
        for block in framed.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if "data" not in fields:
                continue
            data = json.loads(fields["data"])
            if "event" in fields:
                self.bounds.append((fields["event"], data["id"]))
            else:
                log = (data["run"], data["stream"])
                assert ("ended", log[0]) not in self.bounds
                assert data["start"] == len(self.texts.get(log, "").encode())
                self.texts[log] = self.texts.get(log, "") + data["text"]
            self.places.append(Follower(Mark.parse(fields["id"]), self.texts, tuple(self.bounds)))
        self.mark = mark


@settings(derandomize=True, max_examples=20, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(steps=STEPS)
def test_whoever_follows_and_wherever_it_comes_back_is_told_everything_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    home = make_home(tmp_path_factory.mktemp("home"))
    store = Store.open(home.database, now=NINE)
    try:
        play(home, store, steps)
    finally:
        store.close()


def play(home: Home, store: Store, steps: list[Step]) -> None:
    job = store.put_job(record_of("a", project="ops"))
    other = store.put_job(record_of("b", project="ops"))
    fresh, remembered = Known(home, lambda: NINE), Remembered(home, lambda: NINE)
    logs = JobLogs(job.id or 0)
    head = logs.now(fresh)
    live, slow = Follower(head), Follower(head)
    running: list[Run] = []
    runs: list[Run] = []
    written: Texts = {}

    def look() -> None:
        nonlocal head
        remembered.renew([run.run_id for run in head.runs])
        new = news_of(logs, remembered, head)
        assert not new.gone
        assert new.text is not None
        live.hear(new.text, new.head)
        head = new.head

    def read(follower: Follower) -> bool:
        page = read_on(logs, fresh, follower.mark, head, None)
        body = page.framed.partition(b"\r\n")[2].removesuffix(b"\r\n")
        moved = page.position != follower.mark
        follower.hear(body, page.position)
        return moved

    for what, number in steps:
        if what == "start":
            run = run_of(other if number == 5 else job, at=NINE + len(runs) * SECOND)
            runs.append(run)
            store.insert_runs([run])
            store.started([RunStarted(run_id=run.id, at=run.created_at, pid=1, pid_start=1)])
            home.run_dir_of(run).mkdir(parents=True)
            running.append(run)
        elif what == "write" and running:
            run = running[number % len(running)]
            stream = "stdout" if number == 4 else "output"
            text = f"{len(runs)} ü\n"[: number + 2]
            with (home.run_dir_of(run) / f"{stream}.log").open("ab") as file:
                file.write(text.encode())
            if run.job_id == job.id:
                written[run.id, stream] = written.get((run.id, stream), "") + text
        elif what == "end" and running:
            finish(store, running.pop(number % len(running)))
        elif what == "look":
            look()
        elif what == "read":
            read(slow)
    while running:
        finish(store, running.pop())
    for _ in range(3):
        look()
    assert head.runs == ()
    own = [run.id for run in runs if run.job_id == job.id]
    places = [live, slow]
    for follower in (live, slow):
        places += follower.places[:20]
    for follower in places:
        while read(follower):
            pass
        assert follower.mark == head
        assert follower.texts == written
        assert [run for kind, run in follower.bounds if kind == "run"] == own
        assert sorted(run for kind, run in follower.bounds if kind == "ended") == sorted(own)


def finish(store: Store, run: Run) -> None:
    store.finished([RunEnd(run_id=run.id, at=run.created_at + SECOND, state=RunState.SUCCEEDED,
                           reason=Reason.SUCCEEDED, exit_code=0)])  # fmt: skip


@settings(derandomize=True, max_examples=100)
@given(
    event=st.integers(0, 10**17),
    runs=st.dictionaries(
        st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=26, max_size=26),
        st.dictionaries(st.sampled_from(["output", "stdout", "stderr"]), st.integers(1, 10**17)),
        max_size=5,
    ),
)
def test_a_position_is_what_its_id_says(event: int, runs: dict[str, dict[str, int]]) -> None:
    mark = Mark(event, tuple(sorted(Open(run, tuple(sorted(told.items()))) for run, told in runs.items())))
    assert Mark.parse(str(mark)) == mark


@settings(derandomize=True, max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    lines=st.lists(st.sampled_from([b"", b"x", b"ab", b"xab", b"a" * 40, b"a" * 30 + b"x" * 8]), max_size=12),
    whole=st.booleans(),
    last=st.integers(1, 4),
    sizes=st.lists(st.integers(0, 400), max_size=12),
)
def test_lines_that_hold_a_text_are_those_of_an_answer_in_whatever_pieces(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], whole: bool, last: int, sizes: list[int]
) -> None:
    content = b"\n".join(lines) + (b"\n" if whole else b"")
    directory: Path = tmp_path_factory.mktemp("log")
    (directory / "output.log").write_bytes(content)
    expected = list(containing([content], "x"))
    small = pytest.MonkeyPatch()
    small.setattr(pieces, "SEARCHED", 64)
    small.setattr(pieces, "LONGEST", 48)
    small.setattr(pieces, "PIECE", 16)
    try:
        with Log(directory) as log:
            found, position = b"", 0
            while position < len(content):
                size = min(max(sizes.pop(0), position), len(content)) if sizes else len(content)
                end = len(content) if size == len(content) else end_of_line(log, size, floor=position)
                piece = piece_of(log, position, end, all_there=end == len(content), wanted=b"x")
                assert position <= piece.end <= max(end, position)
                assert piece.lines == piece.data.count(b"\n")
                found, position = found + piece.data, piece.end
            assert found == b"".join(expected)
            place = start_of_last(log, b"x", last, floor=0, end=len(content))
            assert list(containing([content[place:]], "x")) == expected[-last:]
    finally:
        small.undo()
