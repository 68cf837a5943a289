"""The description of the API against the API: routes, parameters, answers. A real process, a home with all in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from unittest.mock import MagicMock

import orjson
import pytest
from jsonschema import Draft202012Validator

from state.home import Home
from state.records import RunState
from state.store import Store
from status.api import Api, House
from status.lists.records import QUESTIONS
from status.openapi.document import document
from tests.seeing.building import HOUR, NINE, SECOND, beat, carry_out, make_home, record_of
from tests.seeing.conftest import StatusProcess, serve
from tests.seeing.furnished import furnish

DOCUMENT = document()


@dataclass(frozen=True)
class Town:
    """A server, and what can be asked for."""

    server: StatusProcess
    names: dict[str, str]

    def path(self, pattern: str) -> str:
        names = self.names | ({"id": "c0"} if "deliveries" in pattern else {})
        return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], pattern)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = make_home(tmp_path_factory.mktemp("town"))
    names = fill(home)
    server = serve(home)
    try:
        yield Town(server, names)
    finally:
        server.close()


def fill(home: Home) -> dict[str, str]:
    """A home with everything in it; a value for every name in a path."""
    with_all: dict[str, Any] = {
        "schedule": "@hourly", "labels": {"team": "ops"}, "tags": ["a"], "description": "All there is",
        "annotations": {"a": "b"}, "repeat": 100, "timeout": "5m",
        "params": {"region": {"default": "eu", "allowed": ["eu", "us"]}},
    }  # fmt: skip
    store = Store.open(home.database, now=NINE)
    furnish(home, store)
    beat(home, NINE, at=2 * NINE)  # fresh, whatever the real clock says
    job = store.put_job(record_of("whole", project="all", spec=with_all))
    store.put_job(record_of("halted", project="all", suspended_at=NINE, suspended_by="anna", suspended_reason="x"))
    store.put_job(record_of("gone", project="all", archived_at=NINE))
    carry_out(store, job, at=NINE + HOUR, state=RunState.FAILED)
    run = carry_out(store, job, at=NINE + 2 * HOUR)
    store.close()
    directory = home.run_dir_of(run)
    (directory / "outputs").mkdir(parents=True)
    (directory / "outputs" / "summary.csv").write_text("a,b\n1,2\n")
    (directory / "output.log").write_bytes(b"one\ntwo\n")
    (directory / "output.idx").write_text(f"{NINE} 4\n{NINE + SECOND} 8\n")
    return {"job": "whole", "project": "all", "id": run.id, "path": "summary.csv", "question": "source"}


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [(path, item["get"]) for path, item in DOCUMENT["paths"].items()]


def of_query(operation: dict[str, Any]) -> set[str]:
    return {each["name"] for each in operation["parameters"] if each["in"] == "query"}


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Strict: an answer may have no member that is not described."""
    components = orjson.loads(orjson.dumps(DOCUMENT["components"]))
    schemas = components["schemas"]
    for name, each in schemas.items():
        if "allOf" in each:  # strict as a whole, not part by part
            parts = [schemas[part["$ref"].rpartition("/")[2]] if "$ref" in part else part for part in each["allOf"]]
            schemas[name] = {
                "type": "object",
                "properties": {key: value for part in parts for key, value in part["properties"].items()},
                "required": [key for part in parts for key in part["required"]],
            }
    for each in walk(components):
        if "properties" in each:
            each["additionalProperties"] = False
    return Draft202012Validator({"components": components, **schema})


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if any(key in value for key in ("type", "allOf", "properties")):
            yield value
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)


# The table against the routes


def test_every_route_is_described_and_every_described_one_is_there() -> None:
    house = MagicMock(spec=House)  # nothing is asked of it
    house.now.return_value = NINE
    served = {re.sub(r":\w+\}", "}", route.path) for route in Api(cast(House, house)).routes()}
    assert served == set(DOCUMENT["paths"])


