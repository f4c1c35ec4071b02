"""A feed's turns against an operator over HTTP: what gets into the log, and how trouble is told."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from datetime import timedelta

import pytest

from app.feeds import poller, reading
from app.sources import base
from tests import operators
from tests.feeds import running
from tests.feeds.conftest import table
from tests.feeds.running import OnApi, event
from tests.operators import Reply
from tests.sources import feeding

HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
async def operator():
    """An ON-API with three events, and what it is asked."""
    handle = OnApi([event("e1"), event("e2", state="DONE_FAILED"), event("e3", "o-2")])
    async with operators.serving(handle) as served:
        served.on_api = handle
        yield served


@pytest.fixture
async def live(operator, tmp_path, database_url):
    async with running.feeds_of(
        tmp_path, database_url, running.source("ko", f"{operator.url}/api/2.3.1/")
    ) as found:
        yield found


async def test_the_history_and_what_follows_come_into_the_log_in_order(live, operator):
    await live.until(lambda: live.events() == ["e1", "e2", "e3"])
    operator.on_api.history += [event("e4"), event("e5")]
    await live.until(lambda: live.events() == ["e1", "e2", "e3", "e4", "e5"])
    first, *_ = live.rows()
    assert (first["channel"], first["order_id"], first["state"]) == ("pull", "o-1", "completed")
    assert first["principal"] == "feed:ko"


async def test_only_what_is_new_is_asked_for(live, operator):
    await live.until(lambda: live.events() == ["e1", "e2", "e3"])
    operator.on_api.history.append(event("e4"))
    await live.until(lambda: "e4" in live.events())
    queries = [asked.query.get("since") for asked in operator.requests]
    assert queries[0] is None
    assert set(queries[1:]) == {"e3", "e4"} or set(queries[1:]) == {"e3"}
    assert live.feed().reread == 0


async def test_the_cursor_is_where_the_log_is(live):
    await live.until(lambda: live.events() == ["e1", "e2", "e3"])
    found = live.feed()
    assert found.cursor["since"] == "e3"
    assert (found.entries, found.appended, found.quarantined) == (3, 3, 0)


async def test_an_empty_turn_writes_nothing(live, operator):
    await live.until(lambda: live.feed() and live.feed().last_success_at)
    before, asked = live.feed(), len(operator.requests)
    await live.until(lambda: len(operator.requests) > asked + 5)
    assert live.feed() == before
    assert [turn.appended for turn in live.turns()] == [3]


async def test_an_unreadable_entry_goes_to_quarantine_and_the_feed_goes_on(live, operator):
    operator.on_api.history += ["no object", event("e4")]
    await live.until(lambda: live.events() == ["e1", "e2", "e3", "e4"])
    await live.until(lambda: live.feed().cause is None and live.feed().cursor["since"] == "e4")
    assert live.feed().quarantined == 1


async def test_an_unreadable_entry_that_is_read_again_and_again_is_told_once(live, operator):
    operator.on_api.history.append("no object")  # the last: what is new comes after the one before
    await live.until(lambda: live.feed() and live.feed().quarantined == 1)
    before, asked = live.feed(), len(operator.requests)
    await live.until(lambda: len(operator.requests) > asked + 3)
    after = live.feed()
    assert (after.quarantined, after.cursor_at) == (1, before.cursor_at)
    assert sum(turn.quarantined for turn in live.turns()) == 1


async def test_an_operator_that_was_away_is_not_read_again_from_the_start(live, operator):
    await live.until(lambda: live.feed() and live.feed().last_success_at)
    operator.on_api.instead = Reply(404)  # as an operator does that does not know our last event
    await live.until(lambda: live.feed().cause == "refused")
    operator.on_api.instead = None
    operator.on_api.history.append(event("e4"))
    await live.job("poll")
    assert live.events() == ["e1", "e2", "e3", "e4"]
    assert (live.feed().entries, live.feed().reread) == (4, 0)


@pytest.mark.parametrize(
    ("instead", "cause", "told"),
    [
        (Reply(401), "unauthorized", "answered 401"),
        (Reply(403), "unauthorized", "answered 403"),
        (Reply(429, headers={"Retry-After": "120"}), "rate_limited", "answered 429"),
        (Reply(500), "server_error", "answered 500"),
        (Reply(404), "refused", "answered 404"),
        (Reply(body=b"<html>Back soon</html>", headers=HTML), "malformed", "text/html"),
        (Reply(body=b"%PDF-1.7", headers={"Content-Type": "application/pdf"}), "malformed",
         "application/pdf"),
        (Reply(body=b'{"a": 1}'), "malformed", "orderevents"),
        (Reply(body=b'[{"event": "e9"', announced=100), "cut", "ended its answer"),
        (Reply(302, headers={"Location": "http://198.51.100.7/x"}), "redirected", "198.51.100.7"),
        (Reply(announced=10**12, hang=True), "too_large", "limit is"),
    ],
)  # fmt: skip
async def test_trouble_names_cause_and_remedy_and_leaves_the_cursor(
    operator, tmp_path, sqlite_url, instead, cause, told
):
    url = f"{operator.url}/api/2.3.1/"
    async with running.feeds_of(tmp_path, sqlite_url, running.source("ko", url)) as live:
        await live.until(lambda: live.feed() and live.feed().last_success_at)
        before = live.feed()
        operator.on_api.instead = instead
        await live.until(lambda: live.feed().cause)
        found = live.feed()
        assert found.cause == cause
        assert told in found.last_error
        assert "hunter2" not in found.last_error
        assert found.remedy
        assert found.failures == 1
        assert found.next_turn_at > found.last_turn_at
        assert found.cursor == before.cursor
        assert found.last_success_at == before.last_success_at
        assert live.turns()[0].cause == cause
        operator.on_api.instead = None
        operator.on_api.history.append(event("e4"))
        await live.job("poll")
        assert "e4" in live.events()
        await live.until(lambda: live.feed().cause is None)


async def test_an_endless_body_is_left_at_the_limit(tmp_path, sqlite_url, monkeypatch):
    monkeypatch.setattr(reading, "LIMIT", 1_000_000)
    endless = Reply(body=b"[", parts=itertools.repeat(b" " * 65536))
    async with operators.serving(lambda _: endless) as served:
        source = running.source("ko", f"{served.url}/", every="5m")
        async with running.feeds_of(tmp_path, sqlite_url, source) as live:
            await live.until(lambda: live.feed() and live.feed().cause)
            assert (live.feed().cause, live.feed().cursor) == ("too_large", {})


async def test_a_wrong_password_is_probed_every_fifteen_minutes(operator, tmp_path, sqlite_url):
    operator.on_api.password = "something else"
    url = f"{operator.url}/api/2.3.1/"
    async with running.feeds_of(tmp_path, sqlite_url, running.source("ko", url)) as live:
        await live.until(lambda: live.feed() and live.feed().cause)
        found = live.feed()
    assert found.cause == "unauthorized"
    rest = (found.next_turn_at - found.last_turn_at).total_seconds()
    assert 890 < rest < 910
    assert len(operator.requests) == 1


async def test_one_feed_in_trouble_leaves_the_others_alone(operator, tmp_path, sqlite_url):
    async with operators.serving(lambda _: Reply(announced=9, hang=True)) as hanging:
        sources = [
            running.source("slow", f"{hanging.url}/"),
            running.source("dead", "http://127.0.0.1:9/"),
            running.source("ko", f"{operator.url}/api/2.3.1/"),
        ]
        async with running.feeds_of(tmp_path, sqlite_url, *sources) as live:
            await live.until(lambda: live.events() == ["e1", "e2", "e3"])
            await live.until(lambda: live.feed("dead") and live.feed("dead").cause)
            assert live.feed("dead").cause == "unreachable"
            assert live.feed("ko").cause is None


@pytest.mark.parametrize(
    ("every", "floor", "least", "most"),
    [(120, 30, 108, 120), (30, 30, 30, 30), (32, 30, 30, 32), (0.2, 30, 0.2, 0.2)],
)
def test_a_turn_comes_a_little_early_but_not_under_the_operators_floor(every, floor, least, most):
    chance = random.Random(3)
    spans = timedelta(seconds=every), timedelta(seconds=floor)
    rests = [poller.rest_of(*spans, chance) for _ in range(200)]
    assert least <= min(rests) <= max(rests) <= most
    assert least == most or max(rests) - min(rests) > (most - least) / 2


async def test_a_history_before_the_start_is_passed_over_however_long_it_is(tmp_path, sqlite_url):
    told = [feeding.event(n, feeding.NOW + timedelta(minutes=n - 1300)) for n in range(1300)]
    told.append(feeding.event(1300, feeding.NOW + timedelta(days=2)))
    covage = feeding.CovageOperator(told, cap=10)

    def answer(asked):
        if asked.method == "POST":
            return Reply(body=b'{"access": "a", "refresh": "r", "user": {}}')
        return Reply(body=covage.answer(base.Request("GET", asked.target, {})))

    async with operators.serving(answer) as served:
        more = 'size = 10, start = "2025-03-05"'
        source = table("covage", served.url, every="1h", more=more).replace("/covage/", "/")
        async with running.feeds_of(tmp_path, sqlite_url, source) as live:
            await live.until(lambda: live.turns("covage"))
            assert live.feed("covage").cause is None, live.feed("covage")
            assert live.events("covage") == ["event-1300"]
    assert covage.pages > 100


async def test_a_host_with_a_private_address_is_not_asked(tmp_path, sqlite_url, monkeypatch):
    async def getaddrinfo(host, port, **_kwargs):
        return [(2, 1, 6, "", ("10.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
    source = running.source("ko", "https://ko.example/api/2.3.1/", every="5m")
    async with running.feeds_of(tmp_path, sqlite_url, source) as live:
        await live.until(lambda: live.feed() and live.feed().cause)
        assert live.feed().cause == "blocked"
        assert "10.0.0.1" in live.feed().last_error
        assert "allow_private" in live.feed().remedy


async def test_an_endless_history_is_committed_as_it_is_read(tmp_path, sqlite_url):
    def many():
        yield b"["
        for n in range(5_000):
            yield json.dumps(event(f"e{n}")).encode() + b","
        yield json.dumps(event("last")).encode() + b"]"

    once = itertools.chain([Reply(parts=many())], itertools.repeat(Reply(body=b"[]")))
    async with operators.serving(lambda _: next(once)) as served:
        source = running.source("ko", f"{served.url}/")
        async with running.feeds_of(tmp_path, sqlite_url, source) as live:
            await live.until(live.turns)
            assert live.feed().cursor["since"] == "last"
            assert live.feed().appended == 5_001
            assert live.turns()[0].appended == 5_001
