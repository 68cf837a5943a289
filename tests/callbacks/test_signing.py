"""Signatures are those of Standard Webhooks: its vector, its official verifier, its rules for keys."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from specs.signingkey import InvalidSecret, key_of
from status.notify.callbacks.signing import headers, signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def secret_of(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def test_the_vector_of_the_standard() -> None:
    signed = signature(key_of(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@settings(derandomize=True, max_examples=50, deadline=None)
@given(key=st.binary(min_size=24, max_size=64), body=st.text(alphabet=st.characters(codec="utf-8")))
def test_the_official_package_signs_alike(key: bytes, body: str) -> None:
    at = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    theirs = Webhook(secret_of(key)).sign("run_01", at, body)
    assert signature(key_of(secret_of(key)), "run_01", int(at.timestamp()), body.encode()) == theirs


@settings(derandomize=True, max_examples=25, deadline=None)
@given(keys=st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=4, unique=True))
def test_while_a_key_is_rotated_every_one_of_them_verifies(keys: list[bytes]) -> None:
    now = int(datetime.now(UTC).timestamp())  # noqa: TID251 - the verifier reads the clock
    sent = dict(headers(keys, "run_01", now, b'{"a": 1}'))
    for key in keys:
        assert Webhook(secret_of(key)).verify(b'{"a": 1}', sent) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(b"x" * 65)).verify(b'{"a": 1}', sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(keys[0])).verify(b'{"a": 2}', sent)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{SECRET}\n", id="a line's end"),
        pytest.param(secret_of(b"k" * 25), id="padding"),
        pytest.param(secret_of(b"k" * 25).rstrip("="), id="no padding"),
    ],
)
def test_what_is_a_secret(text: str) -> None:
    assert 24 <= len(key_of(text)) <= 64


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "does not begin with", id="nothing"),
        pytest.param("hunter2hunter2hunter2hunter2", "does not begin with", id="no prefix"),
        pytest.param("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with", id="upper case"),
        pytest.param("whsec_!!!!", "is not base64", id="no base64"),
        pytest.param("whsec_MfKQ9r8GKYqr TwjUPD8ILPZIo2LaLaSw", "is not base64", id="a space inside"),
        pytest.param("whsec_é" + "a" * 40, "is not base64", id="no ASCII"),
        pytest.param(secret_of(b"k" * 23), "holds 23 bytes", id="too short"),
        pytest.param(secret_of(b"k" * 65), "holds 65 bytes", id="too long"),
        pytest.param("whsec_", "holds 0 bytes", id="no key"),
    ],
)
def test_what_is_no_secret_is_told_without_it(text: str, words: str) -> None:
    with pytest.raises(InvalidSecret, match=words) as caught:
        key_of(text)
    assert not text or text.removeprefix("whsec_")[:6] not in str(caught.value) or text == "whsec_"


@pytest.mark.parametrize("id", ["", "run.01", "."])
def test_an_id_that_could_be_read_two_ways_is_not_signed(id: str) -> None:
    with pytest.raises(ValueError, match=r"no `\.`"):
        headers([b"k" * 32], id, 1, b"{}")


def test_without_a_key_nothing_is_signed() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        headers([], "run_01", 1, b"{}")
