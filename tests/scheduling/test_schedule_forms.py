"""Every form a `schedule` may have, what it is normalised to, and how it is refused."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from specs.model import Dst, Job, ScheduleParts
from specs.schedule import Schedule, ScheduleError, compile_schedule, parse_schedule

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def at(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


SATURDAY_MORNING = at("2026-11-21T08:00:00Z")


def parsed(value, timezone: str = BERLIN, identity: str = "default/report", **dst: str) -> Schedule:
    return parse_schedule(value, timezone=timezone, dst=Dst.model_validate(dst), identity=identity)


def coming(schedule: Schedule, number: int, after: int = SATURDAY_MORNING, anchor: int = SATURDAY_MORNING) -> list[str]:
    found: list[str] = []
    while len(found) < number and (slot := schedule.next_after(after, anchor=anchor)) is not None:
        found.append((EPOCH + timedelta(microseconds=slot)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        after = slot
    return found


FORMS = {
    # id: (value, kind, expression, words, first slot after Saturday 2026-11-21 09:00 in Berlin)
    "cron": ("30 4 * * MON-FRI", "cron", "30 4 * * MON-FRI",
        "Weekdays at 04:30, Europe/Berlin", "2026-11-23T03:30:00Z"),
    "alias": ("@daily", "cron", "0 0 * * *", "Daily at 00:00, Europe/Berlin", "2026-11-21T23:00:00Z"),
    "alias-big": ("@HOURLY", "cron", "0 * * * *", "Every hour", "2026-11-21T09:00:00Z"),
    "zone-prefix": ("CRON_TZ=Asia/Tokyo 0 9 * * *", "cron", "0 9 * * *",
        "Daily at 09:00, Asia/Tokyo", "2026-11-22T00:00:00Z"),
    "short-zone-prefix": ("TZ=UTC @weekly", "cron", "0 0 * * 0", "Sundays at 00:00, UTC", "2026-11-22T00:00:00Z"),
    "zone-prefix-and-words": ("TZ=UTC daily at noon", "cron", "0 12 * * *",
        "Daily at 12:00, UTC", "2026-11-21T12:00:00Z"),
    "spread": ("H 8 * * *", "cron", "59 8 * * *", "Daily at 08:59, Europe/Berlin", "2026-11-22T07:59:00Z"),
    "every": ("every 2h", "interval", "every 7200s", "Every 2 hours", "2026-11-21T10:00:00Z"),
    "every-mixed": ("every 1h30m", "interval", "every 5400s", "Every 1 hour 30 minutes", "2026-11-21T09:30:00Z"),
    "every-seconds": ("Every 90s", "interval", "every 90s", "Every 1 minute 30 seconds", "2026-11-21T08:01:30Z"),
    "every-half-second": ("every 1.5s", "interval", "every 1.5s", "Every 1.5 seconds", "2026-11-21T08:00:01Z"),
    "every-in-words": ("every 10 minutes", "interval", "every 600s", "Every 10 minutes", "2026-11-21T08:10:00Z"),
    "every-alias": ("@every 5m", "interval", "every 300s", "Every 5 minutes", "2026-11-21T08:05:00Z"),
    "bare-duration": ("30m", "interval", "every 1800s", "Every 30 minutes", "2026-11-21T08:30:00Z"),
    "bare-words": ("30 minutes", "interval", "every 1800s", "Every 30 minutes", "2026-11-21T08:30:00Z"),
    "bare-day": ("1d", "interval", "every 86400s", "Every day", "2026-11-22T08:00:00Z"),
    "once-utc": ("2026-12-24T17:00:00Z", "once", "2026-12-24T17:00:00Z",
        "Once at 2026-12-24 18:00, Europe/Berlin", "2026-12-24T17:00:00Z"),
    "once-offset": ("2026-12-24T18:00:00+01:00", "once", "2026-12-24T17:00:00Z",
        "Once at 2026-12-24 18:00, Europe/Berlin", "2026-12-24T17:00:00Z"),
    "once-local": ("2026-12-24 18:00", "once", "2026-12-24T17:00:00Z",
        "Once at 2026-12-24 18:00, Europe/Berlin", "2026-12-24T17:00:00Z"),
    "once-second": ("2026-12-24T18:00:30", "once", "2026-12-24T17:00:30Z",
        "Once at 2026-12-24 18:00:30, Europe/Berlin", "2026-12-24T17:00:30Z"),
    "reboot": ("@reboot", "reboot", "@reboot", "Once per machine boot", None),
    "manual": ("manual", "manual", "manual", "Only when triggered", None),
    "nothing": (None, "manual", "manual", "Only when triggered", None),
    "object-cron": (ScheduleParts(cron="0 9 * * *", timezone="Asia/Tokyo"), "cron", "0 9 * * *",
        "Daily at 09:00, Asia/Tokyo", "2026-11-22T00:00:00Z"),
    "object-every": (ScheduleParts(every=3600.0), "interval", "every 3600s", "Every hour", "2026-11-21T09:00:00Z"),
    "object-anchor": (ScheduleParts(every=3600.0, anchor="2027-01-01T00:15:00Z"), "interval", "every 3600s",
                      "Every hour, counted from 2027-01-01T00:15:00Z", "2026-11-21T08:15:00Z"),
    "object-once": (ScheduleParts(once="2026-12-24T18:00", timezone="Asia/Tokyo"), "once", "2026-12-24T09:00:00Z",
                    "Once at 2026-12-24 18:00, Asia/Tokyo", "2026-12-24T09:00:00Z"),
    "list": (["daily at 09:00", "0 9 * * *", "every 2h"], "list", "0 9 * * *; every 7200s",
             "Daily at 09:00, Europe/Berlin; Every 2 hours", "2026-11-21T10:00:00Z"),
    "block-text": ("0 9 * * *\n", "cron", "0 9 * * *", "Daily at 09:00, Europe/Berlin", "2026-11-22T08:00:00Z"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "expression", "words", "first"), FORMS.values(), ids=FORMS)
def test_every_form_is_normalised_and_said_in_words(value, kind, expression, words, first):
    schedule = parsed(value)
    assert (schedule.kind, schedule.expression, schedule.words) == (kind, expression, words)
    assert coming(schedule, 1) == ([] if first is None else [first])
    assert schedule.reboot is (kind == "reboot")
    assert schedule.warnings == ()


REFUSED = {
    "empty": ("", None, "empty", "leave it out"),
    "blank": ("  ", None, "empty", None),
    "unknown-alias": ("@dayly", "@dayly", "not a known schedule", "@daily"),
    "alias-with-fields": ("@daily 5", "@daily 5", "not a known schedule", None),
    "six-fields": ("0 0 9 * * *", "0 0 9 * * *", "five fields", None),
    "unknown-zone": ("CRON_TZ=Europe/Berln 0 9 * * *", "Europe/Berln", "no time zone", "Europe/Berlin"),
    "zone-only": ("CRON_TZ=Europe/Berlin", None, "empty", None),
    "zone-and-interval": ("TZ=UTC every 5m", "TZ=UTC ", "cron expression only", None),
    "wrong-field-behind-a-zone": ("TZ=UTC 60 * * * *", "60", "not a minute", None),
    "wrong-field-behind-blanks": ("   60 * * * *", "60", "not a minute", None),
    "not-a-duration": ("every 5x", "5x", "not a duration", "90s"),
    "alias-every-nothing": ("@every soon", "soon", "not a duration", None),
    "too-often": ("every 0.5s", None, "at least 1s", None),
    "never-often": ("every 0s", None, "more than nothing", None),
    "too-seldom": ("every 99999d", None, "at most 3650d", None),
    "date-only": ("2026-12-24", "2026-12-24", "not an instant", "2026-12-24T18:00:00+01:00"),
    "no-such-day": ("2026-02-30T10:00:00Z", "2026-02-30T10:00:00Z", "not an instant: day is out of range", None),
    "no-such-hour": ("2026-02-03T25:00", "2026-02-03T25:00", "not an instant", None),
    "leap-second": ("2026-06-30T23:59:60Z", "2026-06-30T23:59:60Z", "not an instant", None),
    "too-long-ago": ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "too far away", None),
    "too-late": ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59-23:59", "too far away", None),
    "too-long": ("0 " * 129, None, "at most 256", None),
    "emoji": ("\N{ALARM CLOCK} 9 * * *", "\N{ALARM CLOCK}", "not allowed", None),
}


@pytest.mark.parametrize(("value", "underlined", "message", "help"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_with_its_place_and_a_way_out(value, underlined, message, help):
    with pytest.raises(ScheduleError) as caught:
        parsed(value)
    error = caught.value
    assert message in error.message
    assert (None if error.start is None else value[error.start : error.end]) == underlined
    assert help is None or help in (error.help or "")
    assert (error.loc, error.field) == ((), "schedule")


@pytest.mark.parametrize(
    ("value", "loc", "message"),
    [
        pytest.param(["0 9 * * *", "0 25 * * *"], (1,), "25 is not an hour", id="in-a-list"),
        pytest.param(["@daily", ScheduleParts(cron="* * *")], (1, "cron"), "five fields", id="object-in-a-list"),
        pytest.param(ScheduleParts(cron="@every 5m"), ("cron",), "not a known schedule", id="interval-as-cron"),
        pytest.param(ScheduleParts(cron="daily at 9am"), ("cron",), "five fields", id="words-as-cron"),
        pytest.param(ScheduleParts(cron="@daily", timezone="Mars/Base"), ("timezone",), "no time zone", id="zone"),
        pytest.param(ScheduleParts(every=60.0, anchor="noon"), ("anchor",), "not an instant", id="anchor"),
        pytest.param(ScheduleParts(every=0.5), ("every",), "at least 1s", id="every"),
        pytest.param(ScheduleParts(once="soon"), ("once",), "not an instant", id="once"),
        pytest.param(["manual"], (0,), "says nothing", id="manual-in-a-list"),
        pytest.param([], (), "empty list", id="empty-list"),
        pytest.param(["@daily"] * 1001, (), "at most 1000", id="endless-list"),
    ],
)
def test_an_error_knows_its_path_inside_the_value(value, loc, message):
    with pytest.raises(ScheduleError) as caught:
        parsed(value)
    assert caught.value.loc == loc
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("zone", "help"),
    [
        ("Europe/Berln", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("berlin", "Europe/Berlin"),
        ("New York", "America/New_York"), ("localtime", "IANA"), ("right/Europe/Berlin", "Europe/Berlin"),
        ("Europe", "IANA"),
        ("../../etc/passwd", "IANA"), ("/etc/localtime", "IANA"), ("", "IANA"), ("UTC+2", None), ("\0", "IANA"),
        ("x" * 5000, "IANA"),
    ],
)  # fmt: skip
def test_a_zone_outside_the_tz_database_is_refused_with_the_nearest_one(zone, help):
    with pytest.raises(ScheduleError) as caught:
        parsed("@daily", timezone=zone)
    assert caught.value.field == "timezone"
    assert len(caught.value.message) < 200
    assert help is None or help in (caught.value.help or "")


@pytest.mark.parametrize(
    ("value", "instant", "warning"),
    [
        pytest.param("2027-03-28T02:30", "2027-03-28T01:00:00Z", "does not exist in Europe/Berlin", id="gap"),
        pytest.param("2027-03-28T03:00", "2027-03-28T01:00:00Z", None, id="end-of-gap"),
        pytest.param(
            "2026-10-25T02:30", "2026-10-25T00:30:00Z", "exists twice in Europe/Berlin: the first", id="repeat"
        ),
        pytest.param("2026-10-25T02:30+01:00", "2026-10-25T01:30:00Z", None, id="the-second-by-its-offset"),
        pytest.param("2026-10-25T03:00", "2026-10-25T02:00:00Z", None, id="after-the-repeat"),
    ],
)
def test_a_local_time_that_does_not_exist_or_exists_twice_says_which_is_meant(value, instant, warning):
    schedule = parsed(value)
    assert coming(schedule, 2, after=0) == [instant]
    assert [warning in found.message for found in schedule.warnings] == ([True] if warning else [])


def test_a_once_in_the_gap_of_a_job_that_skips_gaps_is_an_error():
    with pytest.raises(ScheduleError, match="does not exist"):
        parsed("2027-03-28T02:30", gap="skip")


def test_warnings_of_a_list_say_which_entry():
    schedule = parsed(["@daily", "0 0 13 * FRI", ScheduleParts(cron="*/7 * * * *")])
    assert [warning.loc for warning in schedule.warnings] == [(1,), (2, "cron")]


def test_a_warning_behind_a_zone_prefix_points_at_its_own_characters():
    text = "CRON_TZ=Asia/Tokyo */7 9 * * *"
    (warning,) = parsed(text).warnings
    assert text[warning.start : warning.end] == "*/7"


def test_an_interval_keeps_to_the_grid_of_its_anchor():
    anchor = at("2026-11-21T08:00:07.5Z")
    schedule = parsed("every 10m")
    assert schedule.next_after(anchor, anchor=anchor) == anchor + 600 * SECOND, "strictly after"
    assert schedule.next_after(anchor - 1, anchor=anchor) == anchor
    late = anchor + 12_345 * 600 * SECOND + 3
    assert (schedule.next_after(late, anchor=anchor) - anchor) % (600 * SECOND) == 0, "no drift"
    own = parsed(ScheduleParts(every=600.0, anchor="2026-11-21T08:05:00Z"))
    assert own.next_after(anchor, anchor=anchor) == at("2026-11-21T08:05:00Z"), "its own anchor counts"


def test_a_once_fires_once():
    schedule = parsed("2026-12-24T18:00:00Z")
    slot = at("2026-12-24T18:00:00Z")
    assert schedule.next_after(slot - 1, anchor=0) == slot
    assert schedule.next_after(slot, anchor=0) is None
    assert schedule.count(after=0, through=slot * 2, anchor=0) == 1
    assert schedule.latest_through(slot, after=slot - 1, anchor=0) == slot
    assert schedule.latest_through(slot, after=slot, anchor=0) is None


def test_reboot_in_a_list_is_a_flag_beside_the_slots():
    schedule = parsed(["@reboot", "daily at 09:00"])
    assert schedule.reboot
    assert schedule.kind == "list"
    assert coming(schedule, 2) == ["2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"]


def test_the_job_gives_zone_rule_and_identity():
    job = Job.model_validate(
        {"name": "report", "schedule": "H 2 * * *", "run": {"command": ["true"]}, "timezone": BERLIN}
    )
    assert compile_schedule(job) is parsed("H 2 * * *")
    plain = job.model_copy(update={"timezone": None, "schedule": "0 2 * * *"})
    assert compile_schedule(plain).timezone == "UTC"
    assert compile_schedule(plain, default_timezone=BERLIN).timezone == BERLIN


def test_jobs_that_say_the_same_share_one_object_unless_it_depends_on_the_job():
    assert parsed("0 9 * * *", identity="default/a") is parsed("0 9 * * *", identity="default/b")
    assert parsed(["0 9 * * *"], identity="default/a") is parsed(["0 9 * * *"], identity="default/b")
    assert parsed("H 9 * * *", identity="default/a") is not parsed("H 9 * * *", identity="default/b")


SAME = [
    ("0 9 * * *", "daily at 9am", {}),
    ("0 9 * * *", "TZ=Europe/Berlin 0 9 * * *", {}),
    ("0 9 * * *", ["0 9 * * *"], {}),
    ("0 9 * * *", ["0 9 * * *", "every day at 09:00"], {}),
    ("0 0 * * 7", "@weekly", {}),
    ("0 9 * * 0-7", "0 9 * * *", {}),
    ("0 9 1-29 2 *", "0 9 * 2 *", {}),
    ("0 9 1-31 * MON", "0 9 * * *", {}),
    ("H 8 * * *", "59 8 * * *", {}),
    ("every 90m", "1h30m", {}),
    ("2026-12-24T18:00", "2026-12-24T17:00:00Z", {}),
    (["@daily", "every 2h"], ["every 120m", "0 0 * * *"], {}),
    ("*/5 * * * *", "*/5 * * * *", {"gap": "skip"}),
    ("every 5m", "every 5m", {"timezone": "Asia/Tokyo"}),
    (None, "manual", {"timezone": "Asia/Tokyo", "gap": "skip"}),
    (
        ScheduleParts(every=600.0, anchor="2026-01-01T00:00:00Z"),
        ScheduleParts(every=600.0, anchor="2026-01-01T00:10:00Z"),
        {},
    ),
]  # fmt: skip
DIFFERENT = [
    ("0 9 * * *", "1 9 * * *", {}),
    ("0 9 * * *", "0 9 * * *", {"timezone": "Europe/Paris"}),
    ("0 9 * * *", "0 9 * * *", {"gap": "skip"}),
    ("0 9 * * *", "0 9 * * *", {"repeat": "twice"}),
    ("0-59 2 * * *", "* 2 * * *", {}),
    ("0 0 1 * MON", "0 0 1 * *", {}),
    ("0 0 2,4,6 * MON", "0 0 */2 * MON", {}),
    ("H 9 * * *", "H 9 * * *", {"identity": "default/other"}),
    ("every 5m", "*/5 * * * *", {}),
    ("every 5m", ScheduleParts(every=300.0, anchor="2026-01-01T00:00:00Z"), {}),
    ("@reboot", None, {}),
    ("@daily", ["@daily", "@reboot"], {}),
    ("2026-12-24T18:00:00Z", "2026-12-24T18:00:01Z", {}),
]


@pytest.mark.parametrize(("one", "other", "change"), SAME, ids=[f"{one}~{other}" for one, other, _ in SAME])
def test_the_digest_stays_when_only_the_spelling_changes(one, other, change):
    assert parsed(one).digest == parsed(other, **change).digest


@pytest.mark.parametrize(("one", "other", "change"), DIFFERENT, ids=[f"{a}~{b}~{c}" for a, b, c in DIFFERENT])
def test_the_digest_changes_with_the_meaning(one, other, change):
    assert parsed(one).digest != parsed(other, **change).digest


def test_digests_and_h_are_the_same_in_every_process():
    program = (
        "from specs.schedule import parse_schedule; from specs.model import Dst\n"
        "s = parse_schedule('H H * * *', timezone='Europe/Berlin', dst=Dst(), identity='default/report')\n"
        "print(s.expression, s.digest)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}, capture_output=True,
            text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    here = parsed("H H * * *")
    assert said == {f"{here.expression} {here.digest}\n"}
    assert here.digest == "70d24e191b44879f2ee6f5134608dd200cf36b53d189306a82bdb46d10d43ee7"
