"""The durable cursors of those who follow the log: one row a follower (law 7).

Not here: leases (`leases`), and what a follower does with what it reads.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, text

from app.store import epochs, tables
from app.store.order_tables import FOLLOWER


def position(connection: Connection, name: str) -> tuple[str, int]:
    """The epoch and seq up to which `name` has done the log; at first (the present epoch, 0)."""
    rows = select(FOLLOWER.c.epoch, FOLLOWER.c.seq).where(FOLLOWER.c.name == name)
    found = connection.execute(rows).one_or_none()
    return (epochs.current(connection), 0) if found is None else (found.epoch, found.seq)


def advance(connection: Connection, name: str, epoch: str, seq: int) -> None:
    """Remember that `name` has done everything up to `seq`, in the transaction of what it did."""
    connection.execute(_ADVANCE, {"name": name, "epoch": epoch, "seq": seq})


def listing(connection: Connection) -> list[tuple[str, int]]:
    """Every follower there is, and the seq it has come to."""
    rows = select(FOLLOWER.c.name, FOLLOWER.c.seq).order_by(FOLLOWER.c.name)
    return [(name, seq) for name, seq in connection.execute(rows)]


def waiting_since(connection: Connection, seq: int) -> datetime | None:
    """When the first notification beyond `seq` was received; null where there is none."""
    log = tables.LOG.c
    rows = select(log.received_at).where(log.seq > seq).order_by(log.seq).limit(1)
    found: datetime | None = connection.execute(rows).scalar_one_or_none()
    return found


_ADVANCE = text(
    "INSERT INTO follower (name, epoch, seq) VALUES (:name, :epoch, :seq)"
    " ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq"
)
