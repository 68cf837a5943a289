"""A home with some jobs, and a real status process over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from state.home import Home
from state.records import JobRecord, Run
from state.store import Store
from tests.seeing.building import HOUR, NINE, beat, carry_out, make_home, record_of, source_state
from tests.seeing.conftest import StatusProcess, serve
from tests.streaming.following import Follower


@dataclass
class Town:
    """One server, its database, and its jobs: `ops/backup`, `ops/report` (team=a), `web/deploy` (team=b)."""

    home: Home
    store: Store
    jobs: dict[str, JobRecord]
    server: StatusProcess
    hours: int = 0
    followers: list[Follower] = field(default_factory=list)

    def follow(self, path: str, last: str | int | None = None, receive_buffer: int | None = None) -> Follower:
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        follower = Follower(self.server.port, path, headers, receive_buffer)
        self.followers.append(follower)
        return follower

    def carry_out(self, name: str) -> Run:
        """A run from its row to its end: three events."""
        self.hours += 1
        run = carry_out(self.store, self.jobs[name], at=NINE + self.hours * HOUR)
        self.server.ring()
        return run

    def newest(self) -> int:
        answer = self.server.http.get("/api/v1/events?order=desc&limit=1").json()["items"]
        return int(answer[0]["id"]) if answer else 0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = make_home(tmp_path_factory.mktemp("town"))
    store = Store.open(home.database, now=NINE)
    records = [
        record_of("backup", project="ops", spec={"labels": {"team": "a"}}),
        record_of("report", project="ops", spec={"labels": {"team": "a"}}),
        record_of("deploy", project="web", spec={"labels": {"team": "b"}}),
    ]
    jobs = {record.identity: store.put_job(record) for record in records}
    store.set_source(source_state())
    beat(home, NINE, at=2 * NINE)  # fresh, whatever the real clock says
    server = serve(home)
    try:
        yield Town(home, store, jobs, server)
    finally:
        server.close()
        store.close()


@pytest.fixture
def town(built: Town) -> Iterator[Town]:
    yield built
    for follower in built.followers:
        follower.close()
    built.followers.clear()
