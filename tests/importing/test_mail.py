"""Mail of other systems: what apprise makes of the addresses written, and who is told of which job."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.importing.crontab.reader import read_crontab
from cli.importing.imported import Import, Imported, SourceText
from cli.importing.naming import Names
from cli.importing.notifiers import Mail, Notifiers, address, is_server, rules
from cli.importing.writing import write_document, write_shared
from tests.importing.corpora import home_of, sound

PEOPLE = st.sampled_from(
    ["ops@example.com", "root@localhost", "a.b+nightly@sub.example.org", "www-data@localhost", "x_1@a-b.io", "9@ab.cd"]
)
HOSTS = st.sampled_from(["localhost", "mail.example.com", "mailpit", "10.0.0.25", "a.example.org"])
MAILS = st.builds(
    Mail,
    to=st.lists(PEOPLE, min_size=1, max_size=4, unique=True).map(tuple),
    sender=PEOPLE,
    host=HOSTS,
    port=st.sampled_from([None, 25, 587, 1025]),
    security=st.sampled_from(["", "starttls", "ssl"]),
    user=st.sampled_from(["", "cron", "me@example.com", "a b/c:d?e"]),
)


@cache
def plugin() -> Any:
    """The one for mails, and no other: to ask apprise for it loads all 130."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        from apprise.plugins.email import NotifyEmail

    return NotifyEmail


def parsed(url: str) -> Any:
    """As apprise reads it."""
    assert url.partition(":")[0] in (plugin().protocol, plugin().secure_protocol)
    return plugin()(**plugin().parse_url(url))


@settings(derandomize=True, max_examples=120, deadline=None)
@given(mail=MAILS)
def test_apprise_reads_an_address_as_it_was_meant(mail: Mail) -> None:
    made: Any = parsed(mail.url())
    assert sorted(each for _, each in made.targets) == sorted(mail.to)
    assert made.from_addr[1] == mail.sender
    assert f"{made.smtp_host}:{made.port}" == mail.server
    assert made.secure_mode == (mail.security or "insecure")
    assert (made.user or "", made.password or "") == (mail.user, "PASSWORD" if mail.user else "")


@settings(derandomize=True, max_examples=200, deadline=None)
@given(text=st.text("ab1.@+-_%!|$'\" ", min_size=1, max_size=14))
def test_what_is_taken_for_a_mail_address_apprise_takes_too(text: str) -> None:
    known = address(text)
    if known is not None:
        made: Any = parsed(Mail((known,)).url())
        assert [each for _, each in made.targets] == [known]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(host=st.text("ab1.-_:[", min_size=1, max_size=10))
def test_what_is_taken_for_a_mail_server_apprise_takes_too(host: str) -> None:
    if is_server(host):
        made: Any = parsed(Mail(("ops@example.com",), host=host).url())
        assert made.smtp_host == host


