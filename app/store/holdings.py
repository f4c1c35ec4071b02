"""What the log holds of a feed, to hold it against the operator's own list (`feeds.audit`)."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.store import tables


@dataclass(frozen=True, slots=True)
class Held:
    """A row of the log by its event id, with the digest of its content (SHA-256)."""

    seq: int
    digest: bytes


def known(connection: Connection, source: str, event_ids: Collection[str]) -> dict[str, list[Held]]:
    """What the log holds of each of `event_ids` of `source`, oldest first."""
    ledger = tables.LEDGER.c
    rows = (
        select(ledger.event_id, ledger.seq, ledger.canonical_digest)
        .where(ledger.source == source, ledger.event_id.in_(event_ids))
        .order_by(ledger.seq)
    )
    found: dict[str, list[Held]] = {}
    for event_id, seq, digest in connection.execute(rows):
        found.setdefault(event_id, []).append(Held(seq, bytes(digest)))
    return found


def seqs(connection: Connection, source: str) -> array[int]:
    """The seqs of all rows the operator of `source` told by its feed, ascending."""
    log = tables.LOG.c
    rows = (
        select(log.seq)
        .where(log.source == source, log.channel == "pull", log.origin == "operator")
        .where(log.event_id.is_not(None), log.conflict_of.is_(None))
        .order_by(log.seq)
    )
    return array("q", connection.execute(rows).scalars())


def named(connection: Connection, seqs: Collection[int]) -> list[tuple[int, str, str | None]]:
    """Seq, event id and order id of rows, ascending."""
    log = tables.LOG.c
    rows = select(log.seq, log.event_id, log.order_id).where(log.seq.in_(seqs)).order_by(log.seq)
    return [(row.seq, row.event_id, row.order_id) for row in connection.execute(rows)]
