"""Rows of the log as notifications again, as they were stored, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.notifications.notification import Appointment, Item, Notification
from app.store import engine, retold
from tests.store import filling

WHOLE = {
    "about_order_id": "PO-9",
    "external_id": "OUR-1",
    "items": (Item(id="1", action="add", state="held", raw_state="Held"), Item()),
    "service_id": "S-1",
    "access_id": "ACC",
    "state": None,
    "raw_state": None,
    "attention": "alarm",
    "origin": "self",
    "occurred_at": None,
    "backfill": True,
    "appointment": Appointment(start=datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
    "attention_clears": True,
}


def kept(told: Notification) -> dict[str, object]:
    return {name: getattr(told, name) for name in retold.COLUMNS}


@pytest.mark.parametrize("fields", [{}, WHOLE, {"appointment": "void"}])
def test_what_was_stored_is_retold_as_it_was(database, fields):
    (id_,) = filling.put(database, fields)
    with engine.read(database) as connection:
        (told,) = retold.after(connection, 0, 10)
    again = Notification.model_validate(kept(told))
    assert kept(again) == kept(told)
    assert told.id == id_
    assert {name: getattr(told, name) for name in fields} == fields
    assert [type(value) for value in kept(again).values()] == [
        type(value) for value in kept(told).values()
    ]


def test_the_log_is_retold_from_a_place_on(database):
    filling.put(database, *({"order_id": f"o{n}"} for n in range(5)))
    with engine.read(database) as connection:
        first = retold.after(connection, 0, 2)
        rest = retold.after(connection, first[-1].seq or 0, 10)
    assert [told.order_id for told in first + rest] == ["o0", "o1", "o2", "o3", "o4"]


def test_ids_are_walked_by_their_bytes_whole(database):
    ids = ["b", "B", "å", "a/b", "10", "9", "b", " "]
    filling.put(database, *({"order_id": id_} for id_ in ids), {"order_id": None})
    found, last = [], None
    with engine.read(database) as connection:
        while page := retold.named(connection, "order_id", last, 3):
            found += page
            last = page[-1]
    assert found == [" ", "10", "9", "B", "a/b", "b", "å"]
