"""Which addresses a callback may reach: public ones of others, never our own network's. Called by `guard`. Pure.

From the IANA special-purpose address registries for IPv4 and IPv6 (state of 2025), stricter where a range is of no use
to a receiver of callbacks. `ipaddress.is_global` alone lets multicast, 6to4 and NAT64 pass, and differs by Python's
version; it is asked besides. IPv6 is an allow-list: outside 2000::/3 nothing is global unicast.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SPECIAL_4 = [
    (ipaddress.IPv4Network(network), what)
    for network, what in (
        ("0.0.0.0/8", "of this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a provider's customers"),
        ("127.0.0.0/8", "of this machine"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "a relay of 6to4"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
]
_SPECIAL_6 = [
    (ipaddress.IPv6Network(network), what)
    for network, what in (
        ("::/128", "unspecified"),
        ("::1/128", "of this machine"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
        ("2001::/23", "reserved"),  # Teredo, benchmarks, ORCHID and others
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "of 6to4"),
        ("3fff::/20", "for documentation"),
    )
]
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""The well-known prefix (RFC 6052): what a machine without IPv4 is told by its DNS. The rest of its kind is local."""
METADATA = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254",  # Amazon, Google, Azure, Oracle, DigitalOcean and others
        "169.254.170.2",  # Amazon, tasks of containers
        "169.254.170.23",  # Amazon, pods
        "169.254.169.253",  # Amazon's resolver
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure's agent: a public address
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
    )
)


def plain(address: Address) -> Address:
    """The address that is really reached: IPv4 within IPv6 (mapped, or by NAT64) is taken out."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def why_refused(address: Address, *, private: Sequence[Network] = (), any_private: bool = False) -> str | None:
    """Why nothing is sent there, in words that follow "which is"; None when it may be reached.

    Args:
        private: networks of the daemon's config that may be reached although they are not public.
        any_private: the config names the host itself: its addresses may be private ones.
    """
    real = plain(address)
    if real in METADATA or any(each in METADATA for each in _carried(real)):
        return "an address where a cloud keeps a machine's credentials"
    if real.is_multicast or real.is_unspecified or getattr(real, "scope_id", None):
        return "no address of one machine"
    why = _special(real)
    if why is None or any_private or any(real in network for network in private if network.version == real.version):
        return None
    return why


def _carried(address: Address) -> Sequence[Address]:
    """The IPv4 addresses that old ways of tunnelling, and a NAT64 of one's own, have in an IPv6 address."""
    if not isinstance(address, ipaddress.IPv6Address):
        return ()
    found = [address.sixtofour, *(address.teredo or ()), ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)]
    return [each for each in found if each is not None]


def _special(address: Address) -> str | None:
    table: Sequence[tuple[Network, str]] = _SPECIAL_4 if address.version == 4 else _SPECIAL_6
    for network, what in table:
        if address in network:
            return what
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return "not of the public internet"
    return None if address.is_global else "not of the public internet"
