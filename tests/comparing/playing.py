"""Plays a situation of situations.yaml: the real loop and store, in made-up time, told what happens line by line.

A story is a list of steps. Durations are as in a job: `90s`, `5m`, `2h`, `3d`.

    run 2h            time passes; the daemon works
    down 2h           the daemon is not there, the machine and its runs are; then it starts again
    off 2h            the machine is off; then it boots, and the daemon starts
    sleep 2h          the machine is suspended
    clock -1h         somebody sets the clock
    takes 90s         how long runs take from now on (at first no time at all); `takes forever`
    exits 1 1 0       how the next runs exit; afterwards with 0
    suspend a         also resume, trigger, cancel
    {edit: {a: ...}}  the fields of the job a, instead of those it had; null: its file goes

Rows are what the database holds at the end, as words: `08:00 succeeded`. Times are UTC; `+1d` is the day after.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from runners.base import Launch
from runners.stub import Script, StubRunner
from specs.notation import parse_duration
from state.inbox import RequestKind
from state.records import Run, RunState, Trigger
from tests.deciding.driving import SECOND, Rig

Step = str | Mapping[str, Mapping[str, str | None]]
JOB = "name: {name}\nrun: {{command: [x]}}\n{fields}\n"
_STEPS = re.compile(r"(run|down|off|sleep|clock|takes|exits|suspend|resume|trigger|cancel) (.+)")


class Stage(Rig):
    """A rig on which a story is played."""

    def __init__(self, root: Path, start: str, jobs: Mapping[str, str], documents: str = "", copies: int = 0) -> None:
        self.began = datetime.fromisoformat(start).replace(tzinfo=UTC)
        super().__init__(root, now=int(self.began.timestamp()) * SECOND)
        self.runner._script = self._script
        self._takes: float | None = 0.0
        self._exits: list[int] = []
        self._boots = 0
        if documents:
            (self.home.specs / "documents.yaml").write_text(documents, encoding="utf-8")
        self._edit({**jobs, **{f"a-{number}": jobs["a"] for number in range(1, copies + 1)}})

    def _script(self, launch: Launch) -> Script:
        return Script(takes=self._takes, exit_code=self._exits.pop(0) if self._exits else 0)

    def play(self, story: Sequence[Step]) -> None:
        for step in story:
            if not isinstance(step, str):
                self._edit(step["edit"])
                continue
            found = _STEPS.fullmatch(step)
            assert found is not None, f"no step: {step}"
            self._step(*found.groups())

    def _step(self, word: str, what: str) -> None:
        match word:
            case "run":
                self._run(parse_duration(what))
            case "down" | "off":
                self._away(parse_duration(what), off=word == "off")
            case "sleep":
                self.clock.at += round(parse_duration(what) * SECOND)
                self.settle()
            case "clock":
                sign = -1 if what.startswith("-") else 1
                self.clock.at += sign * round(parse_duration(what.lstrip("+-")) * SECOND)
                self.settle()
            case "takes":
                self._takes = None if what == "forever" else parse_duration(what)
            case "exits":
                self._exits = [int(code) for code in what.split()]
            case _:
                self.ask(RequestKind(word), f"default/{what}")
                self.settle()

    def _run(self, seconds: float) -> None:
        """Stop at every instant at which something happens, so that nothing is late."""
        end = self.clock.at + round(seconds * SECOND)
        while self.clock.at < end:
            ends = [at for run in self.runner._runs.values() if run.end is None for at in (run.ends_at, run.kill_at)]
            upcoming = [at for at in (self.world.timers.next_at(), *ends) if at is not None and at > self.clock.at]
            self.clock.sleep((min([end, *upcoming]) - self.clock.at) / SECOND)
            self.settle()

    def _away(self, seconds: float, *, off: bool) -> None:
        self.close()
        self.clock.sleep(seconds)
        boot = self.runner.boot_id
        if off:
            self._boots += 1
            self.booted_at = self.clock.at - 20 * SECOND
            self.runner = StubRunner(now=self.clock.now, script=self._script)
            boot = f"boot-{self._boots}"
        else:
            self.runner = self.runner.successor()
        self.runner.boot_id = boot
        self._open()
        self.look()

    def _edit(self, jobs: Mapping[str, str | None]) -> None:
        for name, fields in jobs.items():
            path = self.home.specs / f"{name}.yaml"
            if fields is None:
                path.unlink()
            else:
                path.write_text(JOB.format(name=name, fields=fields), encoding="utf-8")
        self.look()
        if None in jobs.values():  # a job goes when two looks, two seconds apart, do not find it
            self.clock.sleep(3)
            self.look()

    # -- what came of it

    def rows(self, name: str) -> list[str]:
        """The rows of a job in the order of their slots."""
        runs = sorted(
            self.runs(name), key=lambda run: (run.skipped_first or run.scheduled_for or run.created_at, run.id)
        )
        return [self._row(run) for run in runs]

    def _row(self, run: Run) -> str:
        slot = run.scheduled_for if run.scheduled_for is not None else run.created_at
        if run.state is RunState.SKIPPED and run.skipped_count is not None and run.skipped_count > 1:
            assert run.skipped_first is not None
            return f"{self._time(run.skipped_first)} to {self._time(slot)} skipped {run.reason} x{run.skipped_count}"
        words = [self._time(slot), str(run.state)]
        if run.state is not RunState.SUCCEEDED and run.reason is not None:
            words.append(str(run.reason))
        if run.trigger not in (Trigger.SCHEDULE, Trigger.CATCH_UP):
            words.append(str(run.trigger))
        if run.attempt > 1:
            words.append(f"attempt {run.attempt}")
        if run.started_at is not None and run.started_at // SECOND != slot // SECOND:
            words.append(f"at {self._time(run.started_at)}")
        return " ".join(words)

    def _time(self, at: int) -> str:
        moment = datetime.fromtimestamp(at // SECOND, UTC)
        day = (moment.date() - self.began.date()).days
        clock = moment.strftime("%H:%M" if moment.second == 0 else "%H:%M:%S")
        return f"{day:+d}d {clock}" if day else clock
