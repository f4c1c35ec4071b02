"""Where the bytes are: the partitions of `payload` on PostgreSQL, `PARTITION` seqs each.

Not here: reading a payload (`log.one`, `log.raw`) and taking it away (`personal`).
"""

from __future__ import annotations

from sqlalchemy import Connection

PARTITION = 1_000_000
"""Seqs a partition: `payload_p<k>` holds `k * PARTITION` up to, not including, the next."""

_KNOWN = "payload_partition"


def ensure_partition(connection: Connection, seq: int) -> None:
    """Make the partition that holds `seq`, and the next, unless they are there (PostgreSQL only).

    Call it under the append lock before a batch that ends at `seq`. What a connection has seen in
    place it does not ask for again, so a call costs a statement once in `PARTITION` seqs. A
    partition is made aside and then attached, which does not hold up readers.
    """
    if connection.dialect.name != "postgresql":
        return
    k = seq // PARTITION
    if connection.info.get(_KNOWN) == k:
        return
    made = [_make(connection, wanted) for wanted in (k, k + 1)]
    if not any(made):
        connection.info[_KNOWN] = k


def _make(connection: Connection, k: int) -> bool:
    """Whether partition `k` had to be made; the transaction may yet take it back."""
    name = f"payload_p{k}"
    there = connection.exec_driver_sql("SELECT to_regclass(%s) IS NOT NULL", (name,)).scalar_one()
    if there:
        return False
    bounds = f"FROM ({k * PARTITION}) TO ({(k + 1) * PARTITION})"
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE payload INCLUDING ALL)")
    connection.exec_driver_sql(f"ALTER TABLE payload ATTACH PARTITION {name} FOR VALUES {bounds}")
    return True
