"""Whose address is believed."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, strategies as st

from app.security import access, addresses

PROXIES = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("192.0.2.1", "10.0.0.1", "192.0.2.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "203.0.113.5, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "203.0.113.5, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
        ("10.0.0.1", "10.9.9.9,10.0.0.2", "10.9.9.9"),
        ("10.0.0.1", "10.1.1.1, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "198.51.100.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.9, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.9,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.9:4711", "198.51.100.9"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("fd00::1", "::ffff:198.51.100.9", "198.51.100.9"),
        ("::ffff:10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "for=198.51.100.9", "10.0.0.1"),
        ("", "198.51.100.9", ""),
    ],
)
def test_a_forwarded_address_is_believed_of_trusted_proxies_only(peer, forwarded, expected):
    assert access.client_address(peer, forwarded, PROXIES) == expected


def test_without_trusted_proxies_nobody_is_believed():
    assert access.client_address("127.0.0.1", "198.51.100.9", ()) == "127.0.0.1"


ADDRESS = st.ip_addresses().map(str)


@given(claimed=st.lists(ADDRESS | st.text(max_size=20), max_size=5), true=ADDRESS)
def test_whatever_a_client_claims_its_address_is_what_our_proxy_saw(claimed, true):
    header = ", ".join([*claimed, true])
    expected = addresses.parse(true)
    if not any(expected in network for network in PROXIES):
        assert access.client_address("10.0.0.1", header, PROXIES) == str(expected)


@given(header=st.text())
def test_whatever_the_header_says_there_is_an_address(header):
    assert addresses.parse(access.client_address("10.0.0.1", header, PROXIES)) is not None
