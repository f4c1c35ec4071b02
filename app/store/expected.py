"""The orders we placed: what where, under which name of ours, how answered; which are outstanding.

Also which orders are of one story: the same access, or the same name of ours. Not here: what
operators told of them (`orders`), how long silence is too long (`silence`).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from app.notifications.notification import ResourceType
from app.orders import order
from app.store import filters
from app.store.order_tables import ORDERS
from app.store.work_tables import EXPECTED_ORDER

AT_ONCE: Final = 25
"""Orders a transaction puts: the writer is held up for less than 5 ms."""

MOST_LINKED: Final = 50
"""Orders of one story that are told."""

PLACED: Final = (ResourceType.PRODUCT_ORDER, ResourceType.SERVICE_ORDER, ResourceType.ORDER)
"""What an order that was placed may be: no service, no task."""

_NAMES: Final = frozenset(each.value for each in PLACED)
_TOLD: Final = ("resource_type", "state", "raw_state", "final", "last_news_at", "open_attention")


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
    rows = {(one.source, one.order_id): {**asdict(one), "id": _id(one)} for one in orders}
    if not rows:
        return
    table = EXPECTED_ORDER.c
    this = and_(table.source == bindparam("of"), table.order_id == bindparam("called"))
    keys = [{"of": source, "called": order_id} for source, order_id in rows]
    connection.execute(delete(EXPECTED_ORDER).where(this), keys)
    row = ORDERS.c
    over = select(row.source, row.order_id, row.last_news_at).where(
        row.order_id.in_([order_id for _, order_id in rows]),
        row.final.is_(True),
        row.resource_type.in_(_NAMES),
    )
    for source, order_id, at in connection.execute(over):
        if (source, order_id) in rows and rows[source, order_id]["over_at"] is None:
            rows[source, order_id]["over_at"] = at
    connection.execute(insert(EXPECTED_ORDER), list(rows.values()))


def follow(connection: Connection, orders: Iterable[order.Order]) -> None:
    """Say of those of `orders` that came to their end that they are not outstanding any more."""
    over: dict[tuple[str, datetime], list[str]] = {}
    for told in orders:
        if told.final and told.resource_type in PLACED:
            over.setdefault((told.source, told.last_news_at), []).append(told.order_id)
    known = _outstanding_of(connection, [id_ for ids in over.values() for id_ in ids])
    for (source, at), ids in over.items():
        ended = [id_ for id_ in ids if (source, id_) in known]
        if ended:
            _end(connection, source, ended, at)


def one(connection: Connection, source: str, order_id: str) -> Expected | None:
    """What was placed as `order_id` at `source`; null where nothing was."""
    if not filters.is_storable(order_id):
        return None
    table = EXPECTED_ORDER.c
    rows = select(EXPECTED_ORDER).where(table.source == source, table.order_id == order_id)
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
    rows = select(EXPECTED_ORDER).where(table.over_at.is_(None)).order_by(table.id).limit(limit)
    if source is not None:
        rows = rows.where(table.source == source)
    if told is not None:
        known = select(ORDERS.c.place).where(told_of()).exists()
        rows = rows.where(known if told else ~known)
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


def told_of() -> ColumnElement[bool]:
    """Which rows of `orders` are of the order that was placed."""
    table, row = EXPECTED_ORDER.c, ORDERS.c
    named = or_(*(row.resource_type == name for name in sorted(_NAMES)))
    return and_(row.source == table.source, row.order_id == table.order_id, named)


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


def _outstanding_of(connection: Connection, ids: Sequence[str]) -> set[tuple[str, str]]:
    if not ids:
        return set()
    table = EXPECTED_ORDER.c
    rows = select(table.source, table.order_id).where(
        table.order_id.in_(ids), table.over_at.is_(None)
    )
    return {(source, order_id) for source, order_id in connection.execute(rows)}


def _end(connection: Connection, source: str, ids: Sequence[str], at: datetime) -> None:
    table = EXPECTED_ORDER.c
    these = and_(table.source == source, table.order_id.in_(ids), table.over_at.is_(None))
    connection.execute(update(EXPECTED_ORDER).where(these).values(over_at=at))


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
