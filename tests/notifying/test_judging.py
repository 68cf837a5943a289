"""Who is told what of a job: each thing once, in order, and nothing while it is silenced."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from specs.stored import StoredNotifyRule
from status.notify.judge import judge, look_again
from status.notify.memory import Memory
from status.notify.occurrences import JobFacts, Looked, Notice, Occurrence, RunEnded, Running, Silence, SlotsSkipped

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 1_795_219_200 * SECOND
"""2026-11-21 00:00:00Z, a Saturday."""
ALL = frozenset({"failure", "recovery", "missed", "still_failing", "slow", "skipped", "success"})


def clock(text: str) -> int:
    """`08:10`, or `+1 08:10` of the next day."""
    days, _, time = text.rpartition(" ")
    hour, minute = map(int, time.split(":"))
    return DAY + (int(days or 0) * 1440 + hour * 60 + minute) * MINUTE


def shown(at: int | None) -> str:
    if at is None:
        return "-"
    days, minutes = divmod((at - DAY) // MINUTE, 1440)
    return (f"+{days} " if days else "") + f"{minutes // 60:02}:{minutes % 60:02}"


def rule(to: str = "ops", *on: str, failures: int = 3, slower_than: float | None = None) -> StoredNotifyRule:
    usual = frozenset(on) if on else frozenset({"failure", "recovery", "missed"})
    return StoredNotifyRule(to=tuple(to.split()), on=usual, failures=failures, slower_than=slower_than)


@dataclass(slots=True)
class Story:
    """A job's life, line by line. Memory goes through JSON between any two lines, as in the outbox."""

    rules: Sequence[StoredNotifyRule] = (rule(),)
    job: JobFacts = field(init=False)
    memory: Memory = field(default_factory=Memory)
    notices: list[Notice] = field(default_factory=list)
    runs: int = 0

    def __post_init__(self) -> None:
        self.job = JobFacts(job_id=7, identity="shop/backup", rules=self.rules, idle=False, watched_since=DAY)

    def line(self, text: str) -> None:
        """`08:00 failed`, `08:00 failed, retried`, `08:00 took 50m`, `08:00 skipped overlap x3`, `08:00 looks, due
        07:00, running since 06:00`, `silenced 08:00 until 09:00`, `suspended`, `resumed`."""
        word, _, rest = text.partition(" ")
        if word.startswith("+"):
            time, _, rest = rest.partition(" ")
            word = f"{word} {time}"
        if word == "silenced":
            since, until = map(clock, rest.split(" until "))
            self.job = replace(self.job, silences=(*self.job.silences, Silence(since=since, until=until)))
        elif word in ("suspended", "resumed"):
            self.job = replace(self.job, idle=word == "suspended")
        elif word == "rules":
            self.job = replace(self.job, rules=(rule(),) if rest == "again" else ())
        elif word == "renamed":
            self.job = replace(self.job, identity=rest)
        else:
            self.judge(self.occurrence(clock(word), rest))

    def occurrence(self, at: int, text: str) -> Occurrence:
        head, *parts = text.split(", ")
        if head == "looks":
            deadline = next((clock(part[4:]) for part in parts if part.startswith("due ")), None)
            since = [clock(part.removeprefix("running since ")) for part in parts if part.startswith("running")]
            running = [Running(run_id=f"r{self.runs + 1}", started_at=each) for each in since]
            return Looked(at=at, deadline=deadline, running=running)
        self.runs += 1
        run_id = f"r{self.runs}"
        if head.startswith("skipped"):
            _, reason, *times = head.split()
            count = int(times[0][1:]) if times else 1
            return SlotsSkipped(run_id=run_id, at=at, reason=reason, first=at, last=at, count=count)
        if head.startswith("took"):
            lasted = int(head.split()[1][:-1]) * MINUTE
            return RunEnded(run_id=run_id, at=at, state="succeeded", started_at=at - lasted)
        return RunEnded(run_id=run_id, at=at, state=head, reason="exit_code", retried="retried" in parts)

    def judge(self, occurrence: Occurrence, *, now: int | None = None) -> list[Notice]:
        judged = judge(self.job, self.memory, occurrence, now=occurrence.at if now is None else now)
        self.memory = Memory.of_data(json.loads(json.dumps(judged.memory.as_data())))
        assert self.memory == judged.memory
        for notice in judged.notices:
            assert Notice.of_data(json.loads(json.dumps(notice.as_data()))) == notice
        self.notices += judged.notices
        return list(judged.notices)


