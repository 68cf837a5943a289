"""A client of the Language Server Protocol, over the pipes of a real yaml-language-server."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".editor" / "node_modules" / ".bin" / "yaml-language-server"
"""Where `make editor` puts it."""
PATIENCE = 20.0
"""Seconds for an answer. A loaded machine needs three for the first."""
SETTINGS = {
    "yaml": {
        "validate": True, "hover": True, "completion": True,
        # Nothing from the network: no catalogue of schemas is asked for.
        "schemaStore": {"enable": False}, "kubernetesCRDStore": {"enable": False},
    },
    "http": {},
}  # fmt: skip


def find() -> str:
    """The server's program. Skips the test where there is none: CI does not install Node.js, `make editor` does."""
    found = str(INSTALLED) if INSTALLED.exists() else shutil.which("yaml-language-server")
    if found is None or shutil.which("node") is None:
        pytest.skip("no yaml-language-server here: `make editor` installs it and runs this")
    return found


@dataclass(slots=True)
class LanguageServer:
    """One server process. Documents are opened with what they hold, from no disk; the schema is read from the disk."""

    process: subprocess.Popen[bytes]
    _heard: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    _asked: int = 0

    @classmethod
    def start(cls, root: Path) -> LanguageServer:
        """A server for the folder `root`."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
        server = cls(
            subprocess.Popen([find(), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        )
        threading.Thread(target=server._listen, daemon=True).start()
        markdown = {"contentFormat": ["markdown"]}
        server.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": root.as_uri(),
                "capabilities": {
                    "workspace": {"configuration": True, "didChangeConfiguration": {}},
                    "textDocument": {
                        "hover": markdown,
                        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
                    },
                },
            },
        )
        server.tell("initialized", {})
        server.tell("workspace/didChangeConfiguration", {"settings": SETTINGS})
        return server

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def open(self, path: Path, text: str) -> list[dict[str, Any]]:
        """The findings about a document with this text. Each document of a test has a name of its own."""
        self._asked += 1  # the server remembers a document by its name and version
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": self._asked, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        while True:
            message = self._next()
            if message.get("method") == "textDocument/publishDiagnostics":
                params = message["params"]
                if params["uri"] == path.as_uri():
                    found: list[dict[str, Any]] = params["diagnostics"]
                    return found

    def hover(self, path: Path, line: int, column: int) -> str:
        """What is shown at a place, counted from 0; empty for nothing."""
        found = self.ask("textDocument/hover", self._at(path, line, column))
        return "" if found is None else str(found["contents"]["value"])

    def complete(self, path: Path, line: int, column: int) -> dict[str, dict[str, Any]]:
        """What is offered at a place, by label."""
        found = self.ask("textDocument/completion", self._at(path, line, column))
        return {item["label"]: item for item in found["items"]}

    def _at(self, path: Path, line: int, column: int) -> dict[str, Any]:
        return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == self._asked and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def tell(self, method: str, params: dict[str, Any]) -> None:
        self._send({"method": method, "params": params})

    def _next(self) -> dict[str, Any]:
        """The next message that is not a question of the server, which is answered here."""
        while True:
            message = self._heard.get(timeout=PATIENCE)
            if "method" not in message or "id" not in message:
                return message
            answer: Any = None
            if message["method"] == "workspace/configuration":
                answer = [SETTINGS.get(item.get("section", ""), {}) for item in message["params"]["items"]]
            self._send({"id": message["id"], "result": answer})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        try:
            while head := stream.readline():
                while stream.readline() not in (b"\r\n", b""):
                    pass
                self._heard.put(json.loads(stream.read(int(head.split(b":")[1]))))
        except ValueError:  # closed by `stop`
            return
