"""Whatever a crontab or a unit file holds: it is read or refused with its place, and what is written is sound."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cli.importing.checking import read_back
from cli.importing.crontab.reader import read_crontab
from cli.importing.imported import Import, SourceText
from cli.importing.systemd.reader import read_systemd
from cli.importing.writing import write_document, write_shared
from specs.load import load_bytes
from tests.importing.corpora import home_of

PIECES = st.sampled_from(
    [
        "0 1 * * *", "@daily", "*/5 * * * *", "1-3,7 0~5 * jan-mar 1,7", "5-5 22-2 * * *", "-0 1 * * *", " run ",
        "cd /a && ", "%", "\\%", "\\", "'", '"', "$X", "<<END", "# c", "\t", " | ", "; ", "\u00e9", "\x07",
        "MAILTO=", "A=b", "SHELL=/bin/fish", "\n", "\n\n", "CRON_TZ=Asia/Tokyo", "H", "root", ">x 2>&1", "@reboot",
        "{{ x }}", "\u202e", "\r", "0 0 31 2 *", "\nMAILTO=ops@example.com,root",
        "\nMAILFROM=a@b.cd", "@b.org,", "\n@daily x\n",
    ]
)  # fmt: skip
VALUES = st.sampled_from(
    [
        "daily", "Mon *-*-1..7 4:00", "*-*~1", "1h", "infinity", "", "yes", "/bin/a 'b", "/bin/a %i ${X} $$",
        "-/bin/b", "a=b", "/bin/sh -c 'x; y'", "512M", "150%", "~", "0777", "@/bin/a", "\\x41",
        "*:0/7 Europe/Berlin", "2027-02-30 1:00", "9999", ";",
        "tell@%n.service a.service", "mail -s x ops@example.com %n",
    ]
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "OnCalendar", "OnBootSec", "OnUnitActiveSec", "OnUnitInactiveSec", "RandomizedDelaySec", "Persistent",
        "ExecStart", "ExecStartPre", "User", "UMask", "Environment", "EnvironmentFile", "WorkingDirectory",
        "TimeoutStartSec", "MemoryMax", "CPUQuota", "TasksMax", "LimitNOFILE", "Restart", "RestartSec",
        "SuccessExitStatus", "Nice", "IOSchedulingClass", "OnFailure", "Unit", "Type", "PassEnvironment",
        "AccuracySec", "OnSuccess",
    ]
)  # fmt: skip
ASSIGNMENTS = st.lists(st.tuples(KEYS, VALUES).map("=".join), max_size=8).map("\n".join)


def sound(made: Import) -> None:
    for job in made.jobs:
        document = write_document(job)
        spec, errors = read_back(document, "a.yaml", "UTC")
        assert spec is not None or all(each.code in ("JOB004", "JOB040") for each in errors), (document, errors)
    for each in made.shared:
        assert not load_bytes(write_shared(each).encode(), "a.yaml").diagnostics, write_shared(each)
    assert all(finding.line >= 1 and finding.column >= 1 for finding in made.unreadable)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(text=st.lists(PIECES, max_size=14).map("".join), system=st.booleans())
def test_any_crontab(text: str, system: bool) -> None:
    source = SourceText("c", text)
    sound(read_crontab(source, system=system, user=None, timezone="UTC", timezone_given=True, home_of=home_of))


@settings(derandomize=True, max_examples=150, deadline=None)
@given(timer=ASSIGNMENTS, service=ASSIGNMENTS, unit=ASSIGNMENTS)
def test_any_units(timer: str, service: str, unit: str) -> None:
    files = [
        SourceText("a.timer", f"[Timer]\n{timer}\n"),
        SourceText("tell@.service", "[Service]\nExecStart=mail root\n"),
        SourceText("a.service", f"[Unit]\n{unit}\n[Service]\n{service}\nExecStart=/bin/x\n"),
    ]
    sound(read_systemd(files, timezone="Europe/Berlin", timezone_given=True, home_of=home_of))
