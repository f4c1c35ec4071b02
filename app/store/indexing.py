"""What follows the log so that it is found and counted: words for search, tallies, zones.

Written by the projector, in its transaction, never by ingest; both can be made anew from the log.
Not here: finding (`search`, `zones`), what the tallies are for (`stats`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, insert, select, text

from app.notifications import findable
from app.store import epochs, followers, tables, zones
from app.store.search_tables import SEARCH_TEXT

FOLLOWER: Final = "search"
"""The name of the cursor that says how far words, tallies and zones go."""

_MOST: Final = 500
"""Parameters of one statement."""


def index(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Have `rows` of the log, the next in its order, found by their words and counted.

    Each has `seq`, `refs` and what makes its sort (`zones`). Rows that were done before are left
    alone, so handing them again (a rebuild) changes nothing.
    """
    done = position(connection)
    fresh = [row for row in rows if row["seq"] > done]
    if not fresh:
        return
    _put(connection, {row["seq"]: row["refs"] for row in fresh})
    counted = Counter((str(row["source"]), str(row["kind"])) for row in fresh)
    told = [{"source": source, "kind": kind, "n": n} for (source, kind), n in counted.items()]
    connection.execute(_COUNT, told)
    zones.note(connection, fresh)
    followers.advance(connection, FOLLOWER, epochs.current(connection), fresh[-1]["seq"])


def position(connection: Connection) -> int:
    """The seq up to which rows are found by their words and counted; 0 before the first."""
    return followers.position(connection, FOLLOWER)[1]


def again(connection: Connection, seqs: Sequence[int]) -> None:
    """Take the words of rows whose summary was taken; those of their refs stay.

    What the follower did not come by yet it will find without them.
    """
    done = position(connection)
    log = tables.LOG.c
    for n in range(0, len(seqs), _MOST):
        some = [seq for seq in seqs[n : n + _MOST] if seq <= done]
        connection.execute(delete(SEARCH_TEXT).where(SEARCH_TEXT.c.seq.in_(some)))
        kept = connection.execute(select(log.seq, log.refs).where(log.seq.in_(some)))
        _put(connection, {row.seq: row.refs for row in kept})


def _put(connection: Connection, refs: Mapping[int, Mapping[str, str]]) -> None:
    """Keep the words of rows, as far as they have any."""
    summaries = _summaries(connection, refs)
    found = {seq: findable.words(told, summaries.get(seq, {})) for seq, told in refs.items()}
    words = [{"seq": seq, "words": said} for seq, said in found.items() if said]
    if words:
        connection.execute(insert(SEARCH_TEXT), words)


def _summaries(connection: Connection, seqs: Mapping[int, Any]) -> dict[int, dict[str, Any]]:
    """The summaries of rows that have one."""
    payload = tables.PAYLOAD.c
    there = and_(payload.seq.in_(list(seqs)), payload.summary != {})
    rows = connection.execute(select(payload.seq, payload.summary).where(there))
    return {row.seq: row.summary for row in rows}


_COUNT: Final = text(
    "INSERT INTO tally (source, kind, n) VALUES (:source, :kind, :n)"
    " ON CONFLICT (source, kind) DO UPDATE SET n = tally.n + excluded.n"
)
