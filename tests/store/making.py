"""Rows by hand, for the tests of the store and of the rooms that read them."""

from __future__ import annotations

import dataclasses
import hashlib

import uuid_utils

from app import projector
from app.notifications.notification import Attention, ResourceType
from app.orders import order, timeline
from app.store import commands, credentials, expected, files, orders, quarantine
from tests.arrivals import RECEIVED
from tests.store import filling


def refused(body=b"{", **fields):
    """A body to quarantine: not JSON, from `orange`."""
    given = {
        "id": str(uuid_utils.uuid7()),
        "source": "orange",
        "raw_digest": hashlib.sha256(body).digest(),
        "code": 22,
        "message": "The body is not JSON.",
        "faults": ({"path": "", "problem": "it ends early", "expected": "an object"},),
        "received_at": RECEIVED,
        "channel": "push",
        "flavour": "tmf622_v4",
        "event_name": "productOrderStateChangeEvent",
        "content_type": "application/json",
        "principal": "jwt:orange",
        "remote_addr": "192.0.2.1",
        "body": body,
        "length": len(body),
        "truncated": False,
    }
    return quarantine.Hold(**{**given, **fields})


def hold(database, *holds):
    """The ids of the rows of `holds`."""
    with database.begin() as connection:
        return quarantine.hold(connection, holds)


def stored(id_="k1", **fields):
    """A credential of `orange` as it is kept."""
    given = {
        "id": id_, "source": "orange", "type": "api_key", "secret_hash": b"\x00" * 31 + b"\xff",
        "label": None, "created_at": RECEIVED, "expires_at": None, "revoked_at": None,
    }  # fmt: skip
    return credentials.StoredCredential(**{**given, **fields})


def story(order_id, *ids, source="covage", at=RECEIVED, word="alarm", type_="order", seq=1):
    """An order that leaves open what the notifications `ids` opened."""
    opened = [order.Open(id_, Attention(word), RECEIVED, None, source) for id_ in ids]
    nothing = dict.fromkeys(each.name for each in dataclasses.fields(order.Order))
    told = {
        "source": source, "resource_type": ResourceType(type_), "order_id": order_id,
        "attention": tuple(opened), "last_news_at": at, "folded_seq": seq,
    }  # fmt: skip
    return order.Order(**{**nothing, **told})


def placed(order_id="O-1", **fields):
    """An order placed at `stadsnat`."""
    given = {
        "source": "stadsnat", "order_id": order_id, "own_ref": "S-7", "access_id": "STTA0001",
        "placed_at": RECEIVED, "answer": "RECEIVED", "put_at": RECEIVED, "put_by": "jwt:ops",
    }  # fmt: skip
    return expected.Expected(**{**given, **fields})


def expect(database, *told):
    """Keep `told` as placed."""
    with database.begin() as connection:
        expected.put(connection, told)


def told(database, *notifications):
    """What operators told, with the orders' rows as the projector keeps them."""
    filling.put(database, *({"resource_type": "order", **one} for one in notifications))
    with database.begin() as connection:
        found = orders.rows_of_ids(connection, {one["order_id"] for one in notifications})
        projector._keep(connection, [timeline.fold(rows, key=key) for key, rows in found.items()])


def command_row(id_="c1", **fields):
    """A command at `guide`."""
    given = {
        "id": id_, "source": "guide", "order_id": "O-1", "command": "set_status",
        "arguments": {"status": "active"}, "idempotency_key": id_, "harmful": True,
        "asked_by": "jwt:ops", "asked_at": RECEIVED, "due_at": RECEIVED,
    }  # fmt: skip
    return commands.Command(**{**given, **fields})


def ask(database, *rows):
    """Keep commands."""
    with database.begin() as connection:
        for row in rows:
            commands.ask(connection, row)


def file(id_="f1", **fields):
    """A file that an event of `covage` points to."""
    given = {
        "id": id_, "source": "covage", "order_id": "O-1", "notification_id": "n1",
        "event_id": "e1", "label": "fichier 1", "address": "https://blob.example/a.pdf",
        "wanted_at": RECEIVED, "due_at": RECEIVED,
    }  # fmt: skip
    return files.File(**{**given, **fields})
