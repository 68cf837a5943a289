"""Events as they come: what is sent, to whom, from where on. A real process, real sockets."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from state.records import Event
from tests.seeing.building import NINE, record_of, run_of, source_state
from tests.seeing.conftest import until
from tests.streaming.conftest import Town


def test_what_happens_is_told_as_it_is_in_a_page(town: Town) -> None:
    follower = town.follow("/api/v1/events")
    follower.opening()
    town.carry_out("ops/backup")
    messages = follower.take(3)
    page = town.server.http.get(f"/api/v1/events?after={int(messages[0].id) - 1}").json()["items"]
    assert [message.data for message in messages] == page
    assert [message.id for message in messages] == [str(item["id"]) for item in page]
    assert {message.kind for message in messages} == {"message"}


def test_a_stream_says_when_and_from_where_to_come_back_before_anything_happens(town: Town) -> None:
    town.carry_out("ops/backup")
    follower = town.follow("/api/v1/events")
    follower.opening()
    assert int(follower.last_id) == town.newest()
    assert follower.retry is not None
    assert 1000 <= follower.retry <= 4000
    assert follower.answer_headers["content-type"] == "text/event-stream"
    assert follower.answer_headers["cache-control"] == "no-store"
    assert follower.answer_headers["x-content-type-options"] == "nosniff"


def test_who_comes_back_gets_what_it_missed_and_then_what_comes(town: Town) -> None:
    follower = town.follow("/api/v1/events")
    town.carry_out("ops/backup")
    last = follower.take(2)[-1].id
    follower.close()
    town.carry_out("ops/report")
    back = town.follow("/api/v1/events", last)
    missed = back.take(4)
    town.carry_out("web/deploy")
    told = missed + back.take(3)
    first = int(last) + 1
    assert [int(message.id) for message in told] == list(range(first, first + 7))


def test_a_client_that_cannot_set_headers_says_where_it_is_in_the_query(town: Town) -> None:
    newest = town.newest()
    town.carry_out("ops/backup")
    follower = town.follow(f"/api/v1/events?follow=true&after={newest}")
    assert [int(message.id) for message in follower.take(3)] == [newest + 1, newest + 2, newest + 3]


def test_an_id_of_another_database_counts_as_the_newest(town: Town) -> None:
    town.carry_out("ops/backup")
    follower = town.follow("/api/v1/events", 10**12)
    follower.opening()
    assert int(follower.last_id) == town.newest()
    town.carry_out("ops/backup")
    assert int(follower.take(1)[0].id) == int(follower.last_id)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        pytest.param("/api/v1/events?project=ops", ["ops/backup", "ops/report"], id="of a project"),
        pytest.param("/api/v1/events?label=team%3Db", ["web/deploy"], id="of jobs with a label"),
        pytest.param("/api/v1/events?label=team!%3Db", ["ops/backup", "ops/report"], id="of jobs without one"),
        pytest.param("/api/v1/jobs/report/events", ["ops/report"], id="of a job"),
        pytest.param("/api/v1/jobs/web/deploy/events", ["web/deploy"], id="of a job of a project"),
    ],
)
def test_followers_choose_and_get_the_same_live_as_afterwards(town: Town, path: str, wanted: list[str]) -> None:
    begin = town.newest()
    live = town.follow(path)
    live.opening()
    for name in ("ops/backup", "web/deploy", "ops/report"):
        town.carry_out(name)
    told = live.take(3 * len(wanted))
    assert [message.data["job"] for message in told] == [name for name in sorted(wanted) for _ in range(3)]
    assert town.follow(path, begin).take(3 * len(wanted)) == told


def test_reasons_types_and_times_are_chosen_too(town: Town) -> None:
    begin = town.newest()
    live = town.follow("/api/v1/events?reason=started&reason=succeeded&type=Normal")
    live.opening()
    town.carry_out("ops/backup")
    run = town.carry_out("ops/report")
    assert [message.data["reason"] for message in live.take(4)] == ["started", "succeeded"] * 2
    since = town.follow(f"/api/v1/events?since={run.created_at // 1_000_000}", begin)
    assert [message.data["run"] for message in since.take(3)] == [run.id] * 3


def test_a_run_is_followed_by_the_beginning_of_its_id(town: Town) -> None:
    town.carry_out("ops/report")
    run = town.carry_out("ops/backup")
    follower = town.follow(f"/api/v1/runs/{run.id[:24]}/events", 0)
    assert [message.data["reason"] for message in follower.take(3)] == ["created", "started", "succeeded"]
    assert {run.id} == {message.data["run"] for message in town.follow(f"/api/v1/runs/{run.id}/events", 0).take(3)}


@pytest.mark.parametrize(
    ("path", "last", "status"),
    [
        pytest.param("/api/v1/events?limit=3", None, 400, id="an end"),
        pytest.param("/api/v1/events?order=desc", None, 400, id="an order"),
        pytest.param("/api/v1/events?label=%3D", None, 400, id="a selector"),
        pytest.param("/api/v1/events?x=1", None, 400, id="an unknown parameter"),
        pytest.param("/api/v1/events", "x", 400, id="an id that was never sent"),
        pytest.param("/api/v1/events", "9" * 40, 400, id="an id without end"),
        pytest.param("/api/v1/jobs/nope/events", None, 404, id="no such job"),
        pytest.param("/api/v1/runs/0000/events", None, 404, id="no such run"),
        pytest.param("/api/v1/jobs/report/events?project=ops", None, 400, id="a job of a job"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_the_usual_shape(
    town: Town, path: str, last: str | None, status: int
) -> None:
    headers = {"accept": "text/event-stream"} | ({} if last is None else {"last-event-id": last})
    answer = town.server.http.get(path, headers=headers)
    assert (answer.status_code, set(answer.json()["error"])) == (status, {"type", "message", "details"})


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/event-stream;q=0", "text/html, text/*"])
def test_who_does_not_ask_for_a_stream_gets_a_page(town: Town, accept: str) -> None:
    answer = town.server.http.get("/api/v1/events?limit=1&follow=false", headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"


def test_the_head_alone_is_had_without_a_stream(town: Town) -> None:
    answer = town.server.http.head("/api/v1/events", headers={"accept": "text/event-stream"})
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "text/event-stream", b"")


def test_a_request_behind_a_stream_is_hung_up_on(town: Town) -> None:
    request = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
    with socket.create_connection(("127.0.0.1", town.server.port), timeout=5) as plug:
        plug.sendall(request + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        try:
            while piece := plug.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    assert b"healthz" not in answer
    assert answer.count(b"HTTP/1.1 ") <= 1


def test_a_client_that_speaks_or_ends_its_side_does_no_harm(town: Town) -> None:
    follower = town.follow("/api/v1/events")
    follower.opening()
    follower.socket.sendall(b"hello\r\n" * 1000)
    town.carry_out("ops/backup")
    assert len(follower.take(3)) == 3
    follower.socket.shutdown(socket.SHUT_WR)
    assert follower.next() is None  # taken as gone: it is hung up on
    assert town.server.http.get("/healthz").status_code == 200


def test_clients_that_vanish_are_forgotten_at_once(town: Town) -> None:
    def descriptors() -> int:
        return len(list(Path(f"/proc/{town.server.process.pid}/fd").iterdir()))

    town_fds = descriptors()
    crowd = [town.follow("/api/v1/events") for _ in range(50)]
    for follower in crowd:
        follower.opening()
    assert descriptors() >= town_fds + 50
    for follower in crowd:
        follower.close()
    until(lambda: descriptors() <= town_fds + 2, "their sockets are closed")


def test_a_look_that_found_the_files_other_is_told_to_who_follows_all(town: Town) -> None:
    """A new file that is invalid belongs to no job, so no event tells of it."""
    everybody, chooser = town.follow("/api/v1/events"), town.follow("/api/v1/events?reason=started")
    town.carry_out("ops/backup")
    last = everybody.take(3)[-1].id
    assert len(chooser.take(1)) == 1
    before = source_state()
    town.store.set_source(replace(before, scanned_at=before.scanned_at + 1_000_000, invalid=1))
    town.server.ring()
    (message,) = everybody.take(1)
    assert (message.kind, message.data["invalid"], message.id) == ("source", 1, last)
    until(lambda: town.server.http.get("/api/v1/source").json()["invalid"] == 1, "the picture follows")
    shown = town.server.http.get("/api/v1/source").json()
    assert message.data == {key: shown[key] for key in message.data}
    town.carry_out("ops/report")
    assert [each.kind for each in [*everybody.take(3), *chooser.take(1)]] == ["message"] * 4


def test_who_follows_a_job_is_hung_up_on_when_it_is_called_otherwise(town: Town) -> None:
    """Under its old name there is nothing any more: who comes back is told so."""
    job = town.store.put_job(record_of("moving", project="ops"))
    run = run_of(job, at=NINE)
    town.store.insert_runs([run])
    town.server.ring()
    until(lambda: town.server.http.get("/api/v1/jobs/ops/moving").status_code == 200, "the picture has it")
    events, logs = town.follow("/api/v1/jobs/ops/moving/events", 0), town.follow("/api/v1/jobs/ops/moving/logs")
    assert events.take(1)[0].data["reason"] == "created"
    logs.opening()
    moved = town.store.put_job(replace(job, name="moved", project="web"))
    town.store.add_events([
        Event(at=NINE, job_id=moved.id, run_id=None, type="Normal", reason="renamed", message="renamed from ops/moving")
    ])  # fmt: skip
    town.server.ring()
    (last,) = events.rest()
    assert (last.data["reason"], last.data["job"], events.over) == ("renamed", "web/moved", True)
    assert logs.next() is None
    until(lambda: town.server.http.get("/api/v1/jobs/ops/moving").status_code == 404, "the picture follows")
    headers = {"accept": "text/event-stream", "last-event-id": last.id}
    assert town.server.http.get("/api/v1/jobs/ops/moving/events", headers=headers).status_code == 404
