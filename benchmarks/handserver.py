"""The least an HTTP server in Python can do: `handserver.py FILE`. A page made with orjson for every request.

The reference of `benchmarks.reading`. FILE holds the page as JSON; prints its port.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import orjson


class Answering(asyncio.Protocol):
    """Keep-alive, no routing, no checks: every request is answered with the page."""

    page: object = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            body = orjson.dumps(self.page)
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
            self.transport.write(head + body)  # type: ignore[attr-defined]


async def main(file: Path) -> None:
    """Serve until killed."""
    Answering.page = orjson.loads(file.read_bytes())
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
