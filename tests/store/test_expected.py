"""The orders we placed: kept, replaced, outstanding until they end; and the orders of one story."""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy

from app.notifications.notification import ResourceType
from app.orders import timeline
from app.store import engine, expected, orders
from app.store.order_tables import ORDERS
from app.store.work_tables import EXPECTED_ORDER
from tests import arrivals
from tests.arrivals import RECEIVED
from tests.store.making import expect, placed, told

LATER = RECEIVED + timedelta(days=1)


def outstanding(database, limit=100, after=None, **wanted):
    with engine.read(database) as connection:
        return expected.outstanding(connection, after_id=after, limit=limit, **wanted)


def ids(rows):
    return [row["order_id"] for row in rows]


def test_what_was_placed_comes_back_as_it_was_put(database):
    first, bare = placed(), placed("O/2", own_ref=None, access_id=None, answer=None)
    expect(database, first, bare)
    with engine.read(database) as connection:
        assert expected.one(connection, "stadsnat", "O-1") == first
        assert expected.one(connection, "stadsnat", "O/2") == bare
        assert expected.one(connection, "other", "O-1") is None
        assert expected.one(connection, "stadsnat", "O\0") is None


def test_what_is_put_again_takes_the_place_of_what_was_known(database):
    later = replace(placed(own_ref=None), placed_at=LATER)
    expect(database, placed(), placed("O-2"))
    expect(database, placed(answer="x"), later)
    expect(database)
    with engine.read(database) as connection:
        assert expected.one(connection, "stadsnat", "O-1") == later
        assert expected.one(connection, "stadsnat", "O-2") == placed("O-2")


def test_the_oldest_outstanding_is_first_and_pages_go_on(database):
    expect(
        database,
        placed("O-1", placed_at=LATER),
        placed("O-2"),
        placed("O-3", source="other", placed_at=RECEIVED - timedelta(days=900)),
    )
    found = outstanding(database)
    assert ids(found) == ["O-3", "O-2", "O-1"]
    assert ids(outstanding(database, after=found[0]["id"], limit=1)) == ["O-2"]
    assert ids(outstanding(database, source="other")) == ["O-3"]


def test_what_the_operator_told_last_stands_beside_it(database):
    expect(database, placed("O-1"), placed("O-2"))
    told(database, {"source": "stadsnat", "order_id": "O-1", "state": "inProgress"})
    first, second = outstanding(database)
    by_id = {row["order_id"]: row["order"] for row in (first, second)}
    assert by_id["O-2"] is None
    assert (by_id["O-1"]["state"], by_id["O-1"]["last_news_at"]) == ("inProgress", RECEIVED)
    assert ids(outstanding(database, told=True)) == ["O-1"]
    assert ids(outstanding(database, told=False)) == ["O-2"]


@pytest.mark.parametrize("first", ["placed", "told"])
def test_an_order_is_outstanding_until_its_end_is_told_whatever_came_first(database, first):
    end = {"source": "stadsnat", "order_id": "O-1", "state": "completed"}
    steps = [lambda: expect(database, placed()), lambda: told(database, end)]
    for step in steps if first == "placed" else reversed(steps):
        step()
    assert outstanding(database) == []
    with engine.read(database) as connection:
        assert expected.one(connection, "stadsnat", "O-1").over_at == RECEIVED


def test_the_end_of_a_namesake_ends_nothing(database):
    expect(database, placed())
    told(
        database,
        {"source": "other", "order_id": "O-1", "state": "completed"},
        {"source": "stadsnat", "order_id": "O-1", "state": "completed", "resource_type": "service"},
    )
    assert ids(outstanding(database)) == ["O-1"]


def test_whether_anything_was_told_follows_every_change_and_none_that_was_not_committed(database):
    chance = random.Random(5)
    seq = itertools.count(1)
    sorts = list(ResourceType)
    for _ in range(60):
        with database.connect() as connection:
            for _ in range(chance.randrange(1, 4)):
                id_, sort = f"O-{chance.randrange(5)}", chance.choice(sorts)
                one = told_once(next(seq), id_, resource_type=sort)
                match chance.randrange(3):
                    case 0:
                        expected.put(connection, [placed(id_)])
                    case 1:
                        orders.put(connection, [one])
                    case _:
                        orders.remove(connection, [one.key])
            if chance.random() < 0.8:
                connection.commit()
        with engine.read(database) as connection:
            known = connection.execute(
                sqlalchemy.select(ORDERS.c.order_id).where(
                    ORDERS.c.resource_type.in_(expected.PLACED)
                )
            )
            heard = set(known.scalars())
            rows = connection.execute(sqlalchemy.select(EXPECTED_ORDER)).mappings()
            assert all(row["told"] == (row["order_id"] in heard) for row in rows)