@pytest.mark.parametrize(("path", "operation"), operations(), ids=lambda each: each if isinstance(each, str) else "")
def test_every_parameter_is_described_and_every_described_one_is_taken(
    town: Town, path: str, operation: dict[str, Any]
) -> None:
    if path == "/api/v1/records/{question}":
        taken = set[str]().union(*(asked(town, f"/api/v1/records/{name}") for name in QUESTIONS))
    else:
        taken = asked(town, town.path(path))
    assert taken == of_query(operation)


def asked(town: Town, path: str) -> set[str]:
    """The parameters a route takes, as it says itself when it is given another one."""
    answer = town.server.http.get(path, params={"no-such-parameter": "1"})
    assert answer.status_code == 400, answer.text
    return set(answer.json()["error"]["details"]["known"])


# Its schemas against what is answered

PLACES = [
    *(path for path, _ in operations() if "application/json" in _["responses"]["200"]["content"]),
    "/api/v1/jobs?summary=true", "/api/v1/runs?summary=true", "/api/v1/running?summary=true",
    "/api/v1/jobs?phase=archived,suspended,failed,active", "/api/v1/runs?status=skipped,blocked,running",
    "/api/v1/search?q=all", "/api/v1/jobs/{job}/logs?format=json", "/api/v1/jobs/{job}/metrics?names=duration,nope",
    "/api/v1/jobs/{job}/status?next=3", "/api/v1/events?limit=3&order=desc", "/api/v1/deliveries?state=failed",
]  # fmt: skip
TEXTS = ("/api/v1/jobs/{job}/logs", "/api/v1/jobs/{project}/{job}/logs", "/api/v1/runs/{id}/outputs/{path}")
NEEDED = {"/api/v1/search": "?q=all", "/api/v1/records/problems": "?now=1795251600000000"}


@pytest.mark.parametrize("place", [place for place in PLACES if place not in TEXTS])
def test_answers_are_what_is_described(town: Town, place: str) -> None:
    pattern, _, query = place.partition("?")
    response = DOCUMENT["paths"][pattern]["get"]["responses"]["200"]["content"]["application/json"]
    answer = town.server.http.get(town.path(pattern) + NEEDED.get(place, "") + (f"?{query}" if query else ""))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    problems = sorted(validator(response["schema"]).iter_errors(answer.json()), key=lambda error: error.json_path)
    assert not problems, [(problem.json_path, problem.message[:300]) for problem in problems[:5]]


def test_errors_are_what_is_described(town: Town) -> None:
    for path, status in (("/nope", 404), ("/healthz?x=1", 400), ("/api/v1/runs/0", 409), ("/api/v1/runs?since=x", 400)):
        answer = town.server.http.get(path)
        assert answer.status_code == status
        validator({"$ref": "#/components/schemas/Error"}).validate(answer.json())
        assert str(status) in DOCUMENT["components"]["responses"]


def test_what_is_served_is_this_document(town: Town) -> None:
    assert town.server.http.get("/openapi.json").json() == orjson.loads(orjson.dumps(DOCUMENT))


# The document itself


def test_every_schema_parameter_and_route_says_what_it_is_and_has_an_example() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema["description"], name
        assert "examples" in schema or "allOf" in schema, name
        for member, of in schema.get("properties", {}).items():
            assert "description" in of or "anyOf" in of, (name, member)
    for path, operation in operations():
        assert operation["summary"], path
        for parameter in operation["parameters"]:
            assert parameter["description"], (path, parameter["name"])
            assert "example" in parameter, (path, parameter["name"])
    ids = [operation["operationId"] for _, operation in operations()]
    assert len(ids) == len(set(ids))


def test_the_examples_fit_their_schemas() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            if all(key in example for key in schema.get("required", ())):
                problems = list(validator({"$ref": f"#/components/schemas/{name}"}).iter_errors(example))
                assert not problems, (name, [(each.json_path, each.message[:200]) for each in problems[:3]])
    for path, operation in operations():
        for parameter in operation["parameters"]:
            problems = list(Draft202012Validator(parameter["schema"]).iter_errors(parameter["example"]))
            assert not problems, (path, parameter["name"], problems[0].message)
