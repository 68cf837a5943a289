"""A simulated supervisor: processes that exist in memory only, and a runner that tells of them late and out of order.

`Supervisor` is the truth (what really runs, what was started how often) and outlives the daemon; `SimRunner` is one
daemon's connection to it. Both keep the contract of `runners.base`: messages of one run are in order, an end is told
again after a restart until it is acknowledged, a run id is started once.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from runners.base import Adopt, EndReason, Exited, Launch, Message, NeverStarted, Started
from tests.simulation.clock import HOUR, MINUTE, SECOND, SimClock
from tests.simulation.faults import Faults


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the program of one run does. Times in microseconds."""

    takes: int | None
    """None: it never ends by itself."""
    exit_code: int | None = 0
    signal: int | None = None
    start_error: bool = False
    lost: bool = False
    """Nobody learns how it ended."""
    reacts: int | None = 0
    """From TERM to its end; None: only KILL ends it."""
    taken_up: int = 0
    """From the hand-over to its start."""
    start_told: int = 0
    end_told: int = 0
    told_twice: bool = False


QUICK = Behaviour(takes=SECOND)


Temper = Literal["mixed", "failing", "slow"]
TEMPERS: tuple[Temper, ...] = ("mixed", "mixed", "failing", "slow")


def behaviour(seed: str, temper: Temper) -> Behaviour:
    """Most programs are quick and good; some are slow, fail, hang or will not stop. `temper`: of the whole house."""
    rng = Random(seed)
    late = (0, 0, 0, 0, rng.randrange(2 * SECOND), rng.randrange(10 * MINUTE), rng.randrange(2 * HOUR))
    takes = rng.choice(
        [0, SECOND, SECOND, 20 * SECOND, rng.randrange(MINUTE), rng.randrange(30 * MINUTE), rng.randrange(6 * HOUR)]
    )
    if temper == "slow":
        takes += rng.randrange(9 * HOUR)
    dice = rng.random()
    if temper == "failing":
        dice = 1 - dice / 2
    return Behaviour(
        takes=None if rng.random() < 0.02 else takes,
        exit_code=0 if dice < 0.8 else rng.choice([1, 2, 3, 75]),
        signal=9 if 0.95 < dice < 0.97 else None,
        start_error=dice > 0.99,
        lost=0.97 < dice < 0.98,
        reacts=rng.choice([0, 0, 0, SECOND, 30 * SECOND, None]),
        taken_up=rng.choice(late) // 10,
        start_told=rng.choice(late),
        end_told=rng.choice(late),
        told_twice=rng.random() < 0.05,
    )


@dataclass(slots=True)
class Process:
    """One run, as the machine knows it."""

    launch: Launch
    behaviour: Behaviour
    number: int
    """Counts processes; also its pid."""
    started_at: int | None = None
    stopping: EndReason | None = None
    end: Exited | None = None
    told_until: int = 0
    """No message of this run is told before this instant (`SimClock.awake`)."""

    @property
    def identity(self) -> str:
        return f"{self.launch.env['JOBSCTL_PROJECT']}/{self.launch.env['JOBSCTL_JOB']}"

    @property
    def running(self) -> bool:
        return self.started_at is not None and self.end is None


