"""Words for tests of policies: specs as YAML, what programs do, and what became of the slots of a job."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runners.base import Launch
from runners.stub import Script
from state.inbox import RequestKind
from state.records import Run, RunState
from tests.deciding import ledger
from tests.deciding.driving import SECOND, THE_HOUR, Rig

MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
FOREVER = Script(takes=None)
FAILS = Script(exit_code=1)
EVERY_10_MINUTES = "*/10 * * * *"
"""From 08:10 on: a rig begins at 08:00."""


def clock(text: str) -> int:
    """`08:10` or `08:10:30` of the rig's first day; `+1 08:10` of the next."""
    days, _, time = text.rpartition(" ")
    hour, minute, *second = map(int, time.split(":"))
    at = hour * HOUR + minute * MINUTE + (second[0] if second else 0) * SECOND
    return THE_HOUR - 8 * HOUR + int(days or 0) * DAY + at


def shown(at: int | None) -> str:
    """The other way round."""
    if at is None:
        return "-"
    days, rest = divmod(at - (THE_HOUR - 8 * HOUR), DAY)
    minutes, second = divmod(rest // SECOND, 60)
    text = f"{minutes // 60:02}:{minutes % 60:02}" + (f":{second:02}" if second else "")
    return f"+{days} {text}" if days else text


def spec(name: str, **fields: object) -> str:
    """A job whose program is called as the job; fields as in YAML."""
    given = {"name": name, "run": {"command": [name]}, **fields}
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in given.items())


def document(kind: str, name: str, **fields: object) -> str:
    """A `Pool` or `Calendar`."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in {"kind": kind, "name": name, **fields}.items())


@dataclass(slots=True)
class Scene:
    """A rig with a specs directory of one file per job."""

    rig: Rig
    excused: dict[str, list[ledger.Span]] = field(default_factory=dict)
    """For the ledger: when a job was archived or complete."""

    def files(self, **texts: str | None) -> None:
        """Write these files (None: remove) and look at them."""
        for name, text in texts.items():
            path = self.rig.home.specs / f"{name}.yaml"
            if text is None:
                path.unlink()
            else:
                path.write_text(text, encoding="utf-8")
        self.rig.clock.sleep(3)  # older than what a look distrusts
        self.rig.look()

    def job(self, name: str, **fields: object) -> None:
        """Write the file of one job, and look at it."""
        self.files(**{name: spec(name, **fields)})
        entry = self.rig.world.jobs.by_identity(f"default/{name}")
        assert entry is not None, f"the file of {name} was refused"
        assert not entry.has_problem, f"the file of {name} was refused"

    def remove(self, name: str) -> None:
        """Its file goes, and the second look prunes the job."""
        self.files(**{name: None})
        self.rig.clock.sleep(3)
        self.rig.look()

    def programs(self, **scripts: Script | Callable[[Launch], Script]) -> None:
        """What the programs do from now on; the others succeed at once."""

        def choose(launch: Launch) -> Script:
            script = scripts.get(launch.argv[0].replace("-", "_"), Script())
            return script if isinstance(script, Script) else script(launch)

        self.rig.runner._script = choose

    def until(self, time: str) -> None:
        """Let time pass."""
        self.rig.until(clock(time))

    def down_until(self, time: str) -> None:
        """The daemon dies now; another one comes at `time`, and looks."""
        self.rig.close()
        self.rig.clock.sleep((clock(time) - self.rig.clock.at) / SECOND)
        self.rig.runner = self.rig.runner.successor()
        self.rig._open()
        self.rig.look()

    def set_clock(self, time: str) -> None:
        """Somebody sets the clock of the machine."""
        self.rig.clock.at = clock(time)
        self.rig.settle()

    def trigger(self, name: str, **params: str) -> str:
        """The answer of the daemon."""
        return self.ask(RequestKind.TRIGGER, name, params={"params": params})

    def ask(self, kind: RequestKind, name: str, *, params: Mapping[str, object] | None = None) -> str:
        request = self.rig.ask(kind, f"default/{name}", params=params)
        self.rig.settle()
        answer = self.rig.store.request(request)
        assert answer is not None
        return f"{answer.outcome}: {answer.message}"

    def cancel(self, run: Run) -> None:
        self.rig.ask(RequestKind.CANCEL, run_id=run.id)
        self.rig.settle()

    def runs(self, name: str) -> list[Run]:
        """Without records of skipped slots that never were runs."""
        return [run for run in self.rig.runs(name) if run.state is not RunState.SKIPPED]

    def told(self, name: str) -> list[str]:
        """`08:10 succeeded`, `08:20 skipped overlap x3`, `08:30#2 blocked backoff`, ... by (first) slot and attempt."""
        rows = self.rig.runs(name)
        rows.sort(key=lambda run: (run.created_at if _slot(run) is None else _slot(run), run.attempt))
        return [_told(run) for run in rows]


def _slot(run: Run) -> int | None:
    return run.scheduled_for if run.skipped_first is None else run.skipped_first


def _told(run: Run) -> str:
    words = [shown(_slot(run)) + (f"#{run.attempt}" if run.attempt > 1 else ""), run.state.value]
    if run.reason is not None and run.reason.value != run.state.value:
        words.append(run.reason.value)
    if run.skipped_count is not None and run.skipped_count > 1:
        words.append(f"x{run.skipped_count}")
    return " ".join(words)
