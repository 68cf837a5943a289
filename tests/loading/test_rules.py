"""Policies of one job that exclude, need or defeat one another are told at their place."""

from __future__ import annotations

import time

import pytest

from specs.diagnostic import Diagnostic
from specs.load import load_bytes

RUN = "name: a\nrun: {command: [x]}\n"
DAILY = f"{RUN}schedule: '@daily'\n"


def found(text: str) -> list[Diagnostic]:
    return list(load_bytes(text.encode(), "a.yaml").diagnostics)


@pytest.mark.parametrize(
    ("text", "code", "under"),
    [
        pytest.param("max_concurrent: 3", "JOB037", "max_concurrent", id="a-limit-without-allow"),
        pytest.param("overlap: queue\nmax_concurrent: 3", "JOB037", "max_concurrent", id="a-limit-with-queue"),
        pytest.param(
            "retry: {attempts: 2, delay: 9s, max_delay: 8s}", "JOB037", "8s", id="a-delay-above-the-given-limit"
        ),
        pytest.param("retry: {delay: 5s}", "JOB043", "retry", id="a-retry-without-attempts"),
        pytest.param("start_at: soon", "JOB038", "soon", id="a-start-that-is-no-instant"),
        pytest.param("end_at: 2030-02-30T00:00:00Z", "JOB038", "2030-02-30T00:00:00Z", id="a-day-that-does-not-exist"),
        pytest.param(
            "start_at: 2030-01-02T00:00:00Z\nend_at: 2030-01-01T00:00:00Z",
            "JOB037",
            "2030-01-01T00:00:00Z",
            id="an-end-before-the-start",
        ),
        pytest.param(
            "start_at: 2030-01-01T01:00:00Z\nend_at: 2030-01-01T23:00:00Z",
            "JOB040",
            "2030-01-01T23:00:00Z",
            id="bounds-without-a-slot-between",
        ),
        pytest.param("jitter: 25h", "JOB044", "25h", id="a-jitter-longer-than-the-period"),
        pytest.param("jitter: {spread: 1h, random: 25h}", "JOB044", "25h", id="a-random-jitter-longer-than-the-period"),
        pytest.param("params: {x: {description: y}}", "JOB039", "x", id="a-parameter-nobody-gives"),
        pytest.param("params: {x: {default: b, pattern: 'a+'}}", "JOB033", "b", id="a-default-its-pattern-refuses"),
        pytest.param("params: {x: {default: b, pattern: '(a'}}", "JOB033", "'(a'", id="a-pattern-that-is-none"),
        pytest.param("depends_on: [a]", "JOB052", "a", id="itself"),
        pytest.param("depends_on: [{job: default/a}]", "JOB052", "default/a", id="itself-by-its-whole-name"),
        pytest.param("depends_on: [b, {job: default/b}]", "JOB037", "default/b", id="a-dependency-twice"),
        pytest.param("calendar: [b, b]", "JOB037", "b", id="a-calendar-twice"),
        pytest.param("renamed_from: default/a", "JOB053", "default/a", id="renamed-from-itself"),
        pytest.param("priority: 3", "JOB043", "priority", id="a-priority-without-a-pool"),
        pytest.param("missed: {policy: skip, max: 3}", "JOB043", "max", id="a-maximum-without-all"),
        pytest.param("on_dependency_failure: run", "JOB043", "on_dependency_failure", id="an-upstream-that-is-not"),
    ],
)
def test_of_a_scheduled_job_is_told(text: str, code: str, under: str) -> None:
    (finding,) = found(DAILY + text)
    assert finding.code == code
    assert finding.source_line is not None
    assert finding.source_line[finding.column - 1 : (finding.end_column or 0) - 1] == under
    assert finding.identity == "default/a"


@pytest.mark.parametrize("field", ["repeat: 2", "end_at: 2030-01-01T00:00:00Z", "until: 'true'", "calendar: b"])
def test_of_a_job_that_only_people_start_what_is_about_starting_by_itself_is_warned_of(field: str) -> None:
    (finding,) = found(f"{RUN}{field}\n")
    assert (finding.code, finding.column) == ("JOB043", 1)
    assert found(f"{DAILY}{field}\n") == []
    assert found(f"{RUN}depends_on: [b]\n{field}\n") == []


@pytest.mark.parametrize("field", ["missed: skip", "jitter: 5m"])
def test_what_is_about_slots_is_warned_of_also_when_other_jobs_start_it(field: str) -> None:
    assert [each.code for each in found(f"{RUN}depends_on: [b]\n{field}\n")] == ["JOB043"]
    assert found(f"{DAILY}{field}\n") == []


