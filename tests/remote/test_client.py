"""What the client says when the other side is not a jobsctl daemon, not there, or does not want us."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cli.errors import CliError, DaemonDown
from cli.remote.client import Client, read_token

HOUSE = {"version": "0.1.0", "records": 1, "root": "/srv/home", "alive": True, "heartbeat": None, "config": None}


def error(type: str, message: str = "no", **details: object) -> bytes:
    return json.dumps({"error": {"type": type, "message": message, "details": details}}).encode()


class Other:
    """A server that answers as it is told: by path, status, headers and body."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        other = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                other.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                path = self.path.partition("?")[0].removeprefix("/api/v1/records/")
                status, headers, body = other.answers.get(path, other.answers["*"])
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.01))
        self._thread.start()

    def says(self, path: str, body: object, status: int = 200, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = status, headers, data

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def other() -> Iterator[Other]:
    server = Other()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("status", "headers", "body", "code", "said"),
    [
        pytest.param(401, {}, b"", 7, "asks for a token", id="a token is asked for"),
        pytest.param(403, {}, error("forbidden"), 7, "does not allow this", id="not allowed"),
        pytest.param(302, {"location": "https://b/"}, b"", 1, "sends us to https://b/", id="elsewhere"),
        pytest.param(200, {"content-type": "text/html"}, b"<html>", 1, "its answer is not JSON", id="a web page"),
        pytest.param(404, {"content-type": "text/html"}, b"<html>", 1, "status 404, text/html", id="another server"),
        pytest.param(404, {}, error("not_found", path="/api/v1/records/house"), 7, "an older jobsctl", id="too old"),
        pytest.param(421, {}, error("wrong_host", allowed=["a.example"]), 7, "called a.example", id="another name"),
        pytest.param(503, {}, error("overloaded"), 1, "too much to do", id="overloaded"),
        pytest.param(503, {}, error("unavailable", "disk\x1b[2J", hint="wait"), 1, r"disk\x1b[2J", id="unavailable"),
        pytest.param(500, {}, b"oops", 1, "status 500", id="broken"),
        pytest.param(200, {"content-encoding": "gzip"}, b"no", 1, "cannot be unpacked", id="torn packing"),
        pytest.param(200, {}, json.dumps(HOUSE | {"records": 2}).encode(), 7, "too new", id="too new"),
        pytest.param(200, {}, b"{}", 7, "does not say what it is", id="any JSON"),
    ],
)
def test_an_answer_that_is_none_is_explained(other, ask, status, headers, body, code, said):
    other.answers["*"] = status, headers, body
    done = ask(other.url, "list")
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.startswith("error: ")
    assert "hint: " in done.err


def test_a_record_of_a_newer_daemon_is_refused_not_misread(other, ask):
    other.says("*", {"items": [{"id": 1, "project": "a"}]})
    other.says("house", HOUSE)
    other.says("source", {"item": None})
    done = ask(other.url, "list")
    assert (done.code, done.out) == (7, "")
    assert "newer jobsctl" in done.err


def test_an_answer_without_what_was_asked_for_is_no_traceback(other, ask):
    other.says("*", {})
    other.says("house", HOUSE)
    other.says("source", {"item": None})
    done = ask(other.url, "list")
    assert done.code == 1
    assert "has no items" in done.err


def test_a_packed_answer_is_unpacked(other, ask):
    other.says("*", gzip.compress(b'{"items": []}'), **{"content-encoding": "gzip"})
    other.says("house", HOUSE)
    other.says("source", {"item": None})
    assert ask(other.url, "list", "-o", "json").code == 0
    assert all(headers["accept-encoding"] == "gzip" for _, headers in other.asked)


@pytest.mark.parametrize("packed", [pytest.param(False, id="plain"), pytest.param(True, id="packed")])
def test_an_answer_that_would_fill_the_memory_is_not_taken(other, ask, monkeypatch, packed):
    monkeypatch.setattr("cli.remote.client.LARGEST_ANSWER", 100_000)
    body = b'{"items": "' + b" " * 100_000 + b'"}'
    headers = {"content-encoding": "gzip"} if packed else {}
    other.says("*", gzip.compress(body) if packed else body, **headers)
    done = ask(other.url, "list")
    assert done.code == 1
    assert "more than 0.1 MiB" in done.err


def test_a_half_of_a_packed_answer_is_none(other, ask):
    other.says("*", gzip.compress(b'{"items": []}' * 100)[:-4], **{"content-encoding": "gzip"})
    done = ask(other.url, "list")
    assert (done.code, "cannot be unpacked" in done.err) == (1, True)


def test_headers_that_somebody_between_dropped_are_told(other):
    other.says("*", {})
    client = Client(other.url)
    with pytest.raises(CliError, match="an answer without etag"):
        client.etag("/api/v1/records/changes")
    with pytest.raises(CliError, match="an answer without x-log-next"):
        client.number(client.get("/api/v1/records/log/1"), "x-log-next")
    client.close()


