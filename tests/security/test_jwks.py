"""How a remote issuer's keys are fetched, kept and chosen; over HTTP on loopback at the end."""

from __future__ import annotations

import asyncio
import json

import pytest

from app import errors
from app.outbound import client
from app.security import jwks, jwt, signing
from tests.security import forging as f

DOWN = client.FetchFailed("the issuer is away")


class Ring:
    """A keyring with everything that can be turned about it."""

    def __init__(self, *keys):
        self.clock = f.Clock()
        self.fetch = f.Keys(*keys)
        self.changes = 0
        self.ring = jwks.Keyring(
            "https://sso.example/certs",
            ["RS256"],
            fetch=self.fetch,
            clock=self.clock,
            changed=self._changed,
        )

    def _changed(self):
        self.changes += 1

    async def has(self, kid):
        try:
            await self.ring.key(kid, "RS256")
        except errors.InvalidCredentials:
            return False
        return True


async def test_keys_are_fetched_once_and_kept_for_ten_minutes():
    one = Ring(f.rsa_jwk("a"))
    for _ in range(3):
        assert await one.has("a")
    one.clock.turn(599)
    assert await one.has("a")
    assert one.fetch.asked == 1
    one.clock.turn(1)
    assert await one.has("a")
    assert one.fetch.asked == 2


async def test_a_flood_of_unknown_kids_causes_no_fetch():
    one = Ring(f.rsa_jwk("a"))
    assert await one.has("a")
    for n in range(100):
        assert not await one.has(f"unknown-{n}")
    assert one.fetch.asked == 1


async def test_a_flood_of_unknown_kids_causes_one_fetch_a_cool_down():
    one = Ring(f.rsa_jwk("a"))
    assert await one.has("a")
    for _ in range(3):
        one.clock.turn(30)
        found = await asyncio.gather(*(one.has(f"unknown-{n}") for n in range(20)))
        assert found == [False] * 20
    assert one.fetch.asked == 4


async def test_a_new_key_is_found_after_the_cool_down():
    one = Ring(f.rsa_jwk("a"))
    assert await one.has("a")
    one.fetch.body = f.jwks(f.rsa_jwk("a"), f.rsa_jwk("b", f.rsa_key("two")))
    assert not await one.has("b")
    one.clock.turn(30)
    assert await one.has("b")
    assert one.changes == 1


async def test_a_key_that_is_withdrawn_is_gone_after_ten_minutes():
    one = Ring(f.rsa_jwk("a"), f.rsa_jwk("b", f.rsa_key("two")))
    assert await one.has("b")
    one.fetch.body = f.jwks(f.rsa_jwk("a"))
    one.clock.turn(600)
    assert not await one.has("b")
    assert one.changes == 1


async def test_a_key_replaced_under_its_kid_is_a_change():
    one = Ring(f.rsa_jwk("a"))
    assert await one.has("a")
    one.fetch.body = f.jwks(f.rsa_jwk("a", f.rsa_key("two")))
    one.clock.turn(600)
    assert await one.has("a")
    assert one.changes == 1


async def test_the_same_keys_in_another_order_are_no_change():
    one = Ring(f.rsa_jwk("a"), f.rsa_jwk("b", f.rsa_key("two")))
    assert await one.has("a")
    one.fetch.body = f.jwks(f.rsa_jwk("b", f.rsa_key("two")), f.rsa_jwk("a"), {"kty": "new"})
    one.clock.turn(600)
    assert await one.has("a")
    assert (one.fetch.asked, one.changes) == (2, 0)


@pytest.mark.parametrize(
    "trouble", [DOWN, b"<html>", b"[]", b"{}", b'{"keys": {}}', b"\xff", b"[" * 60000]
)
async def test_old_keys_hold_while_the_issuer_is_in_trouble(trouble):
    one = Ring(f.rsa_jwk("a"))
    assert await one.has("a")
    one.fetch.body = trouble
    one.clock.turn(600)
    assert await one.has("a")
    one.clock.turn(29)
    assert await one.has("a")
    assert one.fetch.asked == 2
    one.clock.turn(1)
    assert await one.has("a")
    assert one.fetch.asked == 3


async def test_an_unknown_kid_is_our_trouble_while_the_issuer_is_away():
    one = Ring(f.rsa_jwk("a"))
    assert await one.has("a")
    one.fetch.body = DOWN
    one.clock.turn(30)
    with pytest.raises(errors.Unavailable):
        await one.has("b")


async def test_old_keys_do_not_hold_for_ever():
    one = Ring(f.rsa_jwk("a"))
    assert await one.has("a")
    one.fetch.body = DOWN
    one.clock.turn(86401)
    with pytest.raises(errors.Unavailable):
        await one.has("a")


