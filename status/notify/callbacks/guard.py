"""Where a callback may go: the one look at an address before something is sent there. Called by `sending`.

Whoever writes specs chooses the URL, and the daemon sits inside the network: so a URL must not reach what only the
daemon reaches. A name is resolved once, every address it has is checked, and the connection goes to exactly those: a
DNS that answers otherwise a moment later is never asked (DNS rebinding). What the daemon's config does not allow, no
spec does.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from status.notify.callbacks.addresses import Address, Network, why_refused
from status.notify.callbacks.url import InvalidUrl, Url, parse_url

Resolver = Callable[[str, int], Sequence[str]]
"""Addresses of a name, for a port, the best first. Raises OSError. Asked once per attempt."""
MOST_ADDRESSES = 4
"""That are tried."""


class Refused(Exception):
    """Raised when nothing is sent there; the message is for people and holds no path, query or secret."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The `callbacks` of `jobsctl.yaml`."""

    hosts: Sequence[str] | None = None
    """Patterns as `*.example.com`; when given, only hosts that fit one."""
    private: Sequence[str] = ()
    """Hosts or networks that may be reached although they are not public."""
    ports: Sequence[int] = (80, 443)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to say there."""

    url: Url
    addresses: Sequence[str]
    """Checked; the connection goes to these and no others."""


def check(text: str, allowed: Allowed, resolve: Resolver) -> Target:
    """Decide on one URL, now.

    Raises:
        Refused: the URL, its host, its port or one of its addresses is not to be reached, or it has no address.
    """
    try:
        url = parse_url(text)
    except InvalidUrl as error:
        raise Refused(f"the URL {error}") from None
    if url.port not in allowed.ports:
        ports = ", ".join(map(str, allowed.ports))
        raise Refused(f"port {url.port} is not among those that `callbacks.ports` allows: {ports}")
    if allowed.hosts is not None and not any(_fits(url.host, pattern) for pattern in allowed.hosts):
        raise Refused(f"the host {url.host} fits no pattern of `callbacks.hosts` in jobsctl.yaml")
    networks, names = _split(allowed.private)
    known = url.host in names
    addresses = _addresses(url, resolve)
    for address in addresses:  # all of them, also those nobody will get to
        why = why_refused(address, private=networks, any_private=known)
        if why is not None:
            where = f"{url.host} is" if url.host == str(address) else f"{url.host} has the address {address}, which is"
            raise Refused(f"{where} {why}; `callbacks.private` in jobsctl.yaml can allow internal receivers")
    return Target(url, tuple(str(address) for address in addresses[:MOST_ADDRESSES]))


def _addresses(url: Url, resolve: Resolver) -> list[Address]:
    try:
        return [ipaddress.ip_address(url.host)]
    except ValueError:
        pass
    try:
        answers = resolve(url.host, url.port)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "the name cannot be resolved"
        raise Refused(f"no address of {url.host} is found: {why}") from None
    found: dict[Address, None] = {}
    for answer in answers:
        try:
            found[ipaddress.ip_address(answer)] = None
        except ValueError:
            raise Refused(f"the resolver answered for {url.host} with something that is no address") from None
    if not found:
        raise Refused(f"{url.host} has no address")
    return list(found)


def _fits(host: str, pattern: str) -> bool:
    """`*.example.com`: every name below it, not itself."""
    wanted = pattern.lower().removesuffix(".")
    return host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted


def _split(private: Sequence[str]) -> tuple[list[Network], frozenset[str]]:
    networks: list[Network] = []
    names: set[str] = set()
    for each in private:
        try:
            networks.append(ipaddress.ip_network(each.strip("[]"), strict=False))
        except ValueError:
            names.add(each.lower().removesuffix("."))
    return networks, frozenset(names)
