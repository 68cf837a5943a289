"""What readers make of a stored spec is what its model says, and bytes of no use are told."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import orjson
import pytest

from specs.calendar import compile_calendar
from specs.codes import CODES
from specs.kinds import Calendar, Window
from specs.load import load_bytes
from specs.model import Dst, Job, ScheduleParts
from specs.notifiers import Callback, Notifier, NotifyRule, Template
from specs.policies import Param
from specs.schedule import compile_schedule
from specs.stored import (
    StoredCalendar,
    StoredCallback,
    StoredDst,
    StoredJob,
    StoredNotifier,
    StoredNotifyRule,
    StoredParam,
    StoredParts,
    StoredTemplate,
    StoredWindow,
    Unreadable,
    said_schedule,
)

ROOT = Path(__file__).parents[2]
FULL = """\
name: full
project: team
description: all of it
labels: {team: data}
tags: [nightly]
annotations: {runbook: https://wiki.example/full}
schedule:
  - "H 4 * * *"
  - {cron: "0 9 * * 1-5", timezone: Asia/Tokyo}
  - {every: 90m, anchor: 2026-01-01T00:00:00Z}
  - {once: 2027-12-24T18:00}
timezone: Europe/Berlin
dst: {gap: skip, repeat: twice}
suspend: {reason: moving}
timeout: 1h30m
grace: 5s
params: {day: {default: monday, allowed: [monday, friday], description: which}, free: {pattern: "[a-z]+"}}
retention: {max_runs: 5, max_age: 2d, output_max: 10Mi}
run: {script: "echo $JOBSCTL_PARAM_DAY"}
"""
SCHEDULES = (
    "every 10m", "{every: 90s, from: finish}", "{continuous: true, delay: 5s}", "'@reboot'",
    "[daily at 9am, '@reboot']",
)  # fmt: skip
FORMS = [FULL, *(f"name: a\nrun: {{command: [a]}}\nschedule: {each}\n" for each in SCHEDULES)]


def canonical_specs() -> list[bytes]:
    texts = [text.encode() for text in FORMS]
    texts += [code.good.encode() for code in CODES.values() if code.language == "yaml"]
    texts += [path.read_bytes() for path in sorted((ROOT / "examples").glob("*/jobs/**/*.yaml"))]
    return [job.spec for text in texts for job in load_bytes(text, "a.yaml").jobs]


def test_a_stored_job_says_what_its_model_says():
    specs = canonical_specs()
    assert len(specs) > 50
    for spec in specs:
        model, stored = Job.from_canonical(spec), StoredJob.of(spec)
        for name in ("identity", "project", "name", "timezone", "description", "labels", "annotations", "grace"):
            assert getattr(stored, name) == getattr(model, name), name
        assert list(stored.tags) == model.tags
        assert stored.timeout_seconds() == model.timeout_seconds()
        assert stored.suspend_reason() == model.suspend_reason()
        assert stored.retention == model.retention.model_dump(mode="json") or not stored.retention
        assert list(stored.params) == list(model.params)
        for name, param in stored.params.items():
            told = model.params[name]
            assert (param.default, param.allowed, param.pattern, param.description) == (
                told.default, told.allowed, told.pattern, told.description
            )  # fmt: skip
        one, other = compile_schedule(stored), compile_schedule(model)
        assert (one, one.slots) == (other, other.slots)


def test_jobs_whose_specs_say_the_same_schedule_have_the_same_words():
    found: dict[bytes, set[str]] = {}
    for spec in canonical_specs():
        if (said := said_schedule(spec)) is not None:
            found.setdefault(said, set()).add(compile_schedule(StoredJob.of(spec)).words)
    assert len(found) > 20
    assert all(len(words) == 1 for words in found.values())


TRAP = """\
name: trap
labels: {schedule: "x"}
annotations: {schedule: ',"schedule":"daily at 9am","suspend":'}
env: {schedule: daily at 9am, timezone: Asia/Tokyo, suspend: "false"}
run: {command: [a, ',"schedule":"daily at 9am"']}
description: ',"timezone":"Asia/Tokyo"}'
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("schedule: every 10m\n", b',"schedule":"every 10m"'),
        ("schedule: every 10m\ntimezone: Europe/Rome\n", b',"schedule":"every 10m","timezone":"Europe/Rome"'),
        ("schedule: H 4 * * *\n", None),
        ("schedule: [daily at 9am, H 4 * * *]\n", None),
        ("depends_on: [other]\n", None),
        ("", None),
    ],
    ids=["interval", "zone", "hashed", "a-list-with-one-hashed", "after-another", "manual"],
)
def test_what_a_spec_says_of_its_schedule_is_its_own_field(more, said):
    (job,) = load_bytes((TRAP + more).encode(), "a.yaml").jobs
    found = said_schedule(job.spec)
    if said is None:
        assert found is None
    else:
        assert found is not None and found.startswith(said.split(b',"timezone"')[0])
        assert (b'"timezone":"Europe/Rome"' in found) == (b"Rome" in said) and b"Tokyo" not in found


