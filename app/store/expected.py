"""The orders we placed: who placed what where, under which name of ours, and how it was answered.

Not here: what operators told of them (`orders`), who is silent (`silence`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, tuple_

from app.store import filters
from app.store.work_tables import EXPECTED_ORDER

AT_ONCE = 200
"""Orders a transaction puts: the writer is held up for less than 5 ms."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An order we placed; every field is explained at `work_tables.ExpectedOrder`."""

    source: str
    order_id: str
    own_ref: str | None
    access_id: str | None
    placed_at: datetime
    answer: str | None
    put_at: datetime
    put_by: str


def put(connection: Connection, orders: Iterable[Expected]) -> None:
    """Keep `orders`, each in the place of what was known of it; the last of a pair counts."""
    rows = {(one.source, one.order_id): asdict(one) for one in orders}
    if not rows:
        return
    key = tuple_(EXPECTED_ORDER.c.source, EXPECTED_ORDER.c.order_id)
    connection.execute(delete(EXPECTED_ORDER).where(key.in_(list(rows))))
    connection.execute(insert(EXPECTED_ORDER), list(rows.values()))


def one(connection: Connection, source: str, order_id: str) -> Expected | None:
    """What was placed as `order_id` at `source`; null where nothing was."""
    if not filters.is_storable(order_id):
        return None
    table = EXPECTED_ORDER.c
    rows = select(EXPECTED_ORDER).where(table.source == source, table.order_id == order_id)
    found = connection.execute(rows).mappings().first()
    return None if found is None else Expected(**found)