async def test_without_any_keys_it_is_our_trouble_and_tried_again_after_five_seconds():
    one = Ring()
    one.fetch.body = DOWN
    for _ in range(10):
        with pytest.raises(errors.Unavailable):
            await one.has("a")
    assert one.fetch.asked == 1
    one.fetch.body = f.jwks(f.rsa_jwk("a"))
    one.clock.turn(5)
    assert await one.has("a")


async def test_an_issuer_that_withdrew_all_its_keys_has_none():
    one = Ring(f.rsa_jwk("a"))
    assert await one.has("a")
    one.fetch.body = f.jwks()
    one.clock.turn(600)
    assert not await one.has("a")


async def test_many_requests_share_one_fetch():
    one = Ring(f.rsa_jwk("a"))
    answered = asyncio.Event()
    fetch = one.fetch

    async def slow(url):
        await answered.wait()
        return await fetch(url)

    one.ring._fetch = slow
    asking = [asyncio.create_task(one.has("a")) for _ in range(20)]
    await asyncio.sleep(0)
    answered.set()
    assert await asyncio.gather(*asking) == [True] * 20
    assert fetch.asked == 1


async def test_who_needs_a_known_key_does_not_wait_for_its_renewal():
    one = Ring(f.rsa_jwk("a"))
    assert await one.has("a")
    answered = asyncio.Event()

    async def slow(_url):
        await answered.wait()
        return f.jwks(f.rsa_jwk("a"))

    one.ring._fetch = slow
    one.clock.turn(600)
    renewing = asyncio.create_task(one.has("a"))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert await one.has("a")
    assert not renewing.done()
    answered.set()
    assert await renewing


async def test_a_fetch_that_was_cancelled_is_begun_again_by_the_next():
    one = Ring(f.rsa_jwk("a"))
    begun, never = asyncio.Event(), asyncio.Event()

    async def hanging(_url):
        begun.set()
        await never.wait()
        return b""

    one.ring._fetch = hanging
    asking = asyncio.create_task(one.has("a"))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    one.ring._fetch = one.fetch
    assert await one.has("a")


def remote_verifier(server, clock, **changes):
    issuer = f.issuer(jwks_url=server.url, **changes)
    return jwt.Verifier(signing.LocalIssuer(f.SECRET, clock), [issuer], client.fetch_json, clock)


async def test_over_http_one_fetch_serves_every_token_and_no_flood_causes_another():
    clock = f.Clock()
    with f.serving() as server:
        server.answer = (200, {"Content-Type": "application/json"}, f.jwks(f.rsa_jwk("one")))
        verifier = remote_verifier(server, clock)
        for n in range(5):
            await verifier.verify(f.remote(f.remote_claims(jti=str(n))))
        for n in range(100):
            with pytest.raises(errors.InvalidCredentials):
                await verifier.verify(f.remote(kid=f"flood-{n}"))
        assert server.paths == ["/certs"]


async def test_over_http_a_rotation_is_followed_and_forgets_verified_tokens():
    clock = f.Clock()
    with f.serving() as server:
        server.answer = (200, {}, f.jwks(f.rsa_jwk("one")))
        verifier = remote_verifier(server, clock)
        old, new = f.remote(), f.remote(kid="two", sign=f.rs256(f.rsa_key("two")))
        await verifier.verify(old)
        server.answer = (200, {}, f.jwks(f.rsa_jwk("two", f.rsa_key("two"))))
        clock.turn(30)
        assert verifier.cached(old)
        await verifier.verify(new)
        assert verifier.cached(old) is None
        with pytest.raises(errors.InvalidCredentials):
            await verifier.verify(old)


async def test_over_http_old_keys_hold_when_the_server_is_gone():
    clock = f.Clock()
    with f.serving() as server:
        server.answer = (200, {}, f.jwks(f.rsa_jwk("one")))
        verifier = remote_verifier(server, clock)
        await verifier.verify(f.remote())
    clock.turn(601)
    claims = f.remote_claims(exp=int(f.NOW.timestamp()) + 900)
    assert (await verifier.verify(f.remote(claims))).subject == "orange-notifier"


@pytest.mark.parametrize(
    "answer",
    [
        (302, {"Location": "/elsewhere"}, b""),
        (200, {}, json.dumps({"keys": [], "padding": "x" * 65536}).encode()),
        (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"),
        (404, {}, b"{}"),
        (500, {}, f.jwks(f.rsa_jwk("one"))),
    ],
    ids=["redirect", "huge", "compressed", "not found", "broken"],
)
async def test_over_http_an_answer_that_is_no_key_set_is_not_used(answer):
    with f.serving() as server:
        server.answer = answer
        with pytest.raises(errors.Unavailable):
            await remote_verifier(server, f.Clock()).verify(f.remote())
        assert server.paths == ["/certs"]
