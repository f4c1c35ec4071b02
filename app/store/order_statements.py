"""How rows of `orders` are written: many a statement, each engine in the way it is fast.

Not here: what is in a row (`orders`). Source: docs/adr/0002, 0009.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from app.store.order_tables import ORDERS

Row = tuple[Any, ...]
"""Values in the order of the table's columns; times and documents as text."""

_COLUMNS = tuple(column.name for column in ORDERS.columns)
_KEY = ("source", "resource_type", "order_id")
_AT_ONCE = 64
"""Rows of one statement: each statement of SQLite costs a wait for the GIL."""


def put(connection: Connection, rows: Sequence[Row]) -> None:
    """Write `rows`, each of another order, but over none that was folded from more of the log."""
    if connection.dialect.name == "postgresql" and rows:
        connection.exec_driver_sql(_PUT_DOCUMENT, (_document(rows),))
        return
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        values = tuple(itertools.chain.from_iterable(part))
        connection.exec_driver_sql(_put(len(part)), values)


_INSERT = f"INSERT INTO orders ({', '.join(_COLUMNS)})"
_UPDATE = (
    " ON CONFLICT (source, resource_type, order_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in _KEY)
    + " WHERE orders.folded_seq <= excluded.folded_seq"
)
_PUT_DOCUMENT = (
    f"{_INSERT} SELECT {', '.join(_COLUMNS)}"  # noqa: S608 - our own columns
    f" FROM jsonb_populate_recordset(NULL::orders, %s::jsonb){_UPDATE}"
)


@functools.cache
def _put(rows: int) -> str:
    """SQLite's statement that puts so many rows, their values one after the other."""
    one = f"({', '.join('?' * len(_COLUMNS))})"
    return f"{_INSERT} VALUES {', '.join([one] * rows)}{_UPDATE}"


def _document(rows: Sequence[tuple[Any, ...]]) -> str:
    """PostgreSQL takes rows as one document: a statement of many values is parsed each time."""
    told = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    for row in told:
        for name in ("attention", "appointment"):
            row[name] = None if row[name] is None else json.loads(row[name])
    return json.dumps(told)
