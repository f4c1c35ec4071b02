"""Search by ids: every id, whole or its beginning, byte for byte, on both engines."""

from __future__ import annotations

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings, strategies as st

from app.store import engine, log, search, tables
from tests.store import filling


def found(database, q):
    with engine.read(database) as connection:
        rows = log.page(connection, log.Filter(q=q), after_seq=None, limit=50, ascending=True)
    return [row["seq"] for row in rows]


@pytest.mark.parametrize(
    "column", ["event_id", "order_id", "about_order_id", "external_id", "service_id", "access_id"]
)
def test_each_id_is_found_whole_and_by_its_beginning(database, column):
    filling.put(database, {column: "XYZ-4711"}, {column: "XYZ-48"}, {column: "ABC"})
    assert found(database, "XYZ-4711") == [1]
    assert found(database, "XYZ-4") == [1, 2]
    assert found(database, "YZ-4711") == []


def test_our_own_id_is_found(database):
    ids = filling.put(database, {"event_id": "1"}, {"event_id": "2"})
    assert found(database, ids[1]) == [2]
    assert found(database, ids[1][:8]) == [1, 2]


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize(
    ("conditions", "many"),
    [((), 0), ((tables.LOG.c.source == "orange",), 100), ((tables.LOG.c.source == "orange",), 3)],
)
def test_what_several_ids_name_is_found_once(database, ascending, conditions, many, monkeypatch):
    monkeypatch.setattr(search, "MANY", many)
    same = ("event_id", "order_id", "about_order_id", "external_id", "service_id", "access_id")
    put = (dict.fromkeys(same, f"PO-{n}") | {"source": "orange"} for n in range(5))
    filling.put(database, *put, {"order_id": "PO-9" if conditions else "X-9"})
    every: list[int] = []
    with engine.read(database) as connection:
        while page := search.seqs(
            connection,
            search.Sought("PO-", conditions, (every or [None])[-1], 2, ascending),
            near=0,
        ):
            every += page
    assert every == sorted(range(1, 6), reverse=not ascending)


def test_a_short_text_is_compared_whole(database):
    filling.put(database, {"order_id": "12"}, {"order_id": "123"})
    assert found(database, "12") == [1]
    assert found(database, "123") == [2]


@pytest.mark.parametrize("q", ["100%", "a_b", "a'b", "a\\b", "ÅÄÖ", "\N{GRINNING FACE}00"])
def test_no_character_is_a_wildcard(database, q):
    filling.put(database, {"order_id": q + "9"}, {"order_id": "100x9"}, {"order_id": "axb9"})
    assert found(database, q) == [1]


def test_case_counts(database):
    filling.put(database, {"order_id": "abc-1"}, {"order_id": "ABC-1"})
    assert found(database, "abc-1") == [1]


@pytest.mark.parametrize("prefix", ["abc", "ab\ud7ff", "a\U0010ffff"])
def test_the_range_of_a_prefix_holds_all_that_begins_with_it(database, prefix):
    others = ["abb\U0010ffff", "abd", "b", "ab\ue000"]
    filling.put(database, *({"order_id": prefix + end} for end in ("", "\x01", "\U0010ffff", "zz")))
    filling.put(
        database, *({"order_id": other} for other in others if not other.startswith(prefix))
    )
    with engine.read(database) as connection:
        begins = search.begins_with(tables.LOG.c.order_id, prefix, connection.dialect.name)
        rows = connection.execute(tables.LOG.select().where(begins)).all()
    assert {row.seq for row in rows} == {1, 2, 3, 4}


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=4
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prefix=TEXT, other=TEXT)
def test_begins_with_is_what_python_calls_startswith(database, prefix, other):
    for value in (other, prefix + other):
        with engine.read(database) as connection:
            column = sqlalchemy.literal(value, sqlalchemy.Text)
            begins = search.begins_with(column, prefix, connection.dialect.name)
            found_it = connection.execute(sqlalchemy.select(begins)).scalar_one()
            assert bool(found_it) == value.startswith(prefix)


@pytest.mark.parametrize("after_seq", [None, 250])
@pytest.mark.parametrize("conditions", [(), (tables.LOG.c.source == "orange",)])
def test_each_index_is_used_and_the_log_is_not_read(database, after_seq, conditions):
    filling.put(database, *({"order_id": f"PO-{n}", "event_id": f"E{n}"} for n in range(300)))
    sought = search.Sought("PO-1", conditions, after_seq, 5, ascending=False)
    plan = "\n".join(plans(database, lambda connection: search.seqs(connection, sought, near=0)))
    for name in ("id", "order_id", "about_order_id", "external_id", "service_id", "access_id"):
        assert f"log_{name} " in plan
    assert "ledger_event" in plan


def plans(database, reads):
    """How the engine goes about the statements by which `reads` asks each id for itself."""
    asked = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    explain = "EXPLAIN QUERY PLAN " if database.dialect.name == "sqlite" else "EXPLAIN "
    with database.connect() as connection:
        if database.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        sqlalchemy.event.listen(connection, "before_cursor_execute", note)
        reads(connection)
        for statement, parameters in [one for one in asked if "UNION ALL" in one[0]]:
            rows = connection.exec_driver_sql(explain + statement, parameters)
            yield from (str(row) for row in rows)


def test_the_deep_end_of_what_is_found_is_not_sought_through_the_log(sqlite_url):
    database = engine.create(sqlite_url)
    filling.put(database, *({"order_id": f"PO-{n}"} for n in range(300)))
    sought = search.Sought("PO-1", (), 250, 5, ascending=False)
    found = list(plans(database, lambda connection: search.seqs(connection, sought, near=0)))
    database.dispose()
    read = [step for step in found if "log" in step or "ledger" in step]
    assert read
    assert all("USING COVERING INDEX" in step for step in read)
