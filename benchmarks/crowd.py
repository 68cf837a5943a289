"""Many clients of one server, in a process of their own: `python -m benchmarks.crowd PORT EAGER LAZY LOG_PATH`.

`EAGER` clients follow all events and read them, `LAZY` ones follow from the first event on and never read, and one
follows the log `LOG_PATH` from its beginning, again and again. Says `ready` when all are there. At the end of its
input it prints one line: events that were read, the median and the 99th percentile of their delay in seconds (from the
instant in the event to its being read), and bytes of log.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
import sys
import time
from datetime import datetime

from benchmarks.figures import percentile

FOLLOW = "GET {} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{}\r\n"
_TIME = re.compile(rb'"time":"([^"]+)Z"')


def main(port: int, eager: int, lazy: int, log: str) -> None:
    """Follow until the input ends."""
    os.nice(10)  # clients are elsewhere: they should not take the processor from what is measured
    chosen = selectors.DefaultSelector()
    idle = [_follow(port, "/api/v1/events", "Last-Event-ID: 0\r\n", 4096) for _ in range(lazy)]
    for _ in range(eager):
        chosen.register(_follow(port, "/api/v1/events"), selectors.EVENT_READ, "events")
    if log:
        chosen.register(_follow(port, log), selectors.EVENT_READ, "log")
    chosen.register(sys.stdin, selectors.EVENT_READ, "end")
    print("ready", flush=True)
    delays: list[float] = []
    read = bytes_of_log = 0
    going = True
    while going:
        for key, _ in chosen.select():
            if key.data == "end":
                going = False
                continue
            plug = key.fileobj
            assert isinstance(plug, socket.socket)
            data = plug.recv(1 << 18)
            now = time.time()
            if key.data == "events":
                read += data.count(b"\ndata: ")
                for found in _TIME.findall(data)[-1:]:
                    delays.append(now - datetime.fromisoformat(found.decode() + "+00:00").timestamp())
            else:
                bytes_of_log += len(data)
            if not data:
                chosen.unregister(plug)
                plug.close()
                if key.data == "log":
                    chosen.register(_follow(port, log), selectors.EVENT_READ, "log")
    recent = delays or [0.0]
    print(read, percentile(recent, 50), percentile(recent, 99), bytes_of_log, flush=True)
    del idle


def _follow(port: int, path: str, more: str = "", buffer: int = 0) -> socket.socket:
    plug = socket.socket()
    if buffer:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plug.settimeout(30)
    plug.connect(("127.0.0.1", port))
    plug.sendall(FOLLOW.format(path, more).encode())
    head = plug.recv(15)
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"{path}: {head!r}")
    return plug


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "")
