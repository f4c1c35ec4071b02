"""Posting a body asynchronously over kept connections. Not here: when, to whom, how often.

Whoever posts answers for the address. Redirects are not followed: an answer comes from where the
body went. Source: DESIGN §8 (`outbound`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Self

import httpx

from app import errors

LIMIT: Final = 65536
"""The most bytes of an answer's body that are read; the rest is left unread."""


class Unanswered(errors.ListenerError):
    """No answer came: the address is wrong, nothing listens there, or it took too long."""


class Poster:
    """Posts bodies. An async context manager: it holds the connections open between posts."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        trusted = await asyncio.to_thread(httpx.create_ssl_context)
        self._client = httpx.AsyncClient(verify=trusted, trust_env=False, follow_redirects=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109 - one deadline for the whole exchange
    ) -> tuple[int, Mapping[str, str], bytes]:
        """POST `body`; gives status, headers and at most `LIMIT` bytes of the body.

        `timeout` in seconds, for all of it. Raises `Unanswered`, naming no URL (it may hold a key).
        """
        if self._client is None:
            raise RuntimeError("a Poster is used inside `async with`")
        try:
            async with (
                asyncio.timeout(timeout),
                self._client.stream("POST", url, content=body, headers=dict(headers)) as response,
            ):
                return response.status_code, response.headers, await _read(response)
        except TimeoutError as error:
            raise Unanswered(f"no answer within {timeout:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Unanswered(f"no answer: {type(error).__name__}") from error


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= LIMIT:
            break
    return bytes(body[:LIMIT])
