"""The rows of the orders follow the log: whatever happens in between, they are what it says."""

from __future__ import annotations

import asyncio
import collections
import random
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy

from app import projector
from app.notifications.notification import Attention, Kind
from app.orders import order, timeline
from app.store import engine, followers, indexing, leases, orders, pulse, retold, search
from app.store.order_tables import ORDERS
from tests.feeds import running
from tests.orders.telling import DAY
from tests.store import filling

SOURCE = '[[source]]\nname = "local"\n'
TERM = timedelta(seconds=0.2)


def history(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Notifications of a few orders of several sorts, some naming two or none."""
    states = ["acknowledged", "inProgress", "held", "completed", "failed", None]
    sorts = [
        {"resource_type": "productOrder"},
        {"resource_type": "serviceOrder"},
        {"resource_type": "service", "order_id": None, "service_id": "S-1"},
        {"resource_type": "cancelOrder", "about_order_id": "o/2", "raw_state": "done"},
        {"resource_type": "productOrder", "order_id": None},
    ]
    return [
        {
            "order_id": f"o/{chance.randrange(6)}",
            "source": chance.choice(["local", "guiden"]),
            "kind": chance.choice([Kind.STATE_CHANGED, Kind.NOTE, Kind.REMOVED]),
            "state": chance.choice(states),
            "attention": chance.choice([None, None, *Attention]),
            "occurred_at": DAY + timedelta(minutes=chance.randrange(600)),
            "received_at": DAY + timedelta(minutes=chance.randrange(600)),
            **chance.choices(sorts, [6, 2, 1, 1, 1])[0],
        }
        for _ in range(count)
    ]


def rows(database: sqlalchemy.Engine) -> list[tuple[Any, ...]]:
    """All rows of all orders, whole."""
    with engine.read(database) as connection:
        found = connection.execute(sqlalchemy.select(ORDERS).order_by(ORDERS.c.place))
        return [tuple(row) for row in found]


def counted(database: sqlalchemy.Engine) -> dict[str | None, int]:
    """How many orders the overview says are in each state; they are as many as there are."""
    states = [row[ORDERS.c.keys().index("state")] for row in rows(database)]
    with engine.read(database) as connection:
        found = dict(pulse.by_state(connection))
    assert found == collections.Counter(states)
    return found


def followed(database: sqlalchemy.Engine) -> int:
    with engine.read(database) as connection:
        return followers.position(connection, projector.NAME)[1]


async def follow(one: projector.Projector, database: sqlalchemy.Engine) -> None:
    """Give `one` turns until it has done the log."""
    with engine.read(database) as connection:
        head = retold.after(connection, 0, 1_000_000)[-1].seq
    while followed(database) != head:
        await one.turn()


@pytest.mark.parametrize("seed", [1, 2])
async def test_restarts_anywhere_and_a_rebuild_give_the_same_rows(tmp_path, database_url, seed):
    chance = random.Random(seed)
    async with running.runtime(tmp_path, database_url, SOURCE) as live:
        database = live.runtime.engine
        one = projector.Projector(live.runtime)
        for _ in range(12):
            filling.put(database, *history(chance, chance.randrange(1, 15)))
            for _ in range(chance.randrange(3)):
                await one.turn()
            counted(database)
            if chance.random() < 0.5:
                await one.leave()
                one = projector.Projector(live.runtime)
        await follow(one, database)
        by_following, by_state = rows(database), counted(database)
        with engine.read(database) as connection:
            told = retold.after(connection, 0, 1_000_000)
            keys = {key for one in told for key in order.keys(one)}
            stories = {
                key: timeline.fold(each, key=key)
                for key, each in orders.rows_of(connection, keys).items()
            }
        with database.begin() as connection:
            connection.execute(sqlalchemy.delete(ORDERS))
        assert counted(database) == {}
        rebuilt = projector.rebuild(database, lambda _done, _whole: None)
        assert rows(database) == by_following
        assert counted(database) == by_state
        with database.begin() as connection:
            connection.execute(sqlalchemy.delete(ORDERS))
            orders.put(connection, stories.values())
        assert rows(database) == by_following
        assert len(by_following) == len(keys) <= rebuilt.orders


async def test_a_rebuild_mends_wrong_rows_takes_strays_away_and_tells_how_far_it_is(
    tmp_path, database_url
):
    async with running.runtime(tmp_path, database_url, SOURCE) as live:
        database = live.runtime.engine
        filling.put(database, *history(random.Random(3), 60))
        one = projector.Projector(live.runtime)
        await follow(one, database)
        right = rows(database)
        with database.begin() as connection:
            connection.execute(sqlalchemy.update(ORDERS).values(state="draft", news=0))
            stray = timeline.fold([filling.arrivals.notification(seq=10**6, order_id="gone")])
            orders.put(connection, [stray])
        told: list[tuple[int, int]] = []
        done = projector.rebuild(database, lambda *progress: told.append(progress))
        assert rows(database) == right
        counted(database)
        assert done.removed == 1
        assert told[-1] == (60, 60)
        assert told == sorted(told)


async def test_a_notification_becomes_a_row_without_anybody_asking(tmp_path, database_url):
    async with running.runtime(tmp_path, database_url, SOURCE) as live:
        started = await projector.start(live.runtime, term=TERM)
        try:
            filling.put(live.runtime.engine, {"order_id": "A", "state": "held"})
            found = await live.until(lambda: rows(live.runtime.engine))
        finally:
            await projector.stop(started)
    assert [row[:3] for row in found] == [("local", "productOrder", "A")]


async def test_one_replica_follows_and_another_takes_over_when_it_dies(tmp_path, database_url):
    async with running.runtime(tmp_path, database_url, SOURCE) as live:
        database = live.runtime.engine
        first, second = (
            projector.Projector(live.runtime),
            projector.Projector(live.runtime, term=TERM),
        )
        filling.put(database, {})
        await first.turn()
        filling.put(database, {})
        await second.turn()
        assert followed(database) == 1
        with database.begin() as connection:  # the time of the first is over
            connection.execute(sqlalchemy.text("DELETE FROM replica"))

        async def taken_over() -> None:
            while followed(database) != 2:
                await second.turn()

        await asyncio.wait_for(taken_over(), running.DEADLINE)


async def test_a_replica_that_slept_writes_nothing(tmp_path, database_url):
    async with running.runtime(tmp_path, database_url, SOURCE) as live:
        database = live.runtime.engine
        one = projector.Projector(live.runtime)
        filling.put(database, {})
        await one.turn()
        with database.begin() as connection:
            connection.execute(sqlalchemy.text("UPDATE lease SET owner = NULL"))
            leases.beat(connection, "other", timedelta(minutes=1))
            assert leases.take(connection, "other", ["follow/orders"], 1)
        filling.put(database, {})
        await one.turn()
        await one.turn()
        assert followed(database) == 1


async def test_an_order_told_of_a_thousand_times_is_folded_a_few_times(tmp_path, database_url):
    async with running.runtime(tmp_path, database_url, SOURCE) as live:
        database = live.runtime.engine
        filling.put(database, *({"order_id": "hot"} for _ in range(1000)))
        one = projector.Projector(live.runtime)
        turns = 0
        while followed(database) < 1000:
            await one.turn()
            turns += 1
        assert turns < 10


def test_the_pace_finds_how_many_orders_fit_a_transaction():
    pace = projector.Pace()
    for _ in range(50):
        pace.took(0.000_01 * pace.most, pace.most)
    assert 100 < pace.most < 300
    for _ in range(50):
        pace.took(1.0, pace.most)
    assert pace.most == projector.FEWEST
    for _ in range(50):
        pace.took(0.0001, 1)  # few orders say nothing of many
    assert pace.most == projector.FEWEST


async def test_words_of_messages_are_found_once_the_projector_came_by(tmp_path, database_url):
    async with running.runtime(tmp_path, database_url, SOURCE) as live:
        database = live.runtime.engine
        one = projector.Projector(live.runtime)
        filling.put(database, {"summary": {"message": "Trench blocked"}}, {})
        while await one.turn() == 0.0:
            pass
        with engine.read(database) as connection:
            assert indexing.position(connection) == 2
            sought = search.Sought("trench", [], None, 9, ascending=True)
            assert search.seqs(connection, sought, near=0) == [1]
        await one.leave()
