"""The address of a receiver, read strictly. Called by `guard`, `payload` and the command line's lint. Pure.

Two readers of one URL that do not agree about its host are how guards are passed (WHATWG URL against RFC 3986), so what
can be read in two ways is refused: user names, white space, backslashes, numbers as hosts that are not plain addresses.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import quote

MAX_URL = 2048
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?:#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(?:\[(?P<six>[^\[\]]*)\]|(?P<host>[^\[\]:]*))(?::(?P<port>[0-9]{0,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}


class InvalidUrl(ValueError):
    """Raised for an address nothing is sent to. Words that follow "the URL"; never the URL, which may be a secret."""


@dataclass(frozen=True, slots=True)
class Url:
    """An address, in the one form it is used in."""

    scheme: str
    """`http` or `https`."""
    host: str
    """A name in lower-case ASCII without a dot at its end, or an address in its shortest form (no brackets)."""
    port: int
    target: str
    """Path and query, ASCII, from `/` on."""

    @property
    def authority(self) -> str:
        """As the `Host` header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(text: str) -> Url:
    """Read an address.

    Raises:
        InvalidUrl: with what is wrong.
    """
    if len(text) > MAX_URL:
        raise InvalidUrl(f"has more than {MAX_URL} characters")
    if re.search(r"[\x00-\x20\x7f\\\ud800-\udfff]", text):
        raise InvalidUrl("holds white space, a control character, a backslash or bytes that are no text")
    found = _URL.fullmatch(text)
    if found is None:
        raise InvalidUrl("is not of the form https://example.com/hook")
    scheme = found["scheme"].lower()
    if scheme not in _PORTS:
        raise InvalidUrl("is neither http nor https")
    if "@" in found["authority"]:
        raise InvalidUrl("holds a user name or password: receivers know us by the signature")
    authority = _AUTHORITY.fullmatch(found["authority"])
    if authority is None:
        raise InvalidUrl("has a host or port that cannot be read")
    host = _six(authority["six"]) if authority["six"] is not None else _host(authority["host"])
    port = int(authority["port"]) if authority["port"] else _PORTS[scheme]
    if not 0 < port < 65536:
        raise InvalidUrl("has a port that is none")
    rest = found["rest"]
    target = quote(rest if rest.startswith("/") else f"/{rest}", safe="!#$%&'()*+,/:;=?@[]~")
    return Url(scheme, host, port, target)


def _six(text: str) -> str:
    if "%" in text:
        raise InvalidUrl("names an interface of this machine (a zone id)")
    try:
        return ipaddress.IPv6Address(text).compressed
    except ValueError:
        raise InvalidUrl("has brackets around what is no IPv6 address") from None


def _host(text: str) -> str:
    host = (text if text.isascii() else _ascii(text)).lower()
    host = host.removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _four(host)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidUrl("has a host that is no name")
    return host


def _ascii(text: str) -> str:
    """As browsers do it: UTS 46, then IDNA 2008. Fullwidth digits and dots become plain ones here."""
    import idna  # 30 ms, and rarely needed

    try:
        return idna.encode(text, uts46=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise InvalidUrl("has a host that is no name") from None


def _four(host: str) -> str:
    """A host whose last label is a number is an IPv4 address to browsers and to the C library: 0x7f.1, 2130706433."""
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        pass
    try:
        meant = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        raise InvalidUrl("has a host that ends in a number and is no address") from None
    raise InvalidUrl(f"writes the address {meant} in an unusual way: write it plainly")
