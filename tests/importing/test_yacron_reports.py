"""Reports of yacron: mails become notifiers without their passwords, the rest is told."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from cli.importing.imported import Import, SourceText
from cli.importing.writing import write_document, write_shared
from tests.importing.corpora import sound
from tests.importing.foreign import read, read_text

MAIL = {"from": "cron@example.com", "to": "ops@example.com", "smtpHost": "mail.example.com"}
SECRET = "dontshowme1"
SLACK = f"https://hooks.slack.com/services/T00000000/B00000000/{SECRET}"


def imported(jobs: dict[str, dict[str, Any]], **defaults: Any) -> Import:
    """`name: settings` of each job."""
    listed = [{"name": name, "command": "date", "schedule": "@daily", **more} for name, more in jobs.items()]
    made = read_text("yacron", yaml.safe_dump({"defaults": defaults, "jobs": listed} if defaults else {"jobs": listed}))
    assert not made.unreadable, [str(each) for each in made.unreadable]
    assert sound(made)
    return made


def mailed(key: str = "onFailure", retry: dict[str, Any] | None = None, **mail: Any) -> Import:
    return imported({"x": {key: {"report": {"mail": {**MAIL, **mail}}, **({"retry": retry} if retry else {})}}})


def notify(made: Import) -> list[Any]:
    return [job.tree.get("notify") for job in made.jobs]


def urls(made: Import) -> list[Any]:
    return [each.tree["urls"][0] for each in made.shared]


def whys(made: Import) -> list[tuple[str, str]]:
    return [(note.level, note.why) for job in made.jobs for note in job.notes if "report" in note.what]


@pytest.mark.parametrize(
    ("key", "on"),
    [
        pytest.param("onFailure", ["failure", "recovery"], id="failure"),
        pytest.param("onPermanentFailure", ["failure", "recovery"], id="permanent_failure"),
        pytest.param("onSuccess", ["success"], id="success"),
    ],
)
def test_a_mail_becomes_a_notifier(key, on):
    made = mailed(key)
    assert notify(made) == [[{"to": "mail-ops", "on": on}]]
    assert urls(made) == ["mailto://mail.example.com/ops@example.com?from=cron@example.com"]
    assert all(level == "changed" for level, _ in whys(made))


def test_all_three_make_one_rule_of_one_notifier():
    made = imported(
        {"x": {key: {"report": {"mail": MAIL}} for key in ("onFailure", "onPermanentFailure", "onSuccess")}}
    )
    assert notify(made) == [[{"to": "mail-ops", "on": ["failure", "recovery", "success"]}]]
    assert len(made.shared) == 1


def test_defaults_tell_of_all_jobs_and_a_job_may_tell_others():
    made = imported(
        {"a": {}, "b": {"onFailure": {"report": {"mail": {**MAIL, "to": "dev@example.com"}}}}},
        onFailure={"report": {"mail": MAIL}},
    )
    assert [rules[0]["to"] for rules in notify(made)] == ["mail-ops", "mail-dev"]


@pytest.mark.parametrize(
    ("mail", "url"),
    [
        pytest.param({"smtpPort": 2525},
                     "mailto://mail.example.com:2525/ops@example.com?from=cron@example.com", id="port"),
        pytest.param({"tls": True, "smtpPort": 465},
                     "mailtos://mail.example.com/ops@example.com?mode=ssl&from=cron@example.com", id="tls"),
        pytest.param({"starttls": True},
                     "mailtos://mail.example.com:25/ops@example.com?mode=starttls&from=cron@example.com",
                     id="starttls"),
        pytest.param({"to": "Ops <ops@example.com>, b@example.com"},
                     "mailto://mail.example.com/ops@example.com/b@example.com?from=cron@example.com", id="several"),
        pytest.param({"from": "Yacron <cron@example.com>"},
                     "mailto://mail.example.com/ops@example.com?from=cron@example.com", id="a_name"),
        pytest.param({"username": "me"}, "mailto://mail.example.com/ops@example.com?from=cron@example.com",
                     id="no_login_without_a_password"),
    ],
)  # fmt: skip
def test_the_server_is_carried_over(mail, url):
    assert urls(mailed(**mail)) == [url]


def test_without_a_server_it_is_the_one_of_this_machine():
    made = imported({"x": {"onFailure": {"report": {"mail": {"from": "cron@example.com", "to": "ops@example.com"}}}}})
    assert urls(made) == ["mailto://localhost/ops@example.com?from=cron@example.com"]
    assert "# A mail server must listen on localhost:25" in write_shared(made.shared[0])


@pytest.mark.parametrize(
    ("password", "where"),
    [
        pytest.param({"value": SECRET}, "in clear in yacron's configuration", id="in_clear"),
        pytest.param({"fromFile": "/run/secrets/smtp"}, "in /run/secrets/smtp", id="in_a_file"),
        pytest.param({"fromFile": "/run/a\nb: c"}, "in /run/a b: c", id="in_an_odd_file"),
        pytest.param({"fromEnvVar": "SMTP_PASSWORD"}, "in yacron's variable SMTP_PASSWORD", id="in_a_variable"),
    ],
)
def test_a_password_is_never_copied(password, where):
    made = mailed(username="me@example.com", password=password, starttls=True, smtpPort=587)
    (notifier,) = made.shared
    assert notifier.tree["urls"] == [{"from_file": "/etc/jobsctl/mail-ops-url"}]
    text = write_shared(notifier)
    assert f"# (it was {where}):\n" in text
    assert "mailtos://me%40example.com:PASSWORD@mail.example.com/ops@example.com?" in text
    assert "/etc/jobsctl/mail-ops-url is to hold the address" in " ".join(why for _, why in whys(made))
    written = "".join([text, write_document(made.jobs[0]), *(str(note) for note in made.jobs[0].notes)])
    assert SECRET not in written
    assert yaml.load(text, yaml.BaseLoader)["kind"] == "Notifier"


@pytest.mark.parametrize(
    ("mail", "level", "why"),
    [
        pytest.param(
            {"subject": "a", "html": True}, "changed", "subject, html: jobsctl mails words of its own", id="words"
        ),
        pytest.param({"tls": True}, "changed", "does not look at the mail server's certificate", id="certificates"),
        pytest.param({"to": "ops"}, "lost", "'ops' is no mail address", id="no_address"),
        pytest.param({"from": "me@b"}, "lost", "the sender 'me@b' cannot be said", id="no_sender"),
        pytest.param({"smtpHost": "my_mail"}, "lost", "the mail server 'my_mail' cannot be said", id="no_server"),
    ],
)
def test_what_is_different_here_is_said(mail, level, why):
    made = mailed(**mail)
    assert any(each == level and why in text for each, text in whys(made))
    assert (notify(made) == [None]) is (level == "lost")


def test_retries_are_not_told_and_that_is_said():
    retry = {"maximumRetries": 3, "initialDelay": 1, "maximumDelay": 9, "backoffMultiplier": 2}
    assert "yacron mails of each attempt that fails" in whys(mailed(retry=retry))[0][1]
    assert "yacron mails of each run that fails" in whys(mailed("onPermanentFailure"))[0][1]


@pytest.mark.parametrize(
    "report",
    [
        pytest.param({"mail": {"from": None, "to": None}}, id="mail"),
        pytest.param({"sentry": {"dsn": {"value": None}}}, id="sentry"),
        pytest.param({"sentry": {"level": "error"}}, id="sentry_without_dsn"),
    ],
)
def test_what_is_switched_off_is_no_loss(report):
    made = imported({"x": {"onFailure": {"report": report}}})
    assert (notify(made), whys(made)) == ([None], [])


def test_sentry_is_lost():
    made = imported({"x": {"onFailure": {"report": {"sentry": {"dsn": {"fromEnvVar": "DSN"}}}}}})
    assert whys(made) == [("lost", "apprise knows no Sentry: nothing is sent there")]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        pytest.param("logger failed", "jobsctl starts no program at a job's end: nothing of it is run", id="any"),
        pytest.param(f"curl -d x {SLACK}", "it is not run; it posts to Slack, which a `Notifier` can do", id="slack"),
        pytest.param(
            ["curl", "-d", "a b", SLACK], "it is not run; it posts to Slack, which a `Notifier` can do", id="list"
        ),
    ],
)
def test_a_shell_report_is_lost_and_proposed_where_it_tells_somebody(command, why):
    made = imported({"x": {"onFailure": {"report": {"shell": {"command": command}}}}})
    assert whys(made) == [("lost", why)]
    assert SECRET not in write_document(made.jobs[0])
    assert ("# onFailure.report.shell: it posts to Slack" in write_document(made.jobs[0])) is ("Slack" in why)


def test_files_share_their_notifiers():
    one, two = (
        SourceText(f"{name}.yaml", yaml.safe_dump({"jobs": [{
            "name": name, "command": "a", "schedule": "@daily", "onFailure": {"report": {"mail": MAIL}}}]}))
        for name in "ab"
    )  # fmt: skip
    made = read("yacron", one, two)
    assert [rules[0]["to"] for rules in notify(made)] == ["mail-ops", "mail-ops"]
    assert len(made.shared) == 1
