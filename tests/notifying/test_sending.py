"""Messages through apprise to real receivers, and what is said when one does not arrive."""

from __future__ import annotations

import email
import sys
import time
from email.policy import default
from pathlib import Path

import orjson
import pytest

from status.notify.sending import Note, send, send_apart, without_secrets
from tests.notifying.receivers import http_receiver, mail_receiver, silent_receiver

NOTE = Note("shop/report failed", "exit code 3\nlast line", "failure")


def test_a_message_arrives_by_http() -> None:
    with http_receiver() as received:
        assert send_apart(f"json://127.0.0.1:{received.port}/hook", NOTE) is None
    ((method, path, body),) = received.requests
    assert (method, path) == ("POST", "/hook")
    told = orjson.loads(body)
    assert (told["title"], told["message"], told["type"]) == (NOTE.title, NOTE.body, "failure")


def test_a_message_arrives_by_mail() -> None:
    with mail_receiver() as received:
        address = f"mailto://127.0.0.1:{received.port}?from=jobsctl@example.com&to=ops@example.com&mode=insecure"
        assert send_apart(address, NOTE) is None
    ((recipients, text),) = received.letters
    letter = email.message_from_string(text, policy=default)
    assert recipients == ["ops@example.com"]
    assert letter["subject"] == NOTE.title
    body = letter.get_body(("plain",))
    assert body is not None and "exit code 3" in body.get_content()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        pytest.param("json://user:secret-word@127.0.0.1:{port}/hidden-path", "error=500", id="refused"),
        pytest.param("nonsense://secret-word", "not an address that apprise knows", id="unknown-service"),
        pytest.param("slack://secret-word", "not an address that apprise knows", id="incomplete"),
        pytest.param("json://127.0.0.1:{port}, json://127.0.0.1:{port}/secret-word", "several addresses", id="several"),
        pytest.param("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?template=/etc/passwd", "`template`", id="file"),
        pytest.param(
            "tgram://123456789:abcdefg_hijklmnop/12315544/?template=http://127.0.0.1:{port}/secret-word",
            "`template`",
            id="another-address",
        ),
    ],
)
def test_a_failure_says_why_and_no_secret(address: str, words: str) -> None:
    with http_receiver([500]) as received:
        error = send_apart(address.format(port=received.port), NOTE)
    assert error is not None and words in error
    assert "secret-word" not in error and "hidden-path" not in error
    assert len(received.requests) == (1 if "500" in words else 0)


def test_a_receiver_that_is_not_there_is_said() -> None:
    with silent_receiver() as port:
        pass
    error = send_apart(f"json://127.0.0.1:{port}", NOTE)
    assert error is not None and "onnection" in error


def test_a_receiver_that_never_answers_is_given_up() -> None:
    began = time.monotonic()
    with silent_receiver() as port:
        error = send_apart(f"json://127.0.0.1:{port}", NOTE, timeout=1.0)
    assert error == "no end after 1 seconds: the service did not answer"
    assert time.monotonic() - began < 10


def test_a_plugin_that_dies_takes_nothing_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apprise.py").write_text("import os\nos.abort()\n", encoding="ascii")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert send_apart("json://127.0.0.1:1", NOTE) == "the process that sends ended early (signal 6)"


def test_without_apprise_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert send("json://127.0.0.1:1", NOTE) == "apprise is not installed; pip install 'jobsctl[notify]'"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        pytest.param("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnl", "POST /T1JJ3T3L2/A1BRTD4JD/TIiajkdnl", id="path"),
        pytest.param("json://me:pass%20word@host/x", "login pass word, pass%20word", id="percent-encoded"),
        pytest.param("json://host/x?token=abcdef", "with abcdef", id="query"),
        pytest.param("tgram://123456789:AAAbbb/", "bot 123456789 AAAbbb", id="token-with-colon"),
    ],
)
def test_whatever_an_address_holds_is_taken_out_of_errors(url: str, text: str) -> None:
    said = without_secrets(text, url)
    for secret in ("T1JJ3T3L2", "TIiajkdnl", "pass%20word", "word", "abcdef", "123456789", "AAAbbb"):
        assert secret not in said
    assert without_secrets("cannot reach host", url).startswith("cannot reach")
