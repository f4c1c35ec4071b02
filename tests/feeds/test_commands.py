"""The outbox of one source: what is done side by side, what never is, and what is tried again."""

from __future__ import annotations

import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock
from app.feeds import commands as outbox, trouble
from app.store import commands, engine
from tests import operators
from tests.feeds import running
from tests.feeds.conftest import table
from tests.operators import Asked, Reply

XML = {"Content-Type": "text/xml"}


def answer(method: str, told: str) -> Reply:
    body = f"<{method}><response>{told}</response><status>success</status></{method}>"
    return Reply(body=body.encode(), headers=XML)


class Guide:
    """A Tjänsteguiden without orders. `silent`: to this order it never ends an answer to a message.

    `instead`: what it answers in place of a method's answer, one after the other.
    """

    def __init__(self, silent: str | None = None, **instead: list[Reply]) -> None:
        self.silent = silent
        self.instead = instead

    def __call__(self, asked: Asked) -> Reply:
        method = asked.query["method"]
        if self.instead.get(method):
            return self.instead[method].pop(0)
        match method:
            case "api_login":
                return answer("api_login", "<hash_key>h</hash_key>")
            case "add_message" if asked.query["id"] == self.silent:
                return Reply(headers=XML, announced=100, hang=True)
            case _:
                return answer(method, "")


