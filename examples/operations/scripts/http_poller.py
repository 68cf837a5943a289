"""Read a JSON document over HTTP, keep it when it changed, and say how long that took.

Environment: URL, REQUIRED_KEY (a key the document must have), STATE_DIR (latest.json and its ETag),
SLOW_SECONDS (default 5: a slower answer fails the job).
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

MAX_BYTES = 10_000_000


def main() -> None:
    url, state = os.environ["URL"], Path(os.environ["STATE_DIR"])
    required, slow = os.environ.get("REQUIRED_KEY"), float(os.environ.get("SLOW_SECONDS", "5"))
    state.mkdir(parents=True, exist_ok=True)
    latest, etag_file = state / "latest.json", state / "etag"

    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "jobsctl-example"})
    if latest.exists() and etag_file.exists():
        request.add_header("If-None-Match", etag_file.read_text())
    started = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, etag, body = answer.status, answer.headers.get("ETag"), answer.read(MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        if error.code != 304:
            sys.exit(f"{url}: HTTP {error.code} {error.reason}")
        status, etag, body = 304, None, b""
    except (urllib.error.URLError, TimeoutError) as error:
        sys.exit(f"{url}: no answer: {getattr(error, 'reason', error)}")
    seconds = time.monotonic() - started

    changed = False
    if status != 304:
        check(url, body, required)
        changed = not latest.exists() or latest.read_bytes() != body
        keep(latest, body)
        if etag:
            keep(etag_file, etag.encode())
        else:
            etag_file.unlink(missing_ok=True)
        if changed and (outputs := os.environ.get("JOBSCTL_OUTPUT_DIR")):
            keep(Path(outputs, "document.json"), body)
    print(f"{url}: HTTP {status}, {len(body)} bytes in {seconds:.3f} s, {'changed' if changed else 'unchanged'}")
    if path := os.environ.get("JOBSCTL_RESULT_FILE"):
        facts = {"status": status, "bytes": len(body), "seconds": round(seconds, 3), "changed": changed}
        keep(Path(path), json.dumps(facts).encode())
    if seconds > slow:
        sys.exit(f"{url}: {seconds:.1f} s is slower than {slow:g} s")


def check(url: str, body: bytes, required: str | None) -> None:
    """Ends the job unless the document is what its readers rely on."""
    if len(body) > MAX_BYTES:
        sys.exit(f"{url}: more than {MAX_BYTES} bytes")
    try:
        document = json.loads(body)
    except ValueError as error:
        sys.exit(f"{url}: not JSON: {error}")
    if required and (not isinstance(document, dict) or required not in document):
        sys.exit(f"{url}: the document has no {required!r}")


def keep(path: Path, content: bytes) -> None:
    """Written whole and renamed: who reads `path` sees the old or the new, never half."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.rename(path)


if __name__ == "__main__":
    main()
