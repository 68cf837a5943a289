"""A simulated machine: clocks, a supervisor with its processes, spec files, and a daemon that may die.

`Machine.perform` does one action of a story (`tests.simulation.story` lists them); time passes only in `wait`, which
jumps from one thing that happens to the next. After everything that happens the judge looks at the database.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from reconciler.machine import Boot
from state import ids
from state.errors import StateError
from state.home import Home
from state.inbox import Request, write_request
from tests.simulation import rest
from tests.simulation.clock import HOUR, SECOND, SimClock
from tests.simulation.daemon import Daemon
from tests.simulation.faults import Armed, Death, Faults, lines_watched
from tests.simulation.judge import Judge, Violation
from tests.simulation.supervisor import Supervisor

RESTART = SECOND
"""systemd's `Restart=always` of the unit we ship."""
PASSES = 400
"""More without rest is a loop that spins."""
FAILURES = 10
"""Passes in a row that fail although nothing is wrong with the database any more."""
RESYNC = 60 * SECOND


class SeededOs:
    """Stands in for `os` where ids are made."""

    def __init__(self, rng: Random) -> None:
        self.urandom = rng.randbytes


class Machine:
    """One house. Use as a context manager: the seeded ids and the marked lines are put back afterwards."""

    def __init__(self, root: Path, *, seed: str, wall: int) -> None:
        self.home = Home(root)
        for folder in (self.home.specs, self.home.state, self.home.requests):
            folder.mkdir(parents=True)
        self.clock = SimClock(wall)
        self.faults = Faults()
        self.supervisor = Supervisor(self.clock, self.faults, seed)
        self.judge = Judge(self.clock)
        self.daemon: Daemon | None = None
        self.passes = 0
        self._restart_at: int | None = 0
        self._down = RESTART
        self._look_at: int | None = None
        self._deaf = False
        self._boot = Boot(self.supervisor.boot_id, wall // SECOND * SECOND)
        self._rng = Random(f"{seed} ids")
        self._versions = 0
        self._woken = False
        self._failures = 0
        self._stack = ExitStack()

    def __enter__(self) -> Machine:
        room = vars(ids)
        room["os"], real = SeededOs(self._rng), room["os"]
        self._stack.callback(room.update, os=real)
        self._stack.enter_context(lines_watched(self.faults))
        return self

    def __exit__(self, *_: object) -> None:
        if self.daemon is not None:
            self.daemon.drop()
            self.daemon = None
        self._stack.close()

    # -- actions

    def perform(self, name: str, *arguments: Any) -> None:
        """Do one action, and let everything happen that it makes happen at once."""
        do: Callable[..., None] = getattr(self, f"do_{name}")
        do(*arguments)
        self._rest()

    def do_wait(self, time: int) -> None:
        end = self.clock.elapsed + time
        while True:
            self._rest()
            step = self._sleeps_for()
            if step is None or self.clock.elapsed + step > end:
                self.clock.go_on(end - self.clock.elapsed)
                return
            self.clock.go_on(step)

    def do_write(self, file: str, content: Any) -> None:
        """`content`: one document or a list of them as data, or a text."""
        documents = content if isinstance(content, list) else [content]
        text = content if isinstance(content, str) else "---\n".join(json.dumps(each) + "\n" for each in documents)
        path, partial = self.home.specs / file, self.home.specs / f".{file}.new"
        partial.write_text(text)
        self._versions += 1
        written = self.clock.wall * 1000 + self._versions % 1000
        os.utime(partial, ns=(written, written))
        partial.rename(path)
        self._touched()

    def do_remove(self, file: str) -> None:
        (self.home.specs / file).unlink(missing_ok=True)
        self._touched()

    def do_move(self, file: str, other: str) -> None:
        if (self.home.specs / file).exists():
            (self.home.specs / file).rename(self.home.specs / other)
            self._touched()

    def do_unmount(self, time: int) -> None:
        """The specs directory is away for a while."""
        away = self.home.root / "away"
        self.home.specs.rename(away)
        self._touched()
        self.do_wait(time)
        away.rename(self.home.specs)
        self._touched()

    def do_deaf(self, deaf: bool) -> None:
        """The watcher hears nothing: changes are found by the minute's full look."""
        self._deaf = deaf

    def do_ask(self, kind: str, identity: str | None, options: dict[str, Any] | None = None) -> None:
        """A request of a person. With the option `quietly` nobody rings."""
        options = dict(options or {})
        quietly = options.pop("quietly", False)
        self._request(kind, identity=identity, params=options)
        self._ring(quietly)

    def do_cancel(self, number: int) -> None:
        """Cancel one of the runs that are not over, by its id."""
        active = self.judge.active_ids()
        if active:
            self._request("cancel", run_id=active[number % len(active)])
            self._ring(False)

    def do_end(self, number: int, how: str) -> None:
        """One of the running processes ends now: `good`, `bad`, `oom` or `lost`."""
        running = self.supervisor.running()
        if running:
            self.supervisor.end(running[number % len(running)], how)

    def do_set_clock(self, by: int) -> None:
        self.clock.set(by)
        self._woken = True

    def do_sleep(self, time: int) -> None:
        """Suspend the machine to RAM."""
        self.clock.sleep_machine(time)
        self._woken = True

    def do_kill(self, down: int) -> None:
        self._down = down
        self._die()

    def do_stop(self, down: int) -> None:
        """SIGTERM: an orderly end, in which the process may still die."""
        self._down = down
        if self.daemon is None:
            return
        daemon, self.daemon = self.daemon, None
        self._restart_at = self.clock.elapsed + down
        try:
            daemon.stop()
        except (Death, StateError):
            daemon.drop()

    def do_reboot(self, down: int) -> None:
        self._down = down
        self._die()
        self.clock.boot()
        self._boot = Boot(f"boot-{self._versions}-{self.clock.elapsed}", 0)
        self.supervisor.boot(self._boot.id)

    def do_supervisor_dies(self) -> None:
        self.supervisor.die()

    def do_die_at(self, place: str, after: int, down: int) -> None:
        """The daemon dies when it comes to a place the next time but `after`; see `tests.simulation.faults`."""
        self._down = down
        self.faults.armed.append(Armed(place, after, None))

    def do_fail_at(self, place: str, after: int, error: str, times: int) -> None:
        self.faults.armed.append(Armed(place, after, error, times))

    def do_calm(self) -> None:
        """No faults any more, every program quick and good, the daemon up, the watcher well."""
        self.faults.armed.clear()
        self._deaf = False
        self.supervisor.calm_down()
        if self.daemon is None:
            self._restart_at = self.clock.elapsed
        self._touched()

    def do_settled(self) -> None:
        """After the quiet end: nothing is left over anywhere."""
        self._rest()
        long_ago = self.clock.wall - HOUR
        left = {
            "active runs": [run for run in self.judge.handed_ids() if ids.time_of(run) < long_ago],
            "processes": [run for run in self.supervisor.processes if ids.time_of(run) < long_ago],
            "requests": sorted(path.name for path in self.home.requests.glob("*.json")),
        }
        if self.daemon is None or not self.daemon.untroubled:
            raise Violation("everything settles", "the daemon is not well after a quiet time")
        for what, names in left.items():
            if names:
                raise Violation("everything settles", f"{what} left over: {names}")

    # -- what people and the kernel do besides

    def _request(self, kind: str, **fields: Any) -> None:
        write_request(
            self.home,
            Request(
                id=ids.new_id(self.clock.wall),
                kind=kind,
                requested_by="ann@desk",
                requested_at=max(self.clock.wall, 0),
                **fields,
            ),
        )

    def _ring(self, quietly: bool) -> None:
        if self.daemon is None:
            return
        if quietly:
            self.do_wait(6 * SECOND)
            self._woken = True
        else:
            self.daemon.bell.rung = True

    def _touched(self) -> None:
        """Something under the specs directory changed: the watcher tells, or the next full look finds it."""
        delay = self._rng.randrange(RESYNC) if self._deaf else self._rng.randrange(SECOND // 5)
        self._look_in(delay)

    def _look_in(self, delay: int) -> None:
        at = self.clock.elapsed + delay
        self._look_at = at if self._look_at is None else min(self._look_at, at)

    # -- the passing of time

    def _sleeps_for(self) -> int | None:
        """Microseconds until something happens; None: nothing will."""
        steps = []
        if (at := self.supervisor.next_at()) is not None:
            steps.append(at - self.clock.awake)
        if self.daemon is None:
            assert self._restart_at is not None
            steps.append(self._restart_at - self.clock.elapsed)
        else:
            if (step := self.daemon.sleeps_for()) is not None:
                steps.append(step)
            if self._look_at is not None:
                steps.append(self._look_at - self.clock.elapsed)
        return max(0, min(steps)) if steps else None

    def _rest(self) -> None:
        """Everything that is to happen now happens, until nothing is left but to wait."""
        for _ in range(PASSES):
            self.supervisor.advance()
            if self.daemon is None:
                if self._restart_at is None or self._restart_at > self.clock.elapsed:
                    return
                self._start()
                continue
            self._look_if_wanted(self.daemon)
            if not (self._woken or self.daemon.bell.rung or self.daemon.sleeps_for() == 0):
                if self.daemon.untroubled:
                    rest.check(self.judge, self.daemon, self.supervisor)
                return
            self._woken = False
            self._pass(self.daemon)
        raise Violation("comes to rest", f"the loop went on and on for {PASSES} passes")

    def _start(self) -> None:
        if self._boot.at == 0:
            self._boot = Boot(self._boot.id, self.clock.wall // SECOND * SECOND)
        self.judge.boots[self._boot.id] = self._boot.at
        try:
            daemon = Daemon(self.home, self.clock, self.supervisor, self.faults)
        except StateError:
            self._restart_at = self.clock.elapsed + RESTART
            return
        self.daemon = daemon
        self._restart_at = None
        self._woken = True
        try:
            self.judge.up_since = self.clock.wall
            daemon.start(self._boot)
        except (Death, StateError):
            self._die()

    def _pass(self, daemon: Daemon) -> None:
        self.passes += 1
        try:
            more = daemon.one_pass()
        except Death:
            self._die()
            return
        except Exception as error:
            raise Violation("the loop goes on", f"a pass ended with {type(error).__name__}: {error}") from error
        self._woken = more
        self._failures = self._failures + 1 if daemon.failing and not self.faults.armed else 0
        if daemon.failing:
            self.judge.troubled()
        if self._failures > FAILURES:
            raise Violation("the loop recovers by itself", f"{self._failures} passes failed: {daemon.complaint}")
        self._judge_rows()

    def _look_if_wanted(self, daemon: Daemon) -> None:
        if daemon.thread.wanted:
            daemon.thread.wanted = False
            self._look_at = self.clock.elapsed
        if self._look_at is None or self._look_at > self.clock.elapsed:
            return
        self._look_at = None
        look = daemon.source.look()
        daemon.looks.append(look)
        self._woken = True
        if look.again_in is not None:
            self._look_in(max(int(look.again_in * SECOND), SECOND // 20))

    def _die(self) -> None:
        """The daemon is gone; what it had committed is judged as any other step."""
        daemon, self.daemon = self.daemon, None
        self._restart_at = self.clock.elapsed + self._down
        if daemon is None:
            return
        connection = daemon.journal.connection
        if connection.in_transaction:
            connection.rollback()
        self.judge.rows(daemon.journal)
        daemon.drop()

    def _judge_rows(self) -> None:
        if self.daemon is not None:
            self.judge.rows(self.daemon.journal)


def remove(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
