"""The status process: status files and, where an address is given, HTTP. Started and restarted by the daemon.

`python -P -c "import jobsctl; from status.serve import main; main()" --home DIR [--listen HOST:PORT]
[--tokens FILE] [--name NAME]... [--insecure] [--max-jobs N]`. It reads the
database, the heartbeat and run files, and writes status files and `http.json`, nothing else; so it may end at any
instant, and does: at end of file on stdin (the daemon closed the pipe, or died), at SIGTERM, and when its parent dies.
One byte on stdin says that something changed. It runs at a lower priority than the daemon and the runs.

Exit codes: 0 told to end, 1 cannot serve (one line on stderr says why), 2 usage.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import ipaddress
import os
import re
import resource
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import orjson
import uvicorn

from jobsctl import __version__
from state.home import Home
from status.api import Api, House
from status.child import end_with_parent, give_way, return_memory
from status.metrics.exposition import MAX_JOBS, Exporter, Sources
from status.page.routes import routes as page_routes
from status.picture.board import Board
from status.picture.files import StatusFiles
from status.picture.refresh import Refresher
from status.server.access import Access
from status.server.app import Guard, build_app
from status.server.errors import CannotServe
from status.server.wire import LimitedProtocol

MOST_CONNECTIONS = 1024
"""20 MB of them. Streams are not among them."""
KEEP_ALIVE_SECONDS = 15
"""Prometheus scrapes every 15 to 60 seconds and reconnects gladly."""
BACKLOG = 512
ACCEPTED_AT_ONCE = 64
"""Connections that are taken before those there are have their turn: all of a storm at once would be too many."""
FILES = 8192
"""Descriptors: 4,000 streams, 1,024 connections, the database, logs that are read, and room."""
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="jobsctl-status", allow_abbrev=False)
    parser.add_argument("--home", type=Path, required=True, help="root of the home, absolute")
    parser.add_argument("--timezone", default="UTC", help="of jobs that name none: what the daemon took")
    parser.add_argument("--listen", help="HOST:PORT to serve HTTP on; left out: only status files")
    parser.add_argument("--tokens", type=Path, help="file of the tokens that readers need; left out: they need none")
    parser.add_argument("--name", action="append", default=[], help="a further name we are called by")
    parser.add_argument("--insecure", action="store_true", help="serve others without tokens")
    parser.add_argument("--max-jobs", type=int, default=MAX_JOBS, help="jobs with series of their own at /metrics")
    arguments = parser.parse_args()
    doors = Doors(
        arguments.listen,
        arguments.tokens,
        tuple(arguments.name),
        insecure=arguments.insecure,
        max_jobs=arguments.max_jobs,
    )
    try:
        serve(Home(arguments.home.resolve()), doors, timezone=arguments.timezone)
    except CannotServe as error:
        print(f"error: {error}", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Doors:
    """Where HTTP is served, and to whom."""

    listen: str | None
    """HOST:PORT; None: nowhere."""
    tokens: Path | None = None
    names: tuple[str, ...] = ()
    insecure: bool = False
    max_jobs: int = MAX_JOBS
    """How many jobs get series of their own at /metrics."""


def serve(home: Home, doors: Doors, *, timezone: str) -> None:
    """Run until told to end.

    Raises:
        CannotServe: the address cannot be had, or would be open to everybody.
    """
    listener = None if doors.listen is None else bind(doors.listen, public=doors.insecure or doors.tokens is not None)
    end_with_parent()
    return_memory()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal: the daemon decides when we end
    threading.excepthook = _end_on_error
    give_way()
    refresher = Refresher(
        home.database,
        Board(default_timezone=timezone),
        StatusFiles(home.status),
        monotonic=time.monotonic,
        now=now_us,
    )
    bells: list[Callable[[], None]] = []
    threading.Thread(target=_watch_bell, args=(home, refresher, bells), name="bell", daemon=True).start()
    refresher.start()
    if listener is None or doors.listen is None:
        refresher.join()
        return
    server = Server(_uvicorn_config(_application(home, refresher, doors.listen, doors, bells)))
    _allow_files()
    announce(home, listener)
    server.run(sockets=[listener])


def _allow_files() -> None:
    """As many open files as we may have: each client has one, and the usual 1024 are fewer than may follow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _application(home: Home, refresher: Refresher, listen: str, doors: Doors, bells: list[Callable[[], None]]) -> Guard:
    """Everything behind the socket; what is to be told when something changed is added to `bells`."""
    guards: list[Guard] = []
    exporter = Exporter(
        Sources(
            home=home,
            picture=lambda: refresher.picture,
            requests=lambda: dict(guards[0].requests),
            files_written=lambda: refresher.files_written,
            now=now_us,
            monotonic=time.monotonic,
            version=__version__,
            streams=lambda: len(api.streams),
            files_up=lambda: refresher.files_problem is None,
            max_jobs=doors.max_jobs,
        )
    )
    api = Api(House(home=home, refresher=refresher, exporter=exporter, now=now_us, monotonic=time.monotonic))
    api.streams.heed(doors.tokens)
    bells.append(api.streams.ring)
    host, _ = split_address(listen)
    pages = page_routes(home=home, refresher=refresher, now=now_us, ask=api.database.ask)
    guards.append(
        build_app(
            [*api.routes(), *pages],
            [*own_names(host), *doors.names],
            any_address=not is_loopback(host),
            access=Access(doors.tokens),
        )
    )
    return guards[0]


