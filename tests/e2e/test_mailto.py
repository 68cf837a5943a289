"""A crontab with MAILTO, moved in: the job fails, and who cron would have mailed gets a mail, from a real daemon."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from state.outbox.reads import OutboxReader
from tests.household import Household, eventually
from tests.notifying.receivers import Received, mail_receiver

CRONTAB = """\
MAILTO=ops@example.com, root
MAILFROM=cron@example.com
HOME={folder}
# Once a year, so that only the test starts them.
@yearly ./report
MAILTO=""
@yearly ./quiet
"""
SCRIPT = "#!/bin/sh\necho 'no space left' >&2\nexit 1\n"


def letters(received: Received, count: int) -> list[tuple[list[str], EmailMessage]]:
    received.wait_for(count, 60.0)
    made = []
    for people, text in received.letters:
        letter = email.message_from_string(text, policy=default)
        assert isinstance(letter, EmailMessage)
        made.append((people, letter))
    return made


def watching(household: Household) -> bool:
    """The notify process knows where the events end: what comes now is news."""
    if not household.home.outbox.exists():
        return False
    with OutboxReader(household.home.outbox) as outbox:
        return bool(outbox._rows("SELECT value FROM meta WHERE key = 'cursor'", ()))


def test_who_cron_would_have_mailed_is_mailed_a_failure(household: Household, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("report", "quiet"):
        (folder / name).write_text(SCRIPT)
        (folder / name).chmod(0o755)
    crontab = tmp_path / "crontab"
    crontab.write_text(CRONTAB.format(folder=folder))
    household.jobsctl("import", "crontab", str(crontab), "--check", "--write", str(household.home.specs))
    notifier = household.home.specs / "mail-ops-root.yaml"
    written = notifier.read_text()
    assert "mailto://localhost/ops@example.com/root@localhost?from=cron@example.com" in written
    with mail_receiver() as received:
        # Port 25 is the machine's own; and a test does not wait for what else might come within 30 seconds.
        edited = written.replace("mailto://localhost/", f"mailto://localhost:{received.port}/") + "group: 0.05\n"
        household.commit({notifier.name: edited}, "from cron")
        household.start()
        eventually(lambda: watching(household), "somebody watches")
        for name in ("quiet", "report"):
            household.jobsctl("trigger", name)
        found = letters(received, 2)
        assert sorted(people for people, _ in found) == [["ops@example.com"], ["root@localhost"]]
        for _, letter in found:
            body = letter.get_body(("plain",))
            assert letter["from"].addresses[0].addr_spec == "cron@example.com"
            assert "default/report" in letter["subject"]
            assert body is not None and "no space left" in body.get_content()
        assert household.stop() == 0
    assert len(received.letters) == 2, "the job with an empty MAILTO told somebody"
