"""The loop: the only place that sleeps, reads the clock, and orders the steps.

`run_pass` is one iteration and takes no time of its own to wait, so a test drives it with a fake clock; `run` wraps it:
sleep until a timer, a descriptor or a bell, then one pass. Signal handlers set flags (`stop`, `look`), nothing else.

Order within a pass: ends before starts (an ended run frees its job's slot), files before starts (a corrected spec
starts, not the faulty one), people before starts. Each step is bounded, so none starves the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reconciler import asking, ending, looking
from reconciler.act import BATCH, FIRST_BATCH, act_on_due
from reconciler.backoff import delay
from reconciler.doorbell import DoorbellSocket
from reconciler.heartbeat import INTERVAL, Heartbeat
from reconciler.housekeeping import Housekeeping
from reconciler.launching import LEAD, launch_again
from reconciler.machine import return_memory
from reconciler.pulse import Pulse, Watching
from reconciler.reader_process import ReaderProcess
from reconciler.sync import Change
from reconciler.wake import Wakeup
from reconciler.world import World, log
from specs.desired import Desired
from specs.outside import base_dir
from specs.source import Look
from state import inbox
from state.errors import StateError
from state.inbox import BadRequest, Request
from state.records import SourceState

RESCAN_INBOX = 5.0
"""Seconds: a request file dropped in by hand, without the doorbell, is found this soon."""

ANSWER_WITHIN = 15_000_000
"""Microseconds a `reconcile` waits for missing jobs to be settled before it is answered as things stand."""

REQUESTS = 32
"""Requests answered per pass, each with a commit of its own: due slots do not wait for thousands of them."""

BURST = 8
"""Batches of due slots per pass: in a burst, starting comes before writing down what ended."""

MANY = 500
"""Jobs that a look changed after which freed memory is given back: it takes 2 ms."""

LOGGED_FINDINGS = 20
"""Of one look: a broken merge makes thousands, and `jobsctl validate` shows them better."""

RETRY_WITHIN = INTERVAL
"""Seconds: however often the database refused, a mended one is noticed this soon, and every beat says what is wrong."""

JUMP = 1.0
"""Seconds that wall and monotonic clock may part between two passes before it is called a jump: NTP slews less."""


class LookSource(Watching, Protocol):
    """The thread that looks at the files: `specs.source.SourceThread`."""

    def look_now(self) -> None:
        """Look again, soon."""


@dataclass(slots=True)
class Waiting:
    """A request that the next look answers."""

    request: Request
    seen_at: int


class Loop:
    """The daemon's main thread."""

    def __init__(
        self,
        world: World,
        *,
        source: LookSource,
        looks: deque[Look],
        wakeup: Wakeup,
        doorbell: DoorbellSocket,
        heartbeat: Heartbeat,
        pulse: Pulse,
        housekeeping: Housekeeping,
        readers: Sequence[ReaderProcess],
        cache_version: str,
        check_state: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            readers: the status process first, if there is one, and the notify process.
            check_state: called at every beat; what it raises ends the daemon.
        """
        self.world = world
        self.stopping = False
        self.look_wanted = False
        self._source = source
        self._looks = looks
        self._wakeup = wakeup
        self._doorbell = doorbell
        self._heartbeat = heartbeat
        self._pulse = pulse
        self._housekeeping = housekeeping
        self._readers = readers
        self._cache_version = cache_version
        self._check_state = check_state
        self._source_state: SourceState | None = None
        self._look_at: int | None = None
        self._waiting: list[Waiting] = []
        self._told: set[str] = set()
        """The errors of the last look."""
        self._supervisor = world.runner.name
        self._clock_offset = world.clock.now() / 1_000_000 - world.clock.monotonic()
        self._failures = 0
        self._batch = FIRST_BATCH
        self._beat_at = self._inbox_at = 0.0
        if readers:
            world.changed = self._tell_readers

    def run(self) -> None:
        """Until `stopping` is set. Runs in progress go on; the next daemon finds them."""
        self._pulse.state = "ready"
        while not self.stopping:
            self._sleep(0.0 if self.run_pass() else self._nap())
        self._pulse.state = "stopping"

    def close(self) -> None:
        """After `run`: no daemon any more, in an orderly way."""
        ending.write_stories(self.world, len(self.world.untold))
        for reader in self._readers:
            reader.hang_up()
        for reader in self._readers:
            reader.close()
        try:
            self._heartbeat.remove()
        except OSError as error:
            log.warning("the last heartbeat stays: %s", error)

    def run_pass(self) -> bool:
        """One iteration. True when there is more to do at once.

        A database that will not take writes stops nothing that runs: what was told is kept, and the pass is tried
        again with backoff.
        """
        clock = self.world.clock
        began = clock.monotonic()
        self._notice_clock()
        try:
            more = self._steps(clock.now())
        except StateError as error:
            if self._failures == 0:
                self._beat_at = 0.0
            self._failures += 1
            wait = self._backoff()
            self._pulse.failed(error, clock.now())
            log.error("%s; trying again in %.0f s", error, wait)
            more = False
        else:
            if self._failures:
                self._beat_at = 0.0
            self._failures = 0
            self._pulse.passed(clock.now(), clock.monotonic() - began)
        self._beat()
        return more

    def _steps(self, now: int) -> bool:
        world, clock = self.world, self.world.clock
        more = ending.take_messages(world, now)
        if world.runner.name != self._supervisor:
            why = f" ({world.runner.complaint})" if world.runner.complaint else ""
            log.warning("supervisor %s ended%s; new runs go to %s", self._supervisor, why, world.runner.name)
            self._supervisor = world.runner.name
        if self.look_wanted or (self._look_at is not None and self._look_at <= now):
            self.look_wanted, self._look_at = False, None
            self._source.look_now()
        while self._looks:
            # A postponed look saw nothing: git is at work, and the source looks again by itself.
            if not self._looks[0].postponed:
                self._apply(self._looks[0], now)
            if len(self._looks.popleft().desired.changed) >= MANY:
                return_memory()
        self._take_requests(now)
        if world.unlaunched:
            launch_again(world, now)
        if world.looked:
            for _ in range(BURST):
                if not act_on_due(world, self._instant(clock.now()), self._batch):
                    self._batch = FIRST_BATCH
                    break
                self._batch = min(2 * self._batch, BATCH)
            else:
                more = True
        return more or self._housekeeping.step(world, now, self._nap_free(now))

    def _apply(self, look: Look, now: int) -> None:
        deletes = frozenset(
            waiting.request.identity
            for waiting in self._waiting
            if waiting.request.kind == "delete"
            and waiting.request.identity is not None
            and look.desired.started_at >= waiting.seen_at
        )
        applied = looking.apply_look(
            self.world,
            look,
            now,
            cache_version=self._cache_version,
            last=self._source_state,
            wanted_gone=deletes,
        )
        self.world.base_dir = base_dir(Path(look.desired.root), self.world.home.root)
        self._source_state = applied.source
        if applied.look_again_at is not None:
            self._look_at = applied.look_again_at
        self._pulse.looked(look, applied.plan)
        self._beat_at = 0.0
        for change, count in applied.counts.items():
            if change is Change.UNCHANGED:
                continue
            log.info("%d %s (revision %s)", count, change, look.desired.revision or "none")
        self._tell_findings(look.desired)
        self._answer_waiting(look, applied, now)

    def _tell_findings(self, desired: Desired) -> None:
        """Log what was not wrong in the files a look ago: who reads only the log must see that a commit was refused.

        What a job that runs on has to say is logged with its event (`reconciler.looking`).
        """
        jobs = self.world.jobs
        with_job = {
            finding
            for identity, findings in desired.invalid.items()
            if jobs.by_identity(identity) is not None
            for finding in findings
        }
        errors = {str(finding) for finding in desired.diagnostics if finding.severity == "error"}
        errors -= set(map(str, with_job))
        errors |= {desired.problem} if desired.problem is not None else set()
        for text in sorted(errors - self._told)[:LOGGED_FINDINGS]:
            log.warning("%s", text)
        if len(errors - self._told) > LOGGED_FINDINGS:
            log.warning("and %d more: jobsctl validate", len(errors - self._told) - LOGGED_FINDINGS)
        self._told = errors

    def _answer_waiting(self, look: Look, applied: looking.Applied, now: int) -> None:
        unanswered: list[Waiting] = []
        for waiting in self._waiting:
            covered = look.desired.started_at >= waiting.seen_at
            settled = applied.look_again_at is None or now - waiting.seen_at > ANSWER_WITHIN
            if covered and (settled or waiting.request.kind == "delete"):
                asking.answer_look(self.world, waiting.request, look.desired, applied.plan, now)
                inbox.remove_request(self.world.home, waiting.request.id)
            else:
                unanswered.append(waiting)
        self._waiting = unanswered

    def _take_requests(self, now: int) -> None:
        # Before a first look nothing is known of the files: what was asked while no daemon ran has to wait for it.
        if not self.world.looked or self.world.clock.monotonic() < self._inbox_at:
            return
        self._inbox_at = self.world.clock.monotonic() + RESCAN_INBOX
        pending = {waiting.request.id for waiting in self._waiting}
        found = inbox.read_requests(self.world.home, passing=pending, limit=REQUESTS)
        if len(found) == REQUESTS:
            self._inbox_at = 0.0
        for request in found:
            if isinstance(request, BadRequest):
                log.warning("a request was rejected: %s", request)
            elif request.kind in asking.LOOK_KINDS:
                if self.world.store.request(request.id) is not None:
                    inbox.remove_request(self.world.home, request.id)
                    continue
                self._waiting.append(Waiting(request, now))
                self.world.confirm_prune |= request.kind == "confirm_prune"
                self.look_wanted = True
            else:
                self._handle(request, now)
                inbox.remove_request(self.world.home, request.id)
        if self.look_wanted:
            self.look_wanted = False
            self._source.look_now()

    def _handle(self, request: Request, now: int) -> None:
        """One request. A mistake of this program about it is its answer: it must not end the daemon, again and
        again."""
        try:
            asking.handle(self.world, request, now)
        except StateError:
            raise
        except Exception as error:
            log.exception("request %s (%s) failed", request.id, request.kind)
            message = f"an error inside the daemon, {type(error).__name__}: {error}; its log has more, please report it"
            self.world.store.record_request(asking.answer(request, now, "refused", message))

    def _instant(self, now: int) -> int:
        """What is decided on now: all that is due, else what is due in a moment."""
        upcoming = self.world.timers.next_at()
        return upcoming if upcoming is not None and now < upcoming <= now + LEAD else now

    def _nap_free(self, now: int) -> bool:
        """Nothing is due within the time a bit of housekeeping takes."""
        upcoming = self.world.timers.next_at()
        return upcoming is None or upcoming - now > 200_000

    def _nap(self) -> float:
        if self._failures:
            return self._backoff()
        until = min(self._beat_at, self._inbox_at) if self.world.looked else self._beat_at
        return max(0.0, until - self.world.clock.monotonic())

    def _backoff(self) -> float:
        return min(delay(self._failures), RETRY_WITHIN)

    def _sleep(self, at_most: float) -> None:
        world = self.world
        upcoming = world.timers.next_at() if world.looked else None
        instants = [at for at in (None if upcoming is None else upcoming - LEAD, self._look_at) if at is not None]
        ready = self._wakeup.wait(None if self._failures else min(instants, default=None), at_most)
        if self._doorbell.fileno() in ready:
            self._doorbell.drain()
            self._inbox_at = 0.0
        if any(reader.ended(ready) for reader in self._readers):
            self._beat_at = 0.0

    def _notice_clock(self) -> None:
        """Decide anew on every job when the wall clock was set, or the machine slept, since the last pass.

        Both move the wall clock against the monotonic one (clock_gettime(2)): timers set before may be far off.
        """
        world, clock = self.world, self.world.clock
        offset = clock.now() / 1_000_000 - clock.monotonic()
        drift, self._clock_offset = offset - self._clock_offset, offset
        if abs(drift) <= JUMP:
            return
        self._pulse.clock_jumps += 1
        log.warning("the clock jumped by %.1f s, or the machine slept; deciding anew", drift)
        now = clock.now()
        world.settle_at(now)
        if world.looked:
            for entry in world.jobs:
                if not entry.archived:
                    world.timers.set(entry.id, now)
        # Instants noted in the old time may be hours ahead of the new one: who waits for a look gets one now.
        self.look_wanted = True
        for waiting in self._waiting:
            waiting.seen_at = min(waiting.seen_at, now)

    def _tell_readers(self) -> None:
        for reader in self._readers:
            reader.tell()

    def _beat(self) -> None:
        clock = self.world.clock
        if clock.monotonic() < self._beat_at:
            return
        self._beat_at = clock.monotonic() + INTERVAL
        self._check_state()
        for reader in self._readers:
            self._beat_at = min(self._beat_at, reader.keep(clock.monotonic()))
        try:
            beat = self._pulse.beat(self.world, self._source, clock.now())
            readers = self._readers[0].state() if self._readers else None
            self._heartbeat.write({**beat, "readers": readers})
        except OSError as error:
            self._pulse.failed(error, clock.now())
            log.error("cannot write the heartbeat: %s", error)
