"""A morning of the real loop, with everything that happens to jobs; then `why` is asked about every slot of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.reading import Reading
from runners.stub import Script
from state.inbox import RequestKind
from state.reads import Reader
from state.records import JobRecord, Reason, RunState
from status.why.compose import at_slot, overview
from status.why.facts import facts_of, find_slot, last_slot, slot_facts
from status.why.moment import Moment
from status.why.story import Answer, Verdict
from tests.deciding.driving import Rig
from tests.deciding.scenes import FAILS, HOUR, MINUTE, Scene, document, spec

EVERY_10 = "*/10 * * * *"
FORESEEN = {Verdict.WILL_RUN, Verdict.MAY_WAIT, Verdict.WILL_NOT_RUN}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    rig = Rig(tmp_path)
    yield Scene(rig)
    rig.close()


@pytest.fixture
def morning(scene: Scene) -> Iterator[Reading]:
    """08:00 to 12:00: overlaps, retries, a full pool, a calendar, a pause, an hour without a daemon."""
    scene.programs(
        slow=Script(takes=25 * 60), flaky=FAILS, hog=Script(takes=25 * 60), late=Script(takes=4 * 60), extract=FAILS
    )
    scene.files(
        shared=document("Pool", "db", slots=1) + "---\n"
        + document("Calendar", "lunch", windows=[{"from": "11:00", "to": "11:30"}]),
        plain=spec("plain", schedule=EVERY_10),
        slow=spec("slow", schedule=EVERY_10),
        queued=spec("queued", schedule=EVERY_10, overlap="queue", jitter="5m"),
        flaky=spec("flaky", schedule=EVERY_10, retry={"attempts": 3, "delay": "3m", "jitter": 0}),
        hog=spec("hog", schedule=EVERY_10, pool="db"),
        late=spec("late", schedule=EVERY_10, pool="db", overlap="queue"),
        waiter=spec("waiter", schedule=EVERY_10, pool="db"),
        quiet=spec("quiet", schedule=EVERY_10, calendar="lunch"),
        all=spec("all", schedule=EVERY_10, missed="all"),
        grace=spec("grace", schedule=EVERY_10, missed={"policy": "latest", "grace": "1m"}),
        extract=spec("extract", schedule="0 * * * *"),
        load=spec("load", schedule=EVERY_10, depends_on=["extract"]),
        few=spec("few", schedule=EVERY_10, repeat=3),
    )  # fmt: skip
    scene.until("09:05")
    scene.ask(RequestKind.SUSPEND, "plain")
    scene.until("09:35")
    scene.ask(RequestKind.RESUME, "plain")
    scene.until("10:05")
    scene.down_until("10:57")
    scene.until("12:05")
    with Reader(scene.rig.home.database) as reader:
        yield Reading(scene.rig.home, reader, scene.rig.clock.now())


def told(seen: Reading, record: JobRecord, at: int) -> Answer:
    facts = facts_of(seen, record)
    moment = Moment(at, MINUTE)
    slot = find_slot(seen, facts, moment)
    assert slot == at
    (answer,) = at_slot(facts, slot_facts(seen, facts, slot), moment).answers
    return answer


def test_every_slot_of_every_job_has_its_story_and_together_they_are_the_counters(morning: Reading) -> None:
    reasons: Counter[Reason] = Counter()
    for record in morning.reader.jobs():
        began = record.anchor_at - record.anchor_at % (10 * MINUTE) + 10 * MINUTE
        period = HOUR if record.name == "extract" else 10 * MINUTE
        began += -began % period
        answers = [told(morning, record, at) for at in range(began, record.cursor_at + 1, period)]
        wrong = {Verdict.UNKNOWN, Verdict.UNDECIDED, Verdict.NO_SLOT, Verdict.NOTHING} | FORESEEN
        assert {answer.verdict for answer in answers} & wrong == set(), record.identity
        skipped = Counter(answer.reason for answer in answers if answer.verdict is Verdict.SKIPPED)
        assert skipped == {reason: count for reason, count in record.skips.items() if count}, record.identity
        ended = Counter(run.state for answer in answers for run in answer.runs if run.skipped_count is None)
        for state in (RunState.SUCCEEDED, RunState.FAILED):
            assert ended[state] == record.counts.get(state, 0), record.identity
        reasons += skipped
    expected = {Reason.OVERLAP, Reason.POOL, Reason.DEPENDENCY, Reason.SUSPENDED, Reason.DAEMON_DOWN, Reason.CALENDAR}
    assert expected | {Reason.GRACE} <= set(reasons), "the morning holds what it is for"


def test_what_comes_is_told_of_every_job(morning: Reading) -> None:
    for record in morning.reader.jobs():
        facts = facts_of(morning, record)
        story = overview(facts, last_slot(morning, facts))
        verdict = story.answers[-1].verdict
        assert verdict in FORESEEN | {Verdict.NOTHING}, record.identity
        assert (verdict is Verdict.NOTHING) == (record.name == "few")


def test_missed_slots_name_the_run_that_caught_up(morning: Reading) -> None:
    record = morning.reader.job("plain")
    answer = told(morning, record, record.cursor_at - 90 * MINUTE)
    assert answer.reason is Reason.DAEMON_DOWN
    assert "were not run: no daemon was running." in answer.text[0]
    assert "was caught up by run" in answer.text[1]


def test_a_pause_tells_who_made_it(morning: Reading) -> None:
    record = morning.reader.job("plain")
    answer = told(morning, record, record.cursor_at - 3 * HOUR + 20 * MINUTE)
    assert answer.reason is Reason.SUSPENDED
    assert "the job was suspended by ann@desk on" in answer.text[0]