@pytest.mark.parametrize("field", ["missed: skip", "jitter: 5m"])
@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("continuous", "its runs follow the end of the run before, not slots"),
        ("every 10m from finish", "its runs follow the end of the run before, not slots"),
        ("{every: 10m, from: finish}", "its runs follow the end of the run before, not slots"),
        ("'@reboot'", "it starts once per boot, not at slots"),
    ],
)
def test_what_is_about_slots_is_warned_of_where_there_are_none(schedule: str, why: str, field: str) -> None:
    (finding,) = found(f"{RUN}schedule: {schedule}\n{field}\n")
    assert (finding.code, finding.line, finding.column) == ("JOB043", 4, 1)
    assert finding.message.endswith(why)
    assert found(f"{RUN}schedule: ['@reboot', '@daily']\n{field}\n") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("overlap: allow\nmax_concurrent: 3", id="a-limit-with-allow"),
        pytest.param("retry: {attempts: 3, delay: 10m, max_delay: 10m}", id="a-delay-at-its-limit"),
        pytest.param("retry: {attempts: 3, delay: 10m}", id="a-delay-above-the-limit-nobody-gave"),
        pytest.param("start_at: 2030-01-01T00:00:00\nend_at: 2030-01-01T00:00:01", id="bounds-around-one-slot"),
        pytest.param("jitter: 24h", id="a-jitter-as-long-as-the-period"),
        pytest.param("params: {x: {default: aa, pattern: 'a+', allowed: [a, aa]}}", id="a-parameter-with-a-default"),
        pytest.param("depends_on: [b, other/a]\non_dependency_failure: run", id="namesakes-in-two-projects"),
        pytest.param("pool: b\npriority: -3", id="a-priority-in-a-pool"),
        pytest.param("missed: {policy: all, max: 3, grace: 1h}", id="a-maximum-with-all"),
        pytest.param("renamed_from: b", id="renamed"),
        pytest.param("timezone: Europe/Berlin\nschedule: continuous\nrepeat: 2", id="continuous"),
    ],
)
def test_what_goes_together_is_not_told(text: str) -> None:
    start = RUN if "schedule:" in text else DAILY
    assert found(start + text) == []


@pytest.mark.parametrize(
    ("text", "under"),
    [
        pytest.param("run: {command: [x, 'a {{ params.whom }}']}", "{{ params.whom }}", id="argument"),
        pytest.param("run: {command: [x]}\nenv: {A: '{{params.whom}}'}", "{{params.whom}}", id="variable"),
        pytest.param("run: {command: [x], working_dir: '/{{ params.whom }}'}", "{{ params.whom }}", id="folder"),
        pytest.param("run: {script: 'echo {{ params.who }}'}", "{{ params.who }}", id="a-script-also-with-its-name"),
    ],
)
def test_a_place_in_which_no_parameter_is_put_is_warned_of(text: str, under: str) -> None:
    (finding,) = found(f"name: a\nparams: {{who: {{default: you}}}}\n{text}\n")
    assert (finding.code, finding.severity) == ("JOB047", "warning")
    assert finding.source_line is not None
    assert finding.source_line[finding.column - 1 : (finding.end_column or 0) - 1] == under
    if "script" not in text:
        assert found(f"name: a\nparams: {{who: {{default: you}}}}\n{text.replace('whom', 'who')}\n") == []


def test_two_parameters_that_are_one_variable_are_an_error() -> None:
    (finding,) = found(f"{RUN}params: {{who: {{}}, Who: {{}}}}\n")
    assert (finding.code, finding.line, finding.column) == ("JOB037", 3, 19)


def test_a_parameter_without_a_default_is_for_people_who_trigger() -> None:
    assert found(f"{RUN}params: {{x: {{}}}}\n") == []


def test_a_pattern_cannot_hold_the_daemon() -> None:
    before = time.process_time()
    (finding,) = found(f"{DAILY}params: {{x: {{pattern: '(a+)+b', default: {'a' * 4000}}}}}\n")
    assert finding.code == "JOB033"
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        pytest.param("a$", '"a\\n"', id="a-line-end-is-not-the-end"),
        pytest.param("a|b", "ab", id="the-whole-value-not-a-part"),
        pytest.param("a)|(b", "a", id="a-group-that-closes-ours"),
    ],
)
def test_a_pattern_speaks_of_the_whole_value(pattern: str, value: str) -> None:
    assert [each.code for each in found(f"{DAILY}params: {{x: {{pattern: '{pattern}', default: {value}}}}}\n")] == [
        "JOB033"
    ]


@pytest.mark.parametrize(
    ("text", "code", "under"),
    [
        pytest.param('dates: [2026-12-24, "2026-02-30"]', "JOB045", "2026-02-30", id="a-day-that-does-not-exist"),
        pytest.param("windows: [{days: sun}, {days: mon-fro}]", "JOB045", "mon-fro", id="weekdays-that-are-none"),
        pytest.param('windows: [{from: "25:00"}]', "JOB045", "25:00", id="a-time-that-is-none"),
        pytest.param("mode: allow", "JOB045", "allow", id="nothing-allowed"),
        pytest.param("timezone: Europe/Berln", "JOB042", "Europe/Berln", id="a-zone-that-is-none"),
        pytest.param("windows: [{form: '22:00'}]", "JOB030", "form", id="a-misspelt-key"),
    ],
)
def test_of_a_calendar_is_told(text: str, code: str, under: str) -> None:
    (finding,) = found(f"kind: Calendar\nname: holidays\n{text}\n")
    assert finding.code == code
    assert finding.source_line is not None
    assert finding.source_line[finding.column - 1 : (finding.end_column or 0) - 1] == under
    assert "from_" not in (finding.help or "")
