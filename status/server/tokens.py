"""The file of bearer tokens: who may read over HTTP. Only hashes are in it. Read by `access` and `jobsctl token`.

Lines of `sha256:<hex> NAME [project=PROJECT]`; empty lines and those after `#` are skipped. A line that is none of
these grants nothing, nor does a last one without its newline: it is being written, or the disk was full, and without
the end of ` project=...` it would grant more than it should. A token has 256 bits of chance, so its hash needs neither
salt nor a slow function.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from specs.frozen import frozen

MOST_BYTES = 1 << 20
"""Of a token file: 10,000 tokens. What is behind grants nothing."""
PREFIX = "jobsctl_"
"""Of every token made here, so that scanners of leaked secrets know one."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}", re.ASCII)
_PROJECT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_LINE = re.compile(
    rf"sha256:(?P<hash>[0-9a-fA-F]{{64}})[ \t]+(?P<name>{_NAME.pattern})"
    rf"(?:[ \t]+project=(?P<project>{_PROJECT.pattern}))?",
    re.ASCII,
)


@frozen
class Token:
    """What is known of a token: never itself."""

    digest: bytes
    """SHA-256 of its bytes."""
    name: str
    project: str | None = None
    """The only project it may read; None: all."""

    @property
    def line(self) -> str:
        """As it stands in the file, newline included."""
        scope = "" if self.project is None else f" project={self.project}"
        return f"sha256:{self.digest.hex()} {self.name}{scope}\n"


def is_name(text: str) -> bool:
    """Whether a token can be called so: letters, digits and `._@-`, at most 63."""
    return _NAME.fullmatch(text) is not None


def is_project(text: str) -> bool:
    """Whether a token can be for a project of this name."""
    return _PROJECT.fullmatch(text) is not None


def new_token(name: str, project: str | None = None) -> tuple[str, Token]:
    """A token, which exists nowhere else, and what the file keeps of it."""
    text = PREFIX + secrets.token_urlsafe(32)
    return text, Token(digest_of(text.encode()), name, project)


def digest_of(presented: bytes) -> bytes:
    """What is compared."""
    return hashlib.sha256(presented).digest()


def parse_line(line: str) -> Token | None:
    """The token that a line of the file grants; None when it grants nothing."""
    found = _LINE.fullmatch(line.strip())
    return None if found is None else Token(bytes.fromhex(found["hash"]), found["name"], found["project"])


def parse_tokens(text: str) -> list[Token]:
    """Every token of a file."""
    lines = text.splitlines(keepends=True)
    return [token for line in lines if _whole(line) and (token := parse_line(line)) is not None]


def wrong_lines(text: str) -> list[int]:
    """Numbers of the lines, from 1, that grant nothing although something stands in them."""
    lines = enumerate(text.splitlines(keepends=True), 1)
    return [number for number, line in lines if _content(line) and not (_whole(line) and parse_line(line))]


def _whole(line: str) -> bool:
    return line.endswith(("\n", "\r"))


def _content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def find_token(tokens: Iterable[Token], presented: bytes) -> Token | None:
    """The token that is presented. Every one is compared, each in constant time, whatever was found before."""
    digest = digest_of(presented)
    found = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest):
            found = token
    return found


def read_tokens(path: Path) -> str:
    """The text of the file. Raises OSError; FileNotFoundError when there is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "is not a regular file", str(path))
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        data = data[: data.rfind(b"\n", 0, MOST_BYTES) + 1]  # a line cut before ` project=` would grant all of them
    return data.decode("utf-8", "replace")


def write_tokens(path: Path, text: str, mode: int = 0o600) -> None:
    """Put a new text in the place of the file, whole or not at all. Raises OSError."""
    spare = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode())
            os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(descriptor)
        spare.replace(path)
    except BaseException:
        spare.unlink(missing_ok=True)
        raise


def without(text: str, name: str) -> tuple[str, Sequence[Token]]:
    """The text without the tokens of this name, comments and all else as they were; and what was taken out."""
    kept, gone = [], []
    for line in text.splitlines(keepends=True):
        token = parse_line(line)
        if token is not None and token.name == name:
            gone.append(token)
        else:
            kept.append(line)
    return "".join(kept), gone