@dataclass(slots=True)
class Supervisor:
    """All processes of the machine, and what is going to happen to them."""

    clock: SimClock
    faults: Faults
    seed: str
    boot_id: str = "boot-1"
    name: str = "supervisor-1"
    calm: bool = False
    """Every program is quick and good from now on."""
    processes: dict[str, Process] = field(default_factory=dict)
    starts: Counter[str] = field(default_factory=Counter)
    """Really started processes per run id, ever."""
    begun: list[tuple[str, int]] = field(default_factory=list)
    """Run ids of the processes that were started, and how many of their job ran then; emptied by the judge."""
    runner: SimRunner | None = None
    temper: Temper = "mixed"
    _due: list[tuple[int, int, str, str]] = field(default_factory=list)
    _numbers: int = 0
    _launched: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.temper = Random(f"{self.seed} temper").choice(TEMPERS)

    # -- asked by the runner

    def take(self, launch: Launch) -> None:
        """Start it when its time has come; one that is known is told about again."""
        if (known := self.processes.get(launch.run_id)) is not None:
            self._tell_state(known)
            return
        self._numbers += 1
        env = launch.env
        job = f"{env['JOBSCTL_PROJECT']}/{env['JOBSCTL_JOB']}"
        self._launched[job] += 1
        what = f"{job} {env['JOBSCTL_SCHEDULED_FOR'] or self._launched[job]} {env['JOBSCTL_ATTEMPT']}"
        does = QUICK if self.calm else behaviour(f"{self.seed} {what}", self.temper)
        self.processes[launch.run_id] = Process(launch, does, self._numbers)
        self._at(does.taken_up, "start", launch.run_id)

    def stop(self, run_id: str, grace: float) -> None:
        process = self.processes.get(run_id)
        if process is None or process.end is not None:
            return
        if process.started_at is None:
            self._start(process)  # what was handed over first happens first
        if process.running:
            self._terminate(process, EndReason.CANCEL, int(grace * SECOND))

    def adopt(self, runs: Sequence[Adopt]) -> None:
        for process in list(self.processes.values()):
            if process.started_at is None and process.end is None:
                self._start(process)
        asked = {run.run_id for run in runs}
        for run in runs:
            if (known := self.processes.get(run.run_id)) is not None:
                self._tell_state(known)
            elif run.boot_id is not None and run.boot_id != self.boot_id:
                self._tell(None, Exited(run_id=run.run_id, at=self.clock.wall, reason=EndReason.LOST, error="reboot"))
            else:
                self._tell(None, NeverStarted(run_id=run.run_id))
        for process in list(self.processes.values()):
            if process.launch.run_id not in asked and process.end is not None:
                self._tell(process, process.end)

    def acknowledge(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            if (process := self.processes.get(run_id)) is not None and process.end is not None:
                del self.processes[run_id]

    # -- what happens by itself

    def next_at(self) -> int | None:
        """When something happens next (`SimClock.awake`)."""
        return self._due[0][0] if self._due else None

    def advance(self) -> None:
        """Let happen what is due by now."""
        while self._due and self._due[0][0] <= self.clock.awake:
            _, _, what, run_id = heapq.heappop(self._due)
            process = self.processes.get(run_id)
            if process is None or process.end is not None:
                continue
            if what == "start":
                self._start(process)
            elif what == "exit" and process.stopping is None:
                self._exit(process)
            elif what == "timeout" and process.stopping is None:
                self._terminate(process, EndReason.TIMEOUT, int(process.launch.grace * SECOND))
            elif what == "stopped":
                self._end(process, signal=15)
            elif what == "kill":
                self._end(process, signal=9)

    def running(self) -> list[Process]:
        """Processes that really run, in the order of their launch."""
        return [process for process in self.processes.values() if process.running]

    # -- done by the story

    def end(self, process: Process, how: str) -> None:
        """Make a running process end now: `good`, `bad`, `oom` or `lost`."""
        reason = {"oom": EndReason.OOM, "lost": EndReason.LOST}.get(how, EndReason.EXIT)
        self._end(process, exit_code=0 if how == "good" else 1, reason=reason)

    def die(self) -> None:
        """Its process dies. A daemon inherits what runs; without one, nobody learns how that ends."""
        self.name = f"supervisor-{int(self.name.rpartition('-')[2]) + 1}"
        for run_id, process in list(self.processes.items()):
            if process.started_at is None and process.end is None:
                del self.processes[run_id]
                self._tell(process, NeverStarted(run_id=run_id))
            elif process.running and self.runner is None:
                self._end(process, reason=EndReason.LOST)
        if self.runner is not None:
            self.runner.name = self.name

    def boot(self, boot_id: str) -> None:
        """Nothing runs any more, and nobody knows what ran."""
        self.boot_id = boot_id
        self.processes.clear()
        self._due.clear()
        self.die()

    def calm_down(self) -> None:
        """Whatever runs ends well, soon."""
        self.calm = True
        for process in list(self.processes.values()):
            if process.end is None:
                process.behaviour = QUICK
                self._at(SECOND, "start" if process.started_at is None else "exit", process.launch.run_id)

    # -- inside

    def _at(self, delay: int, what: str, run_id: str) -> None:
        self._numbers += 1
        heapq.heappush(self._due, (self.clock.awake + delay, self._numbers, what, run_id))

    def _start(self, process: Process) -> None:
        if process.started_at is not None or process.end is not None:
            return
        does, run_id = process.behaviour, process.launch.run_id
        if does.start_error:
            self._end(process, reason=EndReason.START_ERROR)
            return
        process.started_at = self.clock.wall
        self.starts[run_id] += 1
        self.begun.append(
            (run_id, sum(other.running for other in self.processes.values() if other.identity == process.identity))
        )
        self._tell_state(process)
        if does.takes is not None:
            self._at(does.takes, "exit", run_id)
        if process.launch.timeout is not None:
            self._at(int(process.launch.timeout * SECOND), "timeout", run_id)

    def _exit(self, process: Process) -> None:
        does = process.behaviour
        if does.lost:
            self._end(process, reason=EndReason.LOST)
        else:
            self._end(process, exit_code=does.exit_code, signal=does.signal)

    def _terminate(self, process: Process, reason: EndReason, grace: int) -> None:
        if process.stopping is None:
            process.stopping = reason
            if process.behaviour.reacts is not None:
                self._at(process.behaviour.reacts, "stopped", process.launch.run_id)
        self._at(grace, "kill", process.launch.run_id)

    def _end(
        self,
        process: Process,
        *,
        exit_code: int | None = None,
        signal: int | None = None,
        reason: EndReason | None = None,
    ) -> None:
        said = reason or process.stopping or EndReason.EXIT
        process.end = Exited(
            run_id=process.launch.run_id,
            at=self.clock.wall,
            reason=said,
            exit_code=None if signal is not None or said in (EndReason.LOST, EndReason.START_ERROR) else exit_code,
            signal=signal,
            error="no such program" if said is EndReason.START_ERROR else None,
            started_at=process.started_at,
            pid=process.number,
            pid_start=process.number,
        )
        self._tell_state(process)

    def _tell_state(self, process: Process) -> None:
        if process.end is not None:
            self._tell(process, process.end)
        elif process.started_at is not None:
            run_id, number = process.launch.run_id, process.number
            self._tell(process, Started(run_id=run_id, at=process.started_at, pid=number, pid_start=number))

    def _tell(self, process: Process | None, message: Message) -> None:
        if self.runner is None:
            return
        at = self.clock.awake
        if process is not None:
            does = process.behaviour
            delay = 0 if self.calm else does.end_told if isinstance(message, Exited) else does.start_told
            at = process.told_until = max(process.told_until, at + delay)
        self.runner.hear(at, message, twice=process is not None and process.behaviour.told_twice)


class SimRunner:
    """One daemon's connection: what is on its way when the daemon dies is lost, and told anew to the next one."""

    complaint = ""

    def __init__(self, supervisor: Supervisor) -> None:
        self.name = supervisor.name
        self.boot_id = supervisor.boot_id
        self._supervisor = supervisor
        self._on_the_way: list[tuple[int, int, Message]] = []
        self._heard = 0
        supervisor.runner = self

    def launch(self, launches: Sequence[Launch]) -> None:
        if self._supervisor.faults.armed and launches:
            self._supervisor.faults.reached("launch")
        for launch in launches:
            self._supervisor.take(launch)
        self._supervisor.advance()

    def stop(self, run_id: str, *, grace: float) -> None:
        self._supervisor.stop(run_id, grace)

    def adopt(self, runs: Sequence[Adopt]) -> None:
        self._supervisor.adopt(runs)

    def acknowledge(self, run_ids: Sequence[str]) -> None:
        self._supervisor.acknowledge(run_ids)

    def fileno(self) -> int:
        return -1

    def poll(self) -> Sequence[Message]:
        self._supervisor.advance()
        heard: list[Message] = []
        while self._on_the_way and self._on_the_way[0][0] <= self._supervisor.clock.awake:
            heard.append(heapq.heappop(self._on_the_way)[2])
        return heard

    def close(self) -> None:
        if self._supervisor.runner is self:
            self._supervisor.runner = None

    def next_at(self) -> int | None:
        """When a message arrives next (`SimClock.awake`)."""
        return self._on_the_way[0][0] if self._on_the_way else None

    def hear(self, at: int, message: Message, *, twice: bool) -> None:
        for _ in range(1 + twice):
            self._heard += 1
            heapq.heappush(self._on_the_way, (at, self._heard, message))
