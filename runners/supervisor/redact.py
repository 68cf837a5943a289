"""Keep secret values out of captured output. `forms` runs in the daemon, `Redactor` in the supervisor.

A secret shows up as it is, but also in base64, in a URL, in JSON, quoted for a shell or line by line: each form is a
needle.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = b"***"
SHORTEST = 4
"""Characters. Shorter values would blank out ordinary text."""


def forms(secrets: Iterable[str]) -> list[bytes]:
    """Every way these values may be written, longest first."""
    import base64
    import json
    import shlex
    from urllib.parse import quote, quote_plus

    found: set[bytes] = set()
    for secret in secrets:
        lines = secret.splitlines()
        for value in {secret, secret.strip(), *(line.strip() for line in lines)}:
            if len(value) < SHORTEST:
                continue
            raw = value.encode("utf-8", "surrogateescape")
            found.add(raw)
            if len(lines) > 1 and value != secret:
                continue  # a line of a longer value: nobody encodes it alone
            found |= {quote(raw, safe=safe).encode() for safe in ("", "/")} | {quote_plus(raw).encode()}
            found |= {
                json.dumps(value, ensure_ascii=ascii)[1:-1].encode("utf-8", "surrogateescape")
                for ascii in (True, False)
            }
            found.add(shlex.quote(value).strip("'").encode("utf-8", "surrogateescape"))
            for shift in range(3):
                # Somewhere inside a longer base64 text: only the characters that depend on nothing but the secret.
                padded = base64.b64encode(b"\0" * shift + raw)
                start = -(-shift * 8 // 6)
                stop = (shift + len(raw)) * 8 // 6
                inner = padded[start:stop]
                if len(inner) >= SHORTEST:
                    found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return sorted((form for form in found if len(form) >= SHORTEST), key=lambda form: (-len(form), form))


class Redactor:
    """A filter for one stream: `***` for every needle, also one that comes in pieces. Overlapping needles are one."""

    __slots__ = ("_covered", "_held", "needles")

    def __init__(self, needles: list[bytes]) -> None:
        self.needles = needles
        self._held = b""
        """The end of what came, when a needle may have begun in it: less than the longest needle."""
        self._covered = 0
        """How many bytes of `_held` belong to a needle that was masked already."""

    def feed(self, data: bytes, last: bool = False) -> bytes:
        """What can be let out now. `last`: nothing more comes."""
        data = self._held + data
        keep = len(data) if last else len(data) - self._begun(data)
        spans = []
        for needle in self.needles:
            at = data.find(needle)
            while at >= 0:
                spans.append((at, at + len(needle)))
                at = data.find(needle, at + 1)
        spans.sort()
        out = []
        done = end = self._covered
        for start, stop in spans:
            if start >= keep:
                break
            if start >= end:  # else it continues the one before
                out += [data[done:start], MASK]
            done = end = max(end, stop)
        out.append(data[done:keep])
        self._held = data[keep:]
        self._covered = max(0, end - keep)
        return b"".join(out)

    def _begun(self, data: bytes) -> int:
        """Length of the longest end of `data` that is the beginning of a needle."""
        longest = 0
        for needle in self.needles:
            window = min(len(needle) - 1, len(data))
            tail = data[len(data) - window :]
            at = tail.find(needle[:1])
            while at >= 0 and window - at > longest:
                if needle.startswith(tail[at:]):
                    longest = window - at
                at = tail.find(needle[:1], at + 1)
        return longest
