"""Commands that only tell somebody: recognized where it is obvious, proposed as a comment, without their secrets."""

from __future__ import annotations

import pytest

from cli.importing.alerts import alert_of
from cli.importing.imported import Import, SourceText
from cli.importing.systemd.reader import read_systemd
from cli.importing.writing import write_document
from tests.importing.corpora import home_of, sound

SLACK = "https://hooks.slack.com/services/T00000000/B00000000/dontshowme"
BACKUP = "[Unit]\nOnFailure=%s\n[Service]\nType=oneshot\nExecStart=/bin/backup\n"
TIMER = "[Timer]\nOnCalendar=daily\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param("/usr/local/bin/systemd-email ops@example.com %i", "it mails ops@example.com", id="a_script"),
        pytest.param("systemctl status x | mail -s 'x failed' root", "it mails root@localhost", id="to_a_user"),
        pytest.param(
            "/bin/sh -c 'date | mailx -s \"a b\" ops@example.com'", "it mails ops@example.com", id="in_a_shell"
        ),
        pytest.param("mail -r me@x.org -s you@x.org ops@example.com", "it mails ops@example.com", id="not_the_sender"),
        pytest.param("a && /usr/sbin/sendmail -t", "it mails somebody", id="to_whom_it_does_not_say"),
        pytest.param("mail -s 'a; b' root", "it mails somebody", id="a_quote_that_is_cut"),
        pytest.param(f"curl -d @- {SLACK}", "it posts to Slack", id="slack"),
        pytest.param("curl -d failed ntfy.sh/mytopic", "it posts to ntfy", id="ntfy"),
        pytest.param("wget --post-data=x https://example.com/hook", "it posts to example.com", id="a_webhook"),
        pytest.param("curl -fsS https://hc-ping.com/uuid", None, id="a_ping"),
        pytest.param("curl -o x https://example.com/data", None, id="a_download"),
        pytest.param("/usr/bin/fetchmail ops@example.com", None, id="mail_that_comes"),
        pytest.param("rsync /var/mail x@host.example.com:/y", None, id="a_folder"),
        pytest.param("echo mail ops@example.com", None, id="a_word"),
        pytest.param("systemctl restart postfix", None, id="something_else"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_what_a_command_tells_whom(command: str, words: str | None) -> None:
    found = alert_of(command)
    assert (found.words if found is not None else None) == words


def imported(handler: str, *, failure: str = "tell@%n.service", name: str = "tell@.service") -> Import:
    sources = [
        SourceText("backup.timer", TIMER),
        SourceText("backup.service", BACKUP % failure),
        SourceText(name, f"[Service]\nType=oneshot\nExecStart={handler}\n"),
    ]
    made = read_systemd(sources, timezone="UTC", timezone_given=True, home_of=home_of)
    assert sound(made)
    return made


def test_a_unit_that_mails_is_proposed_as_a_notifier_and_is_no_job():
    made = imported("/usr/local/bin/systemd-email ops@example.com %i")
    (job,) = made.jobs
    assert write_document(job).startswith(
        "# OnFailure=tell@backup.service.service\n"
        "# Here a `Notifier` does that: `notify: [{to: mail-ops, on: [failure]}]`, and\n"
        "#   kind: Notifier\n"
        "#   name: mail-ops\n"
        '#   urls: ["mailto://localhost/ops@example.com?from=root@localhost"]\n'
        "name: backup\n"
    )
    assert "notify" not in job.tree and made.shared == ()
    (lost,) = (note for note in job.notes if note.level == "lost")
    assert lost.why.endswith("is not started; it mails ops@example.com, which a `Notifier` can do")
    assert [(note.what, note.why) for note in made.notes] == [
        ("tell@.service", "OnFailure= of backup.service starts it to tell somebody: no job was made of it")
    ]


def test_no_token_of_a_webhook_is_repeated():
    made = imported(f"curl -d failed {SLACK}")
    text = write_document(made.jobs[0])
    assert "#   urls: [{from_file: /etc/jobsctl/slack-url}]\n" in text
    assert "# /etc/jobsctl/slack-url holds one line: slack://TokenA/TokenB/TokenC\n" in text
    said = [note.why for note in (*made.notes, *made.jobs[0].notes)]
    assert "dontshowme" not in text + "".join(said)


def test_a_unit_that_repairs_stays_a_job_that_is_triggered():
    made = imported("/usr/local/bin/repair", failure="repair.service", name="repair.service")
    assert [job.name for job in made.jobs] == ["backup", "repair"]
    (lost,) = (note for note in made.jobs[0].notes if note.level == "lost")
    assert lost.why == "repair.service is not started: nobody is told when this fails"


def test_a_unit_that_tells_of_success_is_proposed_for_success():
    sources = [
        SourceText("a.timer", TIMER),
        SourceText("a.service", "[Unit]\nOnSuccess=yes.service\n[Service]\nExecStart=/bin/a\n"),
        SourceText("yes.service", "[Service]\nExecStart=mail -s done root\n"),
    ]
    made = read_systemd(sources, timezone="UTC", timezone_given=True, home_of=home_of)
    (job,) = made.jobs
    assert job.comments[1].endswith("`notify: [{to: mail-root, on: [success]}]`, and")