def test_of_a_damaged_spec_nothing_is_said():
    assert said_schedule(b"") is None
    assert said_schedule(b'{"name":"a"}') is None


@pytest.mark.parametrize(
    ("stored", "model"),
    [
        (StoredParts, ScheduleParts),
        (StoredDst, Dst),
        (StoredParam, Param),
        (StoredWindow, Window),
        (StoredTemplate, Template),
    ],
    ids=lambda kind: kind.__name__,
)
def test_a_part_has_the_fields_and_defaults_of_its_model(stored, model):
    """A field that is added to the model alone would make what is stored unreadable."""
    defaults = {name: field.get_default(call_default_factory=True) for name, field in model.model_fields.items()}
    assert {each.name: each.default for each in fields(stored)} == defaults


def test_a_field_that_is_left_out_has_the_default_of_the_model():
    """As a database has it that was written before the field came."""
    needed = StoredJob.of(orjson.dumps({"project": "p", "name": "a", "schedule": None, "dst": {}}))
    model = Job.model_validate({"name": "a", "project": "p", "run": {"command": ["a"]}})
    shared = [name for name, kind in vars(StoredJob).items() if isinstance(kind, property) and name in Job.model_fields]
    assert len(shared) >= 8
    for name in set(shared) - {"run", "retention"}:  # read as JSON: their own defaults are not asked for here
        told, meant = getattr(needed, name), getattr(model, name)
        assert (list(told) if isinstance(told, tuple) else told) == meant, name
    assert needed.timeout_seconds() == model.timeout_seconds()
    assert needed.suspend_reason() == model.suspend_reason()
    assert needed.dst == StoredDst(**model.dst.model_dump())


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"garbage", id="garbage"),
        pytest.param(b"[1]", id="no_mapping"),
        pytest.param(b'{"name":"a"}', id="half"),
        pytest.param(b'{"project":"p","name":"a","schedule":7,"dst":{}}', id="a_schedule_that_is_none"),
        pytest.param(b'{"project":"p","name":"a","schedule":{"whenever":1},"dst":{}}', id="an_unknown_form"),
        pytest.param(b'{"project":"p","name":"a","schedule":null,"dst":{"gap":1,"new":2}}', id="an_unknown_rule"),
    ],
)
def test_bytes_of_no_use_are_told(spec):
    with pytest.raises(Unreadable):
        StoredJob.of(spec)


def test_a_stored_calendar_says_what_its_model_says():
    text = b"""\
kind: Calendar
name: nights
timezone: Europe/Berlin
mode: allow
action: defer
dates: ["12-25", "2026-12-28..2027-01-02"]
windows: [{days: mon-fri, from: "22:00", to: "06:00"}, {days: sun}, {from: "12:00"}]
"""
    (document,) = load_bytes(text, "a.yaml").documents
    model, stored = Calendar.model_validate_json(document.spec), StoredCalendar.of(document.spec)
    assert (stored.mode, stored.action) == (model.mode, model.action) == ("allow", "defer")
    assert compile_calendar(stored, "UTC") == compile_calendar(model, "UTC")
    with pytest.raises(Unreadable):
        StoredCalendar.of(b'{"windows":[{"when":"always"}]}')


