"""The situations that `why` must be able to tell, each with its facts: rows of `test_why_stories`."""

from __future__ import annotations

from collections.abc import Callable

from specs.calendar import Calendars, JobCalendar, compile_calendar
from specs.kinds import Calendar
from specs.zones import find_zone, to_micros
from state.records import Event, Health, Reason, RunState, Trigger
from status.why.compose import at_slot, no_slot, overview
from status.why.moment import Moment, read_moment
from status.why.story import Story
from tests.commands.telling import (
    DAY,
    HOUR,
    MINUTE,
    NINE,
    NOW,
    SECOND,
    facts_of,
    pool,
    run,
    run_id,
    skipped,
    slot,
    upstream,
)

MINUTE_OF_NINE = Moment(NINE, MINUTE)
RETRY = {"retry": {"attempts": 3, "backoff": "exponential"}}
HOURLY = {"schedule": "hourly"}
FINDING = {"code": "JOB030", "message": "unknown key `comand` in `run`", "path": "reports/daily.yaml", "line": 7,
           "column": 13, "severity": "error"}  # fmt: skip


def holidays(action: str) -> Calendars:
    """A calendar that lets nothing run on Sunday before noon."""
    calendar = Calendar.model_validate(
        {"kind": "Calendar", "name": "holidays", "windows": [{"days": "sun", "to": "12:00"}], "action": action}
    )
    times = compile_calendar(calendar, "Europe/Berlin")
    return Calendars((JobCalendar("holidays", calendar.mode, calendar.action, times),))


def _told(facts, found, moment=MINUTE_OF_NINE) -> Story:
    return at_slot(facts, found, moment)


def _spring(spec: dict, clock: str) -> Story:
    """A time in the night of 2027-03-28, asked about on the day before."""
    zone = find_zone("Europe/Berlin")
    night = 1_806_195_600 * SECOND  # 2027-03-28T01:00:00Z: 02:00 becomes 03:00
    hour, minute = map(int, clock.split(":"))
    assert to_micros(zone.local(night)) == night
    now = night - 20 * HOUR
    facts = facts_of(spec, now=now, record={"cursor_at": now - HOUR, "applied_at": now - DAY})
    at = night if hour < 3 else night + (hour - 3) * HOUR + minute * MINUTE
    found = facts.timing.after(at - 1)
    if found is None or found >= at + MINUTE:
        return no_slot(facts, read_moment("2027-03-28 02:30", now=now, zone=zone))
    return at_slot(facts, slot(at=found), Moment(at, MINUTE))


FAILED = run(RunState.FAILED, took=12 * SECOND)
ACTIVE = run(RunState.RUNNING, number=2)
YESTERDAY = slot(run(slot=NINE - DAY), at=NINE - DAY)
WAITS = run(RunState.BLOCKED, number=2, reason=Reason.DEPENDENCY)

