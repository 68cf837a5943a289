"""The shipped rules: sound to promtool, fired and resolved by its unit tests, explained by a runbook each."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import promql_parser
import pytest
import yaml

from cli.health.database import LARGE_WAL
from cli.health.disk import LITTLE, VERY_LITTLE
from cli.main import program as jobsctl
from docs.generate_metrics import families
from tests.alerting.rules import AMOUNT, RANGE, ROOT, RULES, alerts, hurried, shipped
from tests.alerting.runbooks import RUNBOOKS, commands_of
from tests.components import program

FOLDER = RULES.parent
UNIT_TESTS = sorted(FOLDER.glob("*.test.yaml"))
NAMES = sorted(alert["alert"] for alert in alerts(shipped()))
METRIC = re.compile(r"\b(?:jobsctl|process)_[a-z_]+\b")
FOREIGN = {"process_start_time_seconds"}


def promtool(*words: str) -> None:
    done = subprocess.run(
        [program("promtool"), *words], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_nothing_wrong_with_rules_and_configuration() -> None:
    promtool("check", "rules", RULES.name)
    promtool("check", "config", "prometheus.yaml")


@pytest.mark.parametrize("file", [pytest.param(path, id=path.name) for path in UNIT_TESTS])
def test_every_unit_test_of_the_rules_holds(file: Path) -> None:
    promtool("test", "rules", file.name)


def test_amtool_finds_nothing_wrong_with_the_example_for_alertmanager() -> None:
    done = subprocess.run(
        [program("amtool"), "check-config", "alertmanager.yaml"], cwd=FOLDER, capture_output=True, text=True,
        check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_unit_tests_have_every_alert_fire_and_be_silent() -> None:
    told: dict[str, set[bool]] = {}
    for file in UNIT_TESTS:
        for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
            for case in test["alert_rule_test"]:
                told.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    assert told == {name: {True, False} for name in NAMES}


@pytest.mark.parametrize("alert", [pytest.param(alert, id=alert["alert"]) for alert in alerts(shipped())])
def test_an_alert_says_what_is_wrong_how_grave_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert "{{" in alert["annotations"]["summary"], "it names what it is about"
    page = RUNBOOKS / f"{alert['alert']}.md"
    assert alert["annotations"]["runbook_url"].endswith(page.relative_to(ROOT).as_posix())
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {alert['alert']}\n\nSeverity: {alert['labels']['severity']}.\n")
    assert re.findall(r"^## (.*)", text, re.MULTILINE) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]


def test_every_page_has_its_alert_and_a_line_in_the_list() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("Jobsctl*.md")) == NAMES
    listed = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [(name, name) for name in NAMES]


def parse(line: str) -> None:
    """Raises click's error when there is no such command, or it has no such option."""
    # With the settings of the program: click keeps the first help option a command is asked for, for all tests after.
    root = click.Context(jobsctl, info_name="jobsctl", resilient_parsing=False, **jobsctl.context_settings)
    words = shlex.split(line)[1:]
    _, rest, _ = jobsctl.make_parser(root).parse_args(words)
    command = jobsctl.get_command(root, rest[0])
    assert command is not None, f"there is no command {rest[0]}"
    command.make_parser(click.Context(command, parent=root)).parse_args(rest[1:])


@pytest.mark.parametrize("page", [pytest.param(path, id=path.stem) for path in sorted(RUNBOOKS.glob("*.md"))])
def test_every_command_of_a_runbook_exists_with_its_options(page: Path) -> None:
    lines = commands_of(page.read_text(encoding="utf-8"))
    assert lines or page.stem == "README"
    for line in lines:
        parse(line)


def test_a_command_that_does_not_exist_would_be_found() -> None:
    with pytest.raises(AssertionError, match="no command frobnicate"):
        parse("jobsctl frobnicate")
    with pytest.raises(click.NoSuchOption):
        parse("jobsctl doctor --everything")
    assert commands_of("```sh\njobsctl a\n```\nand `jobsctl\nb`") == ["jobsctl a", "jobsctl b"]


def test_the_rules_ask_for_metrics_that_there_are() -> None:
    known = {f"{name}_total" if family.type == "counter" else name for name, family in families().items()}
    known |= {f"{name}_bucket" for name, family in families().items() if family.type == "histogram"}
    for alert in alerts(shipped()):
        promql_parser.parse(alert["expr"])
        assert set(METRIC.findall(alert["expr"])) <= known | FOREIGN


def test_rules_in_a_hurry_look_at_the_same_and_wait_for_seconds() -> None:
    for slow, fast in zip(alerts(shipped()), alerts(hurried(shipped())), strict=True):
        assert fast["for"] == "1s"
        assert not AMOUNT.search(fast["expr"])
        assert METRIC.findall(slow["expr"]) == METRIC.findall(fast["expr"])
        assert set(RANGE.findall(fast["expr"])) <= {"[10s]"}
    patient = next(iter(alerts(hurried(shipped(), patient=NAMES))))
    assert patient["expr"] == next(iter(alerts(shipped())))["expr"]


def test_disk_and_log_are_little_full_and_large_where_doctor_says_so() -> None:
    asked = {alert["alert"]: alert["expr"] for alert in alerts(shipped())}
    assert f"_avail_bytes < {VERY_LITTLE}" in asked["JobsctlDiskFull"]
    assert f"_avail_bytes < {LITTLE}" in asked["JobsctlDiskFilling"]
    assert f"_wal_bytes > {LARGE_WAL}" in asked["JobsctlWalLarge"]


def test_every_amount_of_seconds_is_written_as_a_product() -> None:
    for alert in alerts(shipped()):
        for amount in re.findall(r"time\(\) - [^>]*> ([^\n]*)", alert["expr"]):
            assert AMOUNT.match(amount) or amount.startswith("2 * jobsctl_"), amount
