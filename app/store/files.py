"""Files that events point to: wanted, then kept here, for replicas share no disk.

The token of a link is never kept: `address` is a link without its query. Not here: fetching
(`feeds.files`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from app.store.feed_tables import FILE


@dataclass(frozen=True, slots=True)
class File:
    """A file's row without its bytes; every field is explained at `feed_tables.File`."""

    id: str
    source: str
    order_id: str | None
    notification_id: str
    event_id: str | None
    label: str
    address: str
    wanted_at: datetime
    due_at: datetime
    state: str = "wanted"
    attempts: int = 0
    fetched_at: datetime | None = None
    content_type: str | None = None
    length: int | None = None
    digest: bytes | None = None
    error: str | None = None


_NAMES = tuple(field.name for field in fields(File))
_COLUMNS = [FILE.c[name] for name in _NAMES]


def want(connection: Connection, file: File) -> None:
    """Want `file`, unless it is wanted or kept already."""
    known = and_(FILE.c.notification_id == file.notification_id, FILE.c.label == file.label)
    if connection.execute(select(FILE.c.id).where(known)).first() is None:
        connection.execute(insert(FILE).values({name: getattr(file, name) for name in _NAMES}))


def wanted(connection: Connection, source: str, most: int) -> list[File]:
    """At most `most` files of `source` that are wanted, by when they are due."""
    rows = (
        select(*_COLUMNS)
        .where(FILE.c.state == "wanted", FILE.c.source == source)
        .order_by(FILE.c.due_at, FILE.c.id)
        .limit(most)
    )
    return [File(**row) for row in connection.execute(rows).mappings()]


def sources_with_wanted(connection: Connection) -> set[str]:
    """The sources some file of which is wanted."""
    rows = select(FILE.c.source).where(FILE.c.state == "wanted").distinct()
    return set(connection.execute(rows).scalars())


def store(
    connection: Connection, id_: str, body: bytes, content_type: str | None, at: datetime
) -> None:
    """Keep the bytes of file `id_`, if it is still wanted."""
    values: dict[str, Any] = {
        "state": "stored",
        "body": body,
        "length": len(body),
        "digest": hashlib.sha256(body).digest(),
        "content_type": content_type,
        "fetched_at": at,
        "error": None,
    }
    still = and_(FILE.c.id == id_, FILE.c.state == "wanted")
    connection.execute(update(FILE).where(still).values(**values))


def failed(connection: Connection, id_: str, error: str, due_at: datetime | None) -> None:
    """Say that file `id_` could not be had; try again at `due_at` (null: never)."""
    values: dict[str, Any] = {"attempts": FILE.c.attempts + 1, "error": error}
    values |= {"state": "failed"} if due_at is None else {"due_at": due_at}
    still = and_(FILE.c.id == id_, FILE.c.state == "wanted")
    connection.execute(update(FILE).where(still).values(**values))


def of_notification(connection: Connection, notification_id: str) -> list[File]:
    """The files of a notification, by their labels."""
    rows = select(*_COLUMNS).where(FILE.c.notification_id == notification_id).order_by(FILE.c.label)
    return [File(**row) for row in connection.execute(rows).mappings()]


def one(connection: Connection, id_: str) -> tuple[File, bytes | None] | None:
    """The file `id_` and its bytes (null: not there, or not any more); null: no such file."""
    rows = select(*_COLUMNS, FILE.c.body).where(FILE.c.id == id_)
    found = connection.execute(rows).mappings().first()
    if found is None:
        return None
    row = dict(found)
    body = row.pop("body")
    return File(**row), None if body is None else bytes(body)
