"""Secrets in clear are found, what only looks like one is not, and no output ever holds one.

The tokens below are put together from parts, so that no scanner of repositories takes this file for a leak.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.document import read_documents
from specs.lint import lint
from specs.load import load_bytes
from specs.render import render
from specs.secrets import secrets_in_arguments, secrets_in_script, secrets_in_text, variable_holds_secret
from specs.text import decode
from tests.linting.texts import findings_of

LETTERS = "abcdefghij0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

SECRET_VARIABLES = [
    ("PASSWORD", "hunter2"),
    ("DB_PASSWORD", "hunter2"),
    ("PGPASSWORD", "p w"),
    ("MYSQL_PWD", "s3cret"),
    ("SMTP_PASS", "letmein"),
    ("ROOT_PASSWD", "x9"),
    ("KEY_PASSPHRASE", "correct horse battery"),
    ("DB_PASSWORD_2", "1234"),
    ("API_TOKEN", "abc123def"),
    ("GITHUB_TOKEN", "0123456789abcdef"),
    ("SLACK_TOKEN", "T0KEN"),
    ("TOKEN", "d41d8cd98f"),
    ("CLIENT_SECRET", "Zm9vYmFy"),
    ("APP_SECRET", "9f86d081884c7d65"),
    ("API_KEY", "k-12345"),
    ("APIKEY", "deadbeef"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI7MDENG"),
    ("ENCRYPTION_KEY", "00ff00ff00ff00aa"),
    ("FERNET_KEY", "a" * 15 + "1B"),
    ("dbPassword", "hunter2"),
    ("access-token", "abc123"),
]

NO_SECRET_VARIABLES = [
    ("PASSWORD_FILE", "/run/secrets/db"),
    ("DB_PASSWORD_FILE", "secrets/db"),
    ("DB_PASSWORD", "/run/secrets/db"),
    ("SSH_KEY_PATH", "id_ed25519"),
    ("SSH_KEY", "~/.ssh/id_ed25519"),
    ("TOKEN_URL", "https://auth.example.com/token"),
    ("AUTH_TOKEN", "https://auth.example.com/token"),
    ("DB_PASSWORD", "$OTHER"),
    ("DB_PASSWORD", "${OTHER:-none}"),
    ("DB_PASSWORD", "$(cat /run/secrets/db)"),
    ("DB_PASSWORD", "{{ params.password }}"),
    ("DB_PASSWORD", ""),
    ("DB_PASSWORD", "changeme"),
    ("DB_PASSWORD", "<your password>"),
    ("DB_PASSWORD", "********"),
    ("API_TOKEN", "your-token-here"),
    ("API_TOKEN", "REPLACE_ME"),
    ("API_TOKEN", "vault:secret/data/app#token"),
    ("API_TOKEN", "op://vault/item/field"),
    ("API_TOKEN", "arn:aws:secretsmanager:eu-west-1:1:secret:x"),
    ("ALLOW_EMPTY_PASSWORD", "yes-please"),
    ("REQUIRE_PASSWORD", "always"),
    ("PASSWORD_MIN_LENGTH", "12"),
    ("RESET_PASSWORD", "weekly"),
    ("SHOW_PASSWORD", "false"),
    ("MAX_TOKENS", "4096"),
    ("MAX_TOKEN", "4096"),
    ("PAD_TOKEN", "[PAD]"),
    ("STOP_TOKEN", "###end"),
    ("NEXT_TOKEN", "page2of7"),
    ("TOKENIZER", "cl100k_base"),
    ("TOKENIZERS_PARALLELISM", "false"),
    ("REQUIRED_KEY", "rates"),
    ("SORT_KEY", "created_at"),
    ("PRIMARY_KEY", "id"),
    ("CACHE_KEY", "report-2026"),
    ("PARTITION_KEY", "customer_id"),
    ("PUBLIC_KEY", "AAAAB3NzaC1yc2EAAAADAQABAAAB"),
    ("SSH_PUBLIC_KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"),
    ("KEYBOARD", "de-latin1"),
    ("KEY", "name"),
    ("MONKEY", "banana"),
    ("AWS_ACCESS_KEY_ID_FILE", "x"),
    ("SECRET_NAME", "db-credentials"),
    ("DB_SECRET", "db-credentials"),
    ("K8S_SECRET", "payments/db"),
    ("SECRET_ARN", "arn:aws:x"),
    ("BYPASS", "on-weekends"),
    ("COMPASS", "north12"),
    ("PWD", "/srv/app"),
    ("OLDPWD", "/srv"),
    ("PASSENGERS", "12"),
    ("TOKEN", "12"),
    ("GIT_AUTHOR_NAME", "bot"),
    ("DATABASE_URL", "postgres://db.example.com/app"),
    ("USE_TOKEN", "cookie"),
]

TOKENS = {
    "aws": "AKIA" + "QWERTY234567ABCD",
    "aws-temporary": "ASIA" + "QWERTY234567ABCD",
    "github": "ghp" + "_" + LETTERS[:36],
    "github-app": "ghs" + "_" + LETTERS[:36],
    "github-fine": "github" + "_pat_" + LETTERS[:40],
    "gitlab": "glpat" + "-" + LETTERS[:20],
    "slack-bot": "xoxb" + "-123456789012-" + LETTERS[:20],
    "slack-user": "xoxp" + "-123456789012-" + LETTERS[:20],
    "slack-hook": "https://hooks.slack.com/" + "services/T00000000/B00000000/" + LETTERS[:24],
    "stripe": "sk" + "_live_" + LETTERS[:24],
    "google": "AIza" + LETTERS[:35],
    "anthropic": "sk-" + "ant-" + LETTERS[:30],
    "openai": "sk-" + "proj-" + LETTERS[:40],
    "npm": "npm" + "_" + LETTERS[:36],
    "pypi": "pypi-" + "AgEIcHlwaS5vcmc" + LETTERS,
    "sendgrid": "SG." + LETTERS[:22] + "." + LETTERS[:43],
    "key-rsa": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "key-openssh": "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "key-plain": "-----BEGIN " + "PRIVATE KEY-----",
    "key-pgp": "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----",
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3" + "." + LETTERS[:20],
    "url": "postgres://app:" + "hunter2@db/app",
    "url-no-user": "redis://:" + "hunter2@cache:6379",
    "bearer": "Authorization: Bearer " + LETTERS[:20],
    "basic": "authorization: basic " + "dXNlcjpwYXNz",
}

NO_TOKENS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "AKIAtooshort",
    "ghp_short",
    "github_patent",
    "xoxo-love",
    "sk-learn",
    "sk_test_abcdef",
    "https://db.example.com:5432/app",
    "http://localhost:8080/a@b",
    "git@github.com:owner/repo.git",
    "ssh://git@host/repo",
    "postgres://app:$PASSWORD@db/app",
    "postgres://app:${PASSWORD}@db/app",
    "https://user:{{ params.pw }}@host/",
    "postgres://app:changeme@db/app",
    "https://<user>:<password>@host/",
    "-----BEGIN PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----",
    "Authorization: Bearer $TOKEN",
    "Authorization: Bearer ${TOKEN}",
    "eyJust a text",
    "rsync://host/module",
    "s3://bucket/key",
    "mailto:a:b@c",
    "12:34@home",
    "npm_config_cache",
    "2026-01-01T00:00:00Z",
]


@pytest.mark.parametrize(("name", "value"), SECRET_VARIABLES, ids=lambda each: each)
def test_a_variable_that_holds_a_secret(name, value):
    assert variable_holds_secret(name, value)


@pytest.mark.parametrize(("name", "value"), NO_SECRET_VARIABLES, ids=lambda each: each or "empty")
def test_a_variable_that_holds_none(name, value):
    assert not variable_holds_secret(name, value)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("text", ["{}", "curl -u x '{}' https://example.com", "a={}\nb"])
def test_a_token_is_found_wherever_it_stands(token, text):
    whole = text.format(token)
    (found,) = secrets_in_text(whole)
    assert token not in whole[: found.start] + whole[found.end :]
    assert found.start < found.end


@pytest.mark.parametrize("text", NO_TOKENS)
def test_what_only_looks_like_a_token(text):
    assert list(secrets_in_text(text)) == []


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        pytest.param(["mysql", "--password=hunter2"], [(1, 11, 18)], id="option-with-value"),
        pytest.param(["mysql", "--password", "hunter2"], [(2, 0, 7)], id="option-and-value"),
        pytest.param(["x", "--api-key", "k-1234"], [(2, 0, 6)], id="api-key"),
        pytest.param(["sh", "-c", "DB_PASSWORD=hunter2 ./x"], [(2, 12, 19)], id="shell-assignment"),
        pytest.param(["x", "--password-file", "pw"], [], id="a-file"),
        pytest.param(["x", "--password"], [], id="asks"),
        pytest.param(["x", "--password", "--verbose"], [], id="asks-and-goes-on"),
        pytest.param(["x", "--password", "{{ params.pw }}"], [], id="param"),
        pytest.param(["x", "--sort-key", "name"], [], id="no-secret-key"),
        pytest.param(["x", "--token-limit", "5000"], [], id="a-number"),
        pytest.param(["passwd", "root"], [], id="a-program"),
    ],
)
def test_arguments(arguments, found):
    assert [(index, each.start, each.end) for index, each in secrets_in_arguments(arguments)] == found


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("export DB_PASSWORD=hunter2", "hunter2"),
        ('DB_PASSWORD="hun ter2" ./backup', "hun ter2"),
        ("mysqldump --password='hunter$2' db", "hunter$2"),
        ("curl --token abc123def https://x", "abc123def"),
        ('DB_PASSWORD="$(cat /run/pw)"', None),
        ("DB_PASSWORD=$1", None),
        ("DB_PASSWORD=`cat pw`", None),
        ("read -r DB_PASSWORD", None),
        ("[ -n \"$TOKEN\" ] || exit 1", None),
        ("echo password: unknown", None),
        ("unset TOKEN", None),
        ("PASSWORD= ./x", None),
        ("for key in a b; do echo $key; done", None),
    ],
)  # fmt: skip
def test_scripts(line, secret):
    assert [line[each.start : each.end] for each in secrets_in_script(line)] == ([] if secret is None else [secret])


SECRETS = ["hunter2hunter2", "Tr0ub4dor&3x", TOKENS["github"], TOKENS["aws"]]
PLACES = {
    "env": "env:\n  DB_PASSWORD: {}\nrun: {{command: [a]}}\n",
    "env-flow": 'run: {{command: [a]}}\nenv: {{A: b, DB_PASSWORD: "{}", C: d}}\n',
    "env-single": "run: {{command: [a]}}\nenv: {{DB_PASSWORD: '{}'}} # a comment\n",
    "env-block": "run: {{command: [a]}}\nenv:\n  DB_PASSWORD: |-\n    {}\n",
    "env-folded": "run: {{command: [a]}}\nenv:\n  DB_PASSWORD: >-\n    {}\n",
    "env-many-lines": 'run: {{command: [a]}}\nenv:\n  DB_PASSWORD: "{}\n    and more"\n',
    "env-escape": 'run: {{command: [a]}}\nenv: {{DB_PASSWORD: "\\t{}"}}\n',
    "option": "run: {{command: [a, --password, {}]}}\n",
    "option-joined": "run: {{command: [a, '--password={}']}}\n",
    "url": "run: {{command: [a, 'https://me:{}@host/']}}\n",
    "script": "run:\n  script: |\n    set -e\n    export DB_PASSWORD='{}'\n    ./x\n",
    "script-folded": "run:\n  script: >\n    export DB_PASSWORD='{}'\n",
    "script-inline": "run: {{script: \"export DB_PASSWORD='{}'; ./x\"}}\n",
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_it_is_told_and_never_shown(place, secret):
    found = findings_of("name: hello\n" + place.format(secret))
    assert {each.code for each in found} == {"JOB074"}
    for style in ("full", "concise", "json", "github"):
        assert secret not in render(found, style)
        assert secret[3:] not in render(found, style)


def test_the_caret_stands_under_the_stars():
    (found,) = findings_of("name: hello\nrun:\n  script: |\n    set -e\n    export DB_PASSWORD='hunter2'\n")
    assert (found.line, found.column, found.end_column) == (5, 25, 32)
    assert found.source_line == "    export DB_PASSWORD='*******'"


def test_other_findings_of_the_line_do_not_show_it_either():
    found = findings_of(
        "name: hello\nparams: {y: {default: z}}\nrun: {command: [a]}\n"
        "env: {DB_PASSWORD: hunter2, X: '{{ params.x }}'}\n"
    )
    assert {each.code for each in found} == {"JOB074", "JOB047"}
    assert all("hunter2" not in str(each.source_line) for each in found)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=0, max_size=40))
def test_any_text_is_judged(text):
    """No text brings it down or makes a place outside of it."""
    for each in secrets_in_script(text):
        assert 0 <= each.start < each.end <= len(text)
    variable_holds_secret("DB_PASSWORD", text)


def test_the_rules_themselves_give_no_line_with_a_secret():
    """Whoever forgets to ask for all findings of a line together shows none of the lint's own."""
    text = b"name: hello\nrun: {command: [a]}\nenv: {DB_PASSWORD: hunter2, API_TOKEN: abc123def}\n"
    loaded = load_bytes(text, "a.yaml")
    (document,) = read_documents(decode(text, "a.yaml"))[0]
    found = lint(loaded.jobs, known={}, document_of=lambda job: document, now=0)
    assert [each.source_line for each in found] == ["env: {DB_PASSWORD: *******, API_TOKEN: *********}"] * 2
