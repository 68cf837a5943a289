"""The routes that answer what a reader shows, and that every route is in the docs."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from state.reads import Reader
from status.api import Api, House
from status.lists.records import QUESTIONS
from tests.commands.conftest import NOW

DOCS = (Path(__file__).parents[2] / "docs" / "http.md").read_text()


def items(town, path: str, **params: str) -> list[dict]:
    """All pages put together."""
    found: list[dict] = []
    cursor: dict[str, str] = {}
    while True:
        page = town.server.http.get(path, params={**params, **cursor}).raise_for_status().json()
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"before" if params.get("order") == "desc" else "after": page["next"]}


@pytest.mark.parametrize(
    ("path", "params", "command"),
    [
        pytest.param("/api/v1/events", {"limit": "700"}, ["events", "-n", "9999"], id="all events"),
        pytest.param("/api/v1/jobs/extract/events", {}, ["events", "extract"], id="of a job"),
        pytest.param("/api/v1/jobs/data/extract/events", {"limit": "1"}, ["events", "extract"], id="by three segments"),
        pytest.param("/api/v1/events", {"type": "Warning"},
                     ["events", "--warnings", "-n", "9999"], id="warnings"),
        pytest.param("/api/v1/events", {"project": "data"}, ["events", "-p", "data", "-n", "9999"], id="of a project"),
        pytest.param("/api/v1/running", {"order": "desc"}, ["runs", "--active"], id="what runs"),
        pytest.param("/api/v1/running", {"label": "team=ops"}, ["runs", "--active", "-l", "team=ops"], id="of a label"),
    ],
)  # fmt: skip
def test_a_route_lists_what_the_command_does(town, ask, path, params, command):
    expected = json.loads(ask(town.home, *command, "-o", "json").out)["items"]
    assert expected
    found = items(town, path, **params)
    assert [{key: value for key, value in item.items() if key != "elapsedSeconds"} for item in found] == expected
    assert all(("elapsedSeconds" in item) == (path == "/api/v1/running") for item in found)


def test_the_source_is_as_in_status(town, ask):
    status = json.loads(ask(town.home, "status", "-o", "json").out)
    assert town.server.http.get("/api/v1/source").json() == status["source"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/api/v1/events?type=Error", 400, id="no such type"),
        pytest.param("/api/v1/jobs/extract/events?label=a", 400, id="a label beside a job"),
        pytest.param("/api/v1/events?after=5&before=3", 422, id="nothing between"),
        pytest.param("/api/v1/jobs/nope/events", 404, id="no such job"),
        pytest.param("/api/v1/running?status=failed", 400, id="what runs has not failed"),
        pytest.param("/api/v1/records/runs?limit=0", 400, id="an empty page"),
        pytest.param("/api/v1/records/runs?job_id=x", 400, id="a number that is none"),
        pytest.param("/api/v1/records/runs?status=happy", 400, id="no such state"),
        pytest.param("/api/v1/records/job", 400, id="a question without its subject"),
        pytest.param("/api/v1/records/nope", 404, id="no such question"),
        pytest.param("/api/v1/records/files/nope", 404, id="no such run"),
        pytest.param("/api/v1/records/log/01m7?stream=..%2Fx", 409, id="several runs"),
        pytest.param("/api/v1/records/runs_of_ids?" + "&".join(["id=" + "a," * 100] * 3), 400, id="too many ids"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(town, path, status):
    answer = town.server.http.get(path)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) == {"type", "message", "details"}


def test_a_stream_is_no_path(town):
    answer = town.server.http.get(f"/api/v1/records/log/{town.runs['running']}?stream=../../x")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "bad_request")


def test_a_question_asked_again_costs_a_304_until_something_changes(town):
    first = town.server.http.get("/api/v1/records/runs")
    tag = {"if-none-match": first.headers["etag"]}
    assert town.server.http.get("/api/v1/records/runs", headers=tag).status_code == 304
    assert town.server.http.get("/api/v1/records/runs", headers={"if-none-match": '"x"'}).status_code == 200


def api_of(town) -> Api:
    return Api(House(home=town.home, refresher=None, exporter=None, now=lambda: NOW, monotonic=lambda: 0.0))


def test_all_threads_ask_one_connection(town, monkeypatch):
    """SQLite counts changes per connection: a tag of one would be mistaken for that of another."""
    opened: list[Reader] = []
    second = threading.Event()

    def slowly(path: Path) -> Reader:
        opened.append(Reader(path))
        if len(opened) > 1:
            second.set()
        second.wait(0.2)
        return opened[-1]

    monkeypatch.setattr("status.api.database.Reader", slowly)
    api = api_of(town)
    with ThreadPoolExecutor(2) as pool:
        asked = list(pool.map(api.database.answer, [lambda reader: reader] * 2))
    for reader in opened:
        reader.close()
    assert asked == opened * 2


def test_every_route_and_question_is_in_the_docs(town):
    paths = {route.path.replace(":path}", "}") for route in api_of(town).routes()} - {"/api/v1/records/{question}"}
    documented = set(re.findall(r"`(/[a-z0-9_/{}.]*)`", DOCS))
    assert paths <= documented
    section = DOCS.partition("## Records")[2].partition("\n## ")[0]
    assert QUESTIONS.keys() <= set(re.findall(r"`([a-z_]+)`", section))