def told(text: str, *rules: StoredNotifyRule) -> list[str]:
    """What is told of a story, as `08:00 failure`."""
    story = Story(rules or (rule(),))
    for line in text.split("\n"):
        if line.strip():
            story.line(line.strip())
    return [f"{shown(each.at)} {each.what}" + ("" if each.notifier == "ops" else f" {each.notifier}") for each in
            story.notices]  # fmt: skip


STORIES = [
    pytest.param("08:00 failed\n08:10 failed\n08:20 succeeded", ["08:00 failure", "08:20 recovery"], id="once-each"),
    pytest.param("08:00 succeeded\n08:10 succeeded", [], id="nothing-wrong"),
    pytest.param("08:00 expired\n08:10 succeeded", ["08:00 failure", "08:10 recovery"], id="ran-out-of-time"),
    pytest.param(
        "08:00 failed\n08:10 succeeded\n08:20 failed\n08:30 succeeded",
        ["08:00 failure", "08:10 recovery", "08:20 failure", "08:30 recovery"],
        id="flapping",
    ),
    pytest.param("08:00 failed, retried\n08:01 succeeded", [], id="a-retry-that-succeeds"),
    pytest.param(
        "08:00 failed, retried\n08:01 failed\n08:30 failed, retried\n08:31 failed\n09:00 succeeded",
        ["08:01 failure", "09:00 recovery"],
        id="the-last-attempt-counts",
    ),
    pytest.param(
        "08:00 failed\n08:10 cancelled\n08:20 failed\n08:30 succeeded",
        ["08:00 failure", "08:30 recovery"],
        id="a-cancelled-run-between-failures",
    ),
    pytest.param("08:00 cancelled\n08:10 succeeded", [], id="a-cancelled-run-is-no-failure"),
    pytest.param(
        "08:30 looks, due 08:00\n08:40 looks, due 08:00\n09:00 succeeded\n09:10 succeeded",
        ["08:00 missed", "09:00 recovery"],
        id="a-missed-deadline",
    ),
    pytest.param(
        "08:30 looks, due 08:00\n09:30 looks, due 09:00\n10:00 succeeded",
        ["08:00 missed", "09:00 missed", "10:00 recovery"],
        id="each-deadline-once",
    ),
    pytest.param("08:30 looks, due 09:00", [], id="a-deadline-to-come"),
    pytest.param("08:00 looks, due -1 23:00", [], id="a-deadline-of-before-we-watched"),
    pytest.param(
        "08:00 failed\n08:30 looks, due 08:20\n09:00 succeeded",
        ["08:00 failure", "09:00 recovery"],
        id="who-knows-that-it-fails-is-not-told-that-it-is-late",
    ),
    pytest.param(
        "08:30 looks, due 08:00\n08:40 failed\n09:00 succeeded",
        ["08:00 missed", "08:40 failure", "09:00 recovery"],
        id="late-then-failed-is-one-recovery",
    ),
    pytest.param(
        "silenced 07:00 until 09:00\n08:00 failed\n08:10 failed\n09:00 looks\n09:10 failed\n09:20 succeeded",
        ["08:10 failure", "09:20 recovery"],
        id="a-failure-in-a-silence-is-told-at-its-end",
    ),
    pytest.param(
        "silenced 07:00 until 09:00\n08:00 failed\n08:10 succeeded\n09:00 looks\n09:10 succeeded",
        [],
        id="what-came-and_went-in-a-silence-is-not-told",
    ),
    pytest.param(
        "06:00 failed\nsilenced 07:00 until 09:00\n08:10 succeeded\n09:00 looks\n09:10 succeeded",
        ["06:00 failure", "08:10 recovery"],
        id="a-recovery-in-a-silence-is-told-at-its-end",
    ),
    pytest.param(
        "06:00 failed\nsilenced 07:00 until 09:00\n08:10 succeeded\n08:20 failed\n09:00 looks\n09:10 succeeded",
        ["06:00 failure", "09:10 recovery"],
        id="who-knows-of-a-failure-hears-nothing-of-a-recovery-that-did-not-last",
    ),
    pytest.param(
        "silenced 07:00 until 09:00\n08:30 looks, due 08:00\n09:00 looks, due 08:00\n09:30 succeeded",
        ["08:00 missed", "09:30 recovery"],
        id="a-deadline-in-a-silence",
    ),
    pytest.param(
        "suspended\n08:00 failed\nresumed\n08:30 looks\n09:00 failed\n09:10 succeeded",
        ["09:00 failure", "09:10 recovery"],
        id="what-failed-while-suspended-is-told-when-it-fails-again",
    ),
    pytest.param(
        "08:00 failed\nsuspended\n08:30 succeeded\nresumed\n09:00 looks",
        ["08:00 failure", "08:30 recovery"],
        id="a-recovery-while-suspended-is-told-afterwards",
    ),
    pytest.param(
        "08:00 failed\nrenamed shop/dump\n08:30 succeeded",
        ["08:00 failure", "08:30 recovery"],
        id="renamed-while-failing",
    ),
    pytest.param(
        "08:00 failed\nrules none\n08:10 failed\nrules again\n08:20 failed\n08:30 succeeded",
        ["08:00 failure", "08:20 failure", "08:30 recovery"],
        id="who-is-named-anew-knows-nothing",
    ),
    pytest.param(
        "08:00 failed\n+1 02:00 failed\n+1 03:00 succeeded\n+1 04:00 failed\n+1 09:00 looks, due +1 08:00",
        ["08:00 failure", "+1 03:00 recovery", "+1 04:00 failure"],
        id="a-day-caught-up-in-order",
    ),
]


