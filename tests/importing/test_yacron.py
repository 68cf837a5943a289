"""From yacron's configuration to jobs: its cron, its defaults and includes, and what is said of the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.importing.imported import SourceText
from cli.importing.yacron.crontab import BadSchedule, CrontabRule, parse
from tests.importing.foreign import DATA, Judged, judge, only, read, read_file, read_text, said


def job(lines: str, *, schedule: str = '"*/5 * * * *"', zone: str | None = None) -> Judged:
    indented = "".join(f"    {line}\n" for line in lines.splitlines())
    text = f"jobs:\n  - name: x\n    schedule: {schedule}\n{indented}"
    if "command:" not in lines:
        text += "    command: date\n"
    return only(read_text("yacron", text, zone=zone))


def by_hand(text: str, day: date) -> bool:
    """Does a schedule of five plain fields name this day? Written from the library's README, not from its code."""
    _, _, days, months, weekdays = text.split()

    def names(field: str, value: int, low: int, high: int) -> bool:
        for member in field.split(","):
            base, _, step = member.partition("/")
            first, _, last = base.partition("-")
            start = low if base == "*" else int(first)
            stop = high if base == "*" or (step and not last) else int(last or first)
            if value in range(start, stop + 1, int(step or 1)):
                return True
        return False

    weekday = day.isoweekday() % 7
    return names(days, day.day, 1, 31) and names(months, day.month, 1, 12) and names(weekdays, weekday, 0, 6)


def test_a_range_that_ends_on_sunday_ends_on_the_seventh_day() -> None:
    assert [parse("* * * * 6-0").on(date(2026, 11, day)) for day in (20, 21, 22)] == [False, True, True]
    assert all(parse("* * * * 0-0").on(date(2026, 11, day)) for day in range(16, 23)), "as upstream: it is 0-7"


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    return st.lists(st.one_of(st.just("*"), number.map(str), span), min_size=1, max_size=2).map(",".join)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    st.tuples(_field(0, 59), _field(0, 23), _field(1, 31), _field(1, 12), _field(1, 6)).map(" ".join),
    st.integers(0, 800),
)
def test_its_cron_wants_every_field_to_match(text: str, days: int) -> None:
    day = date(2026, 1, 1) + timedelta(days=days)
    assert parse(text).on(day) == by_hand(text, day)


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        pytest.param("0 12 l * *", "2026-02-01", "2026-02-28T12:00", id="the last day of the month"),
        pytest.param("0 12 * * l5", "2026-11-01", "2026-11-27T12:00", id="the last Friday"),
        pytest.param("0 12 z2 * *", "2026-02-01", "2026-02-26T12:00", id="two days before the last"),
        pytest.param("0 12 1 1 * 2028", "2026-02-01", "2028-01-01T12:00", id="a year"),
        pytest.param("0 0 12 * * sat-sun *", "2026-11-16", "2026-11-21T12:00", id="seconds first, names"),
        pytest.param("0 12 13 * 5", "2026-11-14", "2027-08-13T12:00", id="both day fields"),
        pytest.param("@weekly", "2026-11-21", "2026-11-22T00:00", id="an alias"),
        pytest.param("30 0 12 * * * *", "2026-11-21", None, id="it looks at second 0 only"),
    ],
)
def test_it_starts_when_the_library_says(text: str, after: str, expected: str | None) -> None:
    start = round(datetime.fromisoformat(f"{after}T00:00+00:00").timestamp())
    at = CrontabRule(parse(text), "UTC", text).after(start * 1_000_000)
    assert expected == (None if at is None else datetime.fromtimestamp(at / 1e6, UTC).isoformat()[:16])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("* * * *", "4 fields"),
        ("60 * * * *", "outside 0-59"),
        ("*/60 * * * *", "a step of a minute is 1 to 59"),
        ("5/55 * * * *", "leads out of the minutes"),
        ("* * 0 * *", "outside 1-31"),
        ("* * * * fri-mon", "runs backwards"),
        ("? * * * *", "is no minute"),
        ("@midnight", "1 fields"),
        ("5-1-2 * * * *", "is no minute"),
    ],
)
def test_what_the_library_refuses_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadSchedule, match=why):
        parse(text)


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("command: date", "overlap", "allow"),
        ("concurrencyPolicy: Forbid", "overlap", None),
        ("command: date", "missed", "skip"),
        ("concurrencyPolicy: Replace", "overlap", "replace"),
        ("concurrencyPolicy: Replace", "grace", "30s"),
        ("executionTimeout: 90.5\nkillTimeout: 0.5", "timeout", "90.5s"),
        ("executionTimeout: 90.5\nkillTimeout: 0.5", "grace", "0.5s"),
        ("user: www-data\ngroup: 33", "run",
         {"command": ["/bin/sh", "-c", "date"], "user": "www-data", "group": "33"}),
        ("command: [echo, a b]", "run", {"command": ["echo", "a b"]}),
        ("shell: /bin/bash\ncommand: |\n  a\n  b", "run", {"script": "a\nb\n", "interpreter": ["/bin/bash"]}),
        ("environment:\n- {key: A, value: 5}\n- {key: B, value: ''}", "env", {"A": "5", "B": ""}),
        ("onFailure:\n  retry: {maximumRetries: 3, initialDelay: 2, maximumDelay: 10, backoffMultiplier: 2}", "retry",
         {"attempts": 4, "backoff": "exponential", "delay": "2s", "max_delay": "10s"}),
        ("onFailure:\n  retry: {maximumRetries: -1, initialDelay: 2, maximumDelay: 9, backoffMultiplier: 1}", "retry",
         {"attempts": 100, "delay": "2s"}),
        ("onFailure:\n  retry: {maximumRetries: 0, initialDelay: 2, maximumDelay: 9, backoffMultiplier: 1}", "retry",
         None),
        ("enabled: false", "suspend", {"reason": "it was disabled in yacron (enabled: false)"}),
        ("timezone: europe/berlin", "timezone", "Europe/Berlin"),
        ("command: date", "timezone", "UTC"),
    ],
)  # fmt: skip
def test_a_field_becomes(lines: str, field: str, value: Any) -> None:
    assert job(lines).job.tree.get(field) == value


