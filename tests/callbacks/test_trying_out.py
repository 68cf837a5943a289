"""`jobsctl notify test --callback JOB`: a signed event to a real receiver, and what came of it in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.main import run
from cli.options import Settings
from specs.signingkey import key_of
from state.home import Home
from status.notify.callbacks.signing import signature
from tests.callbacks.attempts import KEY
from tests.callbacks.receiver import Receiver, answer
from tests.commands.conftest import NOW, Done, Known, StoppedClock

JOB = (
    "name: report\nlabels: {team: data}\nrun: {command: [echo]}\n"
    "callback: {url: %s, secret: {from_file: hook-key}, on: [failed]}\n"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.specs.mkdir(parents=True)
    (home.root / "hook-key").write_text(KEY)
    return home


@pytest.fixture
def known(home: Home) -> Iterator[Known]:
    made = Known(home)
    yield made
    made.store.close()


@pytest.fixture
def receiver(home: Home) -> Iterator[Receiver]:
    with Receiver(answer(204)) as made:
        home.config.write_text(f"callbacks: {{private: [127.0.0.1], ports: [{made.port}]}}\n")
        yield made


@pytest.fixture
def jobsctl(home: Home, capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Done]:
    def call(*arguments: str) -> Done:
        capsysbinary.readouterr()
        code = run(list(arguments), Settings(home_option=home.root, clock=StoppedClock()))
        captured = capsysbinary.readouterr()
        return Done(int(code), captured.out.decode(), captured.err.decode())

    return call


def test_a_signed_event_without_a_run_arrives(known: Known, receiver: Receiver, jobsctl: Callable[..., Done]) -> None:
    known.job(JOB % receiver.url("/hook?token=T0K3N"))
    done = jobsctl("notify", "test", "--callback", "report", "-o", "json")
    assert (done.code, done.err) == (0, "")
    (said,) = json.loads(done.out)["items"]
    (request,) = receiver.wait(1)
    told = json.loads(request.body)
    assert (told["type"], told["timestamp"]) == ("job.test", "2026-11-21T08:00:00.000Z")
    assert told["data"] == {
        "job": "default/report", "project": "default", "name": "report", "labels": {"team": "data"}, "cut": [],
    }  # fmt: skip
    id, seconds = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert (said["id"], said["target"], said["statusCode"], said["error"]) == (id, "127.0.0.1", 204, None)
    assert id.startswith("test_")
    assert int(seconds) == NOW // 1_000_000
    assert request.headers["webhook-signature"] == signature(key_of(KEY), id, int(seconds), request.body)
    assert "T0K3N" not in done.out
    assert not known.home.outbox.exists()


def test_that_it_does_not_arrive_is_said_and_ends_with_1(
    known: Known, receiver: Receiver, jobsctl: Callable[..., Done]
) -> None:
    receiver.behaviours[:] = [answer(401)]
    known.job(JOB % receiver.url())
    done = jobsctl("notify", "test", "--callback", "report")
    assert done.code == 1
    assert "answered 401: it did not accept us" in done.out
    assert len(receiver.requests) == 1


def test_it_goes_nowhere_where_the_daemon_would_not_send(
    known: Known, receiver: Receiver, jobsctl: Callable[..., Done]
) -> None:
    known.home.config.write_text(f"callbacks: {{ports: [{receiver.port}]}}\n")
    known.job(JOB % receiver.url())
    done = jobsctl("notify", "test", "--callback", "report")
    assert done.code == 1
    assert "127.0.0.1 is of this machine" in done.out
    assert receiver.connections == 0
    known.home.config.write_text("callbacks: {prots: []}\n")
    done = jobsctl("notify", "test", "--callback", "report")
    assert (done.code, done.out) == (7, "")
    assert "jobsctl.yaml is wrong" in done.err
    assert receiver.connections == 0


def test_a_key_that_is_not_there_is_named(known: Known, receiver: Receiver, jobsctl: Callable[..., Done]) -> None:
    (known.home.root / "hook-key").unlink()
    known.job(JOB % receiver.url())
    done = jobsctl("notify", "test", "--callback", "report")
    assert done.code == 1
    assert "callback.secret: " in done.out and "hook-key" in done.out
    assert receiver.connections == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["--callback", "silent"], 4, "default/silent has no callback", id="no_callback"),
        pytest.param(["--callback", "nobody"], 4, "there is no job nobody", id="no_job"),
        pytest.param([], 2, "name a notifier, or a job with --callback", id="nothing"),
        pytest.param(["ops", "--callback", "silent"], 2, "one of them", id="both"),
    ],
)
def test_what_cannot_be_tried_is_said(
    known: Known, jobsctl: Callable[..., Done], arguments: list[str], code: int, words: str
) -> None:
    known.job("name: silent\nrun: {command: [echo]}\n", path="silent.yaml")
    done = jobsctl("notify", "test", *arguments)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
