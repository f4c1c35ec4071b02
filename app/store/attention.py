"""The work list: what orders need somebody for, and what people did about it.

An opening is keyed by the notification that opened it. The projector keeps the list in step with
the orders (`follow`); assigning, noting and closing are acts by hand, which no rebuild undoes. Not
here: what opens and what clears (`orders.timeline`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from app.notifications.notification import ResourceType, rfc3339
from app.orders import order
from app.store import tables, tail
from app.store.order_tables import ORDERS
from app.store.work_tables import OPENING

State = Literal["open", "closed", "cleared", "all"]

LONGEST_NOTE: Final = 2000
MOST_NOTES: Final = 200
"""Notes of one opening; a further one is refused."""

_OPEN = and_(OPENING.c.cleared_at.is_(None), OPENING.c.closed_at.is_(None))
_STATES: Final[dict[State, ColumnElement[bool] | None]] = {
    "open": _OPEN,
    "closed": OPENING.c.closed_at.is_not(None),
    "cleared": and_(OPENING.c.cleared_at.is_not(None), OPENING.c.closed_at.is_(None)),
    "all": None,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which openings to list; null asks nothing. `assignee` empty: those nobody has taken."""

    state: State = "open"
    source: str | None = None
    attention: str | None = None
    order_id: str | None = None
    assignee: str | None = None


def follow(connection: Connection, orders: Iterable[order.Order]) -> list[order.Order]:
    """Make the list say what `orders` leave open: the same whatever was said of them before.

    Gives `orders` without what somebody closed by hand. What an order does not leave open any more
    is marked cleared where somebody had a hand in it, and goes elsewhere. A notification in two
    stories is listed with the first. Of an order whose row was folded from more of the log nothing
    is changed.
    """
    told = {each.key: each for each in orders}
    here = {each.notification_id for one in told.values() for each in one.attention}
    known = _known(connection, [key.order_id for key in told], sorted(here))
    of_order: dict[order.Key, dict[str, _Known]] = {}
    for id_, row in known.items():
        of_order.setdefault(row.key, {})[id_] = row
    for key, one in told.items():
        before = of_order.get(key, {})
        now = {each.notification_id: each for each in one.attention}
        fresh = [_row(one, each) for id_, each in now.items() if id_ not in known]
        back = [id_ for id_ in now if id_ in before and before[id_].cleared_at]
        ended = [id_ for id_, row in before.items() if id_ not in now and not row.cleared_at]
        if (fresh or back or ended) and not _is_outdated(connection, one):
            _insert(connection, fresh)
            _reopen(connection, back)
            _clear(connection, ended, one.last_news_at)
            known |= {row["notification_id"]: _Known(key, None, None) for row in fresh}
    closed = {id_ for id_, row in known.items() if row.closed_at is not None}
    return [_without(one, closed) for one in told.values()]


def page(
    connection: Connection, wanted: Wanted, *, after_id: str | None, limit: int
) -> list[dict[str, Any]]:
    """At most `limit` openings after `after_id` (null: from the oldest), oldest first.

    Each with `event_type`, `kind` and `message` of its notification; the message is null once its
    payload is gone.
    """
    rows = select(OPENING).order_by(OPENING.c.notification_id).limit(limit)
    if (state := _STATES[wanted.state]) is not None:
        rows = rows.where(state)
    for name in ("source", "attention", "order_id"):
        if (value := getattr(wanted, name)) is not None:
            rows = rows.where(OPENING.c[name] == value)
    if wanted.assignee is not None:
        taken = OPENING.c.assignee
        rows = rows.where(taken == wanted.assignee if wanted.assignee else taken.is_(None))
    if after_id is not None:
        rows = rows.where(OPENING.c.notification_id > after_id)
    return [_told(row) for row in connection.execute(_explained(rows)).mappings()]


def one(connection: Connection, id_: str) -> dict[str, Any] | None:
    """The opening of notification `id_`, as `page` tells it; null where there is none."""
    rows = select(OPENING).where(OPENING.c.notification_id == id_)
    found = connection.execute(_explained(rows)).mappings().first()
    return None if found is None else _told(found)


def counts(connection: Connection) -> dict[tuple[str, str], tuple[int, datetime, list[str]]]:
    """What is open by (source, attention): how many, since when, the orders of the oldest five."""
    table = OPENING.c
    grouped = (
        select(table.source, table.attention, func.count(), func.min(table.since))
        .where(_OPEN)
        .group_by(table.source, table.attention)
    )
    found: dict[tuple[str, str], tuple[int, datetime, list[str]]] = {}
    for source, attention, count, since in connection.execute(grouped):
        oldest = (
            select(table.order_id)
            .where(_OPEN, table.source == source, table.attention == attention)
            .order_by(table.notification_id)
            .limit(5)
        )
        found[source, attention] = count, since, list(connection.execute(oldest).scalars())
    return found


def assign(connection: Connection, id_: str, assignee: str | None) -> bool:
    """Give the opening `id_` to `assignee` (null: to nobody); false where it is not open."""
    return _change(connection, id_, assignee=assignee)


def close(connection: Connection, id_: str, at: datetime, by: str) -> bool:
    """Close the opening `id_` by hand, in its order's row too; false where it is not open."""
    if not _change(connection, id_, closed_at=at, closed_by=by):
        return False
    table = OPENING.c
    row = select(table.source, table.resource_type, table.order_id)
    key = connection.execute(row.where(table.notification_id == id_)).one()
    _close_in_order(connection, key, id_)
    return True


