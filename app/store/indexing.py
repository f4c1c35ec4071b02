"""What follows the log so that it is found and counted: words for search, tallies, zones.

Kept by the projector (law 7), never by ingest, with a cursor of its own; all of it can be made anew
from the log. Not here: finding (`search`, `zones`), what the tallies are for (`stats`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, insert, select, text

from app.notifications import findable
from app.store import epochs, followers, tables, zones
from app.store.search_tables import SEARCH_TEXT

FOLLOWER: Final = "search"
"""The name of the cursor that says how far words, tallies and zones go."""

LOCK: Final = 7_237_106_624
"""Advisory lock key on PostgreSQL: words are not written while they are taken."""

_MOST: Final = 500
"""Parameters of one statement."""


def follow(connection: Connection, most: int) -> int:
    """Have the next `most` rows of the log found by their words and counted; how many there were.

    The cursor moves in the same transaction.
    """
    _alone(connection)
    log = tables.LOG.c
    after = log.seq > position(connection)
    rows = _read(connection, _ROWS.where(after).order_by(log.seq).limit(most))
    if rows:
        _put(connection, rows)
        counted = Counter((row["source"], row["kind"]) for row in rows)
        told = [{"source": source, "kind": kind, "n": n} for (source, kind), n in counted.items()]
        connection.execute(_COUNT, told)
        zones.note(connection, rows)
        followers.advance(connection, FOLLOWER, epochs.current(connection), rows[-1]["seq"])
    return len(rows)


def position(connection: Connection) -> int:
    """The seq up to which rows are found by their words and counted; 0 before the first."""
    return followers.position(connection, FOLLOWER)[1]


def again(connection: Connection, seqs: Sequence[int]) -> None:
    """Take the words of rows whose summary was taken in this transaction; those of refs stay.

    What the follower did not come by yet it will find without them.
    """
    _alone(connection)
    done = position(connection)
    for n in range(0, len(seqs), _MOST):
        some = [seq for seq in seqs[n : n + _MOST] if seq <= done]
        connection.execute(delete(SEARCH_TEXT).where(SEARCH_TEXT.c.seq.in_(some)))
        _put(connection, _read(connection, _ROWS.where(tables.LOG.c.seq.in_(some))))


def _alone(connection: Connection) -> None:
    """Wait for whoever writes or takes words. On SQLite only one transaction writes anyway.

    Else a follower that read a summary before it was erased would write its words after.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def _read(connection: Connection, rows: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(rows).mappings()]


def _put(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep the words of rows, as far as they have any."""
    found = ((row["seq"], findable.words(row["refs"], row["summary"] or {})) for row in rows)
    words: list[dict[str, Any]] = [{"seq": seq, "words": said} for seq, said in found if said]
    if words:
        connection.execute(insert(SEARCH_TEXT), words)


_ROWS: Final = select(
    *(tables.LOG.c[name] for name in ("seq", *zones.OF, "refs")), tables.PAYLOAD.c.summary
).outerjoin(tables.PAYLOAD, tables.PAYLOAD.c.seq == tables.LOG.c.seq)
_COUNT: Final = text(
    "INSERT INTO tally (source, kind, n) VALUES (:source, :kind, :n)"
    " ON CONFLICT (source, kind) DO UPDATE SET n = tally.n + excluded.n"
)
