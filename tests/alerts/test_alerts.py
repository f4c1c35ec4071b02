"""Alerts from a running listener: once when it opens, once when it clears, across restarts."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import time
from datetime import timedelta

import pytest

from app import alerts as telling
from app.alerts import following, messages
from app.outbound import failures
from app.store import alerted, alerts, attention, engine, expected, feeds, silence
from tests import mailbox, operators
from tests.arrivals import RECEIVED as AT
from tests.feeds import running
from tests.operators import Reply
from tests.store.making import placed, story, told as tell

DEADLINE = 20.0


def hook(url, name="hook", **keys):
    more = "".join(f"\n{key} = {json.dumps(value)}" for key, value in keys.items())
    webhook = f'{{ url = "{url}/secret-path?key=hunter2", secret = "whsec_a2V5" }}'
    return f'[[alert]]\nname = "{name}"\nwebhook = {webhook}{more}\n'


LOCAL = '[[source]]\nname = "local"\n'


@contextlib.asynccontextmanager
async def alerting(folder, url, *tables):
    async with running.runtime(folder, url, LOCAL, *tables) as live:
        started = await telling.start(live.runtime)
        try:
            yield live
        finally:
            await telling.stop(started)


@contextlib.asynccontextmanager
async def hooked(folder, url, handle=lambda _: Reply(), more=""):
    """A listener that tells a webhook, and the webhook."""
    async with (
        operators.serving(handle) as operator,
        alerting(folder, url, more, hook(operator.url)) as live,
    ):
        yield live, operator


async def until(look):
    ends = time.monotonic() + DEADLINE
    while not (found := look()):
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)
    return found


async def follow(live, *stories):
    await live.write(lambda connection: attention.follow(connection, stories))


def told(operator):
    return [json.loads(asked.body) for asked in operator.requests]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(following, "REST", 0.05)
    monkeypatch.setattr(following, "FIRST", 0.05)


async def test_attention_is_told_once_when_it_opens_and_once_when_it_clears(tmp_path, database_url):
    async with hooked(tmp_path, database_url) as (live, operator):
        await follow(live, story("O-1", "n1", "n2", source="local"))
        await until(lambda: len(operator.requests) == 1)
        await follow(live, story("O-2", "n3", source="local"))
        await follow(live, story("O-1", source="local"), story("O-2", source="local"))
        await until(lambda: len(operator.requests) == 2)
    opened, cleared = told(operator)
    assert (opened["type"], cleared["type"]) == ("alert.opened", "alert.cleared")
    assert (opened["source"], opened["severity"], opened["count"]) == ("local", "alarm", 2)
    assert opened["orders"] == ["O-1", "O-1"]
    assert opened["id"].removesuffix("-opened") == cleared["id"].removesuffix("-cleared")
    assert operator.requests[0].headers["webhook-id"] == opened["id"]
    assert operator.requests[0].headers["webhook-signature"].startswith("v1,")


async def test_a_restart_tells_nothing_twice_and_loses_nothing(tmp_path, database_url):
    async with operators.serving(lambda _: Reply()) as operator:
        async with alerting(tmp_path, database_url, hook(operator.url)) as live:
            await follow(live, story("O-1", "n1", source="local"))
            await until(lambda: len(operator.requests) == 1)
        async with running.runtime(tmp_path, database_url, LOCAL, hook(operator.url)) as live:
            two = story("O-2", "n2", source="local", word="follow_up")
            await follow(live, story("O-1", source="local"), two)
        async with alerting(tmp_path, database_url, hook(operator.url)):
            await until(lambda: len(operator.requests) == 3)
    assert sorted((one["type"], one["severity"]) for one in told(operator)) == [
        ("alert.cleared", "alarm"), ("alert.opened", "alarm"), ("alert.opened", "follow_up"),
    ]  # fmt: skip


async def test_two_replicas_tell_it_once(tmp_path, database_url):
    async with (
        hooked(tmp_path, database_url) as (live, operator),
        alerting(tmp_path, database_url, hook(operator.url)),
    ):
        for n in range(5):
            sent = len(operator.requests)
            await follow(live, story("O-1", f"n{n}", source="local"))
            await until(lambda sent=sent: len(operator.requests) > sent)
            await follow(live, story("O-1", source="local"))
            await until(lambda sent=sent: len(operator.requests) > sent + 1)
    ids = [one["id"] for one in told(operator)]
    assert len(ids) == len(set(ids)) == 10


async def test_what_cannot_be_told_is_told_later_and_its_address_is_never_shown(
    tmp_path, database_url, capfd
):
    answers = [Reply(500), Reply(302, headers={"Location": "/elsewhere"})]

    def answer(_asked):
        return answers.pop() if answers else Reply()

    async with hooked(tmp_path, database_url, answer) as (live, operator):
        await follow(live, story("O-1", "n1", source="local"))

        def open_now():
            with engine.read(live.runtime.engine) as connection:
                return [found for found in alerts.listing(connection) if found.told_at]

        (found,) = await until(open_now)
        assert found.error is None
    assert len(operator.requests) == 3
    assert len({one["id"] for one in told(operator)}) == 1
    said = "".join(capfd.readouterr())
    assert "the webhook at 127.0.0.1 answered 500" in said
    assert "points to another place" in said
    assert "hunter2" not in said
    assert "secret-path" not in said


async def test_what_was_told_and_whether_it_arrived_is_remembered(tmp_path, database_url):
    answers = itertools.chain([Reply(500)], itertools.repeat(Reply()))
    async with (
        operators.serving(lambda _: next(answers)) as operator,
        alerting(tmp_path, database_url, hook(operator.url)) as live,
    ):
        await follow(live, story("O-1", "n1", source="local"))
        found = await until(lambda: [one for one in remembered(live) if one.told_at])
    (told_of,) = found
    assert (told_of.event, told_of.source, told_of.severity) == ("opened", "local", "alarm")
    assert (told_of.attempts, told_of.error) == (2, None)
    assert told_of.begun_at < told_of.told_at
    assert "O-1" not in told_of.text


def remembered(live):
    with engine.read(live.runtime.engine) as connection:
        return alerted.latest(connection, 10)


async def test_a_channel_is_told_only_of_its_sources_and_severities(tmp_path, database_url):
    async with (
        operators.serving(lambda _: Reply()) as one,
        operators.serving(lambda _: Reply()) as two,
    ):
        tables = (
            hook(one.url, "alarms", severities=["alarm"]),
            hook(two.url, "of-local", sources=["local"]),
        )
        async with alerting(tmp_path, database_url, *tables) as live:
            await follow(live, story("O-1", "n1", source="local", word="buyer_action"))
            await follow(live, story("O-2", "n2", source="covage"))
            await until(lambda: one.requests and two.requests)
    assert [(told["source"], told["severity"]) for told in told(one)] == [("covage", "alarm")]
    assert [(told["source"], told["severity"]) for told in told(two)] == [("local", "buyer_action")]


async def test_a_feed_in_trouble_is_told_once_it_lasts(tmp_path, sqlite_url):
    feed = running.source("ko", "http://127.0.0.1:9/")
    async with operators.serving(lambda _: Reply()) as operator:
        tables = (feed, hook(operator.url, after="0s"), hook(operator.url, "patient", after="1d"))
        async with alerting(tmp_path, sqlite_url, *tables) as live:
            at = live.runtime.clock.now()
            trouble = feeds.Trouble("unauthorized", "it refuses our login", "check the password")

            def fail(connection):
                feeds.connect(connection, "ko", at)
                feeds.failed(connection, "ko", trouble, at, at)

            await live.write(fail)
            await until(lambda: operator.requests)
            await live.write(lambda c: feeds.succeeded(c, [("ko", at, at, True)]))
            await until(lambda: len(operator.requests) == 2)
    opened, cleared = told(operator)
    assert (opened["source"], opened["severity"]) == ("ko", "trouble")
    assert "unauthorized: it refuses our login; check the password" in opened["text"]
    assert cleared["type"] == "alert.cleared"


async def test_mail_is_sent_for_begin_and_end_as_one_thread(tmp_path, sqlite_url):
    with mailbox.serving() as box:
        table = (
            '[[alert]]\nname = "mail"\n[alert.mail]\nhost = "127.0.0.1"\ntls = "none"\n'
            f'port = {box.port}\nfrom = "l@a.example"\nto = ["ops@a.example", "b@a.example"]\n'
        )
        async with alerting(tmp_path, sqlite_url, table) as live:
            await follow(live, story("O-1\r\nBcc: x@y", "n1", source="local"))
            await until(lambda: len(box.mails) == 1)
            await follow(live, story("O-1\r\nBcc: x@y", source="local"))
            await until(lambda: len(box.mails) == 2)
    opened, cleared = box.mails
    assert opened["Subject"] == "[tmf-listener] local: 1 order raises an alarm"
    assert cleared["Subject"] == "[tmf-listener] local: over: orders raise an alarm"
    assert opened["To"] == "ops@a.example, b@a.example"
    assert opened["Bcc"] is None
    assert opened["References"] == cleared["References"]
    assert "http://127.0.0.1:9/ui" in opened.get_content()


@pytest.mark.parametrize(("count", "told"), [(1, "1 order is silent"), (2, "2 orders are silent")])
def test_one_order_is_told_of_as_one(count, told):
    assert messages.counted("silent", count) == told


def test_waiting_grows_to_a_bound(monkeypatch):
    monkeypatch.undo()
    follower = following.Follower(None, None, random.Random(1))
    waits = [follower._wait(failures.Timeout("x"), attempts) for attempts in (0, 3, 50)]
    assert 2.5 <= waits[0] <= 5.0
    assert 20.0 <= waits[1] <= 40.0
    assert 450.0 <= waits[2] <= 900.0


async def test_silent_orders_are_told(tmp_path, sqlite_url):
    patient = '[[source]]\nname = "ko"\nstuck_after = { none = "1s" }\n'
    async with hooked(tmp_path, sqlite_url, more=patient) as (live, operator):
        await live.write(lambda c: expected.put(c, [placed("O-1", source="ko", answer=None)]))
        await until(lambda: operator.requests)
        await live.write(lambda c: expected.put(c, [placed("O-1", source="ko", over_at=AT)]))
        await until(lambda: len(operator.requests) == 2)
    opened, cleared = told(operator)
    assert (opened["source"], opened["severity"], opened["orders"]) == ("ko", "silent", ["O-1"])
    assert cleared["type"] == "alert.cleared"


async def test_what_finished_orders_show_is_learned(tmp_path, database_url, monkeypatch):
    monkeypatch.setattr(telling, "AT_LEISURE", 0.0)
    async with running.runtime(tmp_path, database_url, LOCAL) as live:
        rows = []
        for n in range(20):
            at = AT + timedelta(hours=n + 1)
            rows += [
                {"order_id": f"O-{n}", "state": "held", "received_at": AT},
                {"order_id": f"O-{n}", "state": "completed", "received_at": at, "occurred_at": at},
            ]
        tell(live.runtime.engine, *({"source": "local", **row} for row in rows))
        started = await telling.start(live.runtime)
        try:

            def learned():
                with engine.read(live.runtime.engine) as connection:
                    return silence.patience(connection, {})

            known = await until(learned)
        finally:
            await telling.stop(started)
    assert known == {("local", "held"): timedelta(hours=19)}
