"""What is a secret is masked wherever it stands in a spec; that it changed is told, and what is none stays."""

from __future__ import annotations

import json

import pytest

from status.words.masking import is_secret_name, masked, masked_pair

SECRET = "hunter2x"


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"env": {"DB_PASSWORD": SECRET}}, id="variable"),
        pytest.param({"env": {"SSH_KEY": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----"}},
                     id="private_key"),
        pytest.param({"env": {"ID": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----\n"}},
                     id="private_key_of_another_name"),
        pytest.param({"env": {"URL": f"postgres://me:{SECRET}@db/x"}}, id="url"),
        pytest.param({"run": {"command": ["deploy", "--password", SECRET]}}, id="option_and_value"),
        pytest.param({"run": {"command": ["deploy", f"--token={SECRET}"]}}, id="option_with_value"),
        pytest.param({"run": {"command": ["sh", "-c", f"PASSWORD={SECRET} deploy"]}}, id="command_line"),
        pytest.param({"run": {"script": f"export API_TOKEN='{SECRET}'\ndeploy"}}, id="script"),
        pytest.param({"params": {"password": {"default": SECRET, "allowed": [SECRET, "b"]}}}, id="param"),
        pytest.param({"annotations": {"example.org/webhook": f"https://example.org/{SECRET}"}}, id="annotation"),
        pytest.param({"labels": {"token": SECRET}}, id="label"),
        pytest.param({"kind": "Notifier", "urls": [f"slack://{SECRET}/b"]}, id="notifier"),
        pytest.param({"callback": {"url": f"https://a.example/{SECRET}", "secret": {"from_env": "A"}}}, id="callback"),
        pytest.param({"callback": {"url": "https://example.org/", "secret": [SECRET]}}, id="signing_key"),
        pytest.param({"job": {"env": {"DB_PASSWORD": SECRET}}}, id="defaults"),
    ],
)  # fmt: skip
def test_a_secret_is_never_shown_and_its_change_is(spec):
    other = json.loads(json.dumps(spec).replace(SECRET, "anotherone9"))
    assert SECRET not in json.dumps(masked(spec))
    assert "***" in json.dumps(masked(spec))
    kept, same = masked_pair(spec, spec)
    assert kept == same == masked(spec)
    old, new = masked_pair(spec, other)
    assert old != new
    assert SECRET not in json.dumps([old, new])
    assert "anotherone9" not in json.dumps([old, new])
    assert "*** (before)" in json.dumps(old)
    assert "*** (after)" in json.dumps(new)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"env": {"DB_PASSWORD": {"from_env": "DB_PASSWORD"}}}, id="from_env"),
        pytest.param({"env": {"DB_PASSWORD": {"from_file": "/run/secret"}}}, id="from_file"),
        pytest.param({"env": {"DB_PASSWORD_FILE": "/run/secret"}}, id="where_it_is"),
        pytest.param({"env": {"KEYBOARD": "de", "AUTHOR": "ann", "MONKEY": "x"}}, id="names_that_only_look_so"),
        pytest.param({"env": {"DB_PASSWORD": ""}}, id="empty"),
        pytest.param({"run": {"command": ["deploy", "--password", "$DB_PASSWORD"]}}, id="variable_in_a_command"),
        pytest.param({"description": "needs a token; ask Ann"}, id="prose"),
        pytest.param({"run": {"limits": {"memory": 5, "nofile": None}}, "suspend": True}, id="numbers"),
    ],
)
def test_what_is_no_secret_is_shown(spec):
    assert masked(spec) == spec


def test_a_reference_in_the_place_of_a_secret_is_told_as_it_is():
    old, new = masked_pair({"env": {"TOKEN": SECRET}}, {"env": {"TOKEN": {"from_env": "TOKEN"}}})
    assert (old, new) == ({"env": {"TOKEN": "***"}}, {"env": {"TOKEN": {"from_env": "TOKEN"}}})


@pytest.mark.parametrize("name", ["PASS", "MYSQL_PWD", "api-key", "x.token", "AUTH", "SECRET_KEY_BASE", "db_dsn"])
def test_names_that_hide_what_they_hold(name):
    assert is_secret_name(name)


def test_of_an_address_it_is_shown_where_it_goes():
    spec = {
        "urls": ["slack://a/b", "https://example.org:8443/a?b", {"from_env": "A"}],
        "callback": {"url": "http://[::1]"},
    }
    assert masked(spec) == {
        "urls": ["slack://***", "https://example.org:8443/***", {"from_env": "A"}],
        "callback": {"url": "http://***"},
    }
    assert masked({"env": {"url": "https://example.org/a"}}) == {"env": {"url": "https://example.org/a"}}
