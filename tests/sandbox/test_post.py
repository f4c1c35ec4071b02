"""Posting by `outbound.post`, which the seller pushes with."""

from __future__ import annotations

import asyncio

import pytest

from app.outbound import post
from tests.sandbox import serving


async def answering(scope, receive, send):
    """200 with a long body, 302 to elsewhere, or nothing at all, by the path."""
    if scope["type"] == "lifespan":
        await serving.Receiver()._live(receive, send)
        return
    if scope["path"] == "/never":
        await asyncio.Event().wait()
    status = 302 if scope["path"] == "/moved" else 200
    headers = [(b"x-told", scope["method"].encode()), (b"location", b"/elsewhere")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * 100_000})


async def test_an_answer_is_given_with_a_part_of_its_body():
    with serving.serving(answering) as url:
        async with post.Poster() as poster:
            status, headers, body = await poster.post(url, b"{}", {"A": "b"}, 5.0)
    assert (status, headers["x-told"], body) == (200, "POST", b"x" * post.LIMIT)


async def test_a_redirect_is_an_answer():
    with serving.serving(answering) as url:
        async with post.Poster() as poster:
            status, _, _ = await poster.post(f"{url}/moved", b"{}", {}, 5.0)
    assert status == 302


@pytest.mark.parametrize(
    "bad", ["http://127.0.0.1:9/secret", "http://[::1/secret", "nonsense:secret", "http://h\n/s"]
)
async def test_no_answer_names_no_address(bad):
    async with post.Poster() as poster:
        with pytest.raises(post.Unanswered, match="no answer") as raised:
            await poster.post(bad, b"{}", {}, 5.0)
    assert "secret" not in str(raised.value)


async def test_an_answer_that_takes_too_long_is_none():
    with serving.serving(answering) as url:
        async with post.Poster() as poster:
            with pytest.raises(post.Unanswered, match=r"within 0\.05 s"):
                await poster.post(f"{url}/never", b"{}", {}, 0.05)


async def test_a_poster_is_entered_before_it_posts():
    with pytest.raises(RuntimeError, match="async with"):
        await post.Poster().post("http://127.0.0.1:9/", b"", {}, 1.0)