@pytest.mark.parametrize(("story", "expected"), STORIES)
def test_failures_recoveries_and_deadlines(story: str, expected: list[str]) -> None:
    assert told(story) == expected


@pytest.mark.parametrize(
    ("story", "rules", "expected"),
    [
        pytest.param(
            "\n".join(f"08:{minute:02} failed" for minute in range(8)) + "\n09:00 succeeded",
            [rule("ops", "failure", "still_failing", "recovery")],
            ["08:00 failure", "08:03 still_failing", "08:06 still_failing", "09:00 recovery"],
            id="still-failing-every-three-more",
        ),
        pytest.param(
            "\n".join(f"08:{minute:02} failed" for minute in range(8)) + "\n09:00 succeeded",
            [rule("ops", "still_failing", "recovery", failures=4)],
            ["08:03 still_failing", "08:07 still_failing", "09:00 recovery"],
            id="only-when-it-lasts",
        ),
        pytest.param(
            "05:00 failed\n05:10 failed\n05:20 failed\n05:30 failed\nsilenced 07:00 until 09:00\n08:10 succeeded\n"
            "08:20 failed\n09:00 looks\n09:10 failed\n09:20 failed\n09:30 failed",
            [rule("ops", "failure", "still_failing", "recovery")],
            ["05:00 failure", "05:30 still_failing", "09:30 still_failing"],
            id="failures-are-counted-anew-after-a-success-in-a-silence",
        ),
        pytest.param("08:00 failed\n08:10 succeeded", [rule("ops", "recovery")], [], id="no-recovery-of-the-untold"),
        pytest.param(
            "08:00 failed\n08:10 succeeded", [rule("ops", "failure")], ["08:00 failure"], id="no-recovery-wanted"
        ),
        pytest.param(
            "08:00 failed\n08:10 succeeded\n08:20 succeeded",
            [rule("ops", "failure", "recovery", "success")],
            ["08:00 failure", "08:10 recovery", "08:20 success"],
            id="a-recovery-is-a-success-already",
        ),
        pytest.param(
            "08:00 failed\n08:10 succeeded",
            [rule("ops boss", "failure"), rule("ops", "recovery")],
            ["08:00 failure", "08:00 failure boss", "08:10 recovery"],
            id="two-rules-for-one-are-one",
        ),
        pytest.param(
            "08:00 took 40m\n09:00 took 50m",
            [rule("ops", "slow", slower_than=2700.0)],
            ["09:00 slow"],
            id="ended-slower",
        ),
        pytest.param(
            "08:40 looks, running since 08:00\n08:46 looks, running since 08:00\n08:50 looks, running since 08:00\n"
            "09:00 took 60m\n10:00 took 60m",
            [rule("ops", "slow", slower_than=2700.0)],
            ["08:46 slow", "10:00 slow"],
            id="slow-once-per-run",
        ),
        pytest.param(
            "silenced 08:00 until 09:00\n08:50 looks, running since 08:00\n09:00 looks, running since 08:00",
            [rule("ops", "slow", slower_than=2700.0)],
            ["09:00 slow"],
            id="still-slow-after-a-silence",
        ),
        pytest.param(
            "08:00 skipped overlap\n08:10 skipped daemon_down x3\n08:20 skipped calendar\n08:30 skipped suspended",
            [rule("ops", "skipped")],
            ["08:00 skipped", "08:10 skipped"],
            id="skipped-against-the-will",
        ),
        pytest.param(
            "silenced 07:00 until 08:30\n08:00 skipped overlap\n08:10 succeeded\n09:00 looks\n09:10 succeeded",
            [rule("ops", "skipped", "success")],
            ["09:10 success"],
            id="what-was-is-not-told-after-a-silence",
        ),
    ],
)
def test_the_other_occasions(story: str, rules: list[StoredNotifyRule], expected: list[str]) -> None:
    assert told(story, *rules) == expected


