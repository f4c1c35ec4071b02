"""Appending, on both engines: what is found, what is written, and that bytes stay bytes."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy
from sqlmodel import select

from app import intake
from app.notifications.notification import Appointment, Attention, Item
from app.store import append, engine, tables
from tests.arrivals import RECEIVED, candidate


def put(database: sqlalchemy.Engine, *batch: append.Candidate) -> list[append.Decision]:
    """One batch as the writer does it."""
    with database.connect() as connection, connection.begin():
        decisions = intake.decide(batch, append.find(connection, batch))
        append.insert(connection, batch, decisions)
    return decisions


def rows(database: sqlalchemy.Engine, table: type) -> list[dict]:
    with engine.read(database) as connection:
        found = connection.execute(select(*table.__table__.columns)).mappings()
        return [dict(row) for row in found]


FULL = {
    "event_id": "é-1",
    "order_id": " 00042",
    "about_order_id": "PO-0",
    "href": "https://seller.example/order/1",
    "external_id": "BUYER-1",
    "items": (Item(id="1", action="add", state="held", raw_state="Held"), Item(id="2")),
    "service_id": "S1",
    "access_id": "STTA0001",
    "refs": {"correlationId": "c'1", "po": '"quoted"'},
    "attention": Attention.ALARM,
    "occurred_at": RECEIVED - timedelta(days=1),
    "occurred_at_raw": "2026-11-19",
    "appointment": Appointment(start=RECEIVED, end=None),
    "attention_clears": True,
    "backfill": True,
    "warnings": ("field_alias", "impossible_offset"),
    "summary": {"message": "50 % done \N{SNOWMAN}", "nested": {"n": 10**30, "none": None}},
    "raw": b'\x00\xff{"a":\n"\\u0000"}',
}


def test_every_column_comes_back_as_it_was(database):
    one = candidate(**FULL)
    put(database, one)
    told = one.notification
    (found,) = rows(database, tables.Log)
    same = ("id", "source", "event_id", "order_id", "about_order_id", "href", "external_id",
            "service_id", "access_id", "refs", "state", "raw_state", "occurred_at",
            "occurred_at_raw", "received_at", "principal", "remote_addr", "backfill",
            "attention_clears", "event_type")  # fmt: skip
    assert {name: found[name] for name in same} == {name: getattr(told, name) for name in same}
    assert found["seq"] == 1
    assert found["items"] == [item.model_dump() for item in told.items]
    assert found["warnings"] == ["field_alias", "impossible_offset"]
    assert found["appointment"] == {"start": "2026-11-20T12:00:00.123456Z", "end": None}
    assert found["kind"] == "state_changed"
    assert found["attention"] == "alarm"
    (payload,) = rows(database, tables.Payload)
    assert payload == {
        "seq": 1, "content_type": "application/json", "raw": told.raw, "summary": told.summary,
    }  # fmt: skip


@pytest.mark.parametrize("appointment", [None, "void"])
def test_an_appointment_without_a_time_comes_back(database, appointment):
    put(database, candidate(appointment=appointment))
    assert rows(database, tables.Log)[0]["appointment"] == appointment


def test_bodies_of_a_batch_are_cut_apart_at_their_own_borders(database):
    bodies = [b"", b"\x00", b"x" * 3000, "å".encode(), b"{}"]
    put(database, *(candidate(event_id=f"e{n}", raw=raw) for n, raw in enumerate(bodies)))
    assert [row["raw"] for row in rows(database, tables.Payload)] == bodies


def test_a_repeat_is_counted_and_the_first_twenty_sightings_are_kept(database):
    put(database, candidate())
    for _ in range(5):
        put(database, *(candidate(principal=f"jwt:{n}") for n in range(5)))
    (ledger,) = rows(database, tables.Ledger)
    assert ledger["sightings"] == 25
    seen = rows(database, tables.Sighting)
    assert sorted(row["n"] for row in seen) == list(range(1, 21))
    assert {row["principal"] for row in seen} == {f"jwt:{n}" for n in range(5)}
    assert len(rows(database, tables.Log)) == 1


def test_what_is_known_is_found_by_event_id_and_by_identity(database):
    named, bare = candidate(), candidate(event_id=None, raw=b'{"bare": 1}')
    put(database, named, bare)
    others = [candidate(event_id="nobody"), candidate(source="other"), candidate(event_id=None)]
    with database.connect() as connection, connection.begin():
        found = append.find(connection, [named, bare, *others])
    assert found.head == 2
    assert {key: [k.id for k in all_of] for key, all_of in found.by_event.items()} == {
        ("local", "event-1"): [named.notification.id]
    }
    assert {key: k.id for key, k in found.by_identity.items()} == {
        bare.identity: bare.notification.id
    }


@pytest.mark.parametrize("order_id", ["PO-1", None])
def test_a_push_with_neither_id_nor_time_is_judged_by_the_latest_of_its_order(database, order_id):
    def undated(raw: bytes) -> append.Candidate:
        return candidate(event_id=None, occurred_at=None, order_id=order_id, raw=raw)

    decisions = [put(database, undated(raw))[0] for raw in (b"1", b"1", b"2", b"1", b"1")]
    assert [type(d).__name__ for d in decisions] == ["New", "Repeat", "New", "New", "Repeat"]


def test_seq_goes_on_from_the_last_batch_and_a_rolled_back_batch_only_leaves_holes(database):
    put(database, candidate(event_id="a"), candidate(event_id="b"))
    batch, twice = [candidate(event_id="c")] * 2, append.New(3, b"x" * 32, None)
    with database.connect() as connection, connection.begin() as transaction:
        append.find(connection, batch)
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.UniqueViolation)):
            append.insert(connection, batch, [twice, twice])
        transaction.rollback()
    put(database, candidate(event_id="d"))
    seqs = [row["seq"] for row in rows(database, tables.Log)]
    assert len(seqs) == 3
    assert seqs == sorted(set(seqs))


def test_quotes_and_statement_ends_in_ids_are_only_text(database):
    nasty = "'); DROP TABLE log; --\"\\"
    put(database, candidate(event_id=nasty, order_id=nasty))
    assert rows(database, tables.Log)[0]["order_id"] == nasty
    assert isinstance(put(database, candidate(event_id=nasty, order_id=nasty))[0], append.Repeat)
