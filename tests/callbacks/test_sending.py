"""One attempt, against receivers that behave and misbehave: it ends in time, says why, and sends what was signed."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import struct
import threading
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from specs.stored import StoredCallback
from state.outbox.records import DeliveryState
from status.notify.callbacks.guard import Allowed
from tests.callbacks.attempts import BODY, KEY, attempt, delivery, now, sender
from tests.callbacks.receiver import Behaviour, Names, Receiver, Request, answer, raw

SECOND = 1_000_000
OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode()


def test_the_official_verifier_takes_what_arrives() -> None:
    with Receiver(answer(204)) as receiver:
        sent = attempt(receiver, secrets=[KEY, OTHER])
    (request,) = receiver.requests
    assert request.body == BODY
    for key in (KEY, OTHER):
        assert Webhook(key).verify(request.body, request.headers)["type"] == "job.run.failed"
    assert request.headers["webhook-id"] == delivery().id
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["user-agent"] == "jobsctl/0.1.0"
    assert (sent.attempt.number, sent.attempt.status_code, sent.attempt.error) == (1, 204, None)
    assert (sent.outcome.state, sent.gone) == (DeliveryState.DELIVERED, False)
    assert abs(sent.attempt.sent_at - now()) < 60 * SECOND


def test_every_attempt_has_the_same_id_and_body_and_its_own_time() -> None:
    with Receiver(answer(500)) as receiver:
        made = sender(receiver)
        callback = StoredCallback(receiver.url(), (KEY,))
        for attempts in (0, 1, 2):
            assert made.send(delivery(attempts), callback).attempt.number == attempts + 1
    assert {request.headers["webhook-id"] for request in receiver.requests} == {delivery().id}
    assert {request.body for request in receiver.requests} == {BODY}
    for request in receiver.requests:
        assert abs(int(request.headers["webhook-timestamp"]) - now() // SECOND) < 60


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (301, "redirects are not followed"), (302, "redirects are not followed"), (307, "redirects are not followed"),
        (308, "redirects are not followed"), (304, "redirects are not followed"), (400, "answered 400"),
        (401, "did not accept"), (404, "nothing at this address"), (429, "too many"), (500, "answered 500"),
        (503, "not ready"), (599, "answered 599"),
    ],
)  # fmt: skip
def test_what_is_not_2xx_did_not_arrive(status: int, words: str) -> None:
    with Receiver(
        answer(status, "Location: http://169.254.169.254/latest/meta-data/", body=b"secret answer")
    ) as receiver:
        sent = attempt(receiver)
    assert len(receiver.requests) == 1 == receiver.connections
    assert sent.attempt.status_code == status
    assert sent.attempt.error is not None and words in sent.attempt.error
    assert "secret" not in sent.attempt.error and "169.254" not in sent.attempt.error
    assert sent.outcome.state is DeliveryState.PENDING and not sent.gone


def test_gone_ends_it() -> None:
    with Receiver(answer(410)) as receiver:
        sent = attempt(receiver)
    assert (sent.gone, sent.outcome.state) == (True, DeliveryState.FAILED)
    assert "wants no more" in (sent.outcome.reason or "")


@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_is_honoured(status: int) -> None:
    with Receiver(answer(status, "Retry-After: 3600")) as receiver:
        sent = attempt(receiver)
    assert sent.outcome.next_attempt_at is not None
    assert 3600 <= (sent.outcome.next_attempt_at - sent.attempt.sent_at) / SECOND <= 3600 * 1.1 + 10


def hanging(connection: socket.socket, request: Request) -> None:
    """Never answers; the test ends it."""
    connection.recv(1)


def dripping(*, first: bytes, every: bytes) -> Behaviour:
    """One byte now and then: each read is quick, together they never end."""

    def behave(connection: socket.socket, request: Request) -> None:
        connection.sendall(first)
        pause = threading.Event()
        with contextlib.suppress(OSError):
            while not pause.wait(0.02):
                connection.sendall(every)

    return behave


def resetting(connection: socket.socket, request: Request) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        pytest.param(hanging, "no answer within 0.3 s", id="never answers"),
        pytest.param(dripping(first=b"HTTP/1.1 200 OK\r\nX: ", every=b"a"), "no answer within", id="drips a header"),
        pytest.param(dripping(first=b"", every=b"HTTP/1.1 102 Processing\r\n\r\n"), "no answer within", id="only 1xx"),
        pytest.param(raw(), "closed before an answer", id="closes"),
        pytest.param(raw(b"HTTP/1.1 200"), "closed before an answer", id="closes within the first line"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nX: y\r\n"), "closed before an answer", id="closes within the head"),
        pytest.param(resetting, "connection", id="resets"),
        pytest.param(raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "not HTTP", id="SSH"),
        pytest.param(raw(bytes(range(256)) * 40), "not HTTP", id="garbage"),
        pytest.param(raw(b"HTTP/1.1 999999 Yes\r\n\r\n"), "not HTTP", id="a status that is none"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 40_000), "more than 32768", id="an endless header"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n" * 1000] * 9), "more than 32768", id="endless headers"),
        pytest.param(
            raw(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
            "101",
            id="another protocol",
        ),
    ],
)
def test_what_is_no_answer_is_told_in_words(behave: Behaviour, words: str) -> None:
    with Receiver(behave) as receiver:
        sent = attempt(receiver, timeout=0.3 if "no answer" in words else 10)
    assert sent.attempt.status_code is None
    assert sent.attempt.error is not None and words in sent.attempt.error
    assert sent.outcome.state is DeliveryState.PENDING
    assert sent.attempt.seconds < 5


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(raw(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), id="hints first"),
        pytest.param(raw(b"HTTP/1.0 200 OK\r\n\r\nthanks"), id="HTTP/1.0"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * 400_000), id="a huge body"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense"), id="a body that is none"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), id="closes within the body"),
    ],
)
def test_a_head_is_all_that_is_asked_for(behave: Behaviour) -> None:
    with Receiver(behave) as receiver:
        sent = attempt(receiver)
    assert (sent.attempt.status_code, sent.attempt.error) == (200, None)


def test_a_body_that_never_ends_holds_nobody() -> None:
    with Receiver(dripping(first=b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", every=b"x")) as receiver:
        sent = attempt(receiver)
    assert sent.attempt.error is None
    assert sent.attempt.seconds < 5


def test_a_receiver_that_says_more_is_not_cut_off() -> None:
    ends: list[bytes | str] = []

    def talkative(connection: socket.socket, request: Request) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8000\r\n\r\n" + b"x" * 8000)
        try:
            ends.append(connection.recv(1))
        except ConnectionResetError:
            ends.append("reset")

    with Receiver(talkative) as receiver:
        assert attempt(receiver).attempt.error is None
    assert ends == [b""]


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    made = sender(allowed=Allowed(private=["127.0.0.1"], ports=[port]))
    sent = made.send(delivery(), StoredCallback(f"http://127.0.0.1:{port}/", (KEY,)))
    assert sent.attempt.error == f"cannot connect to 127.0.0.1, port {port}: connection refused"


def test_the_second_address_is_tried_when_the_first_does_not_answer() -> None:
    with Receiver() as receiver:
        allowed = Allowed(private=["127.0.0.0/8"], ports=[receiver.port])
        made = sender(allowed=allowed, resolve=Names([["127.0.0.9", "127.0.0.1"]]))
        sent = made.send(delivery(), StoredCallback(receiver.url(host="hooks.example"), (KEY,)))
    assert sent.attempt.error is None
    assert receiver.requests[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_a_dns_that_changes_between_the_look_and_the_connection_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody(*asked: object, **more: object) -> None:
        raise AssertionError(f"a name was resolved: {asked}")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    monkeypatch.setattr(socket, "gethostbyname", nobody)
    with Receiver() as good:
        names = Names([["127.0.0.1"], ["127.0.0.66"]])
        made = sender(allowed=Allowed(private=["127.0.0.1"], ports=[good.port]), resolve=names)
        callback = StoredCallback(good.url(host="rebind.example"), (KEY,))
        assert made.send(delivery(), callback).attempt.error is None
        assert names.asked == ["rebind.example"]
        refused = made.send(delivery(), callback)  # the next attempt looks anew, and sees what it is now
    assert "rebind.example has the address 127.0.0.66, which is of this machine" in (refused.attempt.error or "")
    assert len(good.requests) == 1 == good.connections


def test_what_is_refused_is_not_connected_to() -> None:
    with Receiver() as receiver:
        made = sender(allowed=Allowed(ports=[receiver.port]))
        for host in ("127.0.0.1", "[::ffff:127.0.0.1]", "hooks.example"):
            sent = made.send(delivery(), StoredCallback(receiver.url(host=host), (KEY,)))
            assert "callbacks.private" in (sent.attempt.error or "")
            assert sent.outcome.state is DeliveryState.PENDING
    assert receiver.connections == 0


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        assert attempt(receiver).attempt.error is None
    assert proxy.connections == 0


def test_a_resolver_that_hangs_holds_nobody() -> None:
    released = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        released.wait(20)
        return ["127.0.0.1"]

    started = time.monotonic()
    made = sender(resolve=resolve, timeout=0.2)
    sent = made.send(delivery(), StoredCallback("https://slow.example/", (KEY,)))
    released.set()
    assert sent.attempt.error == "the name slow.example was not resolved within 0.2 s"
    assert time.monotonic() - started < 5


def test_a_name_that_is_not_known_is_tried_again() -> None:
    made = sender(resolve=Names([OSError(-2, "Name or service not known")]))
    sent = made.send(delivery(), StoredCallback("https://typo.example/", (KEY,)))
    assert sent.attempt.error == "no address of typo.example is found: Name or service not known"
    assert sent.outcome.state is DeliveryState.PENDING


def test_address_and_keys_are_read_when_they_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", OTHER)
    with Receiver() as receiver:
        made = sender(receiver, base_dir=tmp_path)
        callback = StoredCallback({"from_file": "url"}, ({"from_file": "key"}, {"from_env": "HOOK_KEY"}))
        first = made.send(delivery(), callback)
        assert first.attempt.error == f"callback.url: cannot read {tmp_path / 'url'}: No such file or directory"
        (tmp_path / "url").write_text(receiver.url("/hook?token=abc") + "\n")
        (tmp_path / "key").write_text("hunter2\n")
        second = made.send(delivery(1), callback)
        assert second.attempt.error == "callback.secret[0]: it does not begin with `whsec_`"
        assert second.outcome.state is DeliveryState.PENDING
        (tmp_path / "key").write_text(KEY + "\n")
        assert made.send(delivery(2), callback).attempt.error is None
    assert receiver.requests[0].line == "POST /hook?token=abc HTTP/1.1"
    Webhook(KEY).verify(BODY, receiver.requests[0].headers)
    Webhook(OTHER).verify(BODY, receiver.requests[0].headers)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAhunter2\n", id="a key"),
        pytest.param(b"https://user:hunter2@example.com/", id="a password"),
        pytest.param(b"\xff\xfehunter2", id="no text"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_a_file_holds_is_never_told(said: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(said)
    for callback in (
        StoredCallback({"from_file": "secret"}, (KEY,)),
        StoredCallback("https://example.com/", ({"from_file": "secret"},)),
    ):
        sent = sender(base_dir=tmp_path).send(delivery(), callback)
        assert sent.attempt.error and "hunter2" not in sent.attempt.error and "BEGIN" not in sent.attempt.error


@pytest.mark.parametrize(
    ("resolved", "words"),
    [
        pytest.param(OSError(-2, "Name or service not known"), "no address of *** is found: Name", id="no such name"),
        pytest.param(["10.1.2.3"], "*** has the address ***, which is", id="a private address"),
    ],
)
def test_the_host_of_an_address_that_is_a_secret_is_not_told(
    resolved: list[str] | OSError, words: str, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text("https://Hunter2.example/hook\n")
    made = sender(base_dir=tmp_path, resolve=Names([resolved]))
    error = made.send(delivery(), StoredCallback({"from_file": "url"}, (KEY,))).attempt.error
    assert error is not None and error.startswith(words)
    assert "hunter2" not in error.lower() and "10.1.2.3" not in error


def test_the_address_of_a_receiver_that_is_a_secret_is_not_told(tmp_path: Path) -> None:
    with Receiver() as receiver:
        url = receiver.url()
    (tmp_path / "url").write_text(url)
    made = sender(receiver, base_dir=tmp_path)
    error = made.send(delivery(), StoredCallback({"from_file": "url"}, (KEY,))).attempt.error
    assert error is not None and error.startswith("cannot connect to ***, port ")
    assert "127.0.0.1" not in error


def test_no_path_or_query_is_told() -> None:
    with Receiver(answer(500)) as receiver:
        sent = attempt(receiver, url=receiver.url("/services/T0/hunter2?key=hunter2"))
        assert "hunter2" not in repr(sent)
    closed = attempt(receiver, url=receiver.url("/services/T0/hunter2?key=hunter2"))
    assert closed.attempt.error and "hunter2" not in repr(closed)


def test_no_descriptor_is_left() -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    with Receiver(answer(200), raw(), answer(500), raw(b"garbage")) as receiver:
        attempt(receiver)
        before = count()
        for _ in range(6):
            attempt(receiver)
        assert count() <= before + 1  # the receiver may still be closing its end
