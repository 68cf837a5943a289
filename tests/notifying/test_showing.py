"""What was told to whom, as people and programs read it: on the command line, over HTTP, by scope of a token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette

from cli.main import run
from cli.options import Settings
from state.errors import NotFound
from state.home import Home
from state.outbox.reads import OutboxReader
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Message, Outcome
from state.outbox.store import Outbox
from status.api.database import Database
from status.api.deliveries import DeliveryRoutes
from status.server.access import PROJECT
from status.server.errors import ApiError
from tests.notifying.receivers import http_receiver
from tests.notifying.rig import Rig, job, notifier

NOON = 1_800_014_400_000_000
PAYLOAD = b'{"title":"shop/report failed","body":"exit code 3","tone":"failure"}'


def fill(home: Home) -> None:
    """A callback that failed, a group over two projects, a notification of one."""
    home.state.mkdir(parents=True, exist_ok=True)
    outbox = Outbox.open(home.outbox, now=NOON)
    outbox.add_delivery(
        Delivery(
            id="run_R1", kind=DeliveryKind.CALLBACK, target="hooks.example", identity="shop/report", run_id="R1",
            event="failed", created_at=NOON, next_attempt_at=NOON, payload=b"{}",
        )
    )  # fmt: skip
    outbox.record_attempt(
        "run_R1",
        Attempt(number=1, sent_at=NOON, seconds=0.25, status_code=500, error="answered 500"),
        Outcome(state=DeliveryState.FAILED, reason="answered 500; 10 attempts were made"),
    )
    for number, (id, identities) in enumerate((("aa11", ("shop/report", "ware/sync")), ("bb22", ("shop/report",)))):
        at = NOON + (number + 1) * 1_000_000
        outbox.add_delivery(
            Delivery(
                id=id, kind=DeliveryKind.NOTIFICATION, target="ops", address=0, batch=id,
                identity=identities[0] if len(identities) == 1 else None, event="group", created_at=at,
                next_attempt_at=at, payload=PAYLOAD,
            )
        )  # fmt: skip
        outbox.add_messages(
            Message(
                id=f"failure/{id}{identity}/ops", notifier="ops", identity=identity, run_id=None, at=at, stored_at=at,
                payload=b"{}", batch=id,
            )
            for identity in identities
        )  # fmt: skip
    outbox.close()


Get = Callable[..., tuple[int, Any]]


@pytest.fixture
def get(tmp_path: Path) -> Get:
    """`get(path, project=...)`: the status and the body, as a token of that project gets it."""
    home = Home(tmp_path / "home")
    fill(home)
    entries = {name: SimpleNamespace(identity=name, project=name.partition("/")[0], phase="active")
               for name in ("shop/report", "ware/sync")}  # fmt: skip
    picture = SimpleNamespace(loaded=True, entries=entries, by_name={"report": ("shop/report",)})
    house: Any = SimpleNamespace(home=home, now=lambda: NOON, refresher=SimpleNamespace(picture=picture, problem=None))
    app = Starlette(routes=DeliveryRoutes(house, Database(home)).routes())

    def ask(path: str, project: str | None = None) -> tuple[int, Any]:
        place, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "http", "method": "GET", "path": place, "raw_path": place.encode(), "root_path": "",
            "query_string": query.encode(), "headers": [], PROJECT: project,
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            sent.append(message)

        try:
            asyncio.run(app(scope, receive, send))
        except ApiError as error:  # which status.server.app makes an answer of
            return error.status, {}
        return sent[0]["status"], json.loads(sent[1]["body"])

    return ask


def ids(get: Get, query: str = "", project: str | None = None) -> list[str]:
    status, body = get(f"/api/v1/deliveries{query}", project)
    assert status == 200
    return [each["id"] for each in body["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", ["bb22", "aa11", "run_R1"], id="all-newest-first"),
        pytest.param("?order=asc&limit=2", ["run_R1", "aa11"], id="oldest-first"),
        pytest.param("?job=shop/report", ["bb22", "aa11", "run_R1"], id="job-in-groups-too"),
        pytest.param("?job=report", ["bb22", "aa11", "run_R1"], id="job-by-its-bare-name"),
        pytest.param("?job=ware/sync", ["aa11"], id="another-job"),
        pytest.param("?project=shop", ["bb22", "run_R1"], id="project-alone"),
        pytest.param("?state=failed,dropped", ["run_R1"], id="states"),
        pytest.param("?kind=notification", ["bb22", "aa11"], id="kind"),
        pytest.param("?target=ops&before=3", ["aa11"], id="target-before"),
        pytest.param("?run=R1", ["run_R1"], id="run"),
        pytest.param("?since=2027-01-15T12:00:01Z&until=2027-01-15T12:00:02Z", ["aa11"], id="time"),
    ],
)
def test_deliveries_are_chosen_by_what_they_are_about(get: Get, query: str, found: list[str]) -> None:
    assert ids(get, query) == found


def test_a_page_says_where_it_goes_on(get: Get) -> None:
    _, first = get("/api/v1/deliveries?limit=2")
    assert first["next"] == "2"
    assert ids(get, f"?limit=2&before={first['next']}") == ["run_R1"]


def test_one_delivery_tells_its_tries_and_what_it_says(get: Get) -> None:
    status, body = get("/api/v1/deliveries/run_R1")
    assert (status, body["state"], body["reason"]) == (200, "failed", "answered 500; 10 attempts were made")
    (attempt,) = body["tries"]
    assert (attempt["statusCode"], attempt["error"], attempt["seconds"]) == (500, "answered 500", 0.25)
    _, group = get("/api/v1/deliveries/aa11")
    assert (group["title"], group["body"]) == ("shop/report failed", "exit code 3")
    assert [each["job"] for each in group["messages"]] == ["shop/report", "ware/sync"]


def test_a_token_of_one_project_sees_what_is_about_that_project_alone(get: Get) -> None:
    assert ids(get, project="shop") == ["bb22", "run_R1"]
    assert ids(get, project="ware") == []
    assert get("/api/v1/deliveries?project=ware", "shop")[0] == 403
    assert get("/api/v1/deliveries?job=ware/sync", "shop")[0] == 404
    assert get("/api/v1/deliveries/aa11", "shop")[0] == 404
    assert get("/api/v1/deliveries/bb22", "shop")[0] == 200


@pytest.mark.parametrize("id", ["aa11", "aa", "a"])
def test_a_delivery_that_may_not_be_seen_is_as_one_that_is_not_there(tmp_path: Path, id: str) -> None:
    fill(Home(tmp_path))
    with OutboxReader(Home(tmp_path).outbox) as outbox:
        assert outbox.delivery(id).id == "aa11"
        for beginning in (id, id.replace("a", "z")):
            with pytest.raises(NotFound) as nothing:
                outbox.delivery(beginning, project="shop")
            assert nothing.value.message == f"no delivery {beginning}"


@pytest.mark.parametrize("query", ["?state=lost", "?kind=letter", "?before=x", "?limit=0", "?nothing=1"])
def test_what_cannot_be_understood_is_refused(get: Get, query: str) -> None:
    assert get(f"/api/v1/deliveries{query}")[0] == 400


@pytest.fixture
def jobsctl(rig: Rig, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The command line on the rig's home."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(list(words), Settings(home_option=rig.home.root))
        said = capsys.readouterr()
        return int(code), said.out, said.err

    return call


Call = Callable[..., tuple[int, str, str]]


def test_the_command_lists_and_tells(rig: Rig, jobsctl: Call) -> None:
    rig.apply(job("report", more="project: shop"))
    assert jobsctl("deliveries") == (0, "", "Nothing was told to anybody yet.\n")
    fill(rig.home)
    code, out, _ = jobsctl("deliveries", "--failed", "-o", "json")
    assert (code, [each["id"] for each in json.loads(out)["items"]]) == (0, ["run_R1"])
    code, out, err = jobsctl("deliveries", "report", "-n", "1", "-o", "name")
    assert (code, out) == (0, "delivery/bb22\n")
    code, out, _ = jobsctl("deliveries", "run_R1")
    assert code == 0 and "answered 500\n" in out and "hooks.example" in out
    code, _, err = jobsctl("deliveries", "nothing-like-it")
    assert code == 4 and "there is no job, run or delivery nothing-like-it" in err


def test_a_test_message_says_what_became_of_each_address(rig: Rig, jobsctl: Call) -> None:
    with http_receiver() as good, http_receiver([500]) as bad:
        (rig.home.root / "url").write_text(f"json://127.0.0.1:{good.port}/\n")
        rig.apply(
            notifier(f"json://user:secret-word@127.0.0.1:{bad.port}/").replace("urls:", "urls:\n  - from_file: url")
        )
        code, out, _ = jobsctl("notify", "test", "ops", "-o", "json")
    told = json.loads(out)["items"]
    assert (code, told[0]["error"], told[1]["error"] is None) == (1, None, False)
    assert "secret-word" not in out
    assert json.loads(good.requests[0][2])["title"] == "Test of notifier ops"
    assert not rig.home.outbox.exists()


def test_a_test_of_a_notifier_that_is_not_there_says_which_are(rig: Rig, jobsctl: Call) -> None:
    rig.apply(notifier("json://127.0.0.1:1"))
    code, _, err = jobsctl("notify", "test", "opps")
    assert code == 4 and "no Notifier opps is applied (there is: ops)" in err
