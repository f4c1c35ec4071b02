"""The orders: what the log says of each, and the row each has in the lists.

`rows_of` and `rows_of_order` read the log alone (never payload), so that a fold tells the same
whatever was erased; `put` writes what was folded; `page` and `one` are the lists. Not here: folding
(`orders.timeline`), following (`projector`), cursors (`followers`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    false,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    union_all,
)

from app.notifications.notification import Attention, Notification, ResourceType, rfc3339
from app.orders import order as orders
from app.store import expected, filters, order_statements, retold, search, tables
from app.store.order_tables import ORDERS

_EQUAL = (
    "source",
    "resource_type",
    "order_id",
    "state",
    "final",
    "external_id",
    "access_id",
    "service_id",
    "about_order_id",
)
_COLUMNS = tuple(column.name for column in ORDERS.columns)
FIELDS: Final = (
    *(name for name in _COLUMNS if name not in {*orders.FLAGS, "place"}),
    "flags",
)
"""What is told of each order outside of lists, in this order."""

_IDS = ("order_id", "external_id", "access_id", "service_id", "about_order_id")

NEAR: Final = 2000
"""Orders that are looked at one by one first, so that what is frequent costs no index its hits."""

FEW: Final = 2000
"""As many orders as may be named one by one."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What an order must be to be listed; null asks nothing. `q` is not among the `conditions`.

    `silent`: not final, and not told of since the moment of its source and state. `flag` is one of
    `orders.FLAGS`. `attention`: something of this sort is what is gravest;
    `has_attention`: something is open, or nothing is. `silent_since`: no news after that moment;
    `news_since`: some. `own_ref`: what we called it when it was placed. `q`: one of its ids is, or
    begins with, it.
    """

    source: str | None = None
    resource_type: str | None = None
    order_id: str | None = None
    state: str | None = None
    final: bool | None = None
    flag: str | None = None
    attention: str | None = None
    has_attention: bool | None = None
    external_id: str | None = None
    access_id: str | None = None
    service_id: str | None = None
    about_order_id: str | None = None
    own_ref: str | None = None
    silent_since: datetime | None = None
    silent: tuple[tuple[tuple[str, str | None], datetime], ...] | None = None
    news_since: datetime | None = None
    q: str | None = None

    def conditions(self, dialect: str) -> list[ColumnElement[bool]]:
        """The conditions on `orders`, all of which must hold, in the words of `dialect`."""
        if not all(filters.is_storable(value) for value in astuple(self)):
            return [false()]
        row = ORDERS.c
        asked = [
            row[name] == getattr(self, name) for name in _EQUAL if getattr(self, name) is not None
        ]
        if self.flag is not None:
            asked.append(_marked(row[self.flag]))
        if self.attention is not None:
            asked.append(row.open_attention == self.attention)
        if self.has_attention is not None:
            opened = row.open_attention.is_not(None)
            asked.append(opened if self.has_attention else row.open_attention.is_(None))
        asked += self._of_time(dialect)
        if self.own_ref is not None:
            asked.append(expected.placed_as(self.own_ref))
        return asked

    def _of_time(self, dialect: str) -> list[ColumnElement[bool]]:
        row = ORDERS.c
        asked = [] if self.silent is None else filters.silent(self.silent, dialect)
        if self.silent_since is not None:
            asked.append(row.last_news_at <= self.silent_since)
        if self.news_since is not None:
            asked.append(row.last_news_at > self.news_since)
        return asked


_NEWS: Final = Filter()


# ── the log, order by order ──────────────────────────────────────────────────────────────────────


def rows_of_ids(
    connection: Connection, ids: Collection[str]
) -> dict[orders.Key, list[Notification]]:
    """Everything the log has of all that goes by one of `ids`, at any source, of any sort."""
    wanted = {id_ for id_ in ids if filters.is_storable(id_)}
    found: dict[orders.Key, dict[int | None, Notification]] = {}
    for told in retold.of_orders(connection, wanted):
        for key in orders.keys(told):
            if key.order_id in wanted:
                found.setdefault(key, {})[told.seq] = told
    return {key: list(told.values()) for key, told in found.items()}


def rows_of(
    connection: Connection, keys: Collection[orders.Key]
) -> dict[orders.Key, list[Notification]]:
    """Everything the log has of each of `keys`; those it has nothing of are left out."""
    found = rows_of_ids(connection, {key.order_id for key in keys})
    return {key: found[key] for key in keys if key in found}


def rows_of_order(
    connection: Connection, source: str, order_id: str
) -> dict[orders.Key, list[Notification]]:
    """Everything the log has of what `source` calls `order_id`, by what sort of thing it is."""
    found = rows_of_ids(connection, {order_id})
    return {key: told for key, told in found.items() if key.source == source}


def messages(connection: Connection, seqs: Collection[int]) -> dict[int, str]:
    """What the operator wrote in the notifications `seqs`, as far as payload is kept, by seq."""
    payload = tables.PAYLOAD
    rows = select(payload.c.seq, payload.c.summary).where(payload.c.seq.in_(sorted(seqs)))
    found = {}
    for seq, summary in connection.execute(rows):
        message = (summary or {}).get("message")
        if isinstance(message, str):
            found[seq] = message
    return found


# ── the rows ─────────────────────────────────────────────────────────────────────────────────────


def put(connection: Connection, told: Iterable[orders.Order]) -> None:
    """Write the rows of `told`, but over none that was folded from more of the log."""
    rows = [_row(order) for order in told]
    order_statements.put(connection, rows)


def one(connection: Connection, key: orders.Key) -> dict[str, Any] | None:
    """The row of `key`, or null."""
    found = page(
        connection, Filter(*key[:2], order_id=key.order_id), after=None, limit=1, ascending=False
    )
    return found[0] if found else None


def page(
    connection: Connection, asked: Filter, *, after: int | None, limit: int, ascending: bool
) -> list[dict[str, Any]]:
    """At most `limit` orders beyond the place `after`, those with the newest news first.

    `ascending`: those with the oldest first. Each has the columns of `order_tables.Orders`, with
    `flags` as a list instead of a column each.
    """
    place = ORDERS.c.place
    asking = [*asked.conditions(connection.dialect.name), *_by_news(connection, asked)]
    if after is not None:
        asking.append(place > after if ascending else place < after)
    order = place if ascending else place.desc()
    rows = select(ORDERS).where(*asking).order_by(order).limit(limit)
    if asked.q is None:
        return _read(connection, rows)
    by_row = _by_row(asked.q, connection.dialect.name)
    found = _read(connection, _near(connection, rows.where(by_row), after, ascending=ascending))
    if len(found) < limit:
        named = _named(asked.q, connection.dialect.name)
        if replace(asked, q=None) == _NEWS:
            by_row = place.in_(_first(named, after, limit, ascending=ascending))
        elif (few := _few(connection, named)) is not None:
            by_row = place.in_(few)
        found = _read(connection, rows.where(by_row))
    return found


def walk(
    connection: Connection, asked: Filter, *, after: Sequence[str] | None, limit: int
) -> tuple[list[dict[str, Any]], Sequence[str] | None]:
    """Of the next `limit` orders by their keys those that `asked` lets through, as `page` tells.

    Also the last key that was looked at, to go on from (null: there are no more). An order keeps
    its key while its place moves: who walks meets each once.
    """
    columns = [ORDERS.c[name] for name in _KEY]
    some = select(*columns, ORDERS.c.place).order_by(*columns).limit(limit)
    if after is not None:
        some = some.where(tuple_(*columns) > tuple_(*(literal(part) for part in after)))
    looked_at = connection.execute(some).all()
    if not looked_at:
        return [], None
    dialect = connection.dialect.name
    places = {row.place: n for n, row in enumerate(looked_at)}
    asking = [ORDERS.c.place.in_(list(places)), *asked.conditions(dialect)]
    if asked.q is not None:
        asking.append(_by_row(asked.q, dialect))
    rows = _read(connection, select(ORDERS).where(*asking))
    return sorted(rows, key=lambda row: places[row["place"]]), looked_at[-1][: len(_KEY)]


def strays(connection: Connection) -> list[orders.Key]:
    """The rows of which the log has nothing: made by another program's idea of an order."""
    return [
        orders.Key(source, ResourceType(resource_type), order_id)
        for source, resource_type, order_id in connection.execute(_STRAYS)
    ]


