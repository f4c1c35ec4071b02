"""The audit trail: who did what to what, when. Written in the transaction of the act itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text

from app.store import tables


def record(
    connection: Connection,
    *,
    id_: str,
    at: datetime,
    principal: str,
    action: str,
    target: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write that `principal` did `action` (`quarantine.release`) to `target` (an id or a name).

    `id_` is a new UUIDv7; `detail` is small JSON without secrets, bodies or personal data (law 9).
    """
    row = {"id": id_, "at": at, "principal": principal, "action": action, "target": target}
    connection.execute(insert(tables.AUDIT_TRAIL).values(**row, detail=dict(detail or {})))


def record_once(
    connection: Connection, *, id_: str, at: datetime, principal: str, action: str, target: str
) -> bool:
    """Write an act that may be done once only, as `record` does; false where `id_` is known."""
    row = {"id": id_, "at": at, "principal": principal, "action": action, "target": target}
    return connection.execute(_ONCE, {**row, "detail": {}}).first() is not None


def page(connection: Connection, *, after_id: str | None, limit: int) -> list[dict[str, Any]]:
    """At most `limit` acts before `after_id` (null: from the newest), newest first."""
    trail = tables.AUDIT_TRAIL
    rows = select(trail).order_by(trail.c.id.desc()).limit(limit)
    if after_id is not None:
        rows = rows.where(trail.c.id < after_id)
    return [dict(row) for row in connection.execute(rows).mappings()]


_ONCE = text(
    "INSERT INTO audit_trail (id, at, principal, action, target, detail) "
    "VALUES (:id, :at, :principal, :action, :target, :detail) "
    "ON CONFLICT (id) DO NOTHING RETURNING id"
).bindparams(bindparam("at", type_=tables.UtcMoment()), bindparam("detail", type_=tables.DOCUMENT))