SITUATIONS: dict[str, Callable[[], Story]] = {
    # a slot that has come
    "it succeeded": lambda: _told(facts_of(), slot(run())),
    "it failed and has no retry": lambda: _told(facts_of(), slot(FAILED)),
    "it succeeded at the second attempt": lambda: _told(
        facts_of(RETRY), slot(FAILED, run(number=2, attempt=2, trigger=Trigger.RETRY, late=22 * SECOND))),
    "every attempt failed": lambda: _told(facts_of(RETRY), slot(*(
        run(RunState.FAILED, number=n, attempt=n, late=n * 30 * SECOND, took=9 * SECOND) for n in (1, 2, 3)))),
    "it was stopped at its timeout": lambda: _told(
        facts_of({"timeout": "15m"}), slot(run(RunState.EXPIRED, took=15 * MINUTE, reason=Reason.TIMEOUT))),
    "somebody cancelled it": lambda: _told(facts_of(), slot(
        run(RunState.CANCELLED, reason=Reason.CANCELLED, cancel_requested_by="ann@desk", took=40 * SECOND))),
    "it was replaced by the next": lambda: _told(facts_of({"overlap": "replace"}), slot(
        run(RunState.CANCELLED, reason=Reason.REPLACED, took=DAY))),
    "nobody saw its end": lambda: _told(facts_of(), slot(
        run(RunState.FAILED, reason=Reason.LOST, exit_code=None, error="the machine was started anew"))),
    "it could not be started": lambda: _told(facts_of(), slot(
        run(RunState.FAILED, reason=Reason.START_ERROR, started_at=None, exit_code=None,
            error="program `report` is not in PATH"))),
    "it is running": lambda: _told(facts_of(), slot(ACTIVE)),
    "it was caught up": lambda: _told(facts_of(), slot(run(late=2 * HOUR, trigger=Trigger.CATCH_UP))),
    "it waited for a pool first": lambda: _told(facts_of({"pool": "db"}), slot(
        run(late=26 * MINUTE, created_at=NINE))),
    "an earlier generation ran": lambda: _told(facts_of(), slot(run(generation=3, revision="main@sha1:" + "9f" * 20))),
    "it followed others, with params": lambda: _told(
        facts_of({"depends_on": ["extract"], "params": {"day": {"default": "today"}}}),
        slot(run(upstream={"default/extract": run_id(7)}, params={"day": "monday"}))),
    # slots without a run
    "the run before was still active": lambda: _told(
        facts_of(), slot(skipped(Reason.OVERLAP), holder=run(slot=NINE - DAY, number=3, took=DAY + HOUR))),
    "a queue was full": lambda: _told(
        facts_of({"overlap": "queue"}),
        slot(skipped(Reason.OVERLAP), holder=run(RunState.BLOCKED, slot=NINE - DAY, number=3, reason=Reason.POOL))),
    "as many as may be were active": lambda: _told(
        facts_of({"overlap": "allow", "max_concurrent": 2}), slot(skipped(Reason.OVERLAP))),
    "a job it depends on had failed": lambda: _told(
        facts_of({"depends_on": ["extract"], "on_dependency_failure": "fail"}),
        slot(run(RunState.FAILED, reason=Reason.DEPENDENCY, started_at=None, exit_code=None,
                 error=f"default/extract has failed (run {run_id(7)})"))),
    "an attempt gave way to the next slot": lambda: _told(
        facts_of(RETRY), slot(FAILED, run(RunState.CANCELLED, number=2, attempt=2, started_at=None,
                                          reason=Reason.SUPERSEDED))),
    "no daemon was running for a while": lambda: _told(
        facts_of(HOURLY), slot(
            skipped(Reason.DAEMON_DOWN, first=NINE - 4 * HOUR, last=NINE, count=5), at=NINE - 2 * HOUR,
            caught_up=run(number=4, slot=NINE + HOUR, trigger=Trigger.CATCH_UP, late=14 * MINUTE)),
        Moment(NINE - 2 * HOUR, MINUTE)),
    "it was found too late": lambda: _told(
        facts_of({"missed": {"policy": "latest", "grace": "1h"}}), slot(skipped(Reason.GRACE))),
    "missed slots are not caught up": lambda: _told(
        facts_of({"missed": "skip"}), slot(skipped(Reason.MISSED))),
    "it was suspended and still is": lambda: _told(
        facts_of(record={"suspended_at": NINE - 3 * HOUR, "suspended_by": "ann@desk",
                         "suspended_reason": "the database moves"}), slot(skipped(Reason.SUSPENDED))),
    "it was suspended then": lambda: _told(facts_of(), slot(
        skipped(Reason.SUSPENDED), pause=Event(at=NINE - DAY, job_id=1, run_id=None, type="Normal", reason="suspended",
                                               message="by ann@desk: the database moves"))),
    "a calendar kept it": lambda: _told(facts_of({"calendar": "holidays"}), slot(skipped(Reason.CALENDAR))),
    "the run before waited for a pool": lambda: _told(facts_of({"pool": "db"}), slot(skipped(Reason.POOL))),
    "a one-shot that had passed": lambda: _told(
        facts_of({"schedule": "2026-11-21T09:00:00"}), slot(skipped(Reason.PAST))),
    "a spring gap dropped it": lambda: _told(
        facts_of({"dst": {"gap": "skip"}}), slot(skipped(Reason.DST_GAP))),
    # slots of which nothing is stored, or where there is none
    "no slot there": lambda: no_slot(facts_of(), Moment(NINE + 30 * MINUTE, MINUTE)),
    "no slot before start_at": lambda: no_slot(
        facts_of({"start_at": "2026-12-01T00:00:00"}), MINUTE_OF_NINE),
    "a manual job has no slots": lambda: no_slot(facts_of({"schedule": None}), MINUTE_OF_NINE),
    "before the job was there": lambda: _told(
        facts_of(), slot(at=NINE - 60 * DAY), Moment(NINE - 60 * DAY, MINUTE)),
    "before the present generation": lambda: _told(
        facts_of(), slot(at=NINE - 20 * DAY), Moment(NINE - 20 * DAY, MINUTE)),
    "history was pruned": lambda: _told(
        facts_of(record={"applied_at": NOW - 300 * DAY, "created_at": NOW - 300 * DAY}),
        slot(at=NINE - 60 * DAY, oldest=NINE - 30 * DAY), Moment(NINE - 60 * DAY, MINUTE)),
    "due, and no daemon is there": lambda: _told(
        facts_of(record={"cursor_at": NINE - DAY}, alive=False, last_beat=NINE - HOUR), slot()),
    "due, and a later slot is due too": lambda: _told(
        facts_of(HOURLY, record={"cursor_at": NINE - HOUR}, alive=False, last_beat=NINE - HOUR), slot()),
    # what comes
    "all is well": lambda: overview(facts_of(), slot(run())),
    "nothing has run yet": lambda: overview(facts_of(), None),
    "the next one is moved by jitter": lambda: overview(facts_of({"jitter": "30m"}), slot(run())),
    "suspended by command and file": lambda: overview(
        facts_of({"suspend": {"reason": "not before the audit"}},
                 record={"suspended_at": NINE, "suspended_by": "ann@desk", "suspended_reason": "disk"}), slot(run())),
    "suspended by its file": lambda: overview(facts_of({"suspend": True}), slot(run())),
    "a run is active, overlap skip": lambda: overview(facts_of(active=(ACTIVE,)), YESTERDAY),
    "a run is active, overlap queue": lambda: overview(
        facts_of({"overlap": "queue"}, active=(ACTIVE,)), YESTERDAY),
    "one waits for a pool": lambda: overview(
        facts_of({"pool": "db", "priority": 5},
                 active=(run(RunState.BLOCKED, number=2, reason=Reason.POOL),), pool=pool(2, running=2, waiting=2)),
        YESTERDAY),
    "one waits for another job": lambda: overview(
        facts_of({"depends_on": ["extract", "load"]}, active=(WAITS,),
                 upstream=(upstream("extract", ready=False, last_success_at=NINE - DAY, health=Health.FAILING,
                                    health_since=NINE - 3 * HOUR),
                           upstream("load", ready=True, last_success_at=NINE - HOUR))),
        YESTERDAY),
    "a deferred one waits for its calendar": lambda: overview(
        facts_of({"calendar": "holidays"}, active=(
            run(RunState.BLOCKED, number=2, reason=Reason.CALENDAR, not_before=NOW + 3 * HOUR),)), YESTERDAY),
    "one is about to be started": lambda: overview(facts_of(active=(run(RunState.PENDING, number=2),)), YESTERDAY),
    "as many as may be are active": lambda: overview(
        facts_of({"overlap": "allow", "max_concurrent": 2}, active=(ACTIVE, run(RunState.RUNNING, number=3))),
        YESTERDAY),
    "all it needs is at hand": lambda: overview(
        facts_of({"pool": "db", "depends_on": ["extract"]}, pool=pool(2, running=1),
                 upstream=(upstream("extract", ready=True, last_success_at=NINE - HOUR),)), slot(run())),
    "one waits for its next attempt": lambda: overview(
        facts_of(RETRY, active=(run(RunState.BLOCKED, number=2, attempt=2, reason=Reason.BACKOFF,
                                    not_before=NOW + 34 * SECOND, trigger=Trigger.RETRY),)), slot(FAILED)),
    "the next one replaces the one that runs": lambda: overview(
        facts_of({"overlap": "replace"}, active=(ACTIVE,)), YESTERDAY),
    "the next one replaces nothing that waits for a pool": lambda: overview(
        facts_of({"overlap": "replace", "pool": "db"},
                 active=(run(RunState.BLOCKED, number=2, reason=Reason.POOL),), pool=pool(2, running=2, waiting=1)),
        YESTERDAY),
    "the next one takes the place of an attempt that waits": lambda: overview(
        facts_of({"overlap": "replace", **RETRY}, active=(
            run(RunState.BLOCKED, number=2, attempt=2, reason=Reason.BACKOFF, not_before=NOW + 34 * SECOND,
                trigger=Trigger.RETRY),)), slot(FAILED)),
    "the last of repeat comes while the one before runs": lambda: overview(
        facts_of({"repeat": 10}, record={"repeat_done": 9}, active=(ACTIVE,)), YESTERDAY),
    "a chain that is active": lambda: overview(
        facts_of({"schedule": None, "depends_on": ["extract"], "on_dependency_failure": "fail"},
                 record={"next_at": None}, active=(ACTIVE,),
                 upstream=(upstream("extract", ready=False, last_success_at=NINE),)), None),
    "suspended while a run is active and the pool is full": lambda: overview(
        facts_of({"pool": "db", "suspend": {"reason": "it moves"}}, active=(ACTIVE,), pool=pool(2, running=2)),
        YESTERDAY),
    "a chain without a schedule": lambda: overview(
        facts_of({"schedule": None, "depends_on": ["extract", {"job": "load", "max_age": "6h"}, "gone"]},
                 record={"next_at": None, "consumed": {"default/extract": NINE - DAY}},
                 upstream=(upstream("extract", ready=False, last_success_at=NINE - DAY),
                           upstream("load", ready=False, max_age=6 * HOUR, last_success_at=NINE - DAY),
                           upstream("gone", ready=False, known=False))), None),
    "what follows a run has no jitter": lambda: _told(
        facts_of({"schedule": "every 10m from finish", "jitter": "1h"}), slot(run())),
    "continuous": lambda: overview(
        facts_of({"schedule": {"continuous": True, "delay": "10m"}}, active=(ACTIVE,)), None),
    "continuous, between two runs": lambda: overview(
        facts_of({"schedule": {"continuous": True, "delay": "10m"}},
                 record={"last_finished_at": NOW - MINUTE, "next_at": NOW + 9 * MINUTE}), slot(run())),
    "continuous, and a calendar holds it": lambda: overview(
        facts_of({"schedule": {"continuous": True, "delay": "10m"}, "calendar": "holidays"},
                 calendars=holidays("skip"), now=NOW + DAY,
                 record={"last_finished_at": NOW + DAY - MINUTE, "next_at": NOW + DAY + HOUR}), slot(run())),
    "a chain that a calendar holds, and that was resumed": lambda: overview(
        facts_of({"schedule": None, "depends_on": ["extract"], "calendar": "holidays"}, record={"next_at": None},
                 calendars=holidays("skip"), now=NOW + DAY,
                 upstream=(upstream("extract", ready=False, last_success_at=NINE),)), None),
    "at boot": lambda: overview(facts_of({"schedule": "@reboot"}, record={"next_at": None}), slot(
        run(trigger=Trigger.BOOT))),
    "stalled, and its file is gone": lambda: overview(
        facts_of(record={"stalled": "zone Mars/Phobos is gone", "missing_since": NOW - MINUTE}), slot(run())),
    "its file is gone, and it is kept": lambda: overview(
        facts_of({"prune": False}, record={"missing_since": NOW - MINUTE}), slot(run())),
    "the specs cannot be read": lambda: overview(facts_of(source_problem="no such directory"), slot(run())),
    "until was true": lambda: overview(
        facts_of({"until": "run.state == 'succeeded'"}, record={"completed_at": NINE, "next_at": None}), slot(run())),
    "only when triggered": lambda: overview(
        facts_of({"schedule": None}, record={"next_at": None}), slot(run(slot=None, requested_by="ann@desk",
                                                                        trigger=Trigger.MANUAL))),
    "no daemon is running": lambda: overview(facts_of(alive=False, last_beat=NINE), slot(run())),
    "complete": lambda: overview(
        facts_of({"repeat": 10}, record={"completed_at": NINE + MINUTE, "repeat_done": 10, "next_at": None}),
        slot(run())),
    "archived": lambda: overview(facts_of(record={"archived_at": NINE + HOUR}), slot(run())),
    "its file is wrong": lambda: overview(
        facts_of(record={"problem": (FINDING,), "problem_since": NINE}), slot(run())),
    "no slot before end_at": lambda: overview(
        facts_of({"end_at": "2026-11-22T00:00:00"}, record={"next_at": None}), slot(run())),
    "the calendar will skip it": lambda: overview(
        facts_of({"calendar": "holidays"}, calendars=holidays("skip")), slot(run())),
    "the calendar will defer it": lambda: overview(
        facts_of({"calendar": "holidays"}, calendars=holidays("defer")), slot(run())),
    "a slot after the job was complete": lambda: _told(
        facts_of({"repeat": 10}, record={"repeat_done": 10, "completed_at": NINE - DAY, "cursor_at": NINE - DAY,
                                         "next_at": None}), slot()),
    "a slot of an archived job": lambda: _told(
        facts_of(record={"archived_at": NINE + HOUR}), slot(at=NINE + DAY), Moment(NINE + DAY, MINUTE)),
    "a slot within repeat": lambda: _told(
        facts_of({"repeat": 10}, record={"repeat_done": 8}), slot(at=NINE + 2 * DAY), Moment(NINE + 2 * DAY, MINUTE)),
    "decided on, and nothing is stored": lambda: _told(facts_of(), slot(oldest=NINE - DAY)),
    "a slot beyond repeat": lambda: _told(
        facts_of({"repeat": 10}, record={"repeat_done": 8}), slot(at=NINE + 3 * DAY), Moment(NINE + 3 * DAY, MINUTE)),
    # moved clocks
    "a time in the spring gap": lambda: _spring({"schedule": "daily at 02:30"}, "02:30"),
    "a time the spring gap drops": lambda: _spring({"schedule": "daily at 02:30", "dst": {"gap": "skip"}}, "02:30"),
}  # fmt: skip
