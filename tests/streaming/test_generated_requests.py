"""Requests made up from the description of the API, by schemathesis, against a real process over a home with all in it.

Names of jobs and runs that exist are put in half the time: made-up ones only ever find nothing. JOBSCTL_REQUESTS sets
how many requests each route gets (default 8).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from status.openapi.document import document
from tests.seeing.building import make_home
from tests.seeing.conftest import StatusProcess, serve
from tests.streaming.test_openapi import fill

REQUESTS = int(os.environ.get("JOBSCTL_REQUESTS", "8"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA: Any = schemathesis.openapi.from_dict(document())
OPERATIONS = {each.ok().path: each.ok() for each in SCHEMA.get_all_operations()}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StatusProcess, dict[str, str]]]:
    home = make_home(tmp_path_factory.mktemp("town"))
    names = fill(home)
    server = serve(home)
    try:
        yield server, names
    finally:
        server.close()


@pytest.mark.parametrize("path", sorted(OPERATIONS))
def test_made_up_requests_are_answered_as_described(town: tuple[StatusProcess, dict[str, str]], path: str) -> None:
    server, names = town
    there = names | ({"id": "c0"} if "deliveries" in path else {})

    @settings(
        derandomize=True,
        max_examples=REQUESTS,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[path].as_strategy(), real=st.booleans())
    def ask(case: Any, real: bool) -> None:
        if real:
            case.path_parameters = {name: there[name] for name in case.path_parameters or {}}
        (case.query or {}).pop("follow", None)  # a stream has no end; its own tests follow it
        case.call_and_validate(base_url=str(server.http.base_url), checks=CHECKS, timeout=10)

    ask()
    assert server.http.get("/healthz").status_code == 200
