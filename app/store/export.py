"""All notifications or orders of a filter, page by page: in bounded memory, no long transaction.

Each page is read in a transaction of its own, so that no snapshot is held while somebody reads
slowly; what is appended meanwhile is beyond `upto` and not in it. Not here: the form they are given
out in (`notifications.forms`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.notifications import forms
from app.store import engine, log, orders, stats

FIELDS: Final = (*log.FIELDS, "content_type", "conflict", "sightings", "summary")
"""What is told of each notification, in this order."""

PERSONAL_FIELDS: Final = (*FIELDS, "raw", "raw_encoding")
"""The same with the bytes, which hold what is personal."""

COUNTED: Final = 1000
"""Notifications that are counted where nothing else says how many there are."""

PAGE: Final = 500
PAGE_OF_ORDERS: Final = 1000
"""Orders that are looked at for a page."""

PAGE_WITH_BYTES: Final = 20
"""Rows a page; with their bytes, at most 1 MiB each, as few as memory should hold."""


@dataclass(frozen=True, slots=True)
class Size:
    """So many notifications; `more`: or there are more, which were not counted."""

    count: int
    more: bool


def size(connection: engine.Connection, asked: log.Filter) -> Size:
    """How many `asked` lets through, as far as it is known without reading long."""
    if replace(asked, source=None, kind=None) == log.Filter():
        return Size(stats.of_sort(connection, source=asked.source, kind=asked.kind), more=False)
    found = log.page(connection, asked, after_seq=None, limit=COUNTED + 1, ascending=False)
    return Size(min(len(found), COUNTED), more=len(found) > COUNTED)


def head(database: engine.Database) -> int:
    """Where an export that begins now ends: the seq of the newest notification."""
    with engine.read(database) as connection:
        return log.head(connection)


def pages(
    database: engine.Database, asked: log.Filter, *, upto: int, personal: bool
) -> Iterator[list[dict[str, Any]]]:
    """Pages of the notifications that `asked` lets through, oldest first, up to seq `upto`.

    Each has the `FIELDS`; `personal`: the `PERSONAL_FIELDS`.
    """
    limit = PAGE_WITH_BYTES if personal else PAGE
    also = ("summary", "raw") if personal else ("summary",)
    after: int | None = None
    more = True
    while more:
        with engine.read(database) as connection:
            found = log.page(
                connection, asked, after_seq=after, limit=limit, ascending=True, also=also
            )
        rows = [row for row in found if row["seq"] <= upto]
        more = len(rows) == limit
        if rows:
            after = rows[-1]["seq"]
            yield [_told(row) if personal else row for row in rows]


def orders_pages(database: engine.Database, asked: orders.Filter) -> Iterator[list[dict[str, Any]]]:
    """Pages of the orders that `asked` lets through, by their ids, each once, with `orders.FIELDS`.

    Each is told as it stands when its page is read.
    """
    after: Sequence[str] | None = None
    while True:
        with engine.read(database) as connection:
            rows, after = orders.walk(connection, asked, after=after, limit=PAGE_OF_ORDERS)
        if after is None:
            return
        if rows:
            yield [{name: row[name] for name in orders.FIELDS} for row in rows]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    text, encoding = forms.readable(row["raw"])
    return {**row, "raw": text, "raw_encoding": encoding}
