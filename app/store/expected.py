"""The orders we placed: what where, under which name of ours, how answered; which are outstanding.

Also which orders are of one story: the same access, or the same name of ours. Not here: what
operators told of them (`orders`), how long silence is too long (`silence`).
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    insert,
    select,
    text,
    tuple_,
)

from app.notifications.notification import ResourceType, rfc3339
from app.orders import order
from app.store import filters
from app.store.order_tables import ORDERS
from app.store.work_tables import EXPECTED_ORDER

AT_ONCE: Final = 25
"""Orders a transaction puts: the writer is held up for less than 5 ms."""

LOCK: Final = 7_237_106_625
"""Advisory lock key on PostgreSQL, which the trigger that keeps `told` takes too."""

MOST_LINKED: Final = 50
"""Orders of one story that are told."""

PLACED: Final = (ResourceType.PRODUCT_ORDER, ResourceType.SERVICE_ORDER, ResourceType.ORDER)
"""What an order that was placed may be: no service, no task."""

_NAMES: Final = frozenset(each.value for each in PLACED)
_TOLD: Final = ("resource_type", "state", "raw_state", "final", "last_news_at", "open_attention")


_THIS = and_(
    EXPECTED_ORDER.c.source == bindparam("of"), EXPECTED_ORDER.c.order_id == bindparam("called")
)
_END = {
    "sqlite": text(
        "UPDATE expected_order SET over_at = e.value ->> 2 FROM json_each(:ends) AS e"
        " WHERE source = e.value ->> 0 AND order_id = e.value ->> 1 AND over_at IS NULL"
    ),
    "postgresql": text(
        "UPDATE expected_order SET over_at = CAST(e.value ->> 2 AS timestamptz)"
        " FROM json_array_elements(CAST(:ends AS json)) AS e"
        " WHERE source = e.value ->> 0 AND order_id = e.value ->> 1 AND over_at IS NULL"
    ),
}
"""Each is found by its key: by ids alone all that is outstanding would be read."""

_PUT = [column for column in EXPECTED_ORDER.columns if column.name != "told"]


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
    over_at: datetime | None = None
    id: str = field(default="", compare=False)


def put(connection: Connection, orders: Iterable[Expected]) -> None:
    """Keep `orders`, each in the place of what was known of it; the last of a pair counts."""
    rows = {
        (one.source, one.order_id): {**asdict(one), "id": _id(one), "told": False} for one in orders
    }
    if not rows:
        return
    keys = [{"of": source, "called": order_id} for source, order_id in rows]
    _alone(connection)
    connection.execute(delete(EXPECTED_ORDER).where(_THIS), keys)
    for source, order_id, final, at in connection.execute(_told(rows)):
        row = rows.get((source, order_id))
        if row is not None:
            row["told"] = True
            row["over_at"] = row["over_at"] or (at if final else None)
    connection.execute(insert(EXPECTED_ORDER), list(rows.values()))


def follow(connection: Connection, orders: Iterable[order.Order]) -> None:
    """Say of those of `orders` that came to their end that they are not outstanding any more."""
    ends = [
        [told.source, told.order_id, rfc3339(told.last_news_at)]
        for told in orders
        if told.final and told.resource_type in PLACED
    ]
    if ends:
        connection.execute(_END[connection.dialect.name], {"ends": json.dumps(ends)})


def one(connection: Connection, source: str, order_id: str) -> Expected | None:
    """What was placed as `order_id` at `source`; null where nothing was."""
    if not filters.is_storable(order_id):
        return None
    table = EXPECTED_ORDER.c
    rows = select(*_PUT).where(table.source == source, table.order_id == order_id)
    found = connection.execute(rows).mappings().first()
    return None if found is None else Expected(**found)


def outstanding(
    connection: Connection,
    *,
    source: str | None = None,
    told: bool | None = None,
    after_id: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """At most `limit` of the orders that came to no end, after `after_id`, the oldest first.

    Each with the fields of `Expected` and `order`: what its operator told last, or null. `told`:
    only those of which it told anything, or nothing.
    """
    table = EXPECTED_ORDER.c
    rows = select(*_PUT).where(table.over_at.is_(None)).order_by(table.id).limit(limit)
    if source is not None:
        rows = rows.where(table.source == source)
    if told is not None:
        rows = rows.where(table.told.is_(told))
    if after_id is not None:
        rows = rows.where(table.id > after_id)
    found = [dict(row) for row in connection.execute(rows).mappings()]
    news = _news(connection, [(row["source"], row["order_id"]) for row in found])
    return [{**row, "order": news.get((row["source"], row["order_id"]))} for row in found]


def linked(connection: Connection, told: order.Order) -> list[dict[str, Any]]:
    """The other orders of the story of `told`: the same access, service or name of ours.

    Each is {source, resource_type, order_id, state, final, last_news_at, by}; `by` names what it
    shares. At most `MOST_LINKED`, the newest first.
    """
    mine = one(connection, told.source, told.order_id)
    access = told.access_id or (mine.access_id if mine is not None else None)
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    if access is not None:
        _link(connection, found, "access_id", ORDERS.c.access_id == access)
        _link(connection, found, "access_id", _placed(EXPECTED_ORDER.c.access_id == access))
    if mine is not None and mine.own_ref is not None:
        _link(connection, found, "own_ref", _placed(EXPECTED_ORDER.c.own_ref == mine.own_ref))
    if told.service_id is not None:
        same = and_(ORDERS.c.source == told.source, ORDERS.c.service_id == told.service_id)
        _link(connection, found, "service_id", same)
    found.pop((told.source, told.resource_type.value, told.order_id), None)
    newest = sorted(found.values(), key=lambda row: row["last_news_at"], reverse=True)
    return newest[:MOST_LINKED]


def placed_as(own_ref: str) -> ColumnElement[bool]:
    """The rows of the orders that we call `own_ref`."""
    placed, row = EXPECTED_ORDER.c, ORDERS.alias()
    same = and_(row.c.source == placed.source, row.c.order_id == placed.order_id)
    named = select(row.c.place).select_from(EXPECTED_ORDER.join(row, same))
    return ORDERS.c.place.in_(named.where(placed.own_ref == own_ref))


def _link(
    connection: Connection,
    found: dict[tuple[str, str, str], dict[str, Any]],
    by: str,
    which: ColumnElement[bool],
) -> None:
    row = ORDERS.c
    columns = (row.source, row.resource_type, row.order_id, row.state, row.final, row.last_news_at)
    rows = select(*columns).where(which).order_by(row.place.desc()).limit(MOST_LINKED + 1)
    for told in connection.execute(rows).mappings():
        key = (told["source"], told["resource_type"], told["order_id"])
        found.setdefault(key, {**told, "by": by})


def _placed(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """The orders that were placed as `which` says."""
    table = EXPECTED_ORDER.c
    placed = select(table.source, table.order_id).where(which).limit(MOST_LINKED + 1).subquery()
    return tuple_(ORDERS.c.source, ORDERS.c.order_id).in_(
        select(placed.c.source, placed.c.order_id)
    )


def _alone(connection: Connection) -> None:
    """Wait for whoever writes of orders that are new, and have them wait for what is put here.

    Else each would overlook what the other has not committed. On SQLite only one writes anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def _told(keys: Collection[tuple[str, str]]) -> Select[Any]:
    """What was told of the orders `keys` and of namesakes: source, id, whether it ended, when."""
    row = ORDERS.c
    return select(row.source, row.order_id, row.final, row.last_news_at).where(
        row.order_id.in_([order_id for _, order_id in keys]), row.resource_type.in_(_NAMES)
    )


def _news(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, Any]]:
    """What operators told last of the orders `keys`."""
    if not keys:
        return {}
    row = ORDERS.c
    rows = select(row.source, row.order_id, *(row[name] for name in _TOLD)).where(
        row.order_id.in_([order_id for _, order_id in keys]), row.resource_type.in_(_NAMES)
    )
    return {
        (told["source"], told["order_id"]): {name: told[name] for name in _TOLD}
        for told in connection.execute(rows).mappings()
    }


def _id(placed: Expected) -> str:
    """A UUIDv7 of when it was placed, the same for the same order: lists are sorted by it."""
    name = f"{len(placed.source)}:{placed.source}{placed.order_id}".encode()
    rest = int.from_bytes(hashlib.sha256(name).digest()[:10])
    milliseconds = max(int(placed.placed_at.timestamp() * 1000), 0)
    whole = milliseconds << 80 | rest & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=whole & ~(0x3 << 62) | 0x2 << 62))
