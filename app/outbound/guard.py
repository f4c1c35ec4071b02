"""Where a source may be sent to: its hosts, and no private address unless its own URL names one.

Checked when a connection is made: the name is resolved here, every address it has is looked at, and
one that was looked at is connected to, so that a name cannot change its mind in between.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from app.outbound import failures

NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
LOCALHOST: Final = "localhost"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Policy:
    """`hosts` may be sent to; those in `private` may have private addresses. In small letters."""

    hosts: frozenset[str]
    private: frozenset[str]


def policy(
    urls: Iterable[str], hosts: Iterable[str] = (), *, allow_private: bool = False
) -> Policy:
    """What a source that is configured with `urls` and further `hosts` may be sent to.

    A URL whose host is `localhost` or an address allows just that; a name that resolves to a
    private address is refused all the same, unless `allow_private`.
    """
    named = {host for url in urls if (host := host_of(url))}
    allowed = frozenset(named | {_named(host) for host in hosts})
    literal = {host for host in named if host == LOCALHOST or _literal(host) is not None}
    return Policy(allowed, allowed if allow_private else frozenset(literal))


def host_of(url: str) -> str:
    """The host of `url` in small letters, without brackets or a last dot; empty for no URL."""
    try:
        return _named(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def is_loopback(url: str) -> bool:
    """Whether `url` names this machine by `localhost` or a loopback address."""
    host = host_of(url)
    literal = _literal(host)
    return host == LOCALHOST or (literal is not None and literal.is_loopback)


async def resolve(host: str, port: int, policy: Policy) -> list[str]:
    """The addresses of `host` to connect to, best first.

    Raises `Blocked` for a host that is not allowed and for one with any address it may not have,
    `Unreachable` for one that has none.
    """
    if host not in policy.hosts:
        allowed = ", ".join(sorted(policy.hosts)) or "none"
        raise failures.Blocked(f"{host} is not among the hosts of this source: {allowed}")
    literal = _literal(host)
    found = [str(literal)] if literal is not None else await _look_up(host, port)
    if host not in policy.private:
        for address in found:
            if not is_public(address):
                raise failures.Blocked(f"{host} has the private address {address}")
    return found


async def _look_up(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no host name"
        raise failures.Unreachable(f"{host} has no address: {reason}") from error
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def is_public(address: str) -> bool:
    """Whether `address` is one of the open internet, also where it wraps another one."""
    parsed = _literal(address.partition("%")[0])
    if parsed is None:
        return False
    inner = _wrapped(parsed) or parsed
    return inner.is_global and not inner.is_multicast and "%" not in address


def _wrapped(address: Address) -> Address | None:
    """The IPv4 address inside an IPv6 one (mapped, 6to4, NAT64); null where there is none."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _named(host: str) -> str:
    """`host` as names are compared. Raises ValueError for what is no name."""
    host = host.lower().rstrip(".")
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
