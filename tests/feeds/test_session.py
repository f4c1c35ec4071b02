"""Logging in: when it is due, once more when it is refused, and what no log line tells."""

from __future__ import annotations

import json

import pytest

from app.sandbox import options
from app.sources.covage import reach
from tests import operators
from tests.feeds import running
from tests.feeds.conftest import table
from tests.operators import Reply
from tests.sandbox import serving as sandboxes


async def caught_up(live, name):
    return await live.until(lambda: live.feed(name) and live.feed(name).caught_up_at)


@pytest.mark.parametrize("name", ["covage", "guide"])
async def test_a_login_that_is_refused_once_is_made_anew(sandbox, tmp_path, sqlite_url, name):
    operator = {"guide": "tjansteguiden"}.get(name, name)
    where = {"guide": "orders", "covage": "events"}[name]
    sandbox.fault(operator, "unauthorized", where=where, times=1)
    async with running.feeds_of(tmp_path, sqlite_url, table(name, sandbox.url)) as live:
        await caught_up(live, name)
        assert live.feed(name).failures == 0
        assert all(turn.cause is None for turn in live.turns(name))
    assert sandbox.control(f"{operator}/faults")["unauthorized"]["struck"] == 1


@pytest.mark.parametrize("name", ["covage", "guide"])
async def test_a_login_that_is_refused_for_good_is_told(sandbox, tmp_path, sqlite_url, name):
    source = table(name, sandbox.url).replace('"sandbox"', '"nobody"')
    async with running.feeds_of(tmp_path, sqlite_url, source) as live:
        await live.until(lambda: live.feed(name) and live.feed(name).cause)
        assert live.feed(name).cause == "unauthorized"
        assert "nobody" not in live.feed(name).last_error


async def test_a_login_that_ends_is_renewed(tmp_path, sqlite_url):
    short = options.Tjansteguiden(hash_lifetime=0.2)
    with sandboxes.sandbox(tjansteguiden=short) as sandbox:
        source = table("guide", sandbox.url, every="0.3s")
        async with running.feeds_of(tmp_path, sqlite_url, source) as live:
            await caught_up(live, "guide")
            first = live.runtime.clock.monotonic()
            await live.until(lambda: live.runtime.clock.monotonic() > first + 1)
            assert live.feed("guide").failures == 0
            assert live.turns("guide") == [t for t in live.turns("guide") if t.cause is None]


def covage(asked):
    """A Covage whose list is the same page for ever."""
    if "token" in asked.path:
        return Reply(body=b'{"access": "a", "refresh": "b"}')
    size = int(asked.query.get("size", "20"))
    events = [
        {
            "event_uuid": f"e{n}", "model": "event", "type": "order-running",
            "object_type": "order", "object_uuid": "o1", "sort_value": "WyJhIl0=",
            "event_date": "2026-03-02T09:00:00.000000Z",
            "creation_date": "2026-03-02T09:00:00.000000Z",
            "modification_date": "2026-03-02T09:00:00.000000Z", "data": None,
        }
        for n in range(size)
    ]  # fmt: skip
    return Reply(body=json.dumps(events).encode(), headers={"Content-Type": "application/json"})


async def test_a_cursor_that_does_not_advance_is_told(tmp_path, sqlite_url, monkeypatch):
    monkeypatch.setattr(reach, "MOST_EQUAL", 400)
    async with operators.serving(covage) as served:
        source = table("covage", served.url).replace("/covage/", "/")
        async with running.feeds_of(tmp_path, sqlite_url, source) as live:
            await live.until(lambda: live.feed("covage") and live.feed("covage").cause)
            found = live.feed("covage")
            assert found.cause in {"stuck", "malformed"}, found
            assert found.remedy
