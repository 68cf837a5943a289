"""Sending one message to one address of a Notifier, through apprise (the extra `jobsctl[notify]`).

The notify process sends in a process of its own each time (`send_apart`): 130 services are other people's code, so one
that hangs is killed, one that crashes takes nothing with it, and apprise's 30 MB are gone with the message. The command
line's `notify test` uses the same. The address holds secrets: it goes by stdin, never as an argument, and whatever is
said about a failure has it taken out.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
from typing import Literal
from urllib.parse import unquote

import orjson

from specs.frozen import frozen

TIMEOUT = 60.0
"""Seconds for all of it: apprise's own limits are 4 to 15 seconds for each connection and answer."""
LARGEST = 1 << 20
INSTALL = "pip install 'jobsctl[notify]'"
Tone = Literal["info", "success", "warning", "failure"]
"""Apprise's: what colour or sign a service gives it."""
_CODE = "import jobsctl; from status.notify.sending import main; main()"
_SPLIT = re.compile(r"[:/@?&=#,;\s]+")
_HIDDEN = "***"


@frozen
class Note:
    """What is sent."""

    title: str
    body: str
    tone: Tone = "info"


def available() -> bool:
    """Whether apprise is installed."""
    from importlib.util import find_spec

    return find_spec("apprise") is not None


def send_apart(url: str, note: Note, *, timeout: float = TIMEOUT) -> str | None:
    """Send in a process of its own. None when the service took it, else why not, in words and without secrets.

    Takes at most `timeout` seconds and a little. Raises nothing.
    """
    asked = orjson.dumps({"url": url, "title": note.title, "body": note.body, "tone": note.tone})
    try:
        child = subprocess.Popen(
            [sys.executable, "-P", "-c", _CODE],  # -P: the working directory may hold anything
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return f"cannot start a process to send it: {error.strerror or error}"
    with child:
        try:
            said, _ = child.communicate(asked, timeout)
        except subprocess.TimeoutExpired:
            _kill(child)
            return f"no end after {timeout:g} seconds: the service did not answer"
        except BaseException:
            _kill(child)
            raise
    try:
        problem = orjson.loads(said)["error"]
    except (ValueError, KeyError, TypeError):
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"exit code {child.returncode}"
        return f"the process that sends ended early ({how})"
    return None if problem is None else str(problem)


def _kill(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        child.kill()


def send(url: str, note: Note) -> str | None:
    """Send here and now. None when the service took it, else why not, in words and without secrets. Raises nothing."""
    try:
        import apprise
    except ImportError:
        return f"apprise is not installed; {INSTALL}"
    said = _Said()
    logger = logging.getLogger("apprise")
    logger.addHandler(said)
    logger.propagate = False
    try:
        service = apprise.Apprise()
        if not service.add(url):
            return "not an address that apprise knows; https://appriseit.com/services lists them"
        if len(service) > 1:
            return "several addresses in one: give each its own, so that one that fails is tried again alone"
        if any(len(getattr(plugin, "template", None) or ()) for plugin in service):
            return "apprise's `template` reads a file or another address: the Notifier's own `template` says the words"
        sent = service.notify(title=note.title, body=note.body, notify_type=note.tone, body_format="text")
    except Exception as error:  # 130 plugins: whatever one of them does, the message was not sent
        return without_secrets(f"{type(error).__name__}: {error}", url)
    finally:
        logger.removeHandler(said)
    if sent:
        return None
    return without_secrets("; ".join(said.lines) or "the service refused it and did not say why", url)


class _Said(logging.Handler):
    """What a plugin logs is the only reason it gives."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.lines) < 5:
            self.lines.append(" ".join(record.getMessage().split()))


def without_secrets(text: str, url: str) -> str:
    """The text without anything that the address holds, but for its scheme and host."""
    scheme, _, rest = url.partition("://")
    place, _, _ = rest.partition("?")
    authority = place.partition("/")[0]
    host = authority.rpartition("@")[2].partition(":")[0] if scheme in ("http", "https", "json", "jsons") else ""
    pieces = {piece for whole in (rest, unquote(rest)) for piece in _SPLIT.split(whole) if len(piece) > 3}
    pieces -= {host}
    for piece in sorted({url, *pieces}, key=len, reverse=True):
        text = text.replace(piece, _HIDDEN)
    return text


def main() -> None:
    """Entry point of the process that sends: the question on stdin, the answer on stdout, both JSON."""
    asked = orjson.loads(sys.stdin.buffer.read(LARGEST))
    error = send(asked["url"], Note(asked["title"], asked["body"], asked["tone"]))
    sys.stdout.buffer.write(orjson.dumps({"error": error}))
    sys.stdout.flush()
    os._exit(0)  # apprise's threads may still wait for something
