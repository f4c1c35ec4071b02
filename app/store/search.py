"""Finding notifications by an id somebody holds in hand: whole, or its beginning.

`q` is compared with our id, event_id, order_id, about_order_id, external_id, service_id and
access_id, as they were sent (case counts). Not here: text search.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select, union_all

from app.store import tables

SHORTEST_PREFIX = 3
"""A shorter `q` is compared with whole ids only: it would begin half of them."""

_LAST = chr(0x10FFFF)
_SURROGATES = range(0xD800, 0xE000)


def by_ids(q: str, dialect: str) -> ColumnElement[bool]:
    """The condition on `log` that one of a notification's ids is, or begins with, `q`.

    Written as a union of one index range an id, which both engines answer without reading the log.
    """
    log, ledger = tables.LOG, tables.LEDGER
    columns = (
        log.c.id,
        log.c.order_id,
        log.c.about_order_id,
        log.c.external_id,
        log.c.service_id,
        log.c.access_id,
        ledger.c.event_id,
    )
    found: list[Select[Any]] = [
        select(column.table.c.seq).where(_matches(column, q, dialect)) for column in columns
    ]
    return log.c.seq.in_(union_all(*found))


def begins_with(column: ColumnElement[Any], prefix: str, dialect: str) -> ColumnElement[bool]:
    """`column` begins with `prefix`, as a range of bytes that a btree can seek.

    SQLite compares text by bytes anyway; on PostgreSQL the operators of `text_pattern_ops` do,
    whatever the collation of the database.
    """
    at_least, below = ("~>=~", "~<~") if dialect == "postgresql" else (">=", "<")
    lower = column.bool_op(at_least)(prefix)
    end = _after(prefix)
    return lower if end is None else and_(lower, column.bool_op(below)(end))


def _matches(column: ColumnElement[Any], q: str, dialect: str) -> ColumnElement[bool]:
    if len(q) < SHORTEST_PREFIX:
        return column == q
    return begins_with(column, q, dialect)


def _after(prefix: str) -> str | None:
    """The smallest text above all that begin with `prefix`; null when there is none."""
    kept = prefix.rstrip(_LAST)
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    if following in _SURROGATES:
        following = _SURROGATES.stop
    return kept[:-1] + chr(following)