def told_once(seq, order_id, **fields):
    """The story of an order of which one thing was told."""
    about = {"source": "stadsnat", "order_id": order_id, **fields}
    return timeline.fold([arrivals.notification(seq=seq, **about)])


@pytest.mark.parametrize("first", ["placed", "told"])
def test_what_is_placed_while_it_is_told_of_is_known_to_be_told(postgres_url, first):
    made = engine.create(postgres_url)
    story = told_once(1, "O-1", resource_type=ResourceType.ORDER)
    steps = [
        lambda connection: expected.put(connection, [placed("O-1")]),
        lambda connection: orders.put(connection, [story]),
    ]
    one, other = steps if first == "placed" else steps[::-1]
    with ThreadPoolExecutor() as pool, made.connect() as connection:
        one(connection)

        def step():
            with made.begin() as second:
                other(second)

        waiting = pool.submit(step)
        with pytest.raises(TimeoutError):
            waiting.result(0.1)
        connection.commit()
        waiting.result(10)
    assert ids(outstanding(made, told=True)) == ["O-1"]
    made.dispose()


def test_the_end_of_an_order_is_kept_without_reading_what_else_is_outstanding(sqlite_url):
    made = engine.create(sqlite_url)
    ending = expected._END["sqlite"].text
    with made.connect() as connection:
        plan = sqlalchemy.text(f"EXPLAIN QUERY PLAN {ending}")
        told = [row.detail for row in connection.execute(plan, {"ends": "[]"})]
    made.dispose()
    assert [line.partition(" (")[0] for line in told] == [
        "SCAN e VIRTUAL TABLE INDEX 1:",
        "SEARCH expected_order USING INDEX sqlite_autoindex_expected_order_1",
    ]


def linked(database, source, order_id):
    with engine.read(database) as connection:
        found = orders.rows_of_order(connection, source, order_id)
        ((key, rows),) = found.items()
        return [
            (row["source"], row["order_id"], row["by"])
            for row in expected.linked(connection, timeline.fold(rows, key=key))
        ]


def test_one_story_across_sources_by_access_and_by_our_name(database):
    told(
        database,
        {"source": "guide", "order_id": "17", "state": "acknowledged"},
        {"source": "stadsnat", "order_id": "O-1", "state": "inProgress", "access_id": "STTA0001"},
        {"source": "covage", "order_id": "c-1", "state": "inProgress", "access_id": "STTA0001"},
        {"source": "covage", "order_id": "c-2", "state": "inProgress", "access_id": "STTA0009"},
    )
    expect(
        database,
        placed("17", source="guide", access_id=None),
        placed("O-1", access_id=None),
        placed("c-2", source="covage", own_ref=None, access_id=None),
    )
    assert set(linked(database, "stadsnat", "O-1")) == {
        ("covage", "c-1", "access_id"), ("guide", "17", "own_ref"),
    }  # fmt: skip
    assert linked(database, "guide", "17") == [("stadsnat", "O-1", "own_ref")]
    assert linked(database, "covage", "c-2") == []


def test_a_service_stands_beside_its_order(database):
    told(
        database,
        {"source": "covage", "order_id": "c-1", "state": "completed", "service_id": "s-1"},
        {"source": "covage", "order_id": "s-1", "resource_type": "service", "service_id": "s-1",
         "state": None},
        {"source": "other", "order_id": "x", "state": None, "service_id": "s-1"},
    )  # fmt: skip
    assert linked(database, "covage", "c-1") == [("covage", "s-1", "service_id")]


def test_orders_are_found_by_what_we_call_them(database):
    expect(
        database, placed(), placed("O-2"), placed("O-1", source="other"), placed("O-3", own_ref="x")
    )
    told(database, *({"source": "stadsnat", "order_id": f"O-{n}"} for n in (1, 2, 3, 4)))
    asked = orders.Filter(own_ref="S-7")
    with engine.read(database) as connection:
        found = orders.page(connection, asked, after=None, limit=9, ascending=True)
    assert ids(found) == ["O-1", "O-2"]
