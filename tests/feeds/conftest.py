"""A sandbox of operators, and a runtime that asks them."""

from __future__ import annotations

import pytest

from app.store import tail
from tests.sandbox import serving as sandboxes

BASIC = 'username = "sandbox", password = "sandbox"'
TOKEN = 'email = "sandbox", password = "sandbox"'
HASH = 'api_user = "sandbox", api_key = "sandbox"'
SOURCES = {
    "stadsnat": ("on_api", "/on-api/api/2.3.1/", BASIC),
    "covage": ("covage", "/covage/", TOKEN),
    "guide": ("tjansteguiden", "/tjansteguiden/plain/serviceguide_log", HASH),
}
"""Kind, path and credentials of each operator, by the name its source has here."""


def table(name: str, base: str, *, every: str = "0.1s", more: str = "") -> str:
    """The `[[source]]` of `name` in a sandbox at `base`."""
    kind, path, credentials = SOURCES[name]
    keys = [f'url = "{base}{path}"', credentials, f'every = "{every}"', *([more] if more else ())]
    return f'[[source]]\nname = "{name}"\nkind = "{kind}"\nfeed = {{ {", ".join(keys)} }}\n'


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What is asked of a feed by another thread is seen at once, not within a second."""
    monkeypatch.setattr(tail, "IDLE", 0.05)


@pytest.fixture
def sandbox():
    """Operators with 30 orders each, whose lives are over."""
    with sandboxes.sandbox() as served:
        yield served
