"""The epochs of the log: after a restore or a failover, what was read holds no more (law 10)."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from app.store import payloads, statements, tables

JUMP = 1_000_000
"""A new epoch begins at least this far beyond the last seq known: past anything handed out."""


def current(connection: Connection) -> str:
    """The epoch in force."""
    epoch = tables.EPOCH
    newest = select(epoch.c.epoch).order_by(epoch.c.number.desc()).limit(1)
    return str(connection.execute(newest).scalar_one())


def begin(connection: Connection, reason: str, at: datetime) -> str:
    """Begin a new epoch and jump seq by `JUMP` or more, to a round number; answers its name.

    Holds the append lock until the transaction ends, so that no append is cut in two.
    """
    epoch = tables.EPOCH
    name = str(uuid.uuid4())
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({statements.LOCK})")
    last = connection.execute(select(func.max(epoch.c.number))).scalar_one() or 0
    row = {"number": last + 1, "epoch": name, "started_at": at, "reason": reason}
    connection.execute(insert(epoch).values(row))
    _jump(connection, -(-(_handed_out(connection) + JUMP) // JUMP) * JUMP)
    return name


def _handed_out(connection: Connection) -> int:
    """The highest seq this database knows to have given."""
    known = [
        connection.execute(select(func.max(table.c.seq))).scalar_one() or 0
        for table in (tables.LOG, tables.LEDGER)
    ]
    sequence = (
        "SELECT last_value FROM log_seq"
        if connection.dialect.name == "postgresql"
        else "SELECT max(seq) FROM sqlite_sequence WHERE name = 'log'"
    )
    return max(*known, connection.exec_driver_sql(sequence).scalar_one() or 0)


def _jump(connection: Connection, to: int) -> None:
    """Make `to` the last seq handed out."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT setval('log_seq', %s)", (to,))
        payloads.ensure_partition(connection, to + 1)
        return
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'log'")
    connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES ('log', ?)", (to,))
