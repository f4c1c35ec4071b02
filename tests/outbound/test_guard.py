"""Which addresses may be connected to."""

from __future__ import annotations

import asyncio

import pytest

from app.outbound import failures, guard


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.1.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:a00:1::", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::808:808", True),
        ("nonsense", False),
    ],
)
def test_private_addresses_are_known_in_every_disguise(address, public):
    assert guard.is_public(address) is public


@pytest.mark.parametrize(
    ("urls", "options", "hosts", "private"),
    [
        (["https://KO.example./api"], {}, {"ko.example"}, set()),
        (["http://127.0.0.1:8080/"], {}, {"127.0.0.1"}, {"127.0.0.1"}),
        (["http://[::1]/"], {}, {"::1"}, {"::1"}),
        (["http://localhost/"], {}, {"localhost"}, {"localhost"}),
        (["https://10.1.2.3/"], {"hosts": ["Files.example"]}, {"10.1.2.3", "files.example"},
         {"10.1.2.3"}),
        (["https://ko.lan/"], {"allow_private": True}, {"ko.lan"}, {"ko.lan"}),
        (["https://bücher.example/"], {}, {"xn--bcher-kva.example"}, set()),
        (["nonsense"], {}, set(), set()),
    ],
)  # fmt: skip
def test_a_source_may_go_where_its_urls_say(urls, options, hosts, private):
    assert guard.policy(urls, **options) == guard.Policy(frozenset(hosts), frozenset(private))


async def test_one_private_address_among_many_is_one_too_many(monkeypatch):
    async def getaddrinfo(host, port, **_kwargs):
        return [(2, 1, 6, "", (address, port)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
    with pytest.raises(failures.Blocked, match=r"10\.0\.0\.1"):
        await guard.resolve("ko.example", 443, guard.policy(["https://ko.example"]))


async def test_addresses_come_once_each_in_their_order(monkeypatch):
    async def getaddrinfo(host, port, **_kwargs):
        return [(2, 1, 6, "", (a, port)) for a in ("8.8.8.8", "2606:4700::1", "8.8.8.8")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
    found = await guard.resolve("ko.example", 443, guard.policy(["https://ko.example"]))
    assert found == ["8.8.8.8", "2606:4700::1"]


async def test_a_name_without_an_address_is_unreachable():
    with pytest.raises(failures.Unreachable, match=r"nowhere\.invalid has no address"):
        await guard.resolve("nowhere.invalid", 443, guard.policy(["https://nowhere.invalid"]))


@pytest.mark.parametrize(
    ("url", "ours"),
    [("http://localhost:1/", True), ("http://127.9.9.9/", True), ("http://[::1]/", True),
     ("http://10.0.0.1/", False), ("https://ko.example/", False), ("", False)],
)  # fmt: skip
def test_this_machine_is_known_by_its_names(url, ours):
    assert guard.is_loopback(url) is ours
