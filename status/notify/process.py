"""The notify process: notifications, callbacks and the ping. Started by the daemon, and again, when something wants it.

`python -c "import jobsctl; from status.notify.process import main; main()" --home DIR`. It reads the daemon's database
and writes the outbox, nothing else; so it may end at any instant, and does: at end of file on stdin (the daemon closed
the pipe, or died), at SIGTERM, and when its parent dies. One byte on stdin says that something changed. It runs at a
lower priority than the daemon and the runs.

Exit codes: 0 told to end, 1 cannot go on (stderr says why), 2 usage.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from types import FrameType

from jobsctl import __version__
from specs.outside import base_dir, read_value
from specs.stored import StoredJob, Unreadable
from state.errors import CorruptDatabase, DatabaseError, NewerSchema, StateError
from state.home import Home
from state.outbox.records import Delivery
from state.outbox.store import Outbox
from status.child import end_with_parent, give_way, return_memory
from status.notify.callbacks.dispatching import Dispatcher
from status.notify.callbacks.sending import Sender, resolve_name
from status.notify.following import Follower
from status.notify.outgoing import Outgoing
from status.notify.ping import Pinger
from status.notify.posting import Postman
from status.notify.settings import CLOSED, Settings, SettingsUnreadable, read_settings
from status.notify.watching import DAY
from status.words.instants import SECOND

RESYNC = 60.0
"""Seconds after which it looks without a bell."""
LEAST_REST, MOST_REST, REST_SHARE = 0.2, 1.0, 4
"""Seconds between two steps; it rests this many times as long as it worked: at most a fifth of one processor."""
MOST_BACKOFF = 30.0
"""Seconds between tries while a database cannot be used."""
FAREWELL = 2.0
"""Seconds for attempts under way when it is told to end: the daemon waits three."""
KEPT_DELIVERIES, KEPT_FOR = 10_000, 30 * DAY
KEPT_MESSAGES = 200_000
"""100 MB. With more of them fewer deliveries are kept: a house that tells of every success has hundreds in each."""
PRUNE_EVERY = 3600.0
SET_BACK = 10 * SECOND
"""The clock counts as set back when it lost so much in one round."""
LONGEST_WAIT = 27 * 3600 * SECOND
"""More than between any two attempts: `callbacks.retrying`, `posting`."""


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="jobsctl-notify", allow_abbrev=False)
    parser.add_argument("--home", type=Path, required=True, help="root of the home, absolute")
    parser.add_argument("--timezone", default="UTC", help="of jobs and notifiers that name none: what the daemon took")
    arguments = parser.parse_args()
    home = Home(arguments.home.resolve())
    end_with_parent()
    return_memory()
    give_way()
    code = 0
    try:
        settings = read_settings(home.root)
    except SettingsUnreadable as error:
        _say(f"{error}; until this process is started again no callback and no ping is sent")
        settings = CLOSED
    try:
        outbox = Outbox.open(home.outbox, now=now_us())
    except StateError as error:
        _say(error)
        os._exit(1)
    if outbox.warning is not None:
        _say(f"warning: {outbox.warning}")
    process = NotifyProcess(home, outbox, settings, default_timezone=arguments.timezone)
    try:
        process.run()
    except DatabaseError as error:
        _say(f"{error}; it is opened anew")
        code = 1
    except Exception:  # nobody foresaw it: what is stored is sound, so end; the daemon starts us anew
        traceback.print_exc()
        code = 1
    try:
        outbox.close()
    except StateError as error:
        _say(error)
    sys.stderr.flush()
    os._exit(code)  # threads that wait for receivers are not waited for


def now_us() -> int:
    """Microseconds since the epoch, UTC: this process's one look at the wall clock."""
    return time.time_ns() // 1000  # noqa: TID251  (a composition root of its own; reconciler.clock is out of reach)


def _say(what: object) -> None:
    print(f"notify: {what}", file=sys.stderr, flush=True)  # noqa: T201


