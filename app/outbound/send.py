"""Posting a body by hand, synchronously: what `listener send` does. Not here: feeds and callbacks.

The address is the one at the keyboard's own choice, so nothing guards it; redirects are not
followed, for an answer must come from where the body went.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx


class Unreachable(Exception):
    """No answer came: the address is wrong, nothing listens there, or it took too long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: HTTP status, body, and the seconds it took."""

    status: int
    body: bytes
    seconds: float


class Sender:
    """Posts bodies to one base URL over kept connections. A context manager.

    `headers` go with every request. `ca` is a file of certificates to trust beside the system's.
    `timeout` in seconds, for each of connect, write and read. Raises `Unreachable` where the URL or
    the file is of no use.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        ca: Path | None = None,
        timeout: float = 30.0,
    ) -> None:
        try:
            trusted = ssl.create_default_context(cafile=ca)
            self._client = httpx.Client(
                base_url=base_url,
                headers=dict(headers),
                timeout=timeout,
                trust_env=False,
                verify=trusted,
            )
        except (OSError, httpx.InvalidURL, ValueError) as error:
            raise Unreachable(str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def post(self, path: str, body: bytes) -> Answer:
        """POST `body` to `path`. Raises `Unreachable` where no answer came."""
        started = time.perf_counter()
        try:
            response = self._client.post(path, content=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(str(error) or type(error).__name__) from error
        return Answer(response.status_code, response.content, time.perf_counter() - started)