def test_judging_the_same_again_makes_the_same_ids() -> None:
    """A crash between judging and storing: what is judged anew is stored once."""
    story = Story((rule("ops boss", *ALL, slower_than=60.0),))
    occurrence = story.occurrence(clock("08:00"), "failed")
    first = judge(story.job, story.memory, occurrence, now=occurrence.at)
    again = judge(story.job, story.memory, occurrence, now=occurrence.at + MINUTE)
    assert first == again
    assert len({notice.id for notice in first.notices}) == len(first.notices) == 2


def test_an_event_of_yesterday_is_not_told_in_a_silence_of_now() -> None:
    story = Story()
    story.line("silenced 08:00 until 09:00")
    assert story.judge(story.occurrence(clock("07:00"), "failed"), now=clock("08:30")) == []
    story.line("09:00 looks")
    assert [notice.what for notice in story.notices] == ["failure"]


def test_a_memory_of_nothing_is_empty() -> None:
    """So that it need not be kept."""
    story = Story((rule("ops", *ALL, slower_than=60.0),))
    for line in ("08:00 failed", "08:50 looks, running since 08:00, due 08:10", "09:00 took 60m", "10:00 looks"):
        story.line(line)
    assert story.memory == Memory()


def test_a_recovery_says_how_long_it_lasted() -> None:
    story = Story()
    for line in ("08:00 failed", "08:10 failed", "08:20 succeeded"):
        story.line(line)
    recovery = story.notices[-1]
    assert (recovery.since, recovery.failures, recovery.run_id) == (clock("08:00"), 2, "r3")


@pytest.mark.parametrize(
    ("looked", "lines", "expected"),
    [
        pytest.param("08:00 looks, due 09:00", [], "09:00", id="a-deadline"),
        pytest.param("10:00 looks, due 09:00", [], "-", id="a-deadline-that-passed"),
        pytest.param("08:00 looks", ["silenced 07:00 until 08:30"], "08:30", id="the-end-of-a-silence"),
        pytest.param("08:00 looks, due 09:00", ["suspended"], "-", id="nothing-of-a-suspended-job"),
    ],
)
def test_when_to_look_again(looked: str, lines: list[str], expected: str) -> None:
    story = Story()
    for line in lines:
        story.line(line)
    word, _, rest = looked.partition(" ")
    occurrence = story.occurrence(clock(word), rest)
    assert isinstance(occurrence, Looked)
    story.judge(occurrence)
    assert shown(look_again(story.job, occurrence)) == expected


def test_it_looks_again_just_when_a_run_becomes_slow() -> None:
    story = Story((rule("ops", "slow", slower_than=60.0),))
    looked = Looked(at=clock("08:00"), running=(Running(run_id="r", started_at=clock("08:00")),))
    assert story.judge(looked) == []
    at = look_again(story.job, looked)
    assert at is not None
    assert [each.what for each in story.judge(replace(looked, at=at))] == ["slow"]
    assert story.judge(replace(looked, at=at - 1)) == []
