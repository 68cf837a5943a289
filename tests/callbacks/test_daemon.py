"""Callbacks of a real daemon: each end told once, also across deaths, and no run the wiser for it."""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from state.records import RunState
from tests.callbacks.receiver import Behaviour, Receiver, Request, answer
from tests.household import Household, eventually

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    household = Household(tmp_path / "home")
    (household.home.root / "key").write_text(f"{KEY}\n")
    yield household
    household.close()


def settle(household: Household, *receivers: Receiver) -> None:
    """Allow loopback, start the daemon, and wait until the notify process reads on."""
    ports = [receiver.port for receiver in receivers]
    household.home.config.write_text(f"callbacks: {{private: [127.0.0.1], ports: {ports}}}\n")
    household.start()
    eventually(lambda: cursor(household) is not None, f"the notify process has begun\n{household.log()}")


def cursor(household: Household) -> int | None:
    try:
        with closing(sqlite3.connect(f"file:{household.home.outbox}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT value FROM meta WHERE key = 'cursor'").fetchone()
    except sqlite3.OperationalError:
        return None
    return None if found is None else int(found[0])


def deliveries(household: Household) -> dict[str, tuple[str, str, int]]:
    """State, target and attempts by id."""
    with closing(sqlite3.connect(f"file:{household.home.outbox}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT id, state, target, attempts FROM delivery").fetchall()
    return {id: (state, target, attempts) for id, state, target, attempts in rows}


def notify_process(household: Household) -> int | None:
    for place in Path("/proc").iterdir():
        try:
            words = (place / "cmdline").read_bytes() if place.name.isdigit() else b""
        except OSError:
            continue
        if b"status.notify.process" in words and str(household.home.root).encode() in words:
            return int(place.name)
    return None


def job(receiver: Receiver, name: str, script: str, *, more: str = "") -> str:
    return (
        f"name: {name}\nlabels: {{team: data}}\nrun: {{script: '{script}'}}\n"
        f"callback: {{url: '{receiver.url()}', secret: {{from_file: key}}}}\n{more}---\n"
    )


def told(request: Request) -> tuple[str, str]:
    """Type and run, once the official verifier is content."""
    body = Webhook(KEY).verify(request.body, request.headers)
    assert request.headers["webhook-id"] == f"run_{body['data']['run']['id']}"
    return body["type"], body["data"]["run"]["id"]


def test_every_terminal_state_is_told_once(household: Household) -> None:
    with Receiver() as receiver:
        past = "schedule: {once: '2026-01-01T00:00:00Z'}\n"
        household.commit({
            "a.yaml": job(receiver, "good", "echo hello") + job(receiver, "bad", "exit 3")
            + job(receiver, "slow", "sleep 60", more="timeout: 1s\n") + job(receiver, "stopped", "sleep 60")
            + "name: silent\nrun: {command: ['true']}\n",
        })  # fmt: skip
        settle(household, receiver)
        household.jobsctl("trigger", "--yes", "good", "bad", "slow", "stopped", "silent")
        household.write("b.yaml", job(receiver, "skips", "true", more=past))
        eventually(lambda: household.runs("default/stopped")[0].state is RunState.RUNNING, "it runs")
        household.jobsctl("cancel", "stopped")
        requests = receiver.wait(5)
        known = {told(request) for request in requests}
        wanted = {
            (f"job.run.{state}", household.runs(f"default/{name}")[0].id)
            for name, state in (
                ("good", "succeeded"),
                ("bad", "failed"),
                ("slow", "expired"),
                ("stopped", "cancelled"),
                ("skips", "skipped"),
            )
        }
        eventually(lambda: all(state == "delivered" for state, _, _ in deliveries(household).values()), "all recorded")
        assert wanted == known
        assert len(receiver.requests) == len(deliveries(household)) == len({id for _, id in known})
        bad = next(json.loads(request.body) for request in requests if b"job.run.failed" in request.body)
        assert bad["data"]["run"]["exitCode"] == 3
        assert (bad["data"]["job"], bad["data"]["labels"]) == ("default/bad", {"team": "data"})


def first_held(then: Behaviour) -> Behaviour:
    """The first request is never answered."""
    seen: list[Request] = []

    def behave(connection, request: Request) -> None:  # type: ignore[no-untyped-def]
        seen.append(request)
        if len(seen) == 1:
            connection.recv(1)  # until the other side is gone
            return
        then(connection, request)

    return behave


def test_a_notify_process_that_is_killed_sends_again_under_the_same_id(household: Household) -> None:
    with Receiver(first_held(answer(200))) as receiver:
        household.commit({"a.yaml": job(receiver, "good", "echo hello")})
        settle(household, receiver)
        household.jobsctl("trigger", "good")
        receiver.wait(1)
        pid = notify_process(household)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        household.kill()
        household.start()  # it would start another one itself, some seconds later
        first, second = receiver.wait(2)
        assert told(first) == told(second) == ("job.run.succeeded", household.runs("default/good")[0].id)
        assert first.body == second.body
        id = first.headers["webhook-id"]
        eventually(lambda: deliveries(household)[id][0] == "delivered", "recorded")
        assert len(receiver.requests) == 2


def test_a_receiver_that_hangs_neither_delays_nor_changes_a_run(household: Household) -> None:
    with Receiver(first_held(answer(500))) as hanging, Receiver() as well:
        household.commit({"a.yaml": job(hanging, "one", "echo hello") + job(well, "two", "echo hello")})
        settle(household, hanging, well)
        household.jobsctl("trigger", "one")
        hanging.wait(1)  # the notify process waits for an answer now
        before = household.runs("default/one")
        for _ in range(2):
            household.jobsctl("trigger", "--wait", "two")
        ends = household.runs("default/two")
        assert [run.state for run in ends] == [RunState.SUCCEEDED] * 2
        well.wait(2)
        assert household.runs("default/one") == before
        assert deliveries(household)[f"run_{before[0].id}"][0] == "pending"


def test_gone_is_remembered_and_forgotten_with_the_next_edit(household: Household) -> None:
    with Receiver(answer(410), answer(200)) as receiver:
        household.commit({"a.yaml": job(receiver, "good", "true")})
        settle(household, receiver)
        household.jobsctl("trigger", "--wait", "good")
        gone = receiver.wait(1)[0].headers["webhook-id"]
        eventually(lambda: deliveries(household)[gone][0] == "failed", "410 ends it")
        household.jobsctl("trigger", "--wait", "good")
        eventually(lambda: "dropped" in {state for state, _, _ in deliveries(household).values()}, "it is not sent")
        household.write("a.yaml", job(receiver, "good", "true").replace("/hook", "/new"))
        eventually(lambda: b"/new" in (household.job("default/good") or pytest.fail("gone")).spec, "it is applied")
        household.jobsctl("trigger", "--wait", "good")
        assert receiver.wait(2)[1].line == "POST /new HTTP/1.1"
        assert len(receiver.requests) == 2
