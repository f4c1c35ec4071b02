"""Counts of what there is."""

from __future__ import annotations

from app.store import engine, quarantine, stats
from tests.arrivals import RECEIVED
from tests.store import filling, making


def counts(database):
    with engine.read(database) as connection:
        return stats.counts(connection)


def test_of_nothing_there_is_nothing(database):
    assert counts(database) == {
        "notifications": 0, "by_source": {}, "by_kind": {}, "quarantine": 0,
    }  # fmt: skip


def test_notifications_are_counted_by_source_and_kind(database):
    filling.put(database, {"kind": "created"}, {}, {"source": "covage"})
    filling.put(database, {"event_id": "again"})
    filling.put(database, {"event_id": "again"})
    assert counts(database) == {
        "notifications": 4,
        "by_source": {"covage": 1, "local": 3},
        "by_kind": {"created": 1, "state_changed": 3},
        "quarantine": 0,
    }


def test_quarantine_counts_what_is_still_open(database):
    ids = making.hold(database, *(making.refused(b"%d" % n) for n in range(3)))
    with database.begin() as connection:
        quarantine.mark(connection, ids[0], "discarded", "jwt:anna", RECEIVED)
    assert counts(database)["quarantine"] == 2
