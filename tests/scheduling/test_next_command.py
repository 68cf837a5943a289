"""`jobsctl next`: the coming instants of a job or of an expression, for people and for programs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import run
from cli.options import Settings
from specs.kinds import Calendar
from specs.load import load_bytes
from state.home import Home
from state.records import DocumentRecord, JobRecord
from state.store import Store
from tests.scheduling.minute_scan import utc
from tests.seeing.building import carry_out, run_of

SECOND = 1_000_000
SATURDAY_MORNING = utc("2026-11-21T08:00") * SECOND


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def items(self) -> list[str]:
        return json.loads(self.out)["items"]


class StoppedClock:
    def now(self) -> int:
        return SATURDAY_MORNING

    def monotonic(self) -> float:
        return 0.0

    def boottime(self) -> float:
        return 0.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in [name for name in os.environ if name.startswith("JOBSCTL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    home = Home(tmp_path)
    home.specs.mkdir()
    return home


@pytest.fixture
def coming(home: Home, capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Done]:
    """`coming("--schedule", "@daily")` calls `jobsctl next` on `home`, on a Saturday morning."""

    def call(*arguments: str) -> Done:
        code = run(["next", *arguments], Settings(home_option=home.root, clock=StoppedClock()))
        captured = capsysbinary.readouterr()
        return Done(int(code), captured.out.decode(), captured.err.decode())

    return call


@pytest.fixture
def known(home: Home) -> Callable[..., JobRecord]:
    """Puts the job of a YAML text into the database, as the daemon would."""

    def put(text: str, **fields: object) -> JobRecord:
        (job,) = load_bytes(text.encode(), "job.yaml").jobs
        at = SATURDAY_MORNING - 3600 * SECOND
        store = Store.open(home.database, now=at)
        record = JobRecord(
            project=job.project, name=job.name, spec=job.spec, digest=job.digest, path=job.path, line=job.line,
            created_at=at, applied_at=at, cursor_at=at, **({"anchor_at": at} | fields),
        )  # fmt: skip
        stored = store.put_job(record)
        store.close()
        return stored

    return put


@pytest.fixture
def defined(home: Home) -> Callable[..., None]:
    """Puts a calendar into the database, as the daemon would."""

    def put(name: str, **fields: object) -> None:
        model = Calendar.model_validate({"kind": "Calendar", "name": name} | fields)
        spec = model.model_dump_json(by_alias=True).encode()
        store = Store.open(home.database, now=SATURDAY_MORNING)
        record = DocumentRecord(
            kind="Calendar", name=name, spec=spec, digest="", path="c.yaml", line=1, applied_at=SATURDAY_MORNING
        )
        store.put_documents([record], [])
        store.close()

    return put


def test_an_expression_is_answered_in_rfc_3339_utc(coming):
    done = coming(
        "--schedule", "30 2 * * *", "--timezone", "America/New_York",
        "--after", "2027-03-13T12:00:00Z", "-n", "2", "-o", "json",
    )  # fmt: skip
    assert json.loads(done.out) == {"items": ["2027-03-14T07:00:00Z", "2027-03-15T06:30:00Z"]}
    assert (done.code, done.err) == (0, "")


def test_people_see_local_time_utc_and_words(coming):
    done = coming("--schedule", "weekdays at 9:30am", "--timezone", "Europe/Berlin", "-n", "1")
    words, heading, row = done.out.splitlines()
    assert words == "Weekdays at 09:30, Europe/Berlin"
    assert heading.split() == ["LOCAL", "UTC", "IN"]
    assert row.startswith("Mon 2026-11-23 09:30:00 CET  2026-11-23T08:30:00Z  in 2d")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("jsonl", '"2026-11-21T09:00:00Z"\n"2026-11-21T10:00:00Z"\n'),
        ("name", "2026-11-21T09:00:00Z\n2026-11-21T10:00:00Z\n"),
        ("yaml", 'items:\n- "2026-11-21T09:00:00Z"\n- "2026-11-21T10:00:00Z"\n'),
    ],
)
def test_every_output_form_gives_the_instants(coming, output, expected):
    assert coming("--schedule", "hourly", "-n", "2", "-o", output).out == expected


def test_the_home_gives_the_timezone_of_an_expression(coming, home):
    home.config.write_text("timezone: Asia/Tokyo\n")
    assert coming("--schedule", "daily at 09:00", "-n", "1", "-o", "json").items == ["2026-11-22T00:00:00Z"]


def test_a_wrong_expression_is_underlined_and_ends_with_3(coming):
    done = coming("--schedule", "0 9 * * FRI-MON")
    assert done.code == 3
    assert done.out == ""
    assert done.err.splitlines() == [
        "error: `FRI-MON` runs backwards",
        "  0 9 * * FRI-MON",
        "          ^^^^^^^",
        "hint: write 5-7,1",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param([], 2, "name a job", id="nothing"),
        pytest.param(["--schedule", "@daily", "--timezone", "Europe/Berln"], 2, "Europe/Berlin?", id="zone"),
        pytest.param(["--schedule", "@daily", "--after", "soon"], 2, "not an instant", id="after"),
        pytest.param(["--schedule", "@daily", "-n", "0"], 2, "0 is not in the range 1 to", id="number"),
        pytest.param(["--schedule", ""], 3, "empty", id="empty"),
        pytest.param(["--schedule", "0 9 * *\x1b[2J *"], 3, "not allowed", id="control-character"),
    ],
)
def test_what_makes_no_sense_is_said(coming, arguments, code, said):
    done = coming(*arguments)
    assert done.code == code
    assert said in done.err
    assert "\x1b" not in done.err
    assert "Traceback" not in done.err


def test_a_job_is_answered_from_what_was_applied(coming, known):
    known("name: report\nschedule: every 90m\nrun: {command: [echo]}\n", anchor_at=SATURDAY_MORNING - 600 * SECOND)
    assert coming("report", "-n", "2", "-o", "json").items == ["2026-11-21T09:20:00Z", "2026-11-21T10:50:00Z"]
    assert coming("default/report", "-n", "1", "-o", "name").out == "2026-11-21T09:20:00Z\n"


def test_a_jobs_times_are_shown_in_its_own_zone(coming, known):
    known("name: report\nschedule: daily at 09:00\ntimezone: Asia/Tokyo\nrun: {command: [echo]}\n")
    assert "Sun 2026-11-22 09:00:00 JST  2026-11-22T00:00:00Z" in coming("report", "-n", "1").out
    assert "Sun 2026-11-22 01:00:00 CET" in coming("report", "-n", "1", "--timezone", "Europe/Berlin").out


def test_a_suspended_job_is_answered_with_a_note(coming, known):
    known("name: report\nschedule: '@daily'\nsuspend: true\nrun: {command: [echo]}\n")
    done = coming("report", "-o", "json")
    assert len(done.items) == 5
    assert "suspended" in done.err


def test_a_manual_job_has_nothing_to_come(coming, known):
    known("name: report\nrun: {command: [echo]}\n")
    assert coming("report", "-o", "json").items == []
    done = coming("report")
    assert done.out == "Only when triggered\n"
    assert "Nothing is to come" in done.err


def test_an_unknown_job_ends_with_4(coming, known):
    known("name: report\nrun: {command: [echo]}\n")
    done = coming("reprot")
    assert done.code == 4
    assert "report" in done.err


def test_h_of_an_expression_is_that_of_the_job_beside_it(coming):
    mine = coming("report", "--schedule", "H H * * *", "-n", "1", "-o", "json")
    assert mine.items == ["2026-11-21T08:59:00Z"]
    nobodys = coming("--schedule", "H H * * *", "-n", "1", "-o", "json")
    assert "H differs from job to job" in nobodys.err


def test_warnings_go_to_stderr(coming):
    done = coming("--schedule", "0 0 13 * FRI", "-n", "1", "-o", "json")
    assert done.items == ["2026-11-27T00:00:00Z"]
    assert "it runs on the 13th of every month and on Fridays" in done.err


def test_an_expression_counted_from_the_end_of_runs_has_a_first_start_and_says_why_no_more(coming):
    done = coming("--schedule", "every 10m from finish")
    assert done.out.startswith("10 minutes after the end of the run before\n")
    assert "2026-11-21T08:10:00Z" in done.out
    assert "depends on when the run before ends" in done.err
    assert coming("--schedule", "continuous", "-o", "json").items == ["2026-11-21T08:00:00Z"]


def test_a_job_counted_from_the_end_of_runs_says_what_can_be_known(coming, known, home):
    job = known("name: poll\nschedule: every 10m from finish\nrun: {command: [echo]}\n")
    done = coming("poll", "-o", "json")
    assert (done.items, "each further start" in done.err) == (["2026-11-21T07:10:00Z"], True)
    store = Store.open(home.database, now=SATURDAY_MORNING)
    carry_out(store, job, at=SATURDAY_MORNING - 60 * SECOND, seconds=45)
    assert coming("poll", "-o", "json").items == ["2026-11-21T08:09:45Z"]
    store.insert_runs([run_of(job, at=SATURDAY_MORNING)])
    store.close()
    done = coming("poll", "-o", "json")
    assert (done.items, "when the run that is active ends" in done.err) == ([], True)


def test_jitter_moves_the_starts_and_not_the_slots(coming, known):
    known("name: report\nschedule: hourly\njitter: {spread: 10m, random: 1m}\nrun: {command: [echo]}\n")
    done = coming("report", "-n", "2", "-o", "json")
    assert done.items == ["2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z"]
    starts = json.loads(done.out)["starts"]
    assert all("T09:00:00Z" < start[10:] < "T09:11:00Z" for start in starts[:1])
    assert starts == sorted(starts)
    assert "STARTS" in coming("report").out
    assert "STARTS" not in coming("report", "--schedule", "hourly").out


def test_slots_outside_the_horizon_do_not_come(coming, known):
    known(
        "name: report\nschedule: hourly\nstart_at: 2026-11-21T12:00:00Z\nend_at: 2026-11-21T14:30:00Z\nrepeat: 9\n"
        "run: {command: [echo]}\n"
    )
    done = coming("report", "-o", "json")
    assert done.items == ["2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z", "2026-11-21T14:00:00Z"]
    assert "complete after 9 runs" in done.err


def test_a_completed_job_has_nothing_to_come(coming, known):
    known("name: report\nschedule: hourly\nrun: {command: [echo]}\n", completed_at=SATURDAY_MORNING)
    done = coming("report", "-o", "json")
    assert (done.items, "is complete" in done.err) == ([], True)


CALENDARS = {
    # id: (calendars of the job, slots, starts where they differ, note)
    "skip": ("freeze", ["2026-11-21T09:00:00Z", "2026-11-21T15:00:00Z"], None, ""),
    "defer": ("rest", ["2026-11-21T09:00:00Z", "2026-11-21T13:00:00Z"],
        ["2026-11-21T12:30:00Z", "2026-11-21T13:00:00Z"], ""),
    "both": ("[rest, freeze]", ["2026-11-21T09:00:00Z", "2026-11-21T15:00:00Z"],
        ["2026-11-21T14:30:00Z", "2026-11-21T15:00:00Z"], ""),
    "never": ("past", [], None, "never let it run"),
}  # fmt: skip


@pytest.mark.parametrize(("named", "items", "starts", "note"), CALENDARS.values(), ids=CALENDARS)
def test_a_calendar_drops_and_defers_slots(coming, known, defined, named, items, starts, note):
    defined("freeze", action="skip", windows=[{"from": "09:30", "to": "14:30"}])
    defined("rest", action="defer", windows=[{"from": "09:00", "to": "12:30"}])
    defined("past", mode="allow", dates=["2026-01-01"])
    known(f"name: report\nschedule: hourly\ncalendar: {named}\nrun: {{command: [echo]}}\n")
    done = coming("report", "-n", "2", "-o", "json")
    assert done.items == items
    assert json.loads(done.out).get("starts") == starts
    assert note in done.err
