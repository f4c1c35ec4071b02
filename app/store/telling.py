"""Rows of the log as the canonical notifications they were: for who acts on what was told.

Not here: lists for people (`log.page`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from app.notifications.notification import Notification
from app.store import tables

_FIELDS = tuple(name for name in Notification.model_fields if name in tables.LOG.c)


def after(connection: Connection, source: str, seq: int, limit: int) -> list[Notification]:
    """At most `limit` notifications of `source` beyond `seq`, in the log's order."""
    log = tables.LOG.c
    return _read(connection, _whole().where(log.source == source, log.seq > seq).limit(limit))


def by_id(connection: Connection, id_: str) -> Notification | None:
    """The notification `id_`; null where there is none."""
    found = _read(connection, _whole().where(tables.LOG.c.id == id_))
    return found[0] if found else None


def latest_state(connection: Connection, source: str, order_id: str) -> Notification | None:
    """The last notification of an order that tells its state; null where none does."""
    log = tables.LOG.c
    asked = _whole().where(log.source == source, log.order_id == order_id)
    asked = asked.where(log.raw_state.is_not(None))
    found = _read(connection, asked.order_by(None).order_by(log.seq.desc()).limit(1))
    return found[0] if found else None


def _whole() -> Select[Any]:
    log, payload = tables.LOG, tables.PAYLOAD
    columns = [log.c[name] for name in _FIELDS]
    return (
        select(*columns, payload.c.raw, payload.c.summary, payload.c.content_type)
        .outerjoin(payload, payload.c.seq == log.c.seq)
        .order_by(log.c.seq)
    )


def _read(connection: Connection, rows: Select[Any]) -> list[Notification]:
    return [_notification(row) for row in connection.execute(rows).mappings()]


def _notification(row: RowMapping) -> Notification:
    fields = {name: row[name] for name in _FIELDS}
    return Notification(
        **fields,
        raw=bytes(row["raw"] or b""),
        summary=row["summary"] or {},
        content_type=row["content_type"],
    )