@pytest.mark.parametrize(
    ("text", "known"),
    [
        pytest.param("ops@example.com", "ops@example.com", id="an_address"),
        pytest.param("root", "root@localhost", id="a_mailbox"),
        pytest.param("a+b@example.com", "a+b@example.com", id="a_plus"),
        pytest.param("ops@db1", None, id="apprise_takes_no_short_host"),
        pytest.param("|/bin/sh", None, id="a_program"),
        pytest.param("$USER", None, id="a_variable"),
        pytest.param("a@b@c.de", None, id="two_signs"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_addresses(text: str, known: str | None) -> None:
    assert address(text) == known


def test_the_same_people_have_one_notifier_in_whatever_order():
    made = Notifiers(Names())
    assert made.name_of(Mail(("a@x.org", "b@x.org"))) == made.name_of(Mail(("b@x.org", "a@x.org"))) == "mail-a-b"
    assert made.name_of(Mail(("a@x.org",))) == "mail-a"
    assert made.name_of(Mail(("a@y.org",))) == "mail-a-y-org"
    assert made.name_of(Mail(("a@y.org",), sender="cron@y.org")) == "mail-a-2"
    assert len(made.documents()) == 4


def test_a_password_is_asked_for_in_a_file():
    made = Notifiers(Names())
    made.name_of(Mail(("ops@x.org",), "me@x.org", "smtp.x.org", 465, "ssl", "me", "in the variable SMTP_PASSWORD"))
    assert write_shared(made.documents()[0]) == (
        "# /etc/jobsctl/mail-ops-url holds one line, with the password instead of PASSWORD\n"
        "# (it was in the variable SMTP_PASSWORD):\n"
        "#   mailtos://me:PASSWORD@smtp.x.org/ops@x.org?smtp=smtp.x.org&mode=ssl&from=me@x.org\n"
        "# Needs jobsctl[notify]. Try it with `jobsctl notify test mail-ops`.\n"
        "kind: Notifier\n"
        "name: mail-ops\n"
        "urls:\n"
        "  - from_file: /etc/jobsctl/mail-ops-url\n"
    )


def test_who_is_told_the_same_stands_in_one_rule():
    assert rules([("a", "failure"), ("b", "failure"), ("c", "success"), ("a", "failure")]) == [
        {"to": ["a", "b"], "on": ["failure", "recovery"]},
        {"to": "c", "on": ["success"]},
    ]
    assert rules([("a", "success"), ("a", "failure")]) == [{"to": "a", "on": ["failure", "recovery", "success"]}]


class TestMailto:
    def imported(self, text: str) -> Import:
        made = read_crontab(
            SourceText("c", text), system=False, user=None, timezone="UTC", timezone_given=True, home_of=home_of
        )
        assert sound(made)
        return made

    def told(self, made: Import) -> list[str | None]:
        return [job.tree["notify"][0]["to"] if "notify" in job.tree else None for job in made.jobs]

    def urls(self, made: Import) -> list[str]:
        return [each.tree["urls"][0] for each in made.shared]

    def levels(self, job: Imported) -> dict[str, str]:
        return {note.what: note.level for note in job.notes}

    def test_the_people_are_told_of_failures_by_the_mail_server_of_the_machine(self):
        made = self.imported("MAILTO=ops@example.com\n0 1 * * * a\n")
        assert made.jobs[0].tree["notify"] == [{"to": "mail-ops", "on": ["failure", "recovery"]}]
        assert self.urls(made) == ["mailto://localhost/ops@example.com?from=root@localhost"]
        assert self.levels(made.jobs[0]) == {"MAILTO": "changed"}
        rule, server = made.jobs[0].notes
        assert "however it ended" in rule.why and "`success`" in (rule.hint or "")
        assert "localhost:25" in server.why and "jobsctl[notify]" in (server.hint or "")

    def test_it_is_for_the_entries_below_and_nobody_above(self):
        made = self.imported(
            "0 1 * * * a\nMAILTO=ops@example.com\n0 2 * * * b\nMAILTO=dev@example.com\n0 3 * * * c\n"
            'MAILTO=""\n0 4 * * * d\nMAILTO=ops@example.com\n0 5 * * * e\n'
        )
        assert self.told(made) == [None, "mail-ops", "mail-dev", None, "mail-ops"]
        assert len(made.shared) == 2
        assert [note.origin.line for note in made.notes if note.what == "no MAILTO"] == [1]

    def test_an_empty_one_tells_nobody_and_says_nothing(self):
        made = self.imported('MAILTO=""\nMAILFROM=x\nCONTENT_TYPE=text/html\n0 1 * * * a\n')
        assert (self.told(made), made.shared, made.jobs[0].notes) == ([None], (), ())
        assert not [note for note in made.notes if "MAIL" in note.what]

    def test_several_people_are_one_notifier(self):
        made = self.imported("MAILTO=ops@example.com, dev@example.com\n0 1 * * * a\n")
        assert self.urls(made) == ["mailto://localhost/ops@example.com/dev@example.com?from=root@localhost"]
        assert self.told(made) == ["mail-ops-dev"]

    def test_a_user_is_a_mailbox_of_this_machine_and_told(self):
        made = self.imported("MAILTO=zack\n0 1 * * * a\n")
        assert self.urls(made) == ["mailto://localhost/zack@localhost?from=root@localhost"]
        assert any("written as zack@localhost" in note.why for note in made.jobs[0].notes)

    def test_what_is_no_address_is_lost_and_the_others_are_not(self):
        made = self.imported("MAILTO=$ME,ops@example.com\n0 1 * * * a\nMAILTO=|x\n0 2 * * * b\n")
        assert self.told(made) == ["mail-ops", None]
        assert [note.why for job in made.jobs for note in job.notes if note.level == "lost"] == [
            "'$ME' is no mail address: nobody is told there",
            "'|x' is no mail address: nobody is told there",
        ]

    @pytest.mark.parametrize(
        ("value", "sender"),
        [
            pytest.param("cron@example.com", "cron@example.com", id="an_address"),
            pytest.param("Cron Daemon <cron@example.com>", "cron@example.com", id="with_a_name"),
            pytest.param("cron", "cron@localhost", id="a_user"),
            pytest.param("(no one)", "root@localhost", id="none"),
        ],
    )
    def test_mailfrom_is_the_sender(self, value, sender):
        made = self.imported(f"MAILTO=ops@example.com\nMAILFROM={value}\n0 1 * * * a\n")
        assert self.urls(made) == [f"mailto://localhost/ops@example.com?from={sender}"]
        assert self.levels(made.jobs[0])["MAILFROM"] == ("lost" if value == "(no one)" else "info")

    @pytest.mark.parametrize(
        ("value", "level"),
        [
            pytest.param("text/html; charset=utf-8", "lost", id="html"),
            pytest.param("text/plain; charset=iso-8859-1", None, id="plain"),
        ],
    )
    def test_mails_are_plain_text(self, value, level):
        made = self.imported(f"MAILTO=ops@example.com\nCONTENT_TYPE={value}\n0 1 * * * a\n")
        assert self.levels(made.jobs[0]).get("CONTENT_TYPE") == level

    def test_a_job_without_output_is_told_of_too_and_that_is_said(self):
        quiet = "0 1 * * * a > /dev/null 2>&1\n"
        loud, silent = (self.imported(mail + quiet).jobs[0] for mail in ("MAILTO=ops@example.com\n", 'MAILTO=""\n'))
        assert [next(note.why for note in job.notes if note.what.startswith("> /dev")) for job in (loud, silent)] == [
            "kept; cron has nothing to mail then; here a failure is told all the same, without the output",
            "kept; not needed; jobsctl keeps output, and mails none",
        ]

    def test_a_job_called_like_a_notifier_keeps_its_name(self):
        made = self.imported("MAILTO=ops@example.com\n0 1 * * * mail-ops\n")
        assert ([job.name for job in made.jobs], self.told(made)) == (["mail-ops"], ["mail-ops-example-com"])

    def test_it_reads_as_the_docs_write_it(self):
        made = self.imported("MAILTO=ops@example.com\n0 1 * * * a\n")
        assert write_document(made.jobs[0]).endswith(
            "missed: skip\nnotify:\n  - to: mail-ops\n    on: [failure, recovery]\n"
        )
        assert write_shared(made.shared[0]) == (
            "# A mail server must listen on localhost:25 of the daemon's machine: postfix and exim do, msmtp and\n"
            "# nullmailer do not.\n"
            "# Servers elsewhere may refuse mail from root@localhost: write an address of yours after `from=`.\n"
            "# Needs jobsctl[notify]. Try it with `jobsctl notify test mail-ops`.\n"
            "kind: Notifier\n"
            "name: mail-ops\n"
            'urls: ["mailto://localhost/ops@example.com?from=root@localhost"]\n'
        )
