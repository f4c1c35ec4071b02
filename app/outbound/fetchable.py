"""Which URLs a document is fetched from; told without the means to fetch it, which load slowly.

Not here: fetching (`client`).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from app import errors
from app.outbound import guard


class FetchFailed(errors.ListenerError):
    """The document could not be fetched."""


def check_url(url: str) -> str:
    """Give `url` back if it may be fetched: https, or http to this machine, without credentials.

    Raises FetchFailed that says what would be right.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise FetchFailed("that is no URL; expected https://…") from error
    if parts.username is not None or parts.password is not None:
        raise FetchFailed("a URL with credentials in it is not fetched")
    if not host or parts.scheme not in {"http", "https"}:
        raise FetchFailed(f"{url!r} is no URL; expected https://…")
    if parts.scheme == "http" and not guard.is_loopback(url):
        raise FetchFailed(f"{url!r} must be https:// (http:// only towards this machine)")
    return url
