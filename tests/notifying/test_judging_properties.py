"""Whatever happens to a job: no notice while it is muted, failures and recoveries take turns, nothing is forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from specs.stored import StoredNotifyRule
from status.notify.judge import judge
from status.notify.memory import Memory
from status.notify.occurrences import JobFacts, Looked, Notice, RunEnded, Silence

MINUTE = 60_000_000
STEPS = st.lists(
    st.sampled_from(["failed", "expired", "retried", "succeeded", "cancelled", "look", "silence", "suspend", "resume"]),
    max_size=40,
)
RULES = [StoredNotifyRule(to=("ops",), on=frozenset({"failure", "recovery"}))]


@dataclass(slots=True)
class Life:
    """A job, a minute per step, judged as it happens."""

    job: JobFacts = field(default_factory=lambda: JobFacts(job_id=1, identity="p/a", rules=RULES, idle=False))
    memory: Memory = field(default_factory=Memory)
    now: int = 0
    told: list[Notice] = field(default_factory=list)
    failing: bool = False
    """Of the last end that counts."""

    def step(self, what: str) -> None:
        self.now += MINUTE
        if what == "silence":
            self.job = replace(
                self.job, silences=(*self.job.silences, Silence(since=self.now, until=self.now + 5 * MINUTE))
            )
            return
        if what in ("suspend", "resume"):
            self.job = replace(self.job, idle=what == "suspend")
            return
        if what == "look":
            judged = judge(self.job, self.memory, Looked(at=self.now), now=self.now)
        else:
            state = "failed" if what == "retried" else what
            ended = RunEnded(run_id=f"r{self.now}", at=self.now, state=state, retried=what == "retried")
            judged = judge(self.job, self.memory, ended, now=self.now)
            self.failing = {"failed": True, "expired": True, "succeeded": False}.get(what, self.failing)
        assert not (judged.notices and self.muted())
        self.memory = judged.memory
        self.told += judged.notices

    def muted(self) -> bool:
        return self.job.idle or any(each.since <= self.now < each.until for each in self.job.silences)

    def believed(self) -> bool:
        """Whether who reads the messages believes that the job fails."""
        return bool(self.told) and self.told[-1].what == "failure"


@given(STEPS)
@settings(derandomize=True, max_examples=150, deadline=None)
def test_failures_and_recoveries_take_turns(steps: list[str]) -> None:
    life = Life()
    for step in steps:
        life.step(step)
    words = [notice.what for notice in life.told]
    assert words == ["failure", "recovery"] * (len(words) // 2) + ["failure"] * (len(words) % 2)
    assert len({notice.id for notice in life.told}) == len(words)


@given(STEPS, st.sampled_from(["failed", "succeeded"]))
@settings(derandomize=True, max_examples=150, deadline=None)
def test_who_reads_knows_how_it_is_after_an_end_that_is_not_muted(steps: list[str], last: str) -> None:
    life = Life()
    for step in [*steps, "resume"]:
        life.step(step)
    life.now += 10 * MINUTE  # every silence is over
    life.step(last)
    assert life.believed() is (last == "failed")


@given(STEPS)
@settings(derandomize=True, max_examples=150, deadline=None)
def test_what_a_silence_kept_back_is_told_at_its_end(steps: list[str]) -> None:
    life = Life()
    for step in steps:
        if step not in ("suspend", "resume"):
            life.step(step)
    life.now += 10 * MINUTE
    life.step("look")
    assert life.believed() is life.failing
    assert not life.memory.held
    if not life.failing:
        assert life.memory == Memory()


@given(STEPS, st.integers(0, 40))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_a_crash_before_storing_changes_nothing(steps: list[str], at: int) -> None:
    """The memory is that of before, and the same is judged again."""
    smooth, crashed = Life(), Life()
    for index, step in enumerate(steps):
        smooth.step(step)
        if index == at:
            memory, told, job = crashed.memory, list(crashed.told), crashed.job
            crashed.step(step)
            crashed.memory, crashed.told, crashed.job, crashed.now = memory, told, job, crashed.now - MINUTE
        crashed.step(step)
    assert crashed.told == smooth.told
    assert crashed.memory == smooth.memory
