"""A home with two projects and real files of runs, and servers over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from state.home import Home
from state.records import JobRecord, Run, RunState
from state.store import Store
from status.server.tokens import new_token
from tests.seeing.building import HOUR, NINE, SECOND, beat, carry_out, make_home, record_of, run_of, source_state
from tests.seeing.conftest import StatusProcess, serve

DIAGNOSTIC = {"code": "JOB020", "severity": "error", "message": "unknown field", "path": "bad.yaml", "line": 3,
              "column": 5, "help": None}  # fmt: skip


@dataclass
class Town:
    """The home, what is stored in it, and a server that all tests of a module ask."""

    home: Home
    store: Store
    server: StatusProcess
    jobs: dict[str, JobRecord]
    runs: dict[str, list[Run]]
    tokens: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, status: int = 200, **headers: str) -> httpx.Response:
        response = self.server.http.get(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        assert response.status_code == status, response.text
        return response

    def as_(self, name: str, path: str, status: int = 200) -> httpx.Response:
        """Asked with a token, by its name."""
        return self.get(path, status, authorization=f"Bearer {self.tokens[name]}")


def make_town(root: Path) -> tuple[Home, Store, dict[str, JobRecord], dict[str, list[Run]]]:
    """Jobs of projects `data` and `default`; `data/hello` has files, `default/hello` logs."""
    home = make_home(root)
    store = Store.open(home.database, now=NINE)
    specs = {
        "data/hello": {"schedule": "@hourly", "labels": {"team": "dev"}, "tags": ["a"], "description": "Says hello."},
        "data/report": {"schedule": "0 9 * * *"},
        "default/apart": {"capture": {"streams": "separate"}},
        "default/hello": {"schedule": "@hourly", "labels": {"team": "ops"}, "tags": ["a", "b"]},
        "default/idle": {},
    }
    jobs = {}
    for identity, spec in specs.items():
        project, _, name = identity.partition("/")
        jobs[identity] = store.put_job(record_of(name, project, spec=spec))
    runs: dict[str, list[Run]] = {identity: [] for identity in jobs}
    for hour in range(6):
        at = NINE + hour * HOUR
        runs["default/hello"].append(carry_out(store, jobs["default/hello"], at=at))
        state = RunState.FAILED if hour % 3 == 2 else RunState.SUCCEEDED
        runs["data/hello"].append(carry_out(store, jobs["data/hello"], at=at + SECOND, state=state))
    runs["default/apart"].append(carry_out(store, jobs["default/apart"], at=NINE))
    waiting = run_of(jobs["data/report"], at=NINE + 7 * HOUR)
    store.insert_runs([waiting])
    runs["data/report"].append(waiting)
    store.set_source(source_state(invalid=1, diagnostics=(DIAGNOSTIC,)))
    beat(home, NINE, at=2 * NINE)  # fresh, whatever the real clock says
    for number, run in enumerate(runs["default/hello"]):
        directory = home.run_dir_of(run)
        directory.mkdir(parents=True)
        (directory / "output.log").write_bytes(b"".join(b"run %d line %d\n" % (number, line) for line in range(3)))
        began = run.started_at or 0
        (directory / "output.idx").write_text("".join(f"{began + line * SECOND} {line * 13}\n" for line in range(1, 4)))
    apart = home.run_dir_of(runs["default/apart"][0])
    apart.mkdir(parents=True)
    (apart / "stdout.log").write_bytes(b"out\n")
    (apart / "stderr.log").write_bytes(b"err\n")
    return home, store, jobs, runs


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home, store, jobs, runs = make_town(tmp_path_factory.mktemp("town"))
    server = serve(home)
    yield Town(home, store, server, jobs, runs)
    server.close()
    store.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town that asks for tokens: `all` reads all, `data` one project."""
    home, store, jobs, runs = make_town(tmp_path_factory.mktemp("guarded"))
    made = {"all": new_token("all"), "data": new_token("data", "data")}
    (home.root / "tokens").write_text("# of the tests\n" + "".join(token.line for _, token in made.values()))
    tokens = {name: text for name, (text, _) in made.items()}
    server = serve(home, "--tokens", str(home.root / "tokens"), token=tokens["all"])
    del server.http.headers["authorization"]
    yield Town(home, store, server, jobs, runs, tokens)
    server.close()
    store.close()
