"""How many of what: counts over the whole log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from app.store import tables


def counts(connection: Connection) -> dict[str, Any]:
    """`notifications`, `by_source` {name: n}, `by_kind` {kind: n}, `quarantine` (open rows)."""
    by_source = _grouped(connection, "source")
    quarantine = tables.QUARANTINE
    still_open = select(func.count()).where(quarantine.c.status == "open")
    return {
        "notifications": sum(by_source.values()),
        "by_source": by_source,
        "by_kind": _grouped(connection, "kind"),
        "quarantine": connection.execute(still_open).scalar_one(),
    }


def _grouped(connection: Connection, name: str) -> dict[str, int]:
    column = tables.LOG.c[name]
    rows = connection.execute(select(column, func.count()).group_by(column).order_by(column))
    return {value: n for value, n in rows}