def test_local_time_is_that_of_its_machine() -> None:
    assert job("utc: false", zone="Europe/Berlin").job.tree["timezone"] == "Europe/Berlin"
    assert [note.what for note in job("utc: false").job.notes if note.what == "utc"] == ["utc"]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("{minute: '*/15'}", "*/15 * * * *"),
        ("{hour: 3, year: 2027}", "* 3 * * *"),
        ("{minute: 0, hour: 9, dayOfWeek: mon-fri}", "0 9 * * mon-fri"),
        ('"5-5 9 * * *"', "5 9 * * *"),
        ('"0 9 1 * 0"', "0 9 */31 * 0"),
        ('"0 9 * * sat-sun"', "0 9 * * 0,6"),
        ('"@reboot"', "@reboot"),
        ('"0 0 9 * * * *"', "0 9 * * *"),
    ],
)
def test_a_schedule_becomes(schedule: str, expected: str) -> None:
    judged = job("command: date", schedule=schedule)
    assert (judged.job.tree["schedule"], judged.checked.state) == (expected, "same")


def test_two_day_fields_that_must_both_match_need_a_calendar() -> None:
    judged = job("timezone: Europe/Berlin", schedule='"0 9 13 * 5"')
    assert judged.checked.state == "same"
    assert (judged.job.tree["schedule"], judged.job.tree["calendar"]) == ("0 9 13 * *", "x-weekdays")


