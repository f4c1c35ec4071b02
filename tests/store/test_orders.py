"""The rows of the orders: what is listed, in which order, and that nothing older replaces them."""

from __future__ import annotations

import itertools

import pytest

from app.notifications.notification import Attention, Kind, ResourceType
from app.orders import timeline
from app.orders.order import FLAGS, Key
from app.store import engine, orders
from app.store.order_tables import ORDERS
from tests.orders.telling import at, told
from tests.store import filling

TOLD = (
    told(1, order_id="a/1", state="held", external_id="OUR-1", occurred_at=at("09:00")),
    told(2, order_id="a/2", state="completed", access_id="ACC-2", occurred_at=at("10:00")),
    told(3, order_id="b", attention=Attention.ALARM, occurred_at=at("11:00")),
    told(4, order_id="b", source="guiden", kind=Kind.REMOVED, occurred_at=at("12:00")),
    told(
        5,
        order_id="CT",
        about_order_id="b",
        resource_type=ResourceType.CANCEL_ORDER,
        attention=Attention.BUYER_ACTION,
        occurred_at=at("08:00"),
        received_at=at("12:30"),
    ),
)


def put(database, *notifications):
    with database.begin() as connection:
        orders.put(connection, [timeline.fold([one]) for one in notifications])


def ids(database, **asked):
    with engine.read(database) as connection:
        found = orders.page(
            connection, orders.Filter(**asked), after=None, limit=50, ascending=False
        )
    return [f"{row['source']} {row['order_id']}" for row in found]


def test_those_with_the_newest_news_come_first(database):
    put(database, *TOLD)
    assert ids(database) == ["orange CT", "guiden b", "orange b", "orange a/2", "orange a/1"]


LISTS = (
    ({"source": "guiden"}, ["guiden b"]),
    ({"order_id": "b"}, ["guiden b", "orange b"]),
    ({"state": "held"}, ["orange a/1"]),
    ({"final": True}, ["orange a/2"]),
    ({"resource_type": "cancelOrder"}, ["orange CT"]),
    ({"flag": "removed"}, ["guiden b"]),
    ({"flag": "late"}, ["orange CT"]),
    ({"attention": "alarm"}, ["orange b"]),
    ({"has_attention": True}, ["orange CT", "orange b"]),
    ({"has_attention": False}, ["guiden b", "orange a/2", "orange a/1"]),
    ({"external_id": "OUR-1"}, ["orange a/1"]),
    ({"access_id": "ACC-2"}, ["orange a/2"]),
    ({"about_order_id": "b"}, ["orange CT"]),
    ({"silent_since": at("10:00")}, ["orange a/2", "orange a/1"]),
    ({"news_since": at("11:00")}, ["orange CT", "guiden b"]),
    ({"q": "ACC"}, ["orange a/2"]),
    ({"q": "b"}, ["orange CT", "guiden b", "orange b"]),
    ({"q": "a/1", "state": "completed"}, []),
    ({"order_id": "\0"}, []),
)


def test_a_list_shows_what_is_asked_for(database):
    put(database, *TOLD)
    for asked, expected in LISTS:
        assert ids(database, **asked) == expected, asked


@pytest.mark.parametrize("ascending", [False, True])
def test_pages_follow_each_other_without_gap_or_repeat(database, ascending):
    put(database, *TOLD)
    found, after = [], None
    with engine.read(database) as connection:
        for _ in itertools.count():
            page = orders.page(
                connection, orders.Filter(), after=after, limit=2, ascending=ascending
            )
            if not page:
                break
            found += [row["folded_seq"] for row in page]
            after = page[-1]["place"]
    assert found == ([1, 2, 3, 4, 5] if ascending else [5, 4, 3, 2, 1])


def test_a_row_tells_what_was_folded(database):
    put(database, TOLD[4])
    with engine.read(database) as connection:
        row = orders.one(connection, Key("orange", ResourceType.CANCEL_ORDER, "CT"))
    assert row == {
        "source": "orange",
        "resource_type": "cancelOrder",
        "order_id": "CT",
        "place": 11,
        "state": None,
        "raw_state": None,
        "final": False,
        "flags": ["late"],
        "open_attention": "buyer_action",
        "attention": [
            {
                "notification_id": "n5",
                "attention": "buyer_action",
                "since": "2026-03-02T12:30:00.000000Z",
                "source": "orange",
            }
        ],
        "appointment": None,
        "external_id": None,
        "access_id": None,
        "service_id": None,
        "about_order_id": "b",
        "first_news_at": at("12:30"),
        "last_news_at": at("12:30"),
        "occurred_at": None,
        "state_since": None,
        "news": 1,
        "folded_seq": 5,
    }


