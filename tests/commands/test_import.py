"""`jobsctl import`: what goes where, exit codes, files that are written, and the report."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
import yaml

CRONTAB = """\
# Nightly dump
30 2 * * * /usr/local/bin/dump --all
*/5 * * * * /usr/local/bin/poll
"""
TIMER = "[Timer]\nOnCalendar=daily\nPersistent=true\n"
SERVICE = "[Unit]\nDescription=Dump\n[Service]\nType=oneshot\nExecStart=/usr/local/bin/dump\n"


@pytest.fixture
def crontab(tmp_path: Path) -> Path:
    file = tmp_path / "my.crontab"
    file.write_text(CRONTAB)
    return file


def test_yaml_goes_to_stdout_and_the_report_to_stderr(jobsctl, crontab):
    done = jobsctl("import", "crontab", crontab)
    assert done.code == 0
    first, second = yaml.safe_load_all(done.out)
    assert (first["name"], first["description"], first["schedule"]) == ("dump", "Nightly dump", "30 2 * * *")
    assert second["name"] == "poll"
    assert done.err.splitlines()[-2] == "Imported 2 jobs."


def test_what_is_printed_validates(jobsctl, crontab, monkeypatch):
    printed = jobsctl("import", "crontab", crontab, "--timezone", "Europe/Berlin").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(printed.encode())))
    assert jobsctl("validate", "-").code == 0


def test_a_crontab_can_come_from_standard_input(jobsctl, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CRONTAB.encode())))
    done = jobsctl("import", "crontab", "-", "-o", "name", "-p", "ops")
    assert (done.code, done.out) == (0, "ops/dump\nops/poll\n")


def test_an_endless_file_is_not_read_to_its_end(jobsctl):
    done = jobsctl("import", "crontab", "/dev/zero")
    assert (done.code, done.out) == (1, "")
    assert "/dev/zero: larger than 32 MiB" in done.err


def test_check_says_that_the_instants_are_the_same(jobsctl, crontab):
    done = jobsctl("import", "crontab", crontab, "--check", "--timezone", "Europe/Berlin")
    assert done.code == 0
    assert f"{crontab}:2: check: dump: same: the next 1,000 instants until 2029-08-17" in done.err


def test_check_ends_with_1_at_a_difference_and_shows_it(jobsctl, tmp_path):
    (tmp_path / "a.timer").write_text("[Timer]\nOnCalendar=*-*~1 04:00\n")
    (tmp_path / "a.service").write_text(SERVICE)
    done = jobsctl("import", "systemd", tmp_path / "a.timer", "--check")
    assert done.code == 1
    assert "check: a: DIFFERENT from `OnCalendar=*-*~1 04:00` after 15" in done.err
    assert "source: 2028-02-29T04:00:00Z   ours: 2028-02-28T04:00:00Z" in done.err


def test_a_line_that_cannot_be_read_ends_with_3_and_keeps_the_others(jobsctl, tmp_path):
    file = tmp_path / "c"
    file.write_text("61 * * * * wrong\n0 1 * * * right\n")
    done = jobsctl("import", "crontab", file)
    assert done.code == 3
    assert [document["name"] for document in yaml.safe_load_all(done.out)] == ["right"]
    assert "c:1:1: error[IMPORT]: minute: '61' is outside of 0-59" in done.err
    assert done.err.splitlines()[-2] == "Imported 1 job, 1 not read."


def test_write_makes_one_file_per_job_and_says_what_is_next(jobsctl, crontab, home):
    done = jobsctl("import", "crontab", crontab, "--write", home.specs, "--project", "ops")
    assert (done.code, done.out) == (0, "")
    assert sorted(file.name for file in home.specs.iterdir()) == ["dump.yaml", "poll.yaml"]
    assert yaml.safe_load((home.specs / "dump.yaml").read_text())["project"] == "ops"
    assert f"wrote {home.specs}/dump.yaml" in done.err
    assert done.err.splitlines()[-1].startswith(f"Next: `jobsctl validate {home.specs}`")
    assert jobsctl("validate").code == 0


def test_write_never_overwrites_and_writes_all_or_nothing(jobsctl, crontab, home):
    (home.specs / "poll.yaml").write_text("mine")
    done = jobsctl("import", "crontab", crontab, "--write", home.specs)
    assert done.code == 7
    assert "poll.yaml is there already; nothing was written" in done.err
    assert not (home.specs / "dump.yaml").exists()
    assert jobsctl("import", "crontab", crontab, "--write", home.specs, "--force").code == 0
    assert "name: poll" in (home.specs / "poll.yaml").read_text()


def test_the_report_is_data_for_programs(jobsctl, crontab):
    done = jobsctl("import", "crontab", crontab, "--check", "-o", "json")
    report = json.loads(done.out)
    assert set(report) == {"jobs", "documents", "notes", "unreadable"}
    first = report["jobs"][0]
    assert (first["name"], first["line"], first["check"]["state"], first["check"]["compared"]) == (
        "dump",
        2,
        "same",
        1000,
    )
    assert yaml.safe_load(first["yaml"])["name"] == "dump"
    assert {note["what"] for note in report["notes"]} >= {"overlap", "times"}


def test_the_service_beside_a_timer_is_found(jobsctl, tmp_path):
    (tmp_path / "dump.timer").write_text(TIMER)
    (tmp_path / "dump.service").write_text(SERVICE)
    drop_ins = tmp_path / "dump.timer.d"
    drop_ins.mkdir()
    (drop_ins / "later.conf").write_text("[Timer]\nOnCalendar=\nOnCalendar=Mon 03:00\n")
    done = jobsctl("import", "systemd", tmp_path / "dump.timer", "--check")
    assert done.code == 0
    document = yaml.safe_load(done.out)
    assert (document["description"], document["schedule"]) == ("Dump", "every monday at 03:00")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["crontab", "nowhere"], 4, "nowhere: no such file", id="no_file"),
        pytest.param(["crontab", "-", "--timezone", "Europe/Berln"], 2, "--timezone", id="an_unknown_zone"),
        pytest.param(["crontab", "-", "--project", "No"], 2, "is not a project name", id="a_bad_project"),
        pytest.param(["crontab", "-", "--system", "--user", "a"], 2, "exclude each other", id="both_users"),
        pytest.param(["crontabs", "-"], 2, "crontab", id="an_unknown_system"),
        pytest.param(["systemd"], 2, "FILE", id="nothing_named"),
    ],
)
def test_mistakes_are_told(jobsctl, arguments, code, message):
    done = jobsctl("import", *arguments)
    assert done.code == code
    assert message in done.err


@pytest.mark.parametrize("system", ["crontab", "systemd"])
def test_each_system_has_help_with_examples(jobsctl, system):
    done = jobsctl("import", system, "--help")
    assert done.code == 0
    assert f"jobsctl import {system}" in done.out.split("Examples:")[1]
    assert "--check" in done.out


def test_control_characters_of_a_crontab_reach_no_terminal(jobsctl, tmp_path):
    file = tmp_path / "c"
    file.write_text("# evil \x1b]0;title\x07\n0 1 * * * run \x1b[2J\nfoo\x1b[31m\n")
    done = jobsctl("import", "crontab", file)
    assert "\x1b" not in done.out + done.err


def test_the_example_of_the_page_is_what_comes_out(jobsctl, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "moving-in.md").read_text().partition("## From a crontab")[2]
    crontab, _, rest = page.partition("```text\n")[2].partition("```")
    expected = rest.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "shop.crontab").write_text(crontab)
    done = jobsctl("import", "crontab", tmp_path / "shop.crontab", "--timezone", "Europe/Berlin")
    assert (done.code, done.out) == (0, expected)
