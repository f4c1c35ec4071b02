"""What is appended, as statements with their parameters: the rows of ledger, log and payload.

SQLite takes rows as native values, up to 64 a statement: a statement of its own for each row would
give the GIL away and wait to get it back each time, and taking thirty columns out of JSON costs
four times what binding them does (docs/adr/0002). PostgreSQL takes them as one JSON parameter and
bytes as one blob, which its own process takes apart: inside JSON a NUL would fail the batch.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pydantic_core

from app.notifications.notification import Notification, rfc3339
from app.store import statements
from app.store.statements import DIGEST

Statement = tuple[str, Sequence[Any] | Mapping[str, Any]]

ROWS_A_STATEMENT = 64
_EXCLUDED = {"raw": True, "seq": True, "conflict_of": True}


class Row(NamedTuple):
    """A notification with what the log gives it: seq, identity, digests, what it conflicts with."""

    seq: int
    identity: bytes
    raw_digest: bytes
    canonical_digest: bytes
    conflict_of: str | None
    told: Notification


def sqlite(rows: Sequence[Row]) -> list[Statement]:
    """The statements that append `rows` to SQLite, in the order to execute them."""
    made: list[Statement] = []
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        chunk = rows[start : start + ROWS_A_STATEMENT]
        for table, columns, values in _TABLES:
            parameters = [value for row in chunk for value in values(row)]
            made.append((_insert(table, columns, len(chunk)), parameters))
    return made


def postgresql(rows: Sequence[Row]) -> list[Statement]:
    """The one statement that appends `rows` to PostgreSQL."""
    documents: list[bytes] = []
    bodies: list[bytes] = []
    digests: list[bytes] = []
    offset = 1
    for n, row in enumerate(rows):
        body = row.told.raw
        conflict = "null" if row.conflict_of is None else f'"{row.conflict_of}"'
        head = (
            f'{{"seq":{row.seq},"d":{n * 3 * DIGEST + 1},"at":{offset},"len":{len(body)},'
            f'"conflict_of":{conflict},'
        )
        told = row.told.__pydantic_serializer__.to_json(row.told, exclude=_EXCLUDED)
        documents.append(head.encode() + told[1:])
        bodies.append(body)
        digests += row[1:4]
        offset += len(body)
    parameters = {
        "rows": (b"[" + b",".join(documents) + b"]").decode(),
        "digests": b"".join(digests),
        "bodies": b"".join(bodies),
    }
    return [(statements.POSTGRESQL_INSERT, parameters)]


OF: Mapping[str, Callable[[Sequence[Row]], list[Statement]]] = {
    "sqlite": sqlite,
    "postgresql": postgresql,
}


def _ledger(row: Row) -> tuple[Any, ...]:
    told = row.told
    return (
        row.identity,
        row.seq,
        told.source,
        told.event_id,
        row.raw_digest,
        row.canonical_digest,
        0,
        rfc3339(told.received_at),
    )


def _log(row: Row) -> tuple[Any, ...]:
    """In the order of `statements.LOG_COLUMNS`."""
    told = row.told
    return (
        row.seq,
        told.id,
        told.source,
        told.channel.value,
        told.flavour.value,
        told.event_id,
        told.event_type,
        told.kind.value,
        told.resource_type.value,
        told.order_id,
        told.about_order_id,
        told.href,
        told.external_id,
        _document(told.items),
        told.service_id,
        told.access_id,
        _document(told.refs),
        told.state,
        told.raw_state,
        None if told.attention is None else told.attention.value,
        told.origin.value,
        None if told.occurred_at is None else rfc3339(told.occurred_at),
        told.occurred_at_raw,
        rfc3339(told.received_at),
        told.principal,
        told.remote_addr,
        told.backfill,
        None if told.appointment is None else _document(told.appointment),
        told.attention_clears,
        row.conflict_of,
        _document(told.warnings),
    )


def _payload(row: Row) -> tuple[Any, ...]:
    return row.seq, row.told.content_type, row.told.raw, _document(row.told.summary)


def _document(value: Any) -> str:
    """`value` as JSON text; most are empty."""
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    return pydantic_core.to_json(value).decode()


_TABLES: Sequence[tuple[str, Sequence[str], Callable[[Row], tuple[Any, ...]]]] = (
    ("ledger", statements.LEDGER_COLUMNS, _ledger),
    ("log", statements.LOG_COLUMNS, _log),
    ("payload", statements.PAYLOAD_COLUMNS, _payload),
)


@functools.cache
def _insert(table: str, columns: Sequence[str], rows: int) -> str:
    values = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([values] * rows)}"  # noqa: S608 - our own names
