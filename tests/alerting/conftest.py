"""One Prometheus and two homes for all tests here: what is slow to fire does so while other things are looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.alerting.cramped import Cramped
from tests.alerting.rules import hurried, shipped
from tests.alerting.server import Prometheus, free_port
from tests.alerting.town import Town

PATIENT = ("JobsctlBackupOld",)


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    targets = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    server = Prometheus(tmp_path_factory.mktemp("prometheus") / "server", targets, hurried(shipped(), patient=PATIENT))
    yield server
    server.close()


@pytest.fixture(scope="session")
def cramped(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cramped]:
    made = Cramped(tmp_path_factory.mktemp("cramped"), prometheus, prometheus.targets[1])
    try:
        made.open()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def town(prometheus: Prometheus, cramped: Cramped, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Opened after the other, which takes longer to get into trouble."""
    made = Town(tmp_path_factory.mktemp("town"), prometheus, prometheus.targets[0])
    try:
        made.open()
        yield made
    finally:
        made.close()
