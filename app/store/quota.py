"""How much of the quarantine each source takes, and how much it may: quotas, by source.

Not here: the rows themselves (`quarantine`), which take and give back their places here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from app.store import tables

FULL_ROWS = 10_000
FULL_BYTES = 100 * 1000 * 1000
DIGESTS = 100_000
"""Quota of one source: rows with bytes, their bytes, rows without."""


@dataclass(slots=True)
class Usage:
    """What a source holds in open rows."""

    rows: int
    bytes: int
    digests: int

    def admit(self, size: int) -> bool:
        """Take a place with `size` bytes, if there is one."""
        if self.rows >= FULL_ROWS or self.bytes + size > FULL_BYTES:
            return False
        self.rows += 1
        self.bytes += size
        return True

    def admit_digest(self) -> bool:
        """Take a place without bytes, if there is one."""
        if self.digests >= DIGESTS:
            return False
        self.digests += 1
        return True


def usage(connection: Connection) -> list[dict[str, Any]]:
    """Of each source: source, rows, bytes, digests, overflow (only counted) and full (bool)."""
    used, over = tables.QUARANTINE_USAGE, tables.QUARANTINE_OVERFLOW
    counts = select(over.c.source, func.sum(over.c.count)).group_by(over.c.source)
    overflow = {source: int(n) for source, n in connection.execute(counts)}
    rows = connection.execute(select(used).order_by(used.c.source)).mappings()
    return [
        {
            **row,
            "overflow": overflow.get(row["source"], 0),
            "full": row["rows"] >= FULL_ROWS or row["bytes"] >= FULL_BYTES or row["digests"] > 0,
        }
        for row in rows
    ]


def lock(connection: Connection, sources: set[str]) -> dict[str, Usage]:
    """The usage of `sources`, each locked until the transaction ends, always in the same order."""
    used = tables.QUARANTINE_USAGE
    rows = select(used).where(used.c.source.in_(sources)).order_by(used.c.source).with_for_update()
    found = connection.execute(rows).all()
    if len(found) < len(sources):
        connection.execute(_FIRST_USAGE, [{"source": source} for source in sorted(sources)])
        found = connection.execute(rows).all()
    return {row.source: Usage(row.rows, row.bytes, row.digests) for row in found}


def save(connection: Connection, usages: Mapping[str, Usage]) -> None:
    """Keep what sources, which are locked, take now."""
    used = tables.QUARANTINE_USAGE
    for source, now in usages.items():
        values = {"rows": now.rows, "bytes": now.bytes, "digests": now.digests}
        connection.execute(update(used).where(used.c.source == source).values(**values))


_FIRST_USAGE = text(
    "INSERT INTO quarantine_usage (source, rows, bytes, digests) VALUES (:source, 0, 0, 0) "
    "ON CONFLICT (source) DO NOTHING"
)
