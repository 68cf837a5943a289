"""The daemon put together: home, lock, database, runner, source thread, loop. Called by `jobsctl daemon`.

Order of the start: lock and doorbell first (`reconciler.claim`: nothing is touched while another daemon lives), then
the database, the supervisor, the files. Order of the end: the source thread (no new work), the readers, the runner
(runs go on), the database, and the lock last.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from types import FrameType

from reconciler.claim import Claim
from reconciler.clock import Clock, SystemClock
from reconciler.heartbeat import Heartbeat
from reconciler.housekeeping import Housekeeping
from reconciler.lock import StateGone, identity
from reconciler.loop import Loop
from reconciler.machine import read_boot
from reconciler.pulse import Pulse
from reconciler.reader_process import ReaderProcess
from reconciler.recovery import recover
from reconciler.sync import PrunePolicy
from reconciler.table import JobTable
from reconciler.wake import Wakeup
from reconciler.world import World, log
from runners.supervised import SupervisedRunner
from runners.supervisor.libc import ask_for_short_slices
from specs.config import Config
from specs.desired import DIRTY
from specs.scan import ignore_lease_signals
from specs.source import Look, Source, SourceThread, cache_version
from state.home import Home
from state.store import Store

MICROSECOND = 1_000_000


def run_daemon(
    claim: Claim, config: Config, *, version: str, readers: Sequence[str] | None, notify: Sequence[str] | None = None
) -> int:
    """Run until SIGTERM or SIGINT; a second one ends at once. The exit code.

    Args:
        claim: the home; whoever claimed it lets it go.
        readers: command line of the status process; None: nobody is told (no status files, no HTTP).
        notify: command line of the notify process, started when something wants it; None: never.

    Raises:
        StateGone: the state directory was deleted while it ran.
        StateError: the database cannot be used.
    """
    clock: Clock = SystemClock()
    home, doorbell = claim.home, claim.doorbell
    store = Store.open(home.database, now=clock.now())
    wakeup = Wakeup()
    wakeup.watch(doorbell.fileno())
    runner = SupervisedRunner(home.supervisors)
    wakeup.watch(runner.fileno())
    boot = read_boot()
    world = World(
        home=home,
        store=store,
        runner=runner,
        clock=clock,
        jobs=JobTable(config.timezone),
        boot=boot,
        environ=dict(os.environ),
        base_dir=home.root,
        prune_policy=PrunePolicy(
            grace=int(config.prune_grace * MICROSECOND), jobs=config.prune_limit.jobs, share=config.prune_limit.share
        ),
    )
    recover(world, clock.now())
    version_of_cache = cache_version(config.timezone)
    source = Source(
        home.root / config.specs,
        now=clock.now,
        cache=store.each_cached_file(version_of_cache),
        default_timezone=config.timezone,
        unsettled=[entry.path for entry in world.jobs if entry.revision is not None and entry.revision.endswith(DIRTY)],
    )
    looks: deque[Look] = deque()
    bell = wakeup.doorbell()

    def on_look(look: Look) -> None:
        looks.append(look)
        bell.ring()

    thread = SourceThread(source, on_look, resync=config.resync)
    loop = Loop(
        world,
        source=thread,
        looks=looks,
        wakeup=wakeup,
        doorbell=doorbell,
        heartbeat=Heartbeat(home.heartbeat),
        pulse=Pulse(version=version, started_at=clock.now()),
        housekeeping=Housekeeping(
            max_age=int(config.retention.max_age * MICROSECOND), max_runs=config.retention.max_runs
        ),
        readers=_readers(world, config, wakeup, readers, notify),
        cache_version=version_of_cache,
        check_state=_state_check(home),
    )
    _listen_to_signals(loop, wakeup)
    ask_for_short_slices()
    log.info("jobsctl %s, home %s, specs %s", version, home.root, home.root / config.specs)
    thread.start()
    try:
        loop.run()
    finally:
        thread.stop()
        loop.close()
        runner.close()
        store.close()
    log.info("stopped; %d runs go on", len(world.live))
    return 0


def _readers(
    world: World, config: Config, wakeup: Wakeup, status: Sequence[str] | None, notify: Sequence[str] | None
) -> list[ReaderProcess]:
    found = [] if status is None else [ReaderProcess("status", status, wakeup=wakeup)]
    if notify is not None:
        found.append(ReaderProcess("notify", notify, wakeup=wakeup, wanted=lambda: _tells(world, config)))
    return found


def _tells(world: World, config: Config) -> bool:
    """Whether there is anything for the notify process to do, or was."""
    return (
        any(kind == "Notifier" for kind, _ in world.documents)
        or world.jobs.calls_back
        or config.ping is not None
        or world.home.outbox.exists()
    )


def _state_check(home: Home) -> Callable[[], None]:
    """What raises StateGone once lock or database are not the files that are there now (`git clean -x`, a restore)."""
    ours = {path: identity(path) for path in (home.lock, home.database)}

    def check() -> None:
        for path, file in ours.items():
            if identity(path) != file:
                raise StateGone(
                    f"{path} was deleted or replaced while the daemon ran: what it wrote since is lost. "
                    "It ends, so that no second one works beside it; start it again"
                )

    return check


def _listen_to_signals(loop: Loop, wakeup: Wakeup) -> None:
    """Handlers set flags; the wakeup descriptor ends the sleep. Logging or stopping in a handler is not safe."""
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
    wakeup.watch_bell(reading.detach())

    def stop(_signum: int, _frame: FrameType | None) -> None:
        if loop.stopping:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os._exit(130)
        loop.stopping = True

    def look(_signum: int, _frame: FrameType | None) -> None:
        loop.look_wanted = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, look)
    ignore_lease_signals()


def status_command(home: Home, listen: str | None, config: Config) -> list[str]:
    """Command line of the status process."""
    argv = _program("status.serve", home, config.timezone)
    if listen is None:
        return argv
    argv += ["--listen", listen, "--max-jobs", str(config.metrics.max_jobs)]
    if config.http is not None:
        if config.http.tokens is not None:
            argv += ["--tokens", str(home.root / config.http.tokens)]
        argv += [word for name in config.http.names for word in ("--name", name)]
        argv += ["--insecure"] if config.http.insecure else []
    return argv


def notify_command(home: Home, timezone: str) -> list[str]:
    """Command line of the notify process."""
    return _program("status.notify.process", home, timezone)


def _program(module: str, home: Home, timezone: str) -> list[str]:
    code = f"import jobsctl; from {module} import main; main()"
    # -P: nothing is imported from the working directory. A repository of specs may hold a `queue.py`.
    return [sys.executable, "-P", "-c", code, "--home", str(home.root), "--timezone", timezone]
