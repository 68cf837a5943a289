"""Real receivers on loopback: an HTTP server that answers as told, and a small SMTP server. For tests."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """What came, in order."""

    port: int = 0
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Method, path with query, body."""
    letters: list[tuple[list[str], str]] = field(default_factory=list)
    """Recipients and the whole text of a mail."""
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, timeout: float = 20.0) -> None:
        """Until so many have come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) + len(self.letters) >= count, timeout), (
                f"{len(self.requests) + len(self.letters)} of {count} came"
            )

    def wait_quietly(self, count: int, timeout: float) -> bool:
        """Whether so many came within so long."""
        with self.arrived:
            return self.arrived.wait_for(lambda: len(self.requests) + len(self.letters) >= count, timeout)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def http_receiver(statuses: Sequence[int] = ()) -> Iterator[Received]:
    """Answers with these status codes in turn, then 200."""
    received = Received()
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with received.arrived:
                received.requests.append((self.command, self.path, body))
                status = left.pop(0) if left else 200
                received.arrived.notify_all()
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST = do_HEAD = _take

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    received.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mail_receiver() -> Iterator[Received]:
    """Takes every mail (RFC 5321: HELO, MAIL, RCPT, DATA, QUIT)."""
    received = Received()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            recipients: list[str] = []
            while line := self.rfile.readline().decode().strip():
                word = line.split(" ")[0].upper()
                if word == "RCPT":
                    recipients.append(line.partition("<")[2].partition(">")[0])
                if word == "DATA":
                    self._say("354 go on")
                    text = ""
                    while (each := self.rfile.readline().decode()) not in (".\r\n", ""):
                        text += each
                    with received.arrived:
                        received.letters.append((recipients, text))
                        received.arrived.notify_all()
                    recipients = []  # the next mail of the connection has its own
                self._say("221 bye" if word == "QUIT" else "250 ok")
                if word == "QUIT":
                    return

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    received.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silent_receiver() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
