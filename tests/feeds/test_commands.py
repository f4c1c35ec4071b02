"""The outbox of one source: what is done side by side, and what never is."""

from __future__ import annotations

import uuid
from collections import Counter

from app.feeds import commands as outbox
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
    """A Tjänsteguiden without orders that takes messages.

    `silent`: to this order it never ends; `refusing`: it knows none of its logins.
    """

    def __init__(self, silent: str | None = None, *, refusing: bool = False) -> None:
        self.silent = silent
        self.refusing = refusing

    def __call__(self, asked: Asked) -> Reply:
        match asked.query["method"]:
            case "api_login":
                return answer("api_login", "<hash_key>h</hash_key>")
            case "add_message" if asked.query["id"] == self.silent:
                return Reply(headers=XML, announced=100, hang=True)
            case "add_message" if self.refusing:
                return Reply(401)
            case method:
                return answer(method, "")


async def ask(live: running.Live, *orders: str) -> None:
    """Put a message to each of `orders` into the outbox."""
    now = live.runtime.clock.now()
    asked = [
        commands.Command(
            id=live.runtime.new_id(), source="guide", order_id=order, command="add_message",
            arguments={"type": "log", "message": f"Message {n}"}, idempotency_key=uuid.uuid4().hex,
            harmful=True, asked_by="jwt:ops", asked_at=now, due_at=now,
        )
        for n, order in enumerate(orders)
    ]  # fmt: skip
    await live.write(lambda connection: commands.ask_all(connection, asked))


def rows(live: running.Live) -> list[commands.Command]:
    with engine.read(live.runtime.engine) as connection:
        return commands.page(connection, limit=500)


def states(live: running.Live) -> Counter[str]:
    return Counter(row.state for row in rows(live))


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


async def test_what_a_fresh_login_was_refused_for_was_not_done_and_waits_its_next_turn(
    tmp_path, sqlite_url
):
    async with operators.serving(Guide(refusing=True)) as served:
        source = table("guide", served.url)
        async with running.feeds_of(tmp_path, sqlite_url, source) as live:
            await ask(live, "1")
            (refused,) = await live.until(lambda: [one for one in rows(live) if one.error])
            assert (refused.state, refused.error) == ("queued", "a fresh login was answered 401")
            assert messages(served, "1") == ["Message 0"] * 2
