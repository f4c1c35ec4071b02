"""One exchange: what comes back whole, what is refused, and that no secret is told."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import tracemalloc
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from app.outbound import exchange, failures, guard
from tests import operators
from tests.operators import Reply
from tests.security import forging

MOST = 1_000_000
SECRET = "hunter2"


@dataclass(frozen=True)
class Request:
    url: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    changes_state: bool = False


@pytest.fixture(scope="session")
def trust():
    return exchange.trusted()


@pytest.fixture
async def send(trust):
    """Send as a source that is configured with the request's own URL."""
    made = []

    async def sending(request, *, limit=MOST, deadline=10.0, policy=None, trust=trust):
        client = exchange.Client(policy or guard.policy([request.url]), trust, agent="tests")
        made.append(client)
        return await client.send(request, limit=limit, deadline=deadline)

    yield sending
    for client in made:
        await client.aclose()


def always(reply):
    return operators.serving(lambda _asked: reply)


async def test_the_answer_comes_back_as_it_was(send):
    reply = Reply(418, b"\x00short", {"Content-Type": "text/tea", "X-Y": "1"})
    async with always(reply) as operator:
        with await send(Request(f"{operator.url}/pot?a=b")) as answer:
            assert (answer.status, answer.content_type, answer.read()) == (
                418, "text/tea", b"\x00short",
            )  # fmt: skip
            assert answer.headers["x-y"] == "1"
            assert answer.read() == b"\x00short"


async def test_the_request_goes_out_as_it_was_built(send):
    async with always(Reply()) as operator:
        request = Request(
            f"{operator.url}/x?a=%20b", "POST", {"Authorization": "Basic eA==", "X-A": "1"}, b"body"
        )
        (await send(request)).body.close()
        (asked,) = operator.requests
    assert (asked.method, asked.target, asked.body) == ("POST", "/x?a=%20b", b"body")
    assert asked.headers["authorization"] == "Basic eA=="
    assert asked.headers["host"] == f"127.0.0.1:{operator.port}"
    assert asked.headers["user-agent"] == "tests"
    assert asked.headers["accept-encoding"] == "identity"


async def test_a_large_body_is_kept_outside_of_memory(send):
    part = b"x" * 65536
    async with always(Reply(parts=itertools.repeat(part, 500))) as operator:
        tracemalloc.start()
        with await send(Request(operator.url), limit=50_000_000) as answer:
            assert sum(map(len, answer.chunks())) == 500 * 65536
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize(
    ("status", "headers", "family", "wait"),
    [
        (404, {}, failures.Refused, None),
        (500, {}, failures.Refused, None),
        (503, {}, failures.Refused, None),
        (503, {"Retry-After": "7"}, failures.RateLimited, 7.0),
        (429, {}, failures.RateLimited, None),
        (429, {"Retry-After": "120"}, failures.RateLimited, 120.0),
        (401, {}, failures.Unauthorized, None),
        (403, {}, failures.Unauthorized, None),
    ],
)
async def test_an_answer_that_is_no_success_says_what_it_is(send, status, headers, family, wait):
    async with always(Reply(status, b"", headers)) as operator:
        with (
            await send(Request(operator.url)) as answer,
            pytest.raises(failures.Refused) as refused,
        ):
            answer.check()
    assert type(refused.value) is family
    assert (refused.value.status, refused.value.retry_after) == (status, wait)


async def test_a_success_is_none(send):
    async with always(Reply(204)) as operator:
        with await send(Request(operator.url)) as answer:
            answer.check()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("30", 30.0),
        ("9999999", 86400.0),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_when_to_come_back_is_read_in_both_forms(value, seconds):
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert exchange.retry_after(value, now) == seconds


# --- limits -------------------------------------------------------------------------------------


async def test_an_announced_length_over_the_limit_is_not_read(send):
    async with always(Reply(announced=10**12, hang=True)) as operator:
        with pytest.raises(failures.TooLarge, match="1000000000000 bytes; the limit is 1000000"):
            await send(Request(operator.url))


async def test_an_endless_body_ends_at_the_limit(send):
    async with always(Reply(parts=itertools.repeat(b" " * 65536))) as operator:
        with pytest.raises(failures.TooLarge, match="more than 1000000 bytes"):
            await send(Request(operator.url))


async def test_an_answer_that_does_not_come_ends_at_the_deadline(send):
    async with always(Reply(announced=5, body=b"x", hang=True)) as operator:
        with pytest.raises(failures.Timeout, match=r"took more than 0\.2 s"):
            await send(Request(operator.url), deadline=0.2)


async def test_a_body_that_is_cut_is_given_as_far_as_it_came(send):
    async with always(Reply(announced=10, body=b"half")) as operator:
        with await send(Request(operator.url)) as answer:
            assert answer.cut
            chunks = answer.chunks()
            assert next(chunks) == b"half"
            with pytest.raises(failures.Cut, match="after 4 bytes"):
                next(chunks)


async def test_a_compressed_answer_is_refused(send):
    async with always(Reply(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})) as operator:
        with pytest.raises(failures.Malformed, match="compressed"):
            await send(Request(operator.url))


async def test_nothing_that_listens_is_unreachable(send):
    async with always(Reply()) as operator:
        port = operator.port
    with pytest.raises(failures.Unreachable, match=f"127.0.0.1:{port}"):
        await send(Request(f"http://127.0.0.1:{port}/x"))