@pytest.mark.parametrize("schedule", ['"0 9 L * *"', '"0 9 * * L5"', '"0 9 * * * 2027"'])
def test_days_that_no_schedule_here_can_name_suspend_the_job_and_the_check_says_so(schedule: str) -> None:
    judged = job("command: date", schedule=schedule)
    assert judged.checked.state == "different"
    assert schedule.strip('"') in (judged.spec.suspend_reason() or "")
    assert "schedule" not in judged.job.tree


def test_defaults_of_an_included_file_are_merged_as_yacron_does(tmp_path: Path) -> None:
    (tmp_path / "_inc.yaml").write_text(
        "defaults:\n  shell: /bin/bash\n  environment:\n    - {key: A, value: inc}\n    - {key: B, value: inc}\n"
    )
    main = tmp_path / "main.yaml"
    main.write_text(
        "include: [_inc.yaml]\ndefaults:\n  environment:\n    - {key: B, value: file}\n"
        "jobs:\n  - {name: x, command: date, schedule: '@daily', environment: [{key: C, value: job}]}\n"
    )
    judged = only(read_file("yacron", main))
    assert judged.job.tree["env"] == {"A": "inc", "B": "file", "C": "job"}
    assert judged.spec.run.command == ["/bin/bash", "-c", "date"]


def test_a_note_about_an_included_default_names_its_own_file() -> None:
    made = read_file("yacron", DATA / "yacron" / "adhoc.yaml")
    places = {note.origin.path.rpartition("/")[2] for job in made.jobs for note in job.notes if note.what == "statsd"}
    assert places == {"_inc.yaml"}


def test_variables_of_a_file_are_copied_and_the_jobs_own_beat_them(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text("# a comment\nA = 1\nB=2=3\n\n")
    main = tmp_path / "main.yaml"
    main.write_text(
        "jobs:\n  - {name: x, command: date, schedule: '@daily', env_file: x.env,\n"
        "     environment: [{key: A, value: own}]}\n"
    )
    assert only(read_file("yacron", main)).job.tree["env"] == {"A": "own", "B": "2=3"}


def test_of_two_jobs_of_one_name_yacron_runs_the_last() -> None:
    text = "jobs:\n  - {name: x, command: a, schedule: '@daily'}\n  - {name: x, command: b, schedule: '@daily'}\n"
    made = read_text("yacron", text)
    assert [judge(each).spec.run.command for each in made.jobs] == [["/bin/sh", "-c", "b"]]
    assert ("lost", "job x") in said(made)


def test_jobs_of_one_name_in_two_files_are_both_kept() -> None:
    text = "jobs:\n  - {name: x, command: a, schedule: '@daily'}\n"
    made = read("yacron", SourceText("a.yaml", text), SourceText("b.yaml", text))
    assert [each.name for each in made.jobs] == ["x", "x-2"]


@pytest.mark.parametrize(
    ("lines", "level", "what"),
    [
        ("command: date", "changed", "failsWhen.producesStderr"),
        ("failsWhen: {producesStdout: false, always: true}", "changed", "failsWhen.always"),
        ("failsWhen: {producesStdout: true}\ncaptureStdout: true", "changed", "failsWhen.producesStdout"),
        ("statsd: {prefix: a, host: b, port: 1}", "lost", "statsd"),
        ("clusterPolicy: Leader", "lost", "clusterPolicy"),
        ("saveLimit: 1\nstreamPrefix: x", "info", "saveLimit, streamPrefix"),
        ("env_file: /nowhere/x.env", "lost", "env_file"),
        ("command: cp $FROM ${TO} && X=1 && echo $X $HOME", "changed", "$FROM, $TO"),
        ("environment: [{key: API_TOKEN, value: h7Gq2x}]", "changed", "API_TOKEN"),
        ("onFailure:\n  retry: {maximumRetries: 1, initialDelay: 1, maximumDelay: 9, backoffMultiplier: 3}", "changed",
         "backoffMultiplier"),
    ],
)  # fmt: skip
def test_what_is_different_here_is_said(lines: str, level: str, what: str) -> None:
    assert (level, what) in [(note.level, note.what) for note in job(lines).job.notes]
