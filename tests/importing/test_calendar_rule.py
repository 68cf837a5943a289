"""`OnCalendar=`: against the answers of systemd itself, recorded, and live where `systemd-analyze` is installed."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from cli.importing.systemd.calendar import SHORTHANDS, BadCalendar, read_calendar
from cli.importing.systemd.calendarrule import CalendarRule

ANALYZE = shutil.which("systemd-analyze")
RECORDED = [line.split(" | ") for line in (Path(__file__).parent / "calendar_answers.txt").read_text().splitlines()[2:]]


def answer(expression: str, base: str, count: int) -> list[str] | None:
    """What our reading of systemd's rule says, as `systemd-analyze` prints it: whole seconds of UTC."""
    try:
        spec = read_calendar(expression)
    except BadCalendar:
        return None
    rule = CalendarRule(((spec, spec.zone or "UTC"),), expression)
    at: int | None = int(datetime.fromisoformat(base).timestamp()) * 1_000_000
    found = []
    while len(found) < count and (at := rule.after(at)) is not None:
        found.append(datetime.fromtimestamp(at // 1_000_000, tz=datetime.fromisoformat(base).tzinfo))
    return [each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in found]


@pytest.mark.parametrize(("expression", "base", "expected"), RECORDED, ids=[" at ".join(row[:2]) for row in RECORDED])
def test_says_what_systemd_says(expression: str, base: str, expected: str) -> None:
    found = answer(expression, base, 4)
    if expected == "refused":
        assert found is None
    else:
        assert found == ([] if expected == "never" else expected.split(", "))


def _version() -> str:
    if ANALYZE is None:
        return "none"
    done = subprocess.run([ANALYZE, "--version"], capture_output=True, text=True, check=False)
    return (re.search(r"systemd (\d+)", done.stdout) or ["", "unknown"])[1]


@pytest.mark.skipif(
    _version() != "252", reason="the rule is that of systemd 252; others may treat moved clocks otherwise"
)
def test_says_what_the_installed_systemd_says() -> None:
    drawn = random.Random(20261121)
    bases = ["2026-11-21T08:00:00Z", "2026-10-24T20:00:00Z", "2027-03-27T20:00:00Z", "2028-02-27T00:00:00Z"]
    for _ in range(60):
        expression, base = _expression(drawn), drawn.choice(bases)
        assert answer(expression, base, 8) == _asked(expression, base, 8), (expression, base)


def _asked(expression: str, base: str, count: int) -> list[str] | None:
    assert ANALYZE is not None
    at = base.replace("T", " ").replace("Z", " UTC")
    done = subprocess.run(
        [ANALYZE, "calendar", f"--iterations={count}", f"--base-time={at}", expression],
        capture_output=True, text=True, env={**os.environ, "TZ": "UTC", "LC_ALL": "C"}, check=False,
    )  # fmt: skip
    if done.returncode:
        return None
    found = re.findall(r"(?:elapse|#\d+): \w+ (\S+) (\S+) UTC", done.stdout)
    return [f"{day}T{time}Z" for day, time in found]


def _expression(drawn: random.Random) -> str:
    """Without steps that do not divide their range: there systemd 252 loses instants (see the rule's module)."""

    def numbers(low: int, high: int, star: float) -> str:
        if drawn.random() < star:
            return "*"
        first, second = sorted(drawn.sample(range(low, high + 1), 2))
        return drawn.choice([str(first), f"{first}..{second}", f"{first},{second}"])

    weekdays = drawn.choice(["", "", "Mon..Fri ", "Sat,Sun ", "wed "])
    date = f"*-{numbers(1, 12, 0.7)}-{numbers(1, 28, 0.5)} "
    time = f"{drawn.choice(['0/6', '*', numbers(0, 23, 0)])}:{drawn.choice(['0/15', '0/20', numbers(0, 59, 0)])}"
    zone = drawn.choice(["", " UTC", " Europe/Berlin", " America/New_York", " Asia/Kolkata", " Australia/Lord_Howe"])
    return f"{weekdays}{date}{time}{zone}"


def test_every_shorthand_is_an_expression() -> None:
    for name, expression in SHORTHANDS.items():
        assert read_calendar(name) == read_calendar(name.upper()) == read_calendar(expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("every monday", "no weekday", id="words"),
        pytest.param("Fri..Mon 8:00", "backwards", id="a_week_that_runs_backwards"),
        pytest.param("*:*/5", "no minute", id="a_star_with_a_step"),
        pytest.param("25:00", "outside of 0-23", id="an_hour_too_many"),
        pytest.param("00:00 Mars/Olympus", "neither", id="an_unknown_zone"),
    ],
)
def test_a_refusal_says_what_is_wrong(expression: str, message: str) -> None:
    with pytest.raises(BadCalendar, match=message):
        read_calendar(expression)