class NotifyProcess:
    """One thread that owns outbox and database; senders have threads of theirs and ring when they are done."""

    def __init__(self, home: Home, outbox: Outbox, settings: Settings, *, default_timezone: str) -> None:
        self._home = home
        self._outbox = outbox
        self._ending = False
        self._rung = False
        """Something changed since the last round began."""
        self._bell, self._ringer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._follower = Follower(home.database, outbox, default_timezone=default_timezone)
        self._outgoing = Outgoing(home, outbox, default_timezone=default_timezone, page=settings.page)
        base = partial(base_dir, home.root / settings.specs, home.root)  # asked anew: a repository may be made later
        self._postman = Postman(
            outbox,
            lambda: self._outgoing.notifiers,
            base_dir=base,
            environ=os.environ,
            now=now_us,
            monotonic=time.monotonic,
            wake=self._wake,
        )
        sender = Sender(
            allowed=settings.allowed,
            read_value=lambda value, subject: read_value(value, subject=subject, base_dir=base(), environ=os.environ),
            now=now_us,
            monotonic=time.monotonic,
            resolve=resolve_name,
            tls=None,
            version=__version__,
        )
        self._dispatcher = Dispatcher(outbox, sender, self._job_of, wake=self._wake)
        self._pinger = None if settings.ping is None else Pinger(home, settings.ping, version=__version__)
        self._problem: str | None = None
        self._failures = 0
        self._pruned = float("-inf")
        self._clock: tuple[int, float] | None = None
        """The time of the last round, on the wall and monotonic."""

    def run(self) -> None:
        """Until told to end. Raises what nobody foresaw."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal: the daemon decides
        wait = 0.0
        while self._sleep(wait):
            self._rung = False
            began = time.monotonic()
            try:
                more = self._round()
                self._problem, self._failures = None, 0
            except DatabaseError as error:
                if isinstance(error, NewerSchema | CorruptDatabase) and error.path == self._home.outbox:
                    raise  # opened anew, it is set aside, or refused with the reason
                # A busy moment, a full disk: nothing was stored, nothing was read on. The next round tries again.
                self._failures += 1
                if str(error) != self._problem:
                    self._problem = str(error)
                    _say(error)
                self._rest(min(2.0**self._failures / 2, MOST_BACKOFF))
                continue
            self._rest(min(max(LEAST_REST, REST_SHARE * (time.monotonic() - began)), MOST_REST))
            wait = 0.0 if more else self._until_next()
        self._say_farewell()

    def _round(self) -> bool:
        """Everything that is due now. Whether there is more."""
        now = now_us()
        self._outbox.check()
        self._follow_clock(now)
        self._postman.take()
        self._dispatcher.take()
        more = self._follower.step(now)
        if not more:
            self._outgoing.step(self._follower.reader(now), self._follower.watch, self._follower.told, now)
        self._postman.start(now)
        self._dispatcher.start(now)
        if self._pinger is not None:
            self._pinger.step(self._outbox, now)
        self._prune(now)
        return more

    def _follow_clock(self, now: int) -> None:
        """What waits for an instant would wait for hours or years more when the clock was set back."""
        monotonic = time.monotonic()
        by = 0
        if self._clock is not None:
            wall, then = self._clock
            by = wall + round((monotonic - then) * SECOND) - now
        if self._clock is None or by > SET_BACK:
            self._outbox.set_back(by, now=now, longest=LONGEST_WAIT)
            self._dispatcher.set_back(by)
            self._follower.close()  # it remembers since when it watches
            self._follower.told |= self._outgoing.notifiers.keys()
        self._clock = now, monotonic

    def _prune(self, now: int) -> None:
        if time.monotonic() - self._pruned < PRUNE_EVERY:
            return
        keep = KEPT_DELIVERIES * KEPT_MESSAGES // max(self._outbox.gathered(), KEPT_MESSAGES)
        if not self._outbox.prune(before=now - KEPT_FOR, keep=keep):
            self._pruned = time.monotonic()

    def _until_next(self) -> float:
        """Seconds until something is due that no bell will tell."""
        now = now_us()
        instants = [
            self._follower.look_at,
            self._outgoing.look_at,
            self._outbox.next_due(after=now),
            self._dispatcher.next_start(),
        ]
        waits = [max(0.0, (at - now) / SECOND) for at in instants if at is not None]
        if self._pinger is not None:
            waits.append(self._pinger.wait)
        return min([RESYNC, *waits])

    def _job_of(self, delivery: Delivery) -> StoredJob | None:
        """Of a callback, the job as it is applied now, also when it was renamed meanwhile."""
        reader = self._follower.reader(now_us())
        run = reader.runs_of_ids([delivery.run_id]).get(delivery.run_id) if delivery.run_id is not None else None
        try:
            record = reader.job_by_id(run.job_id) if run is not None else reader.job(delivery.identity or "")
            return None if record is None else StoredJob.of(record.spec)
        except (DatabaseError, Unreadable):
            raise
        except StateError:  # no job is called so any more
            return None

    # Sleeping and waking

    def _wake(self) -> None:
        try:
            os.write(self._ringer, b"\n")
        except BlockingIOError:
            pass  # it is full of bells already

    def _end(self, _signum: int, _frame: FrameType | None) -> None:
        self._ending = True
        self._wake()

    def _rest(self, seconds: float) -> None:
        """So long, whatever rings: only its end ends it."""
        until = time.monotonic() + seconds
        while not self._ending and (left := until - time.monotonic()) > 0:
            self._listen(left)

    def _sleep(self, seconds: float) -> bool:
        """Until a bell, the end, or so long. False when it is the end."""
        self._listen(0.0 if self._rung else seconds)
        return not self._ending

    def _listen(self, seconds: float) -> None:
        ready = select.select([0, self._bell], [], [], max(0.0, seconds))[0]
        if self._bell in ready:
            os.read(self._bell, 65536)
        if 0 in ready and not os.read(0, 65536):
            self._ending = True
        self._rung = self._rung or bool(ready)

    def _say_farewell(self) -> None:
        """Record the attempts that end by themselves within a moment: they need not be made again."""
        until = time.monotonic() + FAREWELL
        while self._postman.under_way + self._dispatcher.under_way and (left := until - time.monotonic()) > 0:
            select.select([self._bell], [], [], left)
            try:
                self._postman.take()
                self._dispatcher.take()
            except StateError as error:
                _say(error)
                return
