"""One copy of examples/operations for the session, its jobs pointed at real servers on loopback, a daemon on it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.examples.repository import Ended, Jobsctl, copy_example, daemon, git
from tests.examples.servers import (
    Authority,
    Postgres,
    TlsServer,
    WebServer,
    free_port,
    postgres_server,
    tls_server,
    web_server,
)


@dataclass(frozen=True, slots=True)
class Site:
    """The places the jobs were pointed at. Tests change the world here, not the specs."""

    root: Path
    repository: Path
    postgres_port: int
    jobsctl: Jobsctl

    @property
    def password_file(self) -> Path:
        return self.root / "billing.password"

    @property
    def shop(self) -> Path:
        return self.root / "shop.db"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def volume(self) -> Path:
        return self.root / "volume"

    @property
    def origins(self) -> Path:
        return self.root / "origins"

    @property
    def mirrors(self) -> Path:
        return self.root / "mirrors"

    @property
    def rates(self) -> Path:
        return self.root / "rates"

    def run(self, job: str) -> Ended:
        return self.jobsctl.run(job)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture(scope="session")
def endpoint(authority: Authority) -> Iterator[TlsServer]:
    with tls_server(authority.issue("good", days=90)) as server:
        yield server


@pytest.fixture(scope="session")
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, endpoint: TlsServer, web: WebServer
) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("site")
    place = Site(root, root / "repository", free_port(), Jobsctl(root / "repository"))
    place.password_file.write_text(f"{secrets.token_hex(12)}\n")
    billing = {"PGPORT": str(place.postgres_port), "PGPASSWORD": {"from_file": str(place.password_file)}}
    billing |= {"BACKUP_DIR": str(place.backups / "billing")}
    for directory in (place.logs, place.volume, place.origins):
        directory.mkdir()
    with closing(sqlite3.connect(place.shop)) as shop:
        shop.executescript("CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT); PRAGMA journal_mode = WAL;")
        shop.executemany("INSERT INTO customer (name) VALUES (?)", [(f"customer {i}",) for i in range(1000)])
        shop.commit()
    for name in ("shop", "billing"):
        git(place.origins, "init", "--quiet", "--bare", f"{name}.git")
    copy_example(
        "operations",
        place.repository,
        {
            "sqlite-backup": {"DATABASE": str(place.shop), "BACKUP_DIR": str(place.backups / "shop"), "KEEP": "3"},
            "postgres-dump": billing | {"KEEP": "3"},
            "postgres-restore-check": billing,
            "certificate-expiry": {"TARGETS": f"127.0.0.1:{endpoint.port}", "CA_FILE": str(authority.certificate)},
            "disk-space": {"PATHS": str(place.volume), "MAX_PERCENT": "90"},
            "log-cleanup": {"LOG_DIR": str(place.logs)},
            "git-mirror": {
                "MIRROR_DIR": str(place.mirrors),
                "REPOSITORIES": "".join(f"{name} file://{place.origins}/{name}.git\n" for name in ("shop", "billing")),
            },
            "http-poller": {"URL": f"http://127.0.0.1:{web.port}/", "STATE_DIR": str(place.rates), "SLOW_SECONDS": "1"},
        },
    )
    with daemon(place.repository):
        yield place


@pytest.fixture(scope="session")
def postgres(site: Site) -> Iterator[Postgres]:
    with postgres_server(site.postgres_port, site.password_file.read_text().strip()) as server:
        server.sql("CREATE DATABASE billing")
        server.sql("CREATE TABLE invoice (id int PRIMARY KEY, amount numeric, note text)", database="billing")
        rows = "SELECT i, i * 1.5, 'note ' || i FROM generate_series(1, 500) i"
        server.sql(f"INSERT INTO invoice {rows}", database="billing")
        server.sql("CREATE SCHEMA archive; CREATE TABLE archive.old AS SELECT * FROM invoice", database="billing")
        yield server
