"""What a feed without event ids showed last, by key, and how often that changed (DESIGN §5).

Read and written under the append lock, in the transaction of the rows: waiting, active, waiting is
three changes. Not here: what is content and what the key is (the feed's kind).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from app.store.feed_tables import SNAPSHOT


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The `n`-th content of `key` in `feed`, by its SHA-256."""

    feed: str
    key: str
    n: int
    digest: bytes

    @property
    def event_id(self) -> str:
        """The event id this change is given: `<key>:<n>`."""
        return f"{self.key}:{self.n}"


def latest(
    connection: Connection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Snapshot]:
    """The last content of each (feed, key) that was ever seen."""
    found: dict[tuple[str, str], Snapshot] = {}
    for feed in {feed for feed, _ in keys}:
        wanted = [key for of, key in keys if of == feed]
        rows = select(SNAPSHOT).where(SNAPSHOT.c.feed == feed, SNAPSHOT.c.key.in_(wanted))
        for row in connection.execute(rows):
            digest = bytes(row.digest)
            found[row.feed, row.key] = Snapshot(row.feed, row.key, row.n, digest)
    return found


def put(connection: Connection, changes: Iterable[Snapshot]) -> None:
    """Remember `changes`; of several of one key the last."""
    rows = [
        {"feed": change.feed, "key": change.key, "n": change.n, "digest": change.digest}
        for change in changes
    ]
    if rows:
        connection.execute(_PUT, rows)


_PUT = text(
    "INSERT INTO snapshot (feed, key, n, digest) VALUES (:feed, :key, :n, :digest)"
    " ON CONFLICT (feed, key) DO UPDATE SET n = excluded.n, digest = excluded.digest"
)
