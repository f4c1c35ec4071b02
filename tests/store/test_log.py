"""Reading the log: the same answers on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.store import engine, log
from tests import arrivals
from tests.store import filling

LATER = arrivals.RECEIVED + timedelta(minutes=5)


def listed(database, *, after_seq=None, limit=50, ascending=False, **asked):
    with engine.read(database) as connection:
        return log.page(
            connection, log.Filter(**asked), after_seq=after_seq, limit=limit, ascending=ascending
        )


def one(database, id_):
    with engine.read(database) as connection:
        return log.one(connection, id_)


def test_the_newest_come_first(database):
    filling.put(database, {"event_id": "1"}, {"event_id": "2"}, {"event_id": "3"})
    assert [row["event_id"] for row in listed(database)] == ["3", "2", "1"]


def test_or_the_oldest_when_asked(database):
    filling.put(database, {"event_id": "1"}, {"event_id": "2"}, {"event_id": "3"})
    assert [row["event_id"] for row in listed(database, ascending=True)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("ascending", "expected"), [(True, range(1, 12)), (False, range(11, 0, -1))]
)
def test_pages_put_together_are_the_whole_list(database, ascending, expected):
    filling.put(database, *({"event_id": str(n)} for n in range(1, 12)))
    seen, after = [], None
    while found := listed(database, after_seq=after, limit=4, ascending=ascending):
        seen += [row["seq"] for row in found]
        after = seen[-1]
    assert seen == list(expected)


def test_a_row_tells_every_field_but_summary_and_raw(database):
    filling.put(database, {"event_id": "1"})
    (row,) = listed(database)
    assert set(row) == {
        "seq", "id", "source", "channel", "flavour", "event_id", "event_type", "kind",
        "resource_type", "order_id", "about_order_id", "href", "external_id", "items",
        "service_id", "access_id", "refs", "state", "raw_state", "attention", "origin",
        "occurred_at", "occurred_at_raw", "received_at", "principal", "remote_addr", "backfill",
        "appointment", "attention_clears", "conflict_of", "warnings", "content_type",
        "conflict", "sightings",
    }  # fmt: skip


def test_times_are_aware_and_utc(database):
    filling.put(database, {"received_at": LATER})
    assert listed(database)[0]["received_at"] == LATER
    assert listed(database)[0]["received_at"].tzinfo is UTC


# What each filter finds of these five, by event id.
FIVE = (
    {"event_id": "a", "source": "orange", "kind": "created", "state": "acknowledged"},
    {"event_id": "b", "source": "orange", "state": "held"},
    {"event_id": "c", "source": "covage", "channel": "pull", "flavour": "covage"},
    {"event_id": "d", "source": "covage", "order_id": "PO-10", "attention": "alarm", "state": None},
    {"event_id": "b", "source": "orange", "raw": b'{"other": 1}', "external_id": "B-7"},
)


FILTERS = (
    ({}, "abcdb"),
    ({"source": "covage"}, "cd"),
    ({"source": "nobody"}, ""),
    ({"kind": "created"}, "a"),
    ({"state": "held"}, "b"),
    ({"order_id": "PO-1"}, "abcb"),
    ({"order_id": "PO"}, ""),
    ({"event_id": "b"}, "bb"),
    ({"external_id": "B-7"}, "b"),
    ({"flavour": "covage"}, "c"),
    ({"channel": "pull"}, "c"),
    ({"attention": "alarm"}, "d"),
    ({"conflict": True}, "b"),
    ({"conflict": False}, "abcd"),
    ({"source": "orange", "order_id": "PO-1", "kind": "created"}, "a"),
    ({"q": "PO-1"}, "abcdb"),
    ({"q": "PO-10"}, "d"),
    ({"q": "PO-1", "source": "covage"}, "cd"),
    ({"q": "B-7"}, "b"),
    ({"q": "b"}, "bb"),
)


def test_a_filter_shows_what_it_names_and_nothing_else(database):
    filling.put(database, *FIVE)
    for asked, expected in FILTERS:
        found = listed(database, ascending=True, **asked)
        assert "".join(row["event_id"] for row in found) == expected, asked


def test_a_filter_is_paged_like_the_whole(database):
    filling.put(database, *FIVE)
    first = listed(database, q="PO-1", limit=2)
    rest = listed(database, q="PO-1", limit=5, after_seq=first[-1]["seq"])
    assert [row["seq"] for row in first + rest] == [5, 4, 3, 2, 1]


def test_a_conflict_is_marked_with_the_id_it_disagrees_with(database):
    ids = filling.put(database, *FIVE)
    newest = listed(database)[0]
    assert (newest["conflict"], newest["conflict_of"]) == (True, ids[1])
    assert not listed(database, order_id="PO-10")[0]["conflict"]


def test_sightings_count_how_often_it_came_again(database):
    filling.put(database, {"event_id": "1"}, {"event_id": "2"})
    filling.put(database, {"event_id": "1"}, {"event_id": "1"})
    assert [(row["event_id"], row["sightings"]) for row in listed(database)] == [("2", 0), ("1", 2)]


def test_one_tells_its_summary_its_bytes_and_its_sightings(database):
    (id_,) = filling.put(
        database, {"event_id": "1", "raw": b"\x00\xff", "summary": {"message": "å"}}
    )
    filling.put(
        database,
        {"event_id": "1", "raw": b"\x00\xff", "received_at": LATER, "principal": "jwt:second"},
    )
    found = one(database, id_)
    assert found is not None
    assert (found["raw"], found["summary"]) == (b"\x00\xff", {"message": "å"})
    assert found["sightings"] == 1
    (sighting,) = found["sightings_list"]
    assert (sighting["received_at"], sighting["principal"]) == (LATER, "jwt:second")
    assert (found["first_seen_at"], found["last_seen_at"]) == (arrivals.RECEIVED, LATER)


def test_at_most_20_sightings_are_told_and_all_are_counted(database):
    (id_,) = filling.put(database, {"event_id": "1"})
    for _ in range(3):
        filling.put(database, *({"event_id": "1"} for _ in range(10)))
    found = one(database, id_)
    assert (found["sightings"], len(found["sightings_list"])) == (30, 20)


def test_an_id_nobody_has_is_not_there(database):
    assert one(database, "0199") is None
    with engine.read(database) as connection:
        assert log.raw(connection, "0199") is None


def test_the_bytes_come_as_they_were_with_their_content_type(database):
    (id_,) = filling.put(database, {"raw": b"\x00\xff{", "content_type": "application/json"})
    with engine.read(database) as connection:
        assert log.raw(connection, id_) == (b"\x00\xff{", "application/json")


def test_a_notification_outlives_its_payload(database):
    (id_,) = filling.put(database, {"event_id": "1", "order_id": "PO-1"})
    gone = datetime(2027, 1, 1, tzinfo=UTC)
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM payload")
        connection.execute(log.tables.LOG.update().values(payload_gone_at=gone))
    found = one(database, id_)
    assert (found["order_id"], found["raw"], found["summary"]) == ("PO-1", None, {})
    assert found["payload_gone_at"] == gone
    assert listed(database)[0]["order_id"] == "PO-1"


def test_the_head_is_the_newest_seq(database):
    with engine.read(database) as connection:
        assert log.head(connection) == 0
    filling.put(database, {"event_id": "1"}, {"event_id": "2"})
    with engine.read(database) as connection:
        assert log.head(connection) == 2
