"""The product fake of a runner: runs that exist in memory only and end when the test says so.

For tests and simulations of everything above; the same contract tests run against it and the real one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runners.base import Adopt, EndReason, Exited, Launch, Message, NeverStarted, Started


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the program of a launch does."""

    takes: float | None = 0.0
    """Seconds until it ends by itself; None: never."""
    exit_code: int | None = 0
    signal: int | None = None
    start_error: str | None = None
    """Refused to start, with this text."""
    ignores_term: bool = False
    """Only KILL ends it."""
    output_bytes: int = 0


@dataclass(slots=True)
class _Run:
    launch: Launch
    script: Script
    pid: int
    started_at: int
    ends_at: int | None
    kill_at: int | None = None
    stopped: EndReason | None = None
    end: Exited | None = None


class StubRunner:
    """Runs by script, in the time of `now`. Survives its daemon as supervisors do: `successor` is the next daemon's."""

    def __init__(self, *, now: Callable[[], int], script: Callable[[Launch], Script] = lambda launch: Script()) -> None:
        """
        Args:
            now: microseconds since the epoch.
            script: decides what each launch does.
        """
        self.name = "stub"
        self.boot_id = "stub-boot"
        self.complaint = ""
        self.launched: list[Launch] = []
        """Every launch that was started, in order."""
        self._now = now
        self._script = script
        self._runs: dict[str, _Run] = {}
        self._heard: list[Message] = []
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._next_pid = 1000

    def launch(self, launches: Sequence[Launch]) -> None:
        for launch in launches:
            if (known := self._runs.get(launch.run_id)) is not None:
                self._tell(known)
                continue
            script = self._script(launch)
            now = self._now()
            if script.start_error is not None:
                run = _Run(launch, script, 0, now, None)
                run.end = Exited(run_id=launch.run_id, at=now, reason=EndReason.START_ERROR, error=script.start_error)
            else:
                self.launched.append(launch)
                self._next_pid += 1
                ends_at = None if script.takes is None else now + int(script.takes * 1e6)
                run = _Run(launch, script, self._next_pid, now, ends_at)
            self._runs[launch.run_id] = run
            self._tell(run)

    def stop(self, run_id: str, *, grace: float) -> None:
        self.advance()
        run = self._runs.get(run_id)
        if run is not None and run.end is None:
            self._stop(run, EndReason.CANCEL, self._now(), grace)

    def _stop(self, run: _Run, reason: EndReason, at: int, grace: float) -> None:
        kill_at = at + int(grace * 1e6)
        if run.stopped is not None:
            run.kill_at = min(run.kill_at or kill_at, kill_at)
            return
        run.stopped = reason
        if run.script.ignores_term:
            run.kill_at = kill_at
        else:
            self._end(run, at, signal=15)

    def adopt(self, runs: Sequence[Adopt]) -> None:
        self.advance()
        for adopt in runs:
            if adopt.boot_id is not None and adopt.boot_id != self.boot_id:
                lost = Exited(run_id=adopt.run_id, at=self._now(), reason=EndReason.LOST, error="the machine restarted")
                self._hear(lost)
            elif (run := self._runs.get(adopt.run_id)) is not None:
                if not any(message.run_id == adopt.run_id for message in self._heard):
                    self._tell(run)
            else:
                self._hear(NeverStarted(run_id=adopt.run_id))

    def acknowledge(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            if (run := self._runs.get(run_id)) is not None and run.end is not None:
                del self._runs[run_id]

    def fileno(self) -> int:
        return self._event

    def poll(self) -> Sequence[Message]:
        self.advance()
        heard, self._heard = self._heard, []
        if heard:
            os.eventfd_read(self._event)
        return heard

    def close(self) -> None:
        os.close(self._event)

    # --- for the test

    def advance(self) -> None:
        """Let happen what is due by now."""
        now = self._now()
        for run in self._runs.values():
            if run.end is not None:
                continue
            timeout = run.launch.timeout
            expires = None if timeout is None else run.started_at + int(timeout * 1e6)
            if run.ends_at is not None and run.ends_at <= min(now, expires or now, run.kill_at or now):
                self._end(run, run.ends_at, exit_code=run.script.exit_code, signal=run.script.signal)
                continue
            if expires is not None and expires <= now and run.stopped is None:
                self._stop(run, EndReason.TIMEOUT, expires, run.launch.grace)
            if run.end is None and run.kill_at is not None and run.kill_at <= now:
                self._end(run, run.kill_at, signal=9)

    def finish(self, run_id: str, *, exit_code: int | None = 0, signal: int | None = None) -> None:
        """This run ends now."""
        self._end(self._runs[run_id], self._now(), exit_code=exit_code, signal=signal)

    def lose(self, run_id: str) -> None:
        """How this run ended cannot be known."""
        run = self._runs[run_id]
        run.end = Exited(run_id=run_id, at=self._now(), reason=EndReason.LOST, started_at=run.started_at)
        self._hear(run.end)

    def live(self) -> list[str]:
        """Runs that have not ended, in the order of their launch."""
        return [run_id for run_id, run in self._runs.items() if run.end is None]

    def successor(self) -> StubRunner:
        """What the next daemon sees: the same runs, nothing told yet."""
        after = StubRunner(now=self._now, script=self._script)
        after._runs = self._runs
        after.launched = self.launched
        after._next_pid = self._next_pid
        return after

    def _end(self, run: _Run, at: int, *, exit_code: int | None = None, signal: int | None = None) -> None:
        run.end = Exited(
            run_id=run.launch.run_id,
            at=at,
            reason=run.stopped or EndReason.EXIT,
            exit_code=None if signal is not None else exit_code,
            signal=signal,
            started_at=run.started_at,
            pid=run.pid,
            pid_start=run.pid,
            cpu_seconds=0.0,
            peak_memory=1 << 20,
            output_bytes=run.script.output_bytes,
        )
        self._hear(run.end)

    def _tell(self, run: _Run) -> None:
        if run.end is not None:
            self._hear(run.end)
        else:
            self._hear(Started(run_id=run.launch.run_id, at=run.started_at, pid=run.pid, pid_start=run.pid))

    def _hear(self, message: Message) -> None:
        if not self._heard:
            os.eventfd_write(self._event, 1)
        self._heard.append(message)