def test_a_cut_answer_is_none(listening):
    """The beginning of a log would look like all of it."""
    thread = answer_with(listening, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello")
    client = Client(url_of(listening))
    with pytest.raises(DaemonDown, match="IncompleteRead"):
        client.get("/api/v1/records/log/1")
    thread.join()


def test_the_token_of_a_file_is_sent_and_of_no_other_place(other, ask, tmp_path):
    other.says("*", {"items": []})
    other.says("house", HOUSE)
    other.says("source", {"item": None})
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    assert ask(other.url, "--token-file", file, "list").code == 0
    assert {headers["authorization"] for _, headers in other.asked} == {"Bearer s3cret"}
    other.asked.clear()
    assert ask(other.url, "list").code == 0
    assert not any("authorization" in headers for _, headers in other.asked)


def test_a_token_that_is_wrong_is_told_apart_from_none(other, ask, tmp_path):
    other.says("*", b"", status=401)
    (tmp_path / "token").write_text("old")
    assert "does not know the token" in ask(other.url, "--token-file", tmp_path / "token", "list").err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(None, "No such file", id="no file"),
        pytest.param("", "one word", id="empty"),
        pytest.param("two words", "one word", id="two words"),
        pytest.param("a\nb: c", "one word", id="a header"),
        pytest.param("x" * 5000, "one word", id="too long"),
    ],
)
def test_a_file_without_a_token_is_refused_and_not_shown(other, ask, tmp_path, text, said):
    if text is not None:
        (tmp_path / "token").write_text(text)
    done = ask(other.url, "--token-file", tmp_path / "token", "list")
    assert (done.code, other.asked) == (2, [])
    assert said in done.err
    assert not text or text not in done.err


def test_a_token_is_read_without_the_lines_end(tmp_path):
    (tmp_path / "token").write_bytes(b"abc\r\n")
    assert read_token(tmp_path / "token") == "abc"


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        pytest.param("http://nowhere.invalid", 5, "no such host", id="no such host"),
        pytest.param("ftp://a", 2, "is not an address", id="another scheme"),
        pytest.param("a:80", 2, "is not an address", id="no scheme"),
        pytest.param("http://", 2, "is not an address", id="no host"),
        pytest.param(f"http://{'a' * 64}.example:1", 2, "is not an address", id="a label that is too long"),
        pytest.param("http://a..example:1", 2, "is not an address", id="an empty label"),
        pytest.param("http://127.0.0.1:1/ä", 2, "is not an address", id="a path that is not ASCII"),
        pytest.param("http://a:99999", 2, "Port out of range", id="no port"),
        pytest.param("http://ann:pw@a", 2, "no place for a password", id="a password"),
        pytest.param("http://a/?b=c", 2, "more than an address", id="a question"),
    ],
)
def test_an_address_that_is_none_or_leads_nowhere(ask, url, code, said):
    done = ask(url, "list")
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "pw" not in done.err


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


def url_of(server: socket.socket, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{server.getsockname()[1]}"


def answer_with(server: socket.socket, data: bytes) -> threading.Thread:
    """Answer the next connection with these bytes, and hang up."""

    def once() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(data)

    thread = threading.Thread(target=once)
    thread.start()
    return thread


def test_nobody_listens(ask):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = url_of(server)
    done = ask(url, "status")
    assert done.code == 5
    assert "nobody listens there" in done.err


@pytest.mark.parametrize(
    ("scheme", "data", "code", "said"),
    [
        pytest.param("http", b"SSH-2.0-OpenSSH_9\r\n", 1, "does not speak HTTP", id="another protocol"),
        pytest.param("http", b"", 5, "", id="it hangs up"),
        pytest.param("https", b"HTTP/1.1 400 Bad\r\n\r\n", 5, "no TLS there", id="no TLS"),
    ],
)
def test_something_else_listens(ask, listening, scheme, data, code, said):
    thread = answer_with(listening, data)
    done = ask(url_of(listening, scheme), "list")
    thread.join()
    assert done.code == code
    assert said in done.err


def test_a_server_that_is_silent_is_not_waited_for_without_end(ask, listening, monkeypatch):
    monkeypatch.setattr("cli.remote.client.ANSWER_SECONDS", 0.05)
    done = ask(url_of(listening), "list")
    assert done.code == 6
    assert "no answer within" in done.err


def test_a_certificate_nobody_vouches_for_is_named(monkeypatch, ask, listening):
    def refuse(*_: object, **__: object) -> None:
        problem = ssl.SSLCertVerificationError(1, "certificate verify failed")
        problem.verify_message = "self-signed certificate"
        raise problem

    monkeypatch.setattr("http.client.HTTPSConnection.connect", refuse)
    done = ask(url_of(listening, "https"), "list")
    assert done.code == 7
    assert "not trusted: self-signed certificate" in done.err


@pytest.mark.parametrize(
    "command",
    [["apply"], ["trigger", "hello"], ["cancel", "hello"], ["suspend", "hello"], ["resume", "hello"],
     ["delete", "hello"], ["diff"], ["init"], ["daemon"]],
    ids=lambda command: command[0],
)  # fmt: skip
@pytest.mark.parametrize("how", ["before", "after", "variable"])
def test_what_changes_something_is_refused_before_anything_happens(other, ask, monkeypatch, command, how):
    if how == "variable":
        monkeypatch.setenv("JOBSCTL_SERVER", other.url)
        done = ask(None, *command)
    else:
        server = ["--server", other.url]
        done = ask(None, *([*server, *command] if how == "before" else [*command, *server]))
    assert (done.code, done.out, other.asked) == (2, "", [])
    assert "it needs the files on the daemon's machine" in done.err


def test_a_command_about_files_does_not_mind_the_variable(ask, monkeypatch, tmp_path):
    monkeypatch.setenv("JOBSCTL_SERVER", "http://127.0.0.1:1")
    assert ask(None, "version").code == 0
    done = ask(None, "version", "--server", "http://127.0.0.1:1")
    assert done.code == 2
    assert "no use for --server" in done.err


def test_one_job_of_many_is_asked_for_alone(other, ask):

    other.says("*", {"item": None})
    other.says("house", HOUSE)
    other.says("source", {"item": None})
    other.says("job", error("not_found", "no job"), status=404)
    other.says("identities", {"items": ["default/hello"]})
    assert ask(other.url, "status", "helo").code == 4
    assert [path for path, _ in other.asked] == [
        "/api/v1/records/house", "/api/v1/records/job?name=helo", "/api/v1/records/identities",
    ]  # fmt: skip
