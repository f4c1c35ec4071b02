"""What each channel was told of each source and severity, so that nothing is told twice or lost.

An alert begins when its condition holds and ends when it does not; both are told. A row stays until
its end was told. Not here: the conditions and the telling (`alerts`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, case, delete, insert, select, update

from app.store.work_tables import ALERT


class Key(NamedTuple):
    """What is told apart: where it is told, of which source, of what sort."""

    channel: str
    source: str
    severity: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds: of how many things, in words, with the oldest orders it is about."""

    count: int
    text: str
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert's row; every field is explained at `work_tables.Alert`."""

    channel: str
    source: str
    severity: str
    id: str
    count: int
    text: str
    orders: list[str]
    opened_at: datetime
    told_at: datetime | None
    over_at: datetime | None
    due_at: datetime | None
    attempts: int
    error: str | None

    @property
    def key(self) -> Key:
        """What it is about."""
        return Key(self.channel, self.source, self.severity)


def listing(connection: Connection) -> list[Alert]:
    """All that is open or not told yet, oldest first."""
    rows = select(ALERT).order_by(ALERT.c.opened_at, ALERT.c.id)
    return [Alert(**row) for row in connection.execute(rows).mappings()]


def due(connection: Connection, now: datetime) -> list[Alert]:
    """What is to be told now, oldest first."""
    rows = select(ALERT).where(ALERT.c.due_at <= now).order_by(ALERT.c.opened_at, ALERT.c.id)
    return [Alert(**row) for row in connection.execute(rows).mappings()]


def differs(
    connection: Connection, holds: Mapping[Key, Condition], channels: Collection[str]
) -> bool:
    """Whether `observe` would change anything."""
    known = listing(connection)
    lasting = {one.key for one in known if one.over_at is None}
    return lasting != set(holds) or any(one.channel not in channels for one in known)


def observe(
    connection: Connection,
    holds: Mapping[Key, Condition],
    channels: Collection[str],
    now: datetime,
    new_id: Callable[[], str],
) -> None:
    """Begin an alert for each of `holds` that has none, and end those that hold no more.

    One that ends before any attempt to tell it is dropped. One that begins again before its end was
    told goes on, or is another where somebody may have heard of the end. What is not of one of
    `channels` is forgotten.
    """
    connection.execute(delete(ALERT).where(ALERT.c.channel.not_in(channels)))
    known = {one.key: one for one in listing(connection)}
    for key, condition in holds.items():
        before = known.get(key)
        if before is None:
            _begin(connection, key, condition, now, new_id())
        elif before.over_at is not None and before.attempts == 0:
            due = now if before.told_at is None else None
            _set(connection, before.id, over_at=None, due_at=due)
        elif before.over_at is not None:
            connection.execute(delete(ALERT).where(ALERT.c.id == before.id))
            _begin(connection, key, condition, now, new_id())
    for key, before in known.items():
        if key not in holds and before.over_at is None:
            _end(connection, before, now)


def claim(connection: Connection, alert: Alert, now: datetime, until: datetime) -> bool:
    """Begin an attempt that is over by `until`; false where another process was first."""
    this = and_(ALERT.c.id == alert.id, ALERT.c.due_at <= now)
    claimed = update(ALERT).where(this).values(due_at=until, attempts=ALERT.c.attempts + 1)
    return connection.execute(claimed).rowcount == 1


def told(connection: Connection, alert: Alert, now: datetime) -> None:
    """Say that `alert` was told as it was: its begin, or its end."""
    over = ALERT.c.over_at
    if alert.over_at is not None:
        connection.execute(delete(ALERT).where(ALERT.c.id == alert.id, over.is_not(None)))
        return
    rest = case((over.is_(None), None), else_=now)
    _set(connection, alert.id, told_at=now, due_at=rest, attempts=0, error=None)


def failed(connection: Connection, alert: Alert, error: str, due_at: datetime) -> None:
    """Say why `alert` could not be told, and when it is tried again."""
    _set(connection, alert.id, error=error, due_at=due_at)


def _begin(connection: Connection, key: Key, condition: Condition, now: datetime, id_: str) -> None:
    values = {
        **key._asdict(),
        "id": id_,
        "count": condition.count,
        "text": condition.text,
        "orders": list(condition.orders),
        "opened_at": now,
        "due_at": now,
        "attempts": 0,
    }
    connection.execute(insert(ALERT).values(values))


def _end(connection: Connection, alert: Alert, now: datetime) -> None:
    if alert.told_at is None and alert.attempts == 0:
        connection.execute(delete(ALERT).where(ALERT.c.id == alert.id))
    else:
        _set(connection, alert.id, over_at=now, due_at=now, attempts=0, error=None)


def _set(connection: Connection, id_: str, **values: Any) -> None:
    connection.execute(update(ALERT).where(ALERT.c.id == id_).values(**values))