def note(connection: Connection, id_: str, at: datetime, by: str, text: str) -> bool:
    """Add a note to the opening `id_`, whatever became of it; false where it has too many."""
    rows = select(OPENING.c.notes).where(OPENING.c.notification_id == id_).with_for_update()
    notes = list(connection.execute(rows).scalar_one())
    if len(notes) >= MOST_NOTES:
        return False
    notes.append({"at": rfc3339(at), "by": by, "text": text[:LONGEST_NOTE]})
    these = OPENING.c.notification_id == id_
    connection.execute(update(OPENING).where(these).values(notes=notes))
    return True


def closed(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of the openings `ids` that somebody closed by hand."""
    table = OPENING.c
    rows = select(table.notification_id).where(
        table.notification_id.in_(ids), table.closed_at.is_not(None)
    )
    return set(connection.execute(rows).scalars()) if ids else set()


class _Known(NamedTuple):
    key: order.Key
    cleared_at: datetime | None
    closed_at: datetime | None


def _known(
    connection: Connection, order_ids: Sequence[str], ids: Sequence[str]
) -> dict[str, _Known]:
    """The openings of these orders and those called `ids`, by notification."""
    table = OPENING.c
    columns = [
        table.source, table.resource_type, table.order_id, table.notification_id,
        table.cleared_at, table.closed_at,
    ]  # fmt: skip
    asked: ColumnElement[bool] = table.order_id.in_(order_ids)
    if ids:
        asked = or_(asked, table.notification_id.in_(ids))
    return {
        id_: _Known(order.Key(source, ResourceType(type_), order_id), cleared_at, closed_at)
        for source, type_, order_id, id_, cleared_at, closed_at in connection.execute(
            select(*columns).where(asked)
        )
    }


def _row(told: order.Order, opened: order.Open) -> dict[str, Any]:
    return {
        "notification_id": opened.notification_id,
        "source": told.source,
        "resource_type": told.resource_type,
        "order_id": told.order_id,
        "attention": opened.attention,
        "since": opened.since,
        "notes": [],
    }


def _without(told: order.Order, closed: set[str]) -> order.Order:
    left = tuple(each for each in told.attention if each.notification_id not in closed)
    return told if len(left) == len(told.attention) else replace(told, attention=left)


def _is_outdated(connection: Connection, told: order.Order) -> bool:
    table = ORDERS.c
    row = select(table.folded_seq).where(
        table.source == told.source,
        table.resource_type == told.resource_type,
        table.order_id == told.order_id,
    )
    stored = connection.execute(row).scalar()
    return stored is not None and bool(stored > told.folded_seq)


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(OPENING), rows)


def _reopen(connection: Connection, ids: Sequence[str]) -> None:
    if ids:
        these = OPENING.c.notification_id.in_(ids)
        connection.execute(update(OPENING).where(these).values(cleared_at=None))


def _clear(connection: Connection, ids: Sequence[str], at: datetime) -> None:
    if ids:
        these = OPENING.c.notification_id.in_(ids)
        connection.execute(update(OPENING).where(these, _by_hand(connection)).values(cleared_at=at))
        connection.execute(delete(OPENING).where(these, OPENING.c.cleared_at.is_(None)))


def _by_hand(connection: Connection) -> ColumnElement[bool]:
    """Whether somebody had a hand in an opening."""
    length = (
        "jsonb_array_length" if connection.dialect.name == "postgresql" else "json_array_length"
    )
    return or_(
        OPENING.c.closed_at.is_not(None),
        OPENING.c.assignee.is_not(None),
        getattr(func, length)(OPENING.c.notes) > 0,
    )


def _change(connection: Connection, id_: str, **values: Any) -> bool:
    these = and_(OPENING.c.notification_id == id_, _OPEN)
    changed = connection.execute(update(OPENING).where(these).values(**values)).rowcount == 1
    if changed:
        tail.wake(connection)
    return changed


def _close_in_order(connection: Connection, key: Sequence[str], id_: str) -> None:
    table = ORDERS.c
    this = and_(table.source == key[0], table.resource_type == key[1], table.order_id == key[2])
    found = connection.execute(select(table.attention).where(this)).scalar()
    left = [each for each in found or () if each["notification_id"] != id_]
    kinds = {each["attention"] for each in left}
    gravest = next((str(each) for each in order.GRAVITY if each in kinds), None)
    connection.execute(update(ORDERS).where(this).values(attention=left, open_attention=gravest))


def _explained(rows: Select[Any]) -> Select[Any]:
    """`rows` of openings, chosen and cut first, with what their notifications say."""
    chosen = rows.subquery("chosen")
    log, payload = tables.LOG, tables.PAYLOAD
    return (
        select(chosen, log.c.event_type, log.c.kind, payload.c.summary)
        .outerjoin(log, log.c.id == chosen.c.notification_id)
        .outerjoin(payload, payload.c.seq == log.c.seq)
        .order_by(chosen.c.notification_id)
    )


def _told(row: Any) -> dict[str, Any]:
    told = dict(row)
    summary = told.pop("summary") or {}
    state = "closed" if told["closed_at"] else "cleared" if told["cleared_at"] else "open"
    return {**told, "state": state, "message": _message(summary)}


def _message(summary: dict[str, Any]) -> str | None:
    said = summary.get("message")
    return said if isinstance(said, str) and said else None
