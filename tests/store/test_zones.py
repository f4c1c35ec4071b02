"""Lists of what is rare: by zones they tell the same as without."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy

from app.store import engine, indexing, log, search, search_tables, tables, zones
from tests.store import filling

SORTS = (
    {"source": "a", "state": "failed"},
    {"source": "b", "state": None, "kind": "note"},
    {"source": "a", "state": "held", "channel": "pull"},
    {"source": "b", "state": "held", "flavour": "onap"},
)


@pytest.fixture
def long(database, monkeypatch):
    """Forty notifications in zones of four, thirty of them noted; the 9th sort came twice."""
    monkeypatch.setattr(zones, "WIDTH", 4)
    filling.put(database, *(SORTS[(n // 6) % 4] for n in range(39)))
    filling.put(database, {"source": "c", "event_id": "e"})
    follow(database, 30)
    return database


def follow(database, most):
    with database.begin() as connection:
        indexing.follow(connection, most)


def listed(database, limit, *, ascending=True, after_seq=None, **asked):
    with engine.read(database) as connection:
        rows = log.page(
            connection, log.Filter(**asked), after_seq=after_seq, limit=limit, ascending=ascending
        )
    return [row["seq"] for row in rows]


ASKED = (
    {"source": "a"},
    {"source": "b", "state": "held"},
    {"source": "a", "kind": "note"},
    {"state": "held", "channel": "pull"},
    {"flavour": "onap"},
    {"source": "c"},
    {"source": "nobody"},
    {"conflict": True},
    {"conflict": False, "kind": "note"},
)


@pytest.mark.parametrize("followed", [30, 40])
def test_pages_of_any_sort_are_those_of_the_whole_list(long, followed):
    follow(long, followed - 30)
    for asked, ascending in itertools.product(ASKED, (True, False)):
        with engine.read(long) as connection:
            every = log.page(
                connection, log.Filter(), after_seq=None, limit=50, ascending=ascending
            )
        expected = [row["seq"] for row in every if all(row[k] == v for k, v in asked.items())]
        found: list[int] = []
        while page := listed(
            long, 3, ascending=ascending, after_seq=(found or [None])[-1], **asked
        ):
            found += page
        assert found == expected, (asked, ascending)


def test_a_stretch_without_the_sort_is_not_read(long):
    with long.begin() as connection:
        connection.execute(search_tables.ZONE.delete().where(search_tables.ZONE.c.zone == 1))
    assert listed(long, 50, source="a", state="failed") == [1, 2, 3, 25, 26, 27, 28, 29, 30]


def noted(database, **sort):
    """The zones that have `sort`, and its lone row in each."""
    zone = search_tables.ZONE.c
    with engine.read(database) as connection:
        rows = sqlalchemy.select(zone.zone, zone.seq).order_by(zone.zone)
        return [tuple(row) for row in connection.execute(rows.filter_by(**sort))]


def test_the_only_row_of_its_sort_in_a_stretch_is_known_until_another_comes(database, monkeypatch):
    monkeypatch.setattr(zones, "WIDTH", 10)
    filling.put(database, *({"source": name} for name in "abbacbca"))
    follow(database, 4)
    assert noted(database, source="a") == [(0, None)]
    assert noted(database, source="b") == [(0, None)]
    follow(database, 1)
    assert noted(database, source="c") == [(0, 5)]
    assert listed(database, 9, source="c") == [5, 7]
    follow(database, 1)
    assert noted(database, source="c") == [(0, 5)]
    follow(database, 50)
    assert noted(database, source="c") == [(0, None)]
    assert listed(database, 9, source="c") == [5, 7]


def test_a_row_noted_again_is_still_the_only_one(database):
    filling.put(database, {"source": "a"})
    follow(database, 1)
    with database.begin() as connection:
        rows = connection.execute(sqlalchemy.select(tables.LOG)).mappings()
        zones.note(connection, list(rows))
    assert noted(database, source="a") == [(0, 1)]


def test_of_a_stretch_with_one_row_of_the_sort_nothing_else_is_read(database, monkeypatch):
    monkeypatch.setattr(zones, "WIDTH", 4)
    filling.put(database, *({"source": "a" if n % 4 == 1 else "b"} for n in range(40)))
    follow(database, 50)
    with database.begin() as connection:
        connection.execute(tables.LOG.update().values(source="a"))
    assert listed(database, 3, source="a") == [2, 6, 10]
    assert listed(database, 50, source="a") == list(range(2, 40, 4))
    assert listed(database, 2, ascending=False, after_seq=34, source="a") == [30, 26]


def test_a_conflict_is_found_where_it_was_noted(database):
    filling.put(database, {"event_id": "e", "raw": b"{}"})
    filling.put(database, {"event_id": "e", "raw": b"[]"})
    follow(database, 50)
    assert listed(database, 5, conflict=True) == [2]


@pytest.mark.parametrize("asked", [{"order_id": "PO-1"}, {"attention": "alarm"}])
def test_what_an_index_finds_needs_no_zones(long, asked):
    assert log.Filter(**asked, source="a").sort() == {}


SOUGHT = (
    {"source": "a"},
    {"state": "held"},
    {"source": "c"},
    {"event_id": "e"},
    {"order_id": "trench-9", "source": "b"},
)


def test_what_is_sought_is_found_among_few_as_among_many(database, monkeypatch):
    monkeypatch.setattr(zones, "WIDTH", 4)
    words = {"summary": {"message": "trench"}}
    filling.put(
        database,
        *(SORTS[(n // 6) % 4] | (words if n % 3 else {"order_id": "trench-9"}) for n in range(39)),
        {"source": "c", "event_id": "e", **words},
    )
    follow(database, 40)
    for asked, few, ascending in itertools.product(SOUGHT, (0, 16, 5000), (True, False)):
        monkeypatch.setattr(log, "FEW", few)
        monkeypatch.setattr(search, "NEAR", few)
        expected = listed(database, 50, ascending=ascending, **asked)
        case = (asked, few, ascending)
        assert listed(database, 50, ascending=ascending, q="trench", **asked) == expected, case
        assert listed(database, 2, ascending=ascending, q="trench", **asked) == expected[:2], case
        assert listed(database, 2, q="nothing", **asked) == [], case
