"""Real servers on loopback for the example jobs to work against: TLS, HTTP, PostgreSQL. Each ends with its `with`."""

from __future__ import annotations

import contextlib
import http.server
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tests.components import program


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class Authority:
    """A certificate authority of our own, by openssl."""

    directory: Path

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True)
        extensions = "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ca.key")
        added = [part for extension in extensions for part in ("-addext", extension)]
        self._openssl("req", "-x509", "-key", "ca.key", "-subj", "/CN=Test CA", "-days", "30", "-out", "ca.pem", *added)

    @property
    def certificate(self) -> Path:
        return self.directory / "ca.pem"

    def issue(self, name: str, *, days: int) -> Path:
        """One PEM with key and certificate for 127.0.0.1, that is good for `days`; negative: has expired."""
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        (self.directory / "leaf.ext").write_text(
            "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\nbasicConstraints=CA:FALSE\n"
        )
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", str(secrets.randbits(63)), "-days", str(days)]
        self._openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-extfile", "leaf.ext", "-out", f"{name}.crt")
        pem = self.directory / f"{name}.pem"
        pem.write_text((self.directory / f"{name}.key").read_text() + (self.directory / f"{name}.crt").read_text())
        return pem

    def _openssl(self, *arguments: str) -> None:
        command = [program("openssl"), *arguments]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr


@dataclass(slots=True)
class TlsServer:
    """Shakes hands with the certificate in `pem`, which a test may change between two handshakes."""

    port: int
    pem: Path


@contextlib.contextmanager
def tls_server(pem: Path) -> Iterator[TlsServer]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = TlsServer(int(listener.getsockname()[1]), pem)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(server.pem)
            with contextlib.suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as secure:
                secure.settimeout(5)
                secure.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@dataclass(slots=True)
class WebServer:
    """Answers every GET with `body`, `status` and an ETag; remembers the conditional requests it was asked."""

    port: int = 0
    status: int = 200
    body: bytes = b"{}"
    delay: float = 0.0
    conditional: list[str] = field(default_factory=list)


@contextlib.contextmanager
def web_server() -> Iterator[WebServer]:
    told = WebServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version: ClassVar[str] = "HTTP/1.0"

        def do_GET(self) -> None:
            etag = f'"{hash(told.body)}"'
            asked = self.headers.get("If-None-Match")
            if asked:
                told.conditional.append(asked)
            time.sleep(told.delay)
            unchanged = asked == etag and told.status == 200
            self.send_response(304 if unchanged else told.status)
            self.send_header("ETag", etag)
            self.end_headers()
            if not unchanged:
                self.wfile.write(told.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join(5)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL server that asks everybody for a password; `backup` is the role the jobs use."""

    port: int
    password: str

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Runs as superuser; answers psql's unaligned output."""
        command = [program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        command += ["-U", "postgres", "-d", database, "-c", statement]
        env = {"PATH": os.environ["PATH"], "PGPASSWORD": self.password}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextlib.contextmanager
def postgres_server(port: int, password: str) -> Iterator[Postgres]:
    """initdb and a server, as the user `postgres` when we are root: PostgreSQL refuses root."""
    as_user = []
    directory = Path(tempfile.mkdtemp(prefix="jobsctl-postgres-"))
    if os.geteuid() == 0:
        as_user = [program("setpriv"), "--reuid=postgres", "--regid=postgres", "--init-groups"]
        shutil.chown(directory, "postgres", "postgres")
    server = Postgres(port, password)
    data, log = directory / "data", directory / "log"
    password_file = directory / "password"
    password_file.write_text(server.password)
    password_file.chmod(0o644)

    def run(*command: str) -> None:
        # To a file, not a pipe: the server inherits it and would keep a pipe open.
        with (directory / "setup.log").open("wb") as out:
            done = subprocess.run([*as_user, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=60)
        assert done.returncode == 0, (directory / "setup.log").read_text()

    try:
        asked = ["-A", "scram-sha-256", "-U", "postgres", "--pwfile", str(password_file), "--no-sync", "-E", "UTF8"]
        run(program("initdb"), "-D", str(data), *asked)
        options = f"-c listen_addresses=127.0.0.1 -p {server.port} -k {directory} -c fsync=off"
        run(program("pg_ctl"), "-D", str(data), "-o", options, "-l", str(log), "-w", "start")
        server.sql(f"CREATE ROLE backup LOGIN CREATEDB PASSWORD '{server.password}'")
        server.sql("GRANT pg_read_all_data TO backup")
        yield server
    finally:
        pid_file = data / "postmaster.pid"
        if pid_file.exists():
            pid = int(pid_file.read_text().splitlines()[0])
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + 10
            while pid_file.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
        shutil.rmtree(directory, ignore_errors=True)
