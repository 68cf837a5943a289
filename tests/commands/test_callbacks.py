"""What a spec author is told: keys in clear, keys that are none, and connections that are not encrypted."""

from __future__ import annotations

import pytest

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def validate(jobsctl, home):
    """What is said of a job with such a callback: the exit code, and both streams."""

    def check(callback: str) -> tuple[int, str]:
        (home.specs / "job.yaml").write_text(f"name: hello\nrun: {{command: [echo, hello]}}\ncallback:\n{callback}")
        done = jobsctl("validate")
        return done.code, done.out + done.err

    return check


def test_a_callback_with_its_secrets_elsewhere_is_sound(validate) -> None:
    code, said = validate("  url: https://example.com/hook\n  secret: {from_file: /etc/key}\n")
    assert (code, "warning" in said, "error[" in said) == (0, False, False)


@pytest.mark.parametrize(
    "secret",
    [pytest.param(KEY, id="one"), pytest.param(f"[{{from_file: /etc/key}}, {KEY}]", id="one of two")],
)
def test_a_key_in_clear_is_a_warning_that_does_not_show_it(secret: str, validate) -> None:
    code, said = validate(f"  url: https://example.com/hook\n  secret: {secret}\n")
    assert code == 0
    assert "job.yaml:5" in said and "JOB074" in said and "a signing key in clear" in said
    assert KEY not in said and KEY[6:] not in said and "*" * len(KEY) in said


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        pytest.param("/etc/jobsctl/hook-key", "does not begin with `whsec_`", id="a path without from_file"),
        pytest.param("hunter2hunter2", "does not begin with `whsec_`", id="a word"),
        pytest.param("whsec_aHVudGVyMg==", "holds 7 bytes, and a key has 24 to 64", id="too short"),
        pytest.param("[{from_env: KEY}, whsec_hunter2!]", "is not base64", id="one of two"),
    ],
)
def test_what_is_no_key_is_an_error_that_does_not_show_it(secret: str, words: str, validate) -> None:
    code, said = validate(f"  url: https://example.com/hook\n  secret: {secret}\n")
    assert code == 3
    assert "`callback.secret" in said and words in said and "{from_file: PATH}" in said
    assert "hunter2" not in said and "aHVudGVyMg" not in said


def test_a_connection_that_is_not_encrypted_is_a_warning_that_can_be_answered(validate) -> None:
    url = "  url: http://hooks.internal/hook"
    _, said = validate(f"{url}\n  secret: {{from_file: /etc/key}}\n")
    assert "job.yaml:4:8" in said and "JOB078" in said
    _, said = validate(f"{url} # jobsctl: ignore[JOB078]\n  secret: {{from_file: /etc/key}}\n")
    assert "JOB078" not in said


def test_a_token_in_the_address_is_a_warning_that_does_not_show_it(validate) -> None:
    token = "T0AAAAAAA/B0BBBBBBB/abcdefghijklmnopqrstuvwx"
    _, said = validate(f"  url: https://hooks.slack.com/services/{token}\n  secret: {{from_file: /etc/key}}\n")
    assert "JOB074" in said and "callback.url" in said
    assert token not in said