async def test_what_is_no_http_is_malformed(send):
    async def rude(_reader, writer):
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises((failures.Cut, failures.Malformed)):
            await send(Request(f"http://127.0.0.1:{port}/"))


# --- redirects ----------------------------------------------------------------------------------


def moving(to, *, first="/a"):
    return lambda asked: Reply(302, headers={"Location": to}) if asked.path == first else Reply()


async def test_a_redirect_within_the_host_is_followed(send):
    async with operators.serving(moving("/a/?x=1")) as operator:
        with await send(Request(f"{operator.url}/a")) as answer:
            assert answer.status == 200
        assert [asked.target for asked in operator.requests] == ["/a", "/a/?x=1"]


@pytest.mark.parametrize(
    "to", ["http://198.51.100.7/", "http://localhost/", "//127.0.0.1:1/", "file:///etc/passwd"]
)
async def test_a_redirect_elsewhere_is_not_followed(send, to):
    async with operators.serving(moving(to)) as operator:
        with pytest.raises(failures.Redirected):
            await send(Request(f"{operator.url}/a"))
        assert len(operator.requests) == 1


async def test_what_changes_something_is_not_sent_on(send):
    async with operators.serving(moving("/b")) as operator:
        with pytest.raises(failures.Redirected):
            await send(Request(f"{operator.url}/a", changes_state=True))
        assert len(operator.requests) == 1


async def test_a_circle_of_redirects_ends(send):
    async with operators.serving(moving("/a")) as operator:
        with pytest.raises(failures.Redirected):
            await send(Request(f"{operator.url}/a"))
        assert len(operator.requests) == 4


# --- where --------------------------------------------------------------------------------------


async def test_another_host_than_those_of_the_source_is_not_asked(send):
    async with always(Reply()) as operator:
        with pytest.raises(failures.Blocked, match=r"127.0.0.1 is not among the hosts"):
            await send(Request(operator.url), policy=guard.policy(["https://ko.example/"]))
        assert operator.requests == []


async def test_a_name_with_a_private_address_is_not_asked(send, monkeypatch):
    async with always(Reply()) as operator:
        url = f"http://ko.example:{operator.port}/"
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "getaddrinfo", _tells("127.0.0.1"), raising=False)
        with pytest.raises(failures.Blocked, match=r"ko.example has the private address 127.0.0.1"):
            await send(Request(url))
        assert operator.requests == []
        allowed = guard.policy([url], allow_private=True)
        (await send(Request(url), policy=allowed)).body.close()
        assert operator.requests[0].headers["host"] == f"ko.example:{operator.port}"


def _tells(*addresses):
    async def getaddrinfo(host, port, **_kwargs):
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    return getaddrinfo


async def test_the_next_address_is_tried_when_the_first_does_not_answer(send, monkeypatch):
    async with always(Reply()) as operator:
        url = f"http://ko.example:{operator.port}/"
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "getaddrinfo", _tells("127.0.0.2", "127.0.0.1"), raising=False)
        allowed = guard.policy([url], allow_private=True)
        (await send(Request(url), policy=allowed)).body.close()
        assert len(operator.requests) == 1


# --- TLS ----------------------------------------------------------------------------------------


def tls(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_certificate_that_is_not_trusted_ends_it(send, tmp_path):
    server = tls(forging.certificate(tmp_path))
    async with operators.serving(lambda _: Reply(), tls=server) as operator:
        with pytest.raises(failures.Untrusted):
            await send(Request(operator.url))
        assert operator.requests == []


async def test_a_certificate_is_held_against_the_name_that_was_asked_for(
    send, tmp_path, monkeypatch
):
    pem = forging.certificate(tmp_path)
    believed = ssl.create_default_context(cafile=pem)
    async with operators.serving(lambda _: Reply(), tls=tls(pem)) as operator:
        (await send(Request(operator.url), trust=believed)).body.close()
        url = f"https://ko.example:{operator.port}/"
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "getaddrinfo", _tells("127.0.0.1"), raising=False)
        allowed = guard.policy([url], allow_private=True)
        with pytest.raises(failures.Untrusted, match=r"ko\.example"):
            await send(Request(url), trust=believed, policy=allowed)


# --- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://u:p@ko.example:8443/a/b?hash=hunter2#x", "https://ko.example:8443/a/b"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("http://[::1", "that address"),
    ],
)
def test_a_url_is_told_without_its_secrets(url, told):
    assert exchange.shown(url) == told


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500), Reply(401), Reply(302, headers={"Location": f"http://x.example/?k={SECRET}"}),
        Reply(announced=9, body=b"x"), Reply(announced=10**12, hang=True), Reply(announced=-1),
        Reply(headers={"Content-Encoding": "br"}),
    ],
)  # fmt: skip
async def test_no_failure_tells_what_was_sent(send, reply):
    async with always(reply) as operator:
        request = Request(
            f"{operator.url}/x?hash={SECRET}", "POST", {"Authorization": SECRET}, SECRET.encode()
        )
        with pytest.raises(failures.ExchangeFailed) as failed:
            await whole(send, request)
    assert SECRET not in str(failed.value)


async def whole(send, request):
    """Send, and take the answer for a success that is whole."""
    with await send(request) as answer:
        answer.check()
        return answer.read()
