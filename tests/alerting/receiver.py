"""A receiver of callbacks and notifications that refuses the first of each, and takes what comes later."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HELD = "/hook"
LONGEST = 12.0
"""Seconds an answer is held back at most: less than the sender waits."""


class Refusing:
    """Serves until it is closed. Of each path the first request is answered by 503, later ones by 200.

    Later ones of `/hook`, where the next attempt comes after 5 seconds, are held back until `release`, so that a test
    can see the world in between, however slow it is. A notifier tries again after 30.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                outer._seen[self.path] += 1
                first = outer._seen[self.path] == 1
                if not first and self.path == HELD:
                    outer._released.wait(LONGEST)
                self.send_response(503 if first else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()

    def release(self) -> None:
        """Answer from now on."""
        self._released.set()

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
