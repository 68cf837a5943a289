"""Crontabs of public repositories: each is read, written as sound documents, and starts at the same instants."""

from __future__ import annotations

import pytest

from cli.importing.crontab.reader import read_crontab
from cli.importing.imported import Import, SourceText
from cli.importing.writing import write_document
from tests.importing.corpora import Found, checked, corpus, home_of, sound

CRONTABS = corpus("crontabs.txt")
UNREADABLE = {"2t0m/listenbrainz-docker": [3], "APSL/apcron": [2, 3]}
"""A template that is filled in later, and lines with seconds: Debian's cron refuses both."""
EMPTY = {"SmartDataProjects/dynamo"}
"""Every line is commented out."""


def imported(found: Found, zone: str = "UTC") -> Import:
    return read_crontab(
        SourceText("crontab", found.text),
        system=found.system,
        user=None,
        timezone=zone,
        timezone_given=True,
        home_of=home_of,
    )


def test_there_are_enough_of_them():
    assert len(CRONTABS) >= 30
    assert sum(len(imported(found).jobs) for found in CRONTABS) >= 75


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("found", CRONTABS, ids=str)
def test_a_real_crontab_starts_when_cron_would_have_started_it(found: Found, zone: str) -> None:
    made = imported(found, zone)
    assert [finding.line for finding in made.unreadable] == UNREADABLE.get(str(found), [])
    assert bool(made.jobs) is (str(found) not in EMPTY | UNREADABLE.keys())
    assert len({job.name for job in made.jobs}) == len(made.jobs)
    for job in made.jobs:
        outcome = checked(job, zone)
        assert outcome.state == "same", (job.name, outcome)
        assert outcome.compared >= 28 or job.tree["schedule"] == "@reboot"


@pytest.mark.parametrize("found", CRONTABS, ids=str)
def test_all_of_a_real_crontab_is_valid_together(found: Found) -> None:
    made = imported(found)
    assert sound(made)
    told = {rule["to"] for job in made.jobs for rule in job.tree.get("notify", [])}
    assert told == {each.tree["name"] for each in made.shared}


def test_real_crontabs_mail_to_people_and_to_nobody():
    told = {str(found): [job.tree.get("notify") for job in imported(found).jobs] for found in CRONTABS}
    assert sum(any(rules) for rules in told.values()) >= 3
    assert sum(not any(rules) for rules in told.values()) >= 20


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("NetBSD/src", ["daily", "weekly", "monthly"]),
        (
            "RealOrangeOne/website",
            [
                "manage-update-index",
                "manage-clearsessions",
                "manage-update-unsplash-photos",
                "manage-publish-scheduled-pages",
            ],
        ),
        (
            "NitLab/NITOS-Scheduler",
            ["frequencies-check", "reservations-check", "frequencies-check-2", "reservations-check-2"],
        ),
        ("Wotuu/keystone.guru.vagrant", ["artisan-schedule-run"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_say_what_runs(source: str, names: list[str]) -> None:
    (found,) = (each for each in CRONTABS if str(each) == source)
    assert [job.name for job in imported(found).jobs] == names


def test_the_usual_header_is_no_description():
    (found,) = (each for each in CRONTABS if str(each) == "AVerm/dotfiles")
    (job,) = imported(found).jobs
    assert job.tree["description"] == 'Add "> /dev/null 2>&1" to the end of commands to silence output'


def test_a_missing_line_break_at_the_end_is_told():
    made = read_crontab(
        SourceText("c", "0 1 * * * a\n0 2 * * * b"),
        system=False,
        user=None,
        timezone="UTC",
        timezone_given=True,
        home_of=home_of,
    )
    assert "no line break" in next(note.why for note in made.notes if note.what == "the last line")


def test_a_document_reads_as_a_person_would_have_written_it():
    (found,) = (each for each in CRONTABS if str(each) == "T0astBread/easymark-server-config")
    assert write_document(imported(found, "Europe/Berlin").jobs[2]) == (
        "name: back-up-to-cloud-storage-daily\n"
        'schedule: "36 3 * * *"\n'
        "timezone: Europe/Berlin\n"
        "run:\n"
        "  command: [/home/admin/config/scripts/back-up-to-cloud-storage, daily, nearline]\n"
        "  working_dir: /home/admin/config\n"
        "  user: root\n"
        "env:\n"
        "  PATH: /usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin\n"
        "overlap: allow\n"
        "missed: skip\n"
    )
