"""https is verified: by the name of the URL, against authorities that the machine trusts."""

from __future__ import annotations

import ssl

import pytest
from standardwebhooks import Webhook

from specs.stored import StoredCallback
from status.notify.callbacks.guard import Allowed
from status.notify.callbacks.sending import Sent
from tests.callbacks.attempts import BODY, KEY, delivery, sender
from tests.callbacks.authority import Authority, make_authority
from tests.callbacks.receiver import Names, Receiver, answer

NAME = "hooks.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


def send(receiver: Receiver, host: str, trust: ssl.SSLContext | None, timeout: float = 10) -> Sent:
    allowed = Allowed(private=["127.0.0.1"], ports=[receiver.port])
    made = sender(allowed=allowed, resolve=Names([["127.0.0.1"]]), tls=trust, timeout=timeout)
    return made.send(delivery(), StoredCallback(receiver.url(scheme="https", host=host), (KEY,)))


def test_the_name_is_what_is_verified_while_the_address_is_what_is_connected_to(authority: Authority) -> None:
    asked: list[str | None] = []
    server = authority.serve(f"DNS:{NAME}")
    server.sni_callback = lambda connection, name, context: asked.append(name)
    with Receiver(answer(200), tls=server) as receiver:
        sent = send(receiver, NAME, authority.trust())
    assert sent.attempt.error is None
    assert asked == [NAME]
    (request,) = receiver.requests
    assert request.headers["host"] == f"{NAME}:{receiver.port}"
    Webhook(KEY).verify(BODY, request.headers)


def test_an_address_has_its_certificate_too(authority: Authority) -> None:
    with Receiver(answer(200), tls=authority.serve("IP:127.0.0.1")) as receiver:
        assert send(receiver, "127.0.0.1", authority.trust()).attempt.error is None


@pytest.mark.parametrize(
    ("host", "trusted", "words"),
    [
        pytest.param("other.example", True, "Hostname mismatch", id="another name"),
        pytest.param("127.0.0.1", True, "IP address mismatch", id="its address instead of its name"),
        pytest.param(NAME, False, "unable to get local issuer certificate", id="an authority nobody knows"),
    ],
)
def test_a_certificate_that_does_not_fit_gets_nothing(
    host: str, trusted: bool, words: str, authority: Authority
) -> None:
    with Receiver(answer(200), tls=authority.serve(f"DNS:{NAME}")) as receiver:
        sent = send(receiver, host, authority.trust() if trusted else None)
    assert sent.attempt.error is not None
    assert f"the certificate of {host} is not to be trusted" in sent.attempt.error
    assert words in sent.attempt.error
    assert receiver.requests == []


def test_an_old_protocol_is_refused(authority: Authority) -> None:
    server = authority.serve(f"DNS:{NAME}")
    with pytest.warns(DeprecationWarning):
        server.maximum_version = ssl.TLSVersion.TLSv1_1
    with Receiver(answer(200), tls=server) as receiver:
        sent = send(receiver, NAME, authority.trust())
    assert sent.attempt.error is not None and f"no TLS with {NAME}" in sent.attempt.error
    assert receiver.requests == []


def test_plain_http_where_tls_is_expected_is_told(authority: Authority) -> None:
    with Receiver(answer(200), greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n") as receiver:
        sent = send(receiver, NAME, authority.trust())
    assert sent.attempt.error is not None and f"no TLS with {NAME}" in sent.attempt.error


def test_a_handshake_that_hangs_ends_in_time(authority: Authority) -> None:
    with Receiver(answer(200)) as receiver:  # speaks no TLS: it waits for the end of an HTTP head
        sent = send(receiver, NAME, authority.trust(), timeout=0.3)
    assert sent.attempt.error == "no answer within 0.3 s"


def test_the_machines_authorities_are_trusted_by_default(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with Receiver(answer(200), tls=authority.serve(f"DNS:{NAME}")) as receiver:
        assert send(receiver, NAME, None).attempt.error is None
