"""How many of what: counts over the whole log."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func, select

from app.store import tables


def counts(connection: Connection) -> dict[str, Any]:
    """`notifications`, `by_source` {name: n}, `by_kind` {kind: n}, `quarantine` (open rows)."""
    source, kind = tables.LOG.c.source, tables.LOG.c.kind
    by_source: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    for name, what, n in connection.execute(
        select(source, kind, func.count()).group_by(source, kind).order_by(source, kind)
    ):
        by_source[name] += n
        by_kind[what] += n
    quarantine = tables.QUARANTINE
    still_open = select(func.count()).where(quarantine.c.status == "open")
    return {
        "notifications": sum(by_source.values()),
        "by_source": dict(by_source),
        "by_kind": dict(by_kind),
        "quarantine": connection.execute(still_open).scalar_one(),
    }
