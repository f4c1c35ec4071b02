"""The audit trail: what was done, newest first."""

from __future__ import annotations

from app.store import audit, engine
from tests.arrivals import RECEIVED


def record(database, id_, **fields):
    given = {
        "at": RECEIVED,
        "principal": "jwt:anna",
        "action": "quarantine.release",
        "target": "q1",
    }
    with database.begin() as connection:
        audit.record(connection, id_=id_, **{**given, **fields})


def page(database, after_id=None, limit=10):
    with engine.read(database) as connection:
        return audit.page(connection, after_id=after_id, limit=limit)


def test_an_act_comes_back_as_it_was_told(database):
    record(database, "1", detail={"force": True})
    assert page(database) == [
        {
            "id": "1", "at": RECEIVED, "principal": "jwt:anna", "action": "quarantine.release",
            "target": "q1", "detail": {"force": True},
        }
    ]  # fmt: skip


def test_the_newest_come_first_a_page_at_a_time(database):
    for n in range(5):
        record(database, str(n))
    first = [row["id"] for row in page(database, limit=3)]
    assert first == ["4", "3", "2"]
    assert [row["id"] for row in page(database, after_id=first[-1])] == ["1", "0"]
