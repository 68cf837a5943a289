"""No address of our own network, whatever form it comes in. The oracle is IANA's registries, written out anew."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from status.notify.callbacks.addresses import why_refused

# https://www.iana.org/assignments/iana-ipv4-special-registry and ...-ipv6-special-registry: block, globally reachable.
IANA = [
    ("0.0.0.0/8", False), ("0.0.0.0/32", False), ("10.0.0.0/8", False), ("100.64.0.0/10", False),
    ("127.0.0.0/8", False), ("169.254.0.0/16", False), ("172.16.0.0/12", False), ("192.0.0.0/24", False),
    ("192.0.0.0/29", False), ("192.0.0.8/32", False), ("192.0.0.9/32", True), ("192.0.0.10/32", True),
    ("192.0.0.170/32", False), ("192.0.0.171/32", False), ("192.0.2.0/24", False), ("192.31.196.0/24", True),
    ("192.52.193.0/24", True), ("192.88.99.0/24", None), ("192.88.99.2/32", False), ("192.168.0.0/16", False),
    ("192.175.48.0/24", True), ("198.18.0.0/15", False), ("198.51.100.0/24", False), ("203.0.113.0/24", False),
    ("240.0.0.0/4", False), ("255.255.255.255/32", False),
    ("::1/128", False), ("::/128", False), ("::ffff:0:0/96", False), ("64:ff9b::/96", True), ("64:ff9b:1::/48", False),
    ("100::/64", False), ("100:0:0:1::/64", False), ("2001::/23", False), ("2001::/32", None), ("2001:1::1/128", True),
    ("2001:1::2/128", True), ("2001:1::3/128", True), ("2001:2::/48", False), ("2001:3::/32", True),
    ("2001:4:112::/48", True), ("2001:10::/28", None), ("2001:20::/28", True), ("2001:30::/28", True),
    ("2001:db8::/32", False), ("2002::/16", None), ("2620:4f:8000::/48", True), ("3fff::/20", False),
    ("5f00::/16", False), ("fc00::/7", False), ("fe80::/10", False),
]  # fmt: skip
# Of other registries: multicast (RFC 5771, 4291), site-local (RFC 3879), IPv4-compatible (RFC 4291).
IANA += [("224.0.0.0/4", False), ("ff00::/8", False), ("fec0::/10", False), ("::/96", False)]
STRICTER = {
    "192.0.0.9/32", "192.0.0.10/32",  # anycast of PCP and TURN
    "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28",
}  # fmt: skip
"""Reachable by the registry, refused by us: no receiver of callbacks is there."""
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "2003::1",
    "3ffe::1",
]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def refused(text: str, **given: Any) -> bool:
    return why_refused(ipaddress.ip_address(text), **given) is not None


def special(address: ipaddress.IPv4Address) -> bool:
    """By the most specific block of the registry."""
    found = [(ipaddress.ip_network(block).prefixlen, reachable) for block, reachable in IANA
             if "." in block and address in ipaddress.IPv4Network(block)]  # fmt: skip
    return bool(found) and max(found, key=lambda each: each[0])[1] is not True


@pytest.mark.parametrize("block", [block for block, reachable in IANA if reachable is not True or block in STRICTER])
def test_every_special_block_is_refused_at_both_ends_and_within(block: str) -> None:
    network = ipaddress.ip_network(block)
    middle = network[network.num_addresses // 2]
    if block == "::ffff:0:0/96":  # IPv4 in another form: what it carries counts
        assert refused("::ffff:127.0.0.1")
        return
    for address in (network[0], middle, network[-1]):
        assert why_refused(address) is not None, address


@pytest.mark.parametrize("block", [b for b, ok in IANA if ok and b not in STRICTER and b != "64:ff9b::/96"])
def test_special_blocks_that_are_reachable_may_be_reached(block: str) -> None:
    assert why_refused(ipaddress.ip_network(block)[1]) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_reached(address: str) -> None:
    assert not refused(address)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(
    st.one_of(
        st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address),
        st.sampled_from([b for b, _ in IANA if "." in b]).flatmap(
            lambda block: st.integers(-1, ipaddress.IPv4Network(block).num_addresses).map(
                lambda index: ipaddress.IPv4Address((int(ipaddress.IPv4Network(block).network_address) + index) % 2**32)
            )
        ),
    )
)
def test_every_ipv4_address_is_judged_alike_in_all_its_forms(four: ipaddress.IPv4Address) -> None:
    number = int(four)
    wanted = special(four) or any(four in ipaddress.ip_network(b) for b in STRICTER if "." in b)
    wanted = wanted or four in ipaddress.ip_network("192.88.99.0/24") or str(four) == "168.63.129.16"
    assert (why_refused(four) is not None) is wanted
    assert (why_refused(ipaddress.IPv6Address(0xFFFF << 32 | number)) is not None) is wanted  # mapped
    nat64 = ipaddress.IPv6Address((0x64FF9B << 96) | number)
    assert (why_refused(nat64) is not None) is wanted
    for tunnel in (
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),  # 6to4
        ipaddress.IPv6Address((0x20010000 << 96) | (number << 64) | (number ^ 0xFFFF_FFFF)),  # Teredo
        ipaddress.IPv6Address((0x64FF9B0001 << 80) | number),  # NAT64 of one's own
        ipaddress.IPv6Address(number),  # IPv4-compatible
    ):
        assert why_refused(tunnel) is not None


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.integers(0, 2**128 - 1))
def test_outside_global_unicast_there_is_nothing(number: int) -> None:
    address = ipaddress.IPv6Address(number)
    if number >> 125 != 1 and number >> 32 != 0x64FF9B << 64 and number >> 32 != 0xFFFF:
        assert why_refused(address) is not None


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "64:ff9b:1::a9fe:a9fe",
     "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"],
)  # fmt: skip
def test_no_setting_opens_the_way_to_a_clouds_credentials(address: str) -> None:
    everything: list[Network] = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
    assert refused(address)
    assert refused(address, private=everything)
    assert refused(address, any_private=True)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1%eth0", "::ffff:224.0.0.1"])
def test_what_is_no_machines_address_cannot_be_allowed(address: str) -> None:
    assert refused(address, any_private=True)


@pytest.mark.parametrize(
    ("address", "network", "allowed"),
    [
        pytest.param("10.1.2.3", "10.1.0.0/16", True, id="within"),
        pytest.param("10.2.0.1", "10.1.0.0/16", False, id="beside"),
        pytest.param("::ffff:10.1.2.3", "10.1.0.0/16", True, id="the same in another form"),
        pytest.param("fd12::1", "fd12::/16", True, id="IPv6"),
        pytest.param("127.0.0.1", "10.1.0.0/16", False, id="ourselves"),
    ],
)
def test_a_network_of_the_config_may_be_reached(address: str, network: str, allowed: bool) -> None:
    assert refused(address, private=[ipaddress.ip_network(network)]) is not allowed
