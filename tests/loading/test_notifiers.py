"""Notifiers, `notify` and `callback` in files: what is wrong is told at its place, secrets are not shown."""

from __future__ import annotations

import pytest

from specs.load import FileResult, load_bytes

NOTIFIER = 'kind: Notifier\nname: ops\nurls: ["mailto://localhost"]\n'
JOB = "name: a\nrun: {command: [a]}\n"
TOKEN = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


def loaded(text: str) -> FileResult:
    return load_bytes(text.encode(), "a.yaml")


def said(text: str) -> list[str]:
    return [
        f"{each.line}:{each.column} {each.code} {each.message}" + (f" = {each.help}" if each.help else "")
        for each in loaded(text).diagnostics
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(NOTIFIER, id="smallest"),
        pytest.param(NOTIFIER + "quiet_hours: {from: '22:00', to: '07:00', days: sun-thu}\n", id="quiet"),
        pytest.param(NOTIFIER + "digest: weekdays at 08:00\ntimezone: Europe/Berlin\n", id="digest"),
        pytest.param(NOTIFIER + "template: {title: '{{title}}', body: '{{ body }}'}\n", id="template"),
        pytest.param("kind: Notifier\nname: ops\nurls: [{from_env: A}, {credential: b}]\n", id="from-outside"),
        pytest.param(JOB + "notify: [{to: ops}, {to: [ops, b], on: [slow], slower_than: 1h}]\n", id="rules"),
        pytest.param(JOB + "callback: {url: 'http://[::1]:8080/a?b=c', secret: {from_file: k}}\n", id="callback"),
    ],
)
def test_what_is_sound_says_nothing(text: str) -> None:
    assert said(text) == []
    assert loaded(text).jobs or loaded(text).documents


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        pytest.param("quiet_hours: {from: '25:00'}", "4:22 JOB049 `25:00` is not a time of day", id="no-time"),
        pytest.param("quiet_hours: {days: caturday}", "4:21 JOB049 `caturday` is not a day", id="no-day"),
        pytest.param("quiet_hours: {}", "4:1 JOB049 these quiet hours never end", id="never-end"),
        pytest.param("quiet_hours: {from: '09:00', to: '09:00'}", "4:34 JOB049 this window ends when", id="empty"),
        pytest.param("digest: sometimes", "4:9 JOB040", id="no-schedule"),
        pytest.param("digest: '@reboot'", "4:9 JOB040 a digest cannot come `@reboot`", id="no-instants"),
        pytest.param("digest: 'CRON_TZ=Mars/Base 0 8 * * *'", "4:18 JOB040 there is no time zone", id="digest-zone"),
        pytest.param("timezone: Europe/Berln", "4:11 JOB042 there is no time zone", id="no-zone"),
        pytest.param("template: {title: 'a {{ jbo }}'}", "4:22 JOB048 `{{ jbo }}` stands for nothing", id="template"),
        pytest.param("rate: {max: 0}", "4:13 JOB033 `rate.max` must be at least 1", id="rate"),
        pytest.param("group: soon", "4:8 JOB035", id="group"),
        pytest.param("url: a", "4:1 JOB030 unknown key `url` = `urls` is already given", id="misspelt"),
    ],
)
def test_what_is_wrong_with_a_notifier_is_told_at_its_place(text: str, finding: str) -> None:
    (told,) = said(f"{NOTIFIER}{text}\n")
    assert told.startswith(finding)
    assert list(loaded(f"{NOTIFIER}{text}\n").invalid_documents) == ["Notifier:ops"]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        pytest.param("notify: ops", "3:9 JOB032 `notify` must be a list", id="no-list"),
        pytest.param("notify: [ops]", "3:10 JOB032 `notify[0]` must be a mapping", id="no-mapping"),
        pytest.param("notify: [{on: [slow]}]", "3:10 JOB031 `to` is missing", id="nobody"),
        pytest.param("notify: [{to: a, on: []}]", "3:18 JOB033 `notify[0].on` must not be empty", id="nothing"),
        pytest.param("notify: [{to: a, on: [slow]}]", "3:18 JOB037 `on: [slow]` needs `slower_than`", id="slow"),
        pytest.param("notify: [{to: a, on: [fail]}]", "3:23 JOB033 `notify[0].on[0]` must be `failure`", id="no-word"),
        pytest.param("notify: [{to: A}]", "3:15 JOB034", id="no-name"),
        pytest.param("notify: [{to: [a, a]}]", "3:19 JOB037 `a` is in `to` twice", id="twice"),
        pytest.param("notify: [{to: a, slower_than: 1h}]", "3:18 JOB043 `notify[0].slower_than` has no", id="idle"),
        pytest.param(
            "notify: [{to: a, failures: 9}]", "3:18 JOB043 `notify[0].failures` has no effect", id="idle-count"
        ),
        pytest.param("callback: {url: 'https://a.b/c'}", "3:1 JOB031 `secret` is missing", id="no-key"),
        pytest.param(
            "callback: {url: a.b/c, secret: {from_env: A}}", "3:17 JOB033 `callback.url` must", id="no-scheme"
        ),
        pytest.param("callback: {url: 'http://u:p@a', secret: {from_env: A}}", "3:17 JOB033", id="a-user"),
    ],
)
def test_what_is_wrong_in_a_job_is_told_at_its_place(text: str, finding: str) -> None:
    (told,) = said(f"{JOB}{text}\n")
    assert told.startswith(finding)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        pytest.param(f"slack://{TOKEN}", "the token of a service", id="a-service"),
        pytest.param("mailtos://me:hunter2x@example.com", "the password of a URL", id="a-password"),
        pytest.param("jsons://example.com/a8f7d6e5c4b3a291d0", "what seems to be a token", id="a-random-part"),
    ],
)
def test_a_secret_in_an_address_is_a_warning_and_not_shown(url: str, what: str) -> None:
    found = loaded(f'kind: Notifier\nname: ops\nurls: ["{url}"]\n')
    assert [document.name for document in found.documents] == ["ops"]
    (told,) = found.diagnostics
    assert (told.code, told.severity, told.message) == ("JOB074", "warning", f"the address holds {what} in clear")
    assert not any(secret in str(told) + str(told.source_line) for secret in (TOKEN, "hunter2x", "a8f7d6e5c4"))


@pytest.mark.parametrize(
    "url", ["mailto://localhost?to=ops@example.com", "json://127.0.0.1:8080/hooks/backup", "syslog://", "dbus://x"]
)
def test_an_address_without_a_secret_is_no_warning(url: str) -> None:
    assert said(f'kind: Notifier\nname: ops\nurls: ["{url}"]\n') == []


def test_two_notifiers_of_one_name_are_both_wrong() -> None:
    assert [each.split(" ")[1] for each in said(f"{NOTIFIER}---\n{NOTIFIER}")] == ["JOB050", "JOB050"]