def _uvicorn_config(app: Guard) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=LimitedProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",  # uvloop gains 5 % here; not worth a dependency
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=ACCEPTED_AT_ONCE,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


class Server(uvicorn.Server):
    """uvicorn without its goodbye: nothing here needs an orderly end, and the daemon waits for ours."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """asyncio takes one number for both, how many wait with the kernel and how many are taken at once."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)

    async def main_loop(self) -> None:
        """uvicorn's own wakes ten times a second, which is half of what an idle status process costs; what it keeps
        up to date is the header `date`, of whole seconds."""
        while not await self.on_tick(0):
            await asyncio.sleep(1)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """uvicorn's handler of SIGTERM and SIGINT."""
        if sig == signal.SIGTERM:
            _end(sig, frame)


def _end(_signum: int, _frame: FrameType | None) -> None:
    os._exit(0)


def now_us() -> int:
    """Microseconds since the epoch, UTC: this process's one look at the wall clock."""
    return time.time_ns() // 1000  # noqa: TID251  (a composition root of its own; reconciler.clock is out of reach)


def split_address(listen: str) -> tuple[str, int]:
    """Host (without brackets) and port of `127.0.0.1:8787`, `[::1]:0`, `localhost:8787`.

    Raises:
        CannotServe: it is not an address.
    """
    found = _ADDRESS.fullmatch(listen)
    if found is None or int(found["port"]) > 65535:
        raise CannotServe(f"http.listen: {listen!r} is not HOST:PORT, as 127.0.0.1:8787 or [::1]:8787")
    return found["six"] or found["host"], int(found["port"])


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def own_names(host: str) -> list[str]:
    """Names a request may call us by, besides the loopback ones: the address served, and the machine's own name."""
    shown = f"[{host}]" if ":" in host else host
    return [shown] if is_loopback(host) else [shown, socket.gethostname(), socket.getfqdn()]


def bind(listen: str, *, public: bool = False) -> socket.socket:
    """The listening socket.

    Args:
        public: others than this machine may reach it.

    Raises:
        CannotServe: no such address here, the port is taken, or it needs more rights; or it is not ours alone.
    """
    host, port = split_address(listen)
    if not public and not is_loopback(host):
        raise CannotServe(f"http.listen: others reach {listen}, and http.tokens names no file of tokens")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        hint = {
            errno.EADDRINUSE: "another program has this port; set http.listen in jobsctl.yaml to a free one",
            errno.EACCES: "ports below 1024 need rights; set http.listen in jobsctl.yaml to a higher one",
        }.get(error.errno or 0, "set http.listen in jobsctl.yaml to an address of this machine")
        raise CannotServe(f"cannot listen on {listen}: {error.strerror or error}; {hint}") from None
    listener.setblocking(False)
    return listener


def announce(home: Home, listener: socket.socket) -> None:
    """Say in `http.json` where we are: the port may have been chosen by the system.

    Raises:
        CannotServe: the state directory cannot be written.
    """
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    spare = home.http.with_suffix(".tmp")
    try:
        spare.write_bytes(orjson.dumps({"listen": shown, "pid": os.getpid()}))
        spare.replace(home.http)
    except OSError as error:
        raise CannotServe(f"cannot write {home.http}: {error.strerror}; is the daemon's home writable?") from None


def _watch_bell(home: Home, refresher: Refresher, bells: list[Callable[[], None]]) -> None:
    """A byte on stdin: something changed. Its end: so is ours."""
    while rung := os.read(0, 65536):
        for ring in bells:
            ring()
        refresher.ring(len(rung))
    try:
        if orjson.loads(home.http.read_bytes())["pid"] == os.getpid():
            home.http.unlink()
    except (OSError, ValueError, KeyError):
        pass  # never announced, or the next one has announced itself already
    os._exit(0)


def _end_on_error(hook: threading.ExceptHookArgs) -> None:
    """A thread died of what nobody foresaw: stale answers would be a lie, so end; the daemon starts us anew."""
    traceback.print_exception(hook.exc_type, hook.exc_value, hook.exc_traceback, file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)
