"""Where a request comes from, and whether it may come from there.

`Forwarded` (RFC 7239) is not read: a proxy that writes `X-Forwarded-For` hands a client's
`Forwarded` on as it came, so whoever believed both would believe the client.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(peer: str, forwarded_for: str | None, trusted: Sequence[Network]) -> str:
    """The address of the client: the peer's, or what trusted proxies say of it.

    `forwarded_for` is X-Forwarded-For (several headers joined by commas). It is read from the
    right, where the nearest proxy wrote, as long as those who wrote are in `trusted`; the first
    that is not is the client. Where a proxy wrote what is no address, the proxy itself is named.
    """
    if not forwarded_for or not trusted:
        return peer
    address = parse(peer)
    if not _within(address, trusted):
        return peer
    for written in reversed(forwarded_for.split(",")):
        before = parse(_without_port(written.strip()))
        if before is None:
            break
        address = before
        if not _within(address, trusted):
            break
    return str(address)


def allowed(remote_addr: str, networks: Sequence[Network]) -> bool:
    """Whether `remote_addr` is in one of `networks`; no networks means anywhere."""
    return not networks or _within(parse(remote_addr), networks)


def parse(text: str) -> Address | None:
    """The address in `text`, an IPv4 address in IPv6's clothes as IPv4; null when it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _within(address: Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


def _without_port(text: str) -> str:
    """Some proxies write `192.0.2.1:4711` and `[2001:db8::1]:4711`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, port = text.partition(":")
    return host if colon and port.isdigit() else text