TELLING = b"""\
kind: Notifier
name: ops
urls: [{from_file: /etc/slack}, "mailto://localhost"]
group: 1m
rate: {max: 3, per: 2h}
quiet_hours: {from: "22:00", days: mon-fri}
digest: daily at 08:00
timezone: Europe/Berlin
template: {title: "{{ job }}"}
---
name: a
run: {command: [a]}
notify:
  - {to: ops}
  - {to: [ops], on: [slow, still_failing], failures: 5, slower_than: 90s}
callback: {url: "https://example.com/hook", secret: [{from_env: A}, {from_env: B}], on: [failed]}
---
name: b
run: {command: [b]}
callback: {url: {credential: hook}, secret: {from_file: key}}
"""


def test_a_stored_notifier_says_what_its_file_says():
    (document,) = load_bytes(TELLING, "a.yaml").documents
    stored = StoredNotifier.of(document.spec)
    assert stored == StoredNotifier(
        name="ops",
        urls=({"from_file": "/etc/slack"}, "mailto://localhost"),
        group=60.0,
        rate_max=3,
        rate_per=7200.0,
        quiet_hours=StoredWindow(from_="22:00", days="mon-fri"),
        digest="daily at 08:00",
        timezone="Europe/Berlin",
        template=StoredTemplate(title="{{ job }}"),
    )
    plain = Notifier.model_validate({"kind": "Notifier", "name": "a", "urls": ["mailto://localhost"]})
    said = StoredNotifier.of(orjson.dumps({"name": "a", "urls": ["mailto://localhost"]}))
    assert said == StoredNotifier.of(orjson.dumps(plain.model_dump(mode="json", by_alias=True)))
    with pytest.raises(Unreadable):
        StoredNotifier.of(b'{"name":"a"}')


def test_stored_rules_and_callbacks_say_what_their_file_says():
    one, other = (StoredJob.of(job.spec) for job in load_bytes(TELLING, "a.yaml").jobs)
    assert one.notify == (
        StoredNotifyRule(to=("ops",)),
        StoredNotifyRule(to=("ops",), on=frozenset({"slow", "still_failing"}), failures=5, slower_than=90.0),
    )
    assert one.callback == StoredCallback(
        "https://example.com/hook", ({"from_env": "A"}, {"from_env": "B"}), frozenset({"failed"})
    )
    assert other.notify == ()
    assert other.callback == StoredCallback({"credential": "hook"}, ({"from_file": "key"},))
    key = f"whsec_{'a' * 32}"
    rule, callback = NotifyRule(to="ops"), Callback(url="https://example.com/", secret=key)
    assert StoredNotifyRule.of({"to": "ops"}) == StoredNotifyRule.of(rule.model_dump(mode="json"))
    assert StoredCallback("https://example.com/", (key,)) == StoredCallback.of(callback.model_dump(mode="json"))
    damaged = StoredJob(
        fields={"notify": [{"for": "ops"}], "callback": 3}, project="p", name="a", schedule=None, dst=StoredDst()
    )
    for name in ("notify", "callback"):
        with pytest.raises(Unreadable):
            getattr(damaged, name)


def test_a_job_that_tells_nobody_keeps_its_digest():
    (plain,) = load_bytes(b"name: a\nrun: {command: [a]}\n", "a.yaml").jobs
    (said,) = load_bytes(b"name: a\nrun: {command: [a]}\nnotify: []\ncallback: null\n", "a.yaml").jobs
    assert said.digest == plain.digest
    assert b"notify" not in plain.spec
    assert b"callback" not in plain.spec
