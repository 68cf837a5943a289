"""Who may follow what: tokens, tokens of one project, and tokens that are taken back. A real process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from state.records import Run
from state.store import Store
from status.server.tokens import new_token
from tests.seeing.building import HOUR, NINE, beat, carry_out, make_home, record_of, source_state
from tests.seeing.conftest import StatusProcess, serve
from tests.streaming.following import Follower


@dataclass
class Guarded:
    """A server that asks for tokens: `all`, and `ops` for one project. Jobs `ops/backup` and `web/deploy`."""

    server: StatusProcess
    store: Store
    file: Path
    tokens: dict[str, str]
    runs: dict[str, Run]

    def follow(self, path: str, name: str | None, last: int | None = None) -> Follower:
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        if name is not None:
            headers["Authorization"] = f"Bearer {self.tokens[name]}"
        return Follower(self.server.port, path, headers)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with make_guarded(tmp_path_factory.mktemp("guarded")) as made:
        yield made


@contextmanager
def make_guarded(root: Path) -> Iterator[Guarded]:
    home = make_home(root / "home")
    store = Store.open(home.database, now=NINE)
    jobs = [store.put_job(record_of(name, project=project)) for project, name in (("ops", "backup"), ("web", "deploy"))]
    store.set_source(source_state())
    beat(home, NINE, at=2 * NINE)  # fresh, whatever the real clock says
    runs = {job.project: carry_out(store, job, at=NINE + place * HOUR) for place, job in enumerate(jobs)}
    for run in runs.values():
        home.run_dir_of(run).mkdir(parents=True)
        (home.run_dir_of(run) / "output.log").write_bytes(b"done\n")
    made = {"all": new_token("all"), "ops": new_token("ops", "ops")}
    file = home.root / "tokens"
    file.write_text("".join(token.line for _, token in made.values()))
    tokens = {name: text for name, (text, _) in made.items()}
    server = serve(home, "--tokens", str(file), token=tokens["all"])
    try:
        yield Guarded(server, store, file, tokens, runs)
    finally:
        server.close()
        store.close()


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [
        pytest.param("/api/v1/events", None, 401, id="no token"),
        pytest.param("/api/v1/events?project=web", "ops", 403, id="another project"),
        pytest.param("/api/v1/jobs/web/deploy/events", "ops", 404, id="a job of another project"),
        pytest.param("/api/v1/runs/{web}/events", "ops", 404, id="events of a run of another project"),
        pytest.param("/api/v1/runs/{web}/logs", "ops", 404, id="the log of a run of another project"),
        pytest.param("/api/v1/runs/{ops}/logs", "ops", 200, id="the log of an own run"),
        pytest.param("/openapi.json", None, 401, id="the description without a token"),
        pytest.param("/openapi.json", "ops", 200, id="the description with any token"),
    ],
)
def test_a_stream_needs_a_token_that_may_read_it(guarded: Guarded, path: str, name: str | None, status: int) -> None:
    ids = {project: run.id for project, run in guarded.runs.items()}
    with guarded.follow(path.format(**ids), name) as follower:
        assert follower.status == status


def test_a_token_of_a_project_is_told_of_that_project_alone_before_and_after_joining(guarded: Guarded) -> None:
    with guarded.follow("/api/v1/events", "ops", 0) as follower:
        past = follower.take(3)
        jobs = {job.project: job for job in (guarded.store.job(1), guarded.store.job(2)) if job is not None}
        for place, project in enumerate(("web", "ops")):
            carry_out(guarded.store, jobs[project], at=NINE + (5 + place) * HOUR)
        guarded.server.ring()
        assert {message.data["job"] for message in past + follower.take(3)} == {"ops/backup"}
    with guarded.follow("/api/v1/events", "all", 0) as follower:
        assert {message.data["job"] for message in follower.take(12)} == {"ops/backup", "web/deploy"}


def test_who_lost_its_token_is_hung_up_on_and_not_let_in_again(tmp_path: Path) -> None:
    with make_guarded(tmp_path) as guarded:
        with guarded.follow("/api/v1/events", "ops") as taken, guarded.follow("/api/v1/events", "all") as kept:
            taken.opening()
            kept.opening()
            first, _ = guarded.file.read_text().splitlines(keepends=True)
            guarded.file.write_text(first)
            for follower in (taken, kept):
                with pytest.raises(ConnectionResetError):
                    assert follower.next() is None
                    raise ConnectionResetError  # hung up on in order, or abruptly
        for name, status in (("ops", 401), ("all", 200)):
            with guarded.follow("/api/v1/events", name) as follower:
                assert follower.status == status
