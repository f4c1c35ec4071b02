"""Fetching a small JSON document from another server, within hard limits.

Not here: what the document means (`security.jwks`), which servers may be asked (configuration).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final
from urllib.parse import urlsplit

import httpx

from app.outbound.fetchable import FetchFailed, check_url

OK: Final = 200
HEADERS: Final = {"Accept": "application/json, */*;q=0.1", "Accept-Encoding": "identity"}


async def fetch_json(url: str, *, limit: int = 65536, timeout: float = 5.0) -> bytes:  # noqa: ASYNC109 - the whole exchange has one deadline
    """Get the body at `url`, at most `limit` bytes, in at most `timeout` seconds all told.

    No redirect is followed, no compression is accepted (so that `limit` is what travels), the
    answer must be 200. The body is not parsed. Raises FetchFailed, whatever went wrong.
    """
    check_url(url)
    try:
        async with asyncio.timeout(timeout):
            return await _get(url, limit, timeout)
    except TimeoutError as error:
        raise FetchFailed(f"{url} did not answer within {timeout:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        msg = f"{url}: {type(error).__name__} {error}".rstrip()
        raise FetchFailed(msg) from error


async def _get(url: str, limit: int, timeout: float) -> bytes:  # noqa: ASYNC109 - as above
    local = urlsplit(url).scheme == "http"
    tls = False if local else await asyncio.to_thread(_tls)
    async with (
        httpx.AsyncClient(
            verify=tls,
            trust_env=not local,
            follow_redirects=False,
            timeout=timeout,
            headers=HEADERS,
        ) as client,
        client.stream("GET", url) as response,
    ):
        if response.status_code != OK:
            where = " (redirects are not followed)" if response.is_redirect else ""
            raise FetchFailed(f"{url} answered {response.status_code}{where}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise FetchFailed(f"{url} answered with a content encoding that was not asked for")
        return await _read(response, limit)


async def _read(response: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise FetchFailed(f"{response.url} answered with more than {limit} bytes")
    return bytes(body)


def _tls() -> ssl.SSLContext:
    """Trust as httpx does (certifi, or SSL_CERT_FILE/SSL_CERT_DIR); reads files, hence a thread."""
    return httpx.create_ssl_context()