def test_an_older_fold_never_replaces_a_newer_one(database):
    first, second = told(1, state="held"), told(2, state="completed")
    with database.begin() as connection:
        orders.put(connection, [timeline.fold([first, second])])
        orders.put(connection, [timeline.fold([first])])
    assert ids(database, state="completed") == ["orange PO-1"]


def test_the_log_is_read_by_order_with_tasks_and_services(database):
    filling.put(
        database,
        {"order_id": "A", "resource_type": "productOrder"},
        {"order_id": "A", "resource_type": "service"},
        {"order_id": None, "resource_type": "service", "service_id": "A"},
        {"order_id": "T", "resource_type": "cancelOrder", "about_order_id": "A"},
        {"order_id": "A", "source": "other"},
        {"order_id": "B"},
    )
    with engine.read(database) as connection:
        found = orders.rows_of_order(connection, "local", "A")
        assert orders.rows_of_order(connection, "local", "\0") == {}
    assert {key.resource_type.value: len(told) for key, told in found.items()} == {
        "productOrder": 2,
        "service": 2,
    }


def test_messages_are_told_as_far_as_they_are_kept(database):
    filling.put(database, {"summary": {"message": "Call us"}}, {"summary": {"message": 3}}, {})
    with engine.read(database) as connection:
        found = orders.messages(connection, [1, 2, 3, 4])
    assert found == {1: "Call us"}


def test_a_row_the_log_has_nothing_of_is_a_stray(database):
    filling.put(
        database,
        {"order_id": "A"},
        {"order_id": None, "resource_type": "service", "service_id": "S"},
        {"order_id": "T", "resource_type": "cancelOrder", "about_order_id": "B"},
    )
    keys = [
        Key("local", ResourceType.PRODUCT_ORDER, "A"),
        Key("local", ResourceType.SERVICE, "S"),
        Key("local", ResourceType.CANCEL_ORDER, "T"),
        Key("local", ResourceType.PRODUCT_ORDER, "B"),
        Key("local", ResourceType.ORDER, "A"),
        Key("gone", ResourceType.PRODUCT_ORDER, "A"),
    ]
    with database.begin() as connection:
        orders.put(connection, [timeline.fold([told(n)], key=key) for n, key in enumerate(keys, 1)])
        assert sorted(orders.strays(connection)) == sorted(keys[4:])
        orders.remove(connection, keys[4:])
        assert orders.strays(connection) == []


@pytest.mark.parametrize("near", [0, 1, 2000])
@pytest.mark.parametrize("few", [0, 2000])
def test_lists_are_the_same_however_they_are_found(database, monkeypatch, near, few):
    monkeypatch.setattr(orders, "NEAR", near)
    monkeypatch.setattr(orders, "FEW", few)
    put(
        database,
        *(
            told(n, order_id=f"PO-{n}", external_id=f"X-{n % 2}", received_at=at(f"1{n}:00"))
            for n in range(1, 5)
        ),
    )
    for given, expected in (
        ({"q": "PO-"}, ["orange PO-4", "orange PO-3", "orange PO-2", "orange PO-1"]),
        ({"q": "X-1"}, ["orange PO-3", "orange PO-1"]),
        ({"q": "O-1"}, []),
        ({"q": "PO-", "external_id": "X-0"}, ["orange PO-4", "orange PO-2"]),
        ({"q": "PO-", "source": "gone"}, []),
        ({"q": "PO-", "news_since": at("12:00")}, ["orange PO-4", "orange PO-3"]),
        ({"silent_since": at("12:00")}, ["orange PO-2", "orange PO-1"]),
        ({"flag": "conflicting"}, []),
    ):
        assert ids(database, **given) == expected


@pytest.mark.parametrize("ascending", [True, False])
def test_an_order_that_several_ids_name_is_listed_once(database, monkeypatch, ascending):
    monkeypatch.setattr(orders, "NEAR", 0)
    same = ("order_id", "external_id", "access_id", "service_id", "about_order_id")
    put(database, *(told(n, **dict.fromkeys(same, f"PO-{n}")) for n in range(1, 6)))
    found: list[int] = []
    with engine.read(database) as connection:
        while page := orders.page(
            connection,
            orders.Filter(q="PO-"),
            after=(found or [None])[-1],
            limit=2,
            ascending=ascending,
        ):
            found += [row["place"] for row in page]
    assert found == sorted(range(2, 11, 2), reverse=not ascending)


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_is_found_by_its_index(database, flag):
    with engine.read(database) as connection:
        dialect = connection.dialect.name
        explain = "EXPLAIN QUERY PLAN" if dialect == "sqlite" else "EXPLAIN"
        if dialect == "postgresql":  # which reads an empty table whole
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        asked = orders.Filter(flag=flag).conditions(dialect)
        rows = ORDERS.select().where(*asked).order_by(ORDERS.c.place.desc())
        plan = connection.exec_driver_sql(f"{explain} {rows.compile(database)}").all()
    assert f"orders_{flag}" in str(plan)
