"""All notifications of a filter, page by page."""

from __future__ import annotations

import itertools

import pytest

from app.orders import timeline
from app.store import engine, export, log, orders
from tests.orders.telling import at, told
from tests.store import filling


def exported(database, asked=None, *, upto=None, personal=False):
    upto = export.head(database) if upto is None else upto
    wanted = log.Filter() if asked is None else asked
    return list(export.pages(database, wanted, upto=upto, personal=personal))


@pytest.mark.parametrize(("personal", "limit"), [(False, "PAGE"), (True, "PAGE_WITH_BYTES")])
def test_pages_hold_each_notification_once_oldest_first(database, monkeypatch, personal, limit):
    monkeypatch.setattr(export, limit, 2)
    filling.put(database, *({} for _ in range(5)))
    pages = exported(database, personal=personal)
    assert [[row["seq"] for row in page] for page in pages] == [[1, 2], [3, 4], [5]]


def test_of_an_empty_log_there_is_no_page(database):
    assert exported(database) == []


def test_what_comes_later_is_not_in_it(database):
    filling.put(database, {}, {})
    upto = export.head(database)
    filling.put(database, {})
    assert [row["seq"] for row in exported(database, upto=upto)[0]] == [1, 2]


def test_no_transaction_is_open_between_two_pages(database, monkeypatch):
    monkeypatch.setattr(export, "PAGE", 1)
    filling.put(database, {}, {})
    pages = export.pages(database, log.Filter(), upto=9, personal=False)
    first = next(pages)
    assert database.pool.checkedout() == 0
    filling.put(database, {})
    assert [row["seq"] for row in itertools.chain(first, *pages)] == [1, 2, 3]


def test_a_filter_is_kept_and_the_search_too(database):
    filling.put(database, {"order_id": "A-1"}, {"order_id": "B-1"}, {"order_id": "A-2"})
    pages = exported(database, log.Filter(q="A-1"))
    assert [row["order_id"] for page in pages for row in page] == ["A-1"]
    assert exported(database, log.Filter(state="failed")) == []


def test_bytes_are_told_only_where_what_is_personal_is(database):
    filling.put(database, {"raw": b"\xc3\xa5", "summary": {"message": "m"}}, {"raw": b"\xff"})
    (plain,) = exported(database)
    assert set(plain[0]) == set(export.FIELDS)
    assert plain[0]["summary"] == {"message": "m"}
    assert "å" not in str(plain)
    (whole,) = exported(database, personal=True)
    assert set(whole[0]) == set(export.PERSONAL_FIELDS)
    assert [(row["raw"], row["raw_encoding"]) for row in whole] == [
        ("å", "utf-8"),
        ("/w==", "base64"),
    ]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, export.Size(4, more=False)),
        ({"source": "orange"}, export.Size(3, more=False)),
        ({"kind": "note"}, export.Size(0, more=False)),
        ({"order_id": "A"}, export.Size(2, more=True)),
        ({"order_id": "A", "source": "covage"}, export.Size(1, more=False)),
    ],
)
def test_how_many_there_are_is_told_as_far_as_it_is_cheap(database, monkeypatch, asked, found):
    monkeypatch.setattr(export, "COUNTED", 2)
    rows = ("orange", "A"), ("orange", "A"), ("orange", "B"), ("covage", "A")
    filling.put(database, *({"source": source, "order_id": id_} for source, id_ in rows))
    with engine.read(database) as connection:
        assert export.size(connection, log.Filter(**asked)) == found


def folded(database, *notifications):
    with database.begin() as connection:
        orders.put(connection, [timeline.fold([one]) for one in notifications])


def of_orders(database, **asked):
    pages = export.orders_pages(database, orders.Filter(**asked))
    return [row["order_id"] for page in pages for row in page]


def test_an_order_that_moves_while_the_file_is_written_is_in_it_once(database, monkeypatch):
    monkeypatch.setattr(export, "PAGE_OF_ORDERS", 2)
    folded(database, *(told(n, order_id=id_) for n, id_ in enumerate("dbace", 1)))
    pages = export.orders_pages(database, orders.Filter())
    first = next(pages)
    assert database.pool.checkedout() == 0
    folded(database, told(6, order_id="a"), told(7, order_id="d", state="failed"))
    rows = [*first, *itertools.chain.from_iterable(pages)]
    assert [row["order_id"] for row in rows] == ["a", "b", "c", "d", "e"]
    assert [row["state"] for row in rows if row["order_id"] == "d"] == ["failed"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"state": "held"}, ["h/1", "h/2"]),
        ({"state": "held", "flag": "late"}, ["h/2"]),
        ({"q": "OUR"}, ["c"]),
        ({"q": "h/1", "source": "orange"}, ["h/1"]),
        ({"final": True}, ["c"]),
        ({"silent_since": at("09:30")}, ["h/1"]),
        ({"source": "nobody"}, []),
        ({"order_id": "\0"}, []),
    ],
)
def test_orders_are_given_out_by_the_filters_of_their_lists(database, monkeypatch, asked, found):
    monkeypatch.setattr(export, "PAGE_OF_ORDERS", 2)
    folded(
        database,
        told(1, order_id="h/1", state="held", occurred_at=at("09:00"), received_at=at("09:00")),
        told(2, order_id="h/2", state="held", occurred_at=at("08:00"), received_at=at("11:00")),
        told(3, order_id="c", state="completed", external_id="OUR-1", received_at=at("12:00")),
    )
    assert of_orders(database, **asked) == found


def test_of_an_order_all_is_told_but_its_place(database):
    folded(database, told(1, order_id="a", state="held", occurred_at=at("09:00")))
    ((row,),) = export.orders_pages(database, orders.Filter())
    assert tuple(row) == orders.FIELDS
    assert (row["state"], row["flags"], "place" in row) == ("held", [], False)