def remove(connection: Connection, keys: Sequence[orders.Key]) -> None:
    """Take away the rows of `keys`."""
    if keys:
        connection.execute(_REMOVE, [dict(zip(_KEY, key, strict=True)) for key in keys])


_KEY = ("source", "resource_type", "order_id")


def _read(connection: Connection, rows: Select[Any]) -> list[dict[str, Any]]:
    return [_told(found) for found in connection.execute(rows).mappings()]


def _marked(flag: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition on `flag`, in the words its partial index has: no others would use it."""
    return literal_column(f"orders.{flag.key}")


def _by_news(connection: Connection, asked: Filter) -> list[ColumnElement[bool]]:
    """The places of the orders whose newest news are as old as is asked, where those are few.

    Else a list of them would be read through all orders, which SQLite does where they are none.
    """
    row = ORDERS.c
    news = replace(_NEWS, silent_since=asked.silent_since, news_since=asked.news_since)
    if news == _NEWS:
        return []
    places = _few(connection, select(row.place).where(*news.conditions(connection.dialect.name)))
    return [] if places is None else [row.place.in_(places)]


def _few(connection: Connection, places: Select[Any] | CompoundSelect[Any]) -> Sequence[int] | None:
    """The `places`, where they are few."""
    found = connection.execute(places.limit(FEW + 1)).scalars().all()
    return found if len(found) <= FEW else None


def _by_row(q: str, dialect: str) -> ColumnElement[bool]:
    """The condition that `q` names an order, which no index of their ids answers."""
    return or_(*(search.matches(ORDERS.c[name].concat(""), q, dialect) for name in _IDS))


def _near(
    connection: Connection, rows: Select[Any], after: int | None, *, ascending: bool
) -> Select[Any]:
    """Those of `rows` that are among the next `NEAR` orders."""
    place = ORDERS.c.place
    some = select(place).order_by(place if ascending else place.desc()).offset(NEAR).limit(1)
    if after is not None:
        some = some.where(place > after if ascending else place < after)
    edge = connection.execute(some).scalar()
    if edge is None:
        return rows
    return rows.where(place < edge if ascending else place > edge)


def _named(q: str, dialect: str) -> CompoundSelect[Any]:
    """The places of all that `q` names, by the indexes of their ids; one of it once an id."""
    found = [
        select(ORDERS.c.place).where(search.matches(ORDERS.c[name], q, dialect)) for name in _IDS
    ]
    return union_all(*found)


def _first(
    named: CompoundSelect[Any], after: int | None, limit: int, *, ascending: bool
) -> Select[Any]:
    """The first places beyond `after` of which `limit` are unlike: no row is read for them."""
    place = named.subquery().c.place
    rows = select(place).order_by(place if ascending else place.desc()).limit(limit * len(_IDS))
    if after is None:
        return rows
    return rows.where(place > after if ascending else place < after)


def _row(order: orders.Order) -> tuple[Any, ...]:
    """In the order of the columns."""
    visit = order.appointment
    return (
        order.source,
        order.resource_type.value,
        order.order_id,
        _place(order),
        order.state,
        order.raw_state,
        order.final,
        *(flag in order.flags for flag in orders.FLAGS),
        _value(order.open_attention),
        json.dumps([_open(each) for each in order.attention]),
        None if visit is None else visit.model_dump_json(),
        order.external_id,
        order.access_id,
        order.service_id,
        order.about_order_id,
        rfc3339(order.first_news_at),
        rfc3339(order.last_news_at),
        _moment(order.occurred_at),
        _moment(order.state_since),
        order.count,
        order.folded_seq,
    )


def _place(order: orders.Order) -> int:
    """Of two orders with the same newest notification one is a task to cancel the other."""
    return 2 * order.folded_seq + (order.resource_type is ResourceType.CANCEL_ORDER)


def _value(attention: Attention | None) -> str | None:
    return None if attention is None else attention.value


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _open(each: orders.Open) -> dict[str, Any]:
    return {
        "notification_id": each.notification_id,
        "attention": each.attention.value,
        "since": rfc3339(each.since),
        "source": each.source,
    }


def _told(row: Any) -> dict[str, Any]:
    told = {name: row[name] for name in _COLUMNS if name not in orders.FLAGS}
    told["flags"] = [flag for flag in orders.FLAGS if row[flag]]
    return told


_REMOVE = text(
    "DELETE FROM orders WHERE source = :source AND resource_type = :resource_type"
    " AND order_id = :order_id"
)
_STRAYS = text(
    """SELECT o.source, o.resource_type, o.order_id FROM orders o
    WHERE NOT EXISTS (
        SELECT 1 FROM log l WHERE l.order_id = o.order_id
        AND l.source = o.source AND l.resource_type = o.resource_type
    ) AND NOT EXISTS (
        SELECT 1 FROM log l WHERE l.about_order_id = o.order_id
        AND l.source = o.source AND l.resource_type = 'cancelOrder'
        AND o.resource_type IN ('productOrder', 'serviceOrder')
    ) AND NOT EXISTS (
        SELECT 1 FROM log l WHERE l.service_id = o.order_id AND l.order_id IS NULL
        AND l.source = o.source AND l.resource_type = 'service' AND o.resource_type = 'service'
    )"""
)
