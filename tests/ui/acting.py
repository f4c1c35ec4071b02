"""Operators of the sandbox, a place that hears alerts, and a listener that knows them all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from app.cli import sandbox as places
from app.clock import SystemClock
from tests import serving
from tests.sandbox import serving as sandboxes

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
