"""Operators of the sandbox, a place that hears alerts, and a listener that knows them all."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import httpx

from app.cli import sandbox as places
from app.clock import SystemClock
from app.security import sessions, signing
from app.ui import visit
from tests import serving
from tests.sandbox import serving as sandboxes

Found = TypeVar("Found")
ALERTS = """
[[alert]]
name = "chat"
webhook = {{ url = "{hears}/hook/{key}", secret = "{secret}" }}
severities = ["trouble"]

[[alert]]
name = "nobody"
sources = ["local"]
webhook = {{ url = "http://127.0.0.1:9/{key}" }}
"""
KEY = "a-key-in-an-address"
SECRET = "a-secret-that-signs-0123456789"
HEAD_START = 8 * 3600.0
"""Scenario seconds that have passed at the operators."""


@contextlib.contextmanager
def acting(folder: Path) -> Iterator[tuple[serving.Listener, sandboxes.Served]]:
    """A listener that has read its feeds once, or is about to; they rest for an hour then."""
    begun = SystemClock().now() - timedelta(days=1)
    with (
        sandboxes.sandbox(starts_at=begun) as operators,
        sandboxes.serving(sandboxes.Receiver()) as hears,
    ):
        operators.advance(seconds=HEAD_START)
        tables = [place.table(operators.url) for place in places.PLACES]
        feeds = "\n".join(tables).replace('every = "2s"', 'every = "1h"')
        feeds = feeds.replace('write_back = "on_commit"', 'write_back = "off"')
        alerts = ALERTS.format(hears=hears, key=KEY, secret=SECRET)
        config = f'[[source]]\nname = "local"\n\n{feeds}\n{alerts}'
        with serving.listener(folder, config=config) as server:
            yield server, operators


def form_token(client: httpx.Client) -> str:
    """That of the session, which a page shows to those who may act alone."""
    seal = sessions.Seal(signing.LocalIssuer(serving.SECRET.encode(), SystemClock()).pepper)
    return seal.form_token(seal.session(client.cookies[visit.COOKIE], SystemClock().now()))


def until(look: Callable[[], Found], seconds: float = 20.0) -> Found:
    """What `look` finds, once it does."""
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends
        time.sleep(0.05)
    return found