class Ahead(clock.SystemClock):
    """The time of day, and as much later as a test says."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self):
        return super().now() + self.by


@contextlib.asynccontextmanager
async def guided(
    folder: Path, database_url: str, guide: Guide, time: clock.Clock | None = None
) -> AsyncIterator[tuple[operators.Operator, running.Live]]:
    """`guide` while it is served, and its feed."""
    async with operators.serving(guide) as served:
        source = table("guide", served.url)
        async with running.feeds_of(folder, database_url, source, time=time) as live:
            yield served, live


async def ask(live: running.Live, *orders: str, command: str = "add_message") -> None:
    """Put a message (or a `command` that only reads) to each of `orders` into the outbox."""
    now, writes = live.runtime.clock.now(), command == "add_message"
    asked = [
        commands.Command(
            id=live.runtime.new_id(), source="guide", order_id=order, command=command,
            arguments={"type": "log", "message": f"Message {n}"} if writes else {},
            idempotency_key=uuid.uuid4().hex, harmful=writes, asked_by="jwt:ops", asked_at=now,
            due_at=now,
        )
        for n, order in enumerate(orders)
    ]  # fmt: skip
    await live.write(lambda connection: commands.ask_all(connection, asked))


def rows(live: running.Live) -> list[commands.Command]:
    with engine.read(live.runtime.engine) as connection:
        return commands.page(connection, limit=500)


def states(live: running.Live) -> Counter[str]:
    return Counter(row.state for row in rows(live))


def the_one(live: running.Live) -> commands.Command:
    """The only command there is."""
    (found,) = rows(live)
    return found


async def becomes(
    live: running.Live, state: str, so: Callable[[commands.Command], object] = bool
) -> commands.Command:
    """Wait until the only command is in `state`, and `so`."""

    def found() -> commands.Command | None:
        one = the_one(live)
        return one if one.state == state and so(one) else None

    return await live.until(found, f"it is {the_one(live)}")


async def hasten(live: running.Live) -> None:
    """Have the only command looked at now."""
    now, id_ = live.runtime.clock.now(), the_one(live).id
    await live.write(lambda connection: commands.retry(connection, id_, now))


def messages(served: operators.Operator, order: str | None = None) -> list[str]:
    """What was sent, in its order; to `order` alone if given."""
    sent = [one.query for one in served.requests if one.query["method"] == "add_message"]
    return [one["message"] for one in sent if order in {None, one["id"]}]


async def test_an_order_whose_operator_is_silent_does_not_hold_up_the_others(tmp_path, sqlite_url):
    others = [str(n) for n in range(2, 3 * outbox.AT_ONCE)]
    async with operators.serving(Guide(silent="1")) as served:
        source = table("guide", served.url)
        async with running.feeds_of(tmp_path, sqlite_url, source) as live:
            await ask(live, "1", *others)
            await live.until(lambda: states(live) == {"running": 1, "done": len(others)})
            await ask(live, "99")
            await live.until(lambda: states(live) == {"running": 1, "done": len(others) + 1})
            assert messages(served, "1") == ["Message 0"]


async def test_commands_of_one_order_are_done_one_after_the_other(tmp_path, database_url):
    async with operators.serving(Guide()) as served:
        source = table("guide", served.url)
        async with running.feeds_of(tmp_path, database_url, source) as live:
            await ask(live, *["1"] * 20, *["2"] * 20)
            await live.until(lambda: states(live) == {"done": 40})
            assert messages(served, "1") == [f"Message {n}" for n in range(20)]
            assert messages(served, "2") == [f"Message {n}" for n in range(20, 40)]


async def test_what_is_refused_for_a_login_after_a_fresh_one_too_is_sent_later(
    tmp_path, sqlite_url
):
    guide = Guide(add_message=[Reply(401), Reply(401)])
    async with guided(tmp_path, sqlite_url, guide) as (served, live):
        await ask(live, "1")
        kept = await becomes(live, "queued", lambda one: one.error)
        assert kept.error == "a fresh login was answered 401"
        assert kept.attempted_at is None, "it counts for no limit"
        await hasten(live)
        await becomes(live, "done")
        assert messages(served) == ["Message 0"] * 3


async def test_only_refusals_are_enough_at_some_time_not_what_was_never_looked_at(
    tmp_path, sqlite_url, monkeypatch
):
    monkeypatch.setattr(trouble, "FIRST", 0.001)
    monkeypatch.setattr(trouble, "LONGEST", 0.001)
    never = [Reply(401)] * 4 * outbox.MOST_REFUSALS
    refusals = [Reply(503)] * (outbox.MOST_REFUSALS - 1)
    async with guided(tmp_path, sqlite_url, Guide(order_log=[*never, *refusals])) as (_, live):
        await ask(live, "1", command="order_log")
        await becomes(live, "done")


async def test_what_is_refused_again_and_again_fails(tmp_path, sqlite_url, monkeypatch):
    monkeypatch.setattr(trouble, "FIRST", 0.001)
    monkeypatch.setattr(trouble, "LONGEST", 0.001)
    refusals = [Reply(503)] * outbox.MOST_REFUSALS
    async with guided(tmp_path, sqlite_url, Guide(order_log=refusals)) as (_, live):
        await ask(live, "1", command="order_log")
        failed = await becomes(live, "failed")
        assert failed.error == "it was answered 503"


@pytest.mark.parametrize("status", [429, 503])
async def test_an_operator_that_says_when_is_left_alone_until_then(tmp_path, sqlite_url, status):
    later = Reply(status, headers={"Retry-After": "4000"})
    async with guided(tmp_path, sqlite_url, Guide(order_log=[later])) as (_, live):
        await ask(live, "1", command="order_log")
        kept = await becomes(live, "queued", lambda one: one.error)
        assert kept.due_at - kept.asked_at >= timedelta(seconds=4000)


async def test_a_no_counts_some_time_after_the_request_was_given_up_not_after_it_was_begun(
    tmp_path, sqlite_url
):
    time, guide = Ahead(), Guide(silent="1")
    async with guided(tmp_path, sqlite_url, guide, time) as (served, live):
        await ask(live, "1")
        begun = await becomes(live, "running")
        await live.until(lambda: messages(served))
        time.by += 2 * outbox.SETTLE  # so long it was on its way
        served.release.set()
        waits = await becomes(live, "unknown", lambda one: one.due_at > live.runtime.clock.now())
        assert waits.due_at - begun.attempted_at >= 3 * outbox.SETTLE
        assert messages(served) == ["Message 0"]
        guide.silent, time.by = None, time.by + outbox.SETTLE
        await hasten(live)
        await becomes(live, "done")
        assert messages(served) == ["Message 0"] * 2


async def test_what_is_lost_again_and_again_is_sent_ever_more_rarely(tmp_path, sqlite_url):
    time, guide = Ahead(), Guide(add_message=[Reply(announced=100)] * 2)
    async with guided(tmp_path, sqlite_url, guide, time) as (served, live):

        def waits(one: commands.Command) -> bool:
            return one.due_at > live.runtime.clock.now()

        await ask(live, "1")
        for attempts in (1, 2):
            await becomes(live, "unknown", lambda one: one.attempts == attempts and waits(one))  # noqa: B023
            time.by += outbox.SETTLE
            await hasten(live)
        await becomes(live, "queued", waits)
        assert messages(served) == ["Message 0"] * 2


async def test_an_operator_that_does_not_tell_is_asked_ever_more_rarely(tmp_path, sqlite_url):
    time, away = Ahead(), [Reply(503)] * 20
    guide = Guide(add_message=[Reply(502)], order_log=away)
    async with guided(tmp_path, sqlite_url, guide, time) as (_, live):
        await ask(live, "1")
        await becomes(live, "unknown")
        rests = []
        for looks in range(1, 6):
            before = await becomes(live, "unknown")
            time.by += before.due_at - live.runtime.clock.now()
            await hasten(live)
            await live.until(lambda: len(away) <= 20 - looks)  # noqa: B023
            after = await becomes(
                live, "unknown", lambda one: one.due_at > live.runtime.clock.now()
            )
            rests.append((after.due_at - live.runtime.clock.now()).total_seconds())
        assert rests[-1] > 2 * trouble.FIRST, rests
