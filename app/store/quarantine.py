"""Refused bodies of authenticated senders (law 2): kept once, counted, within a quota.

A body is kept whole, or its first 64 kB, while its source is within its `quota` of rows and bytes;
beyond that only its digest and the reason; beyond its quota of those it is only counted, by
(source, code). What was released or discarded lets go of its bytes and of its place in the quota;
when the same body is refused again, the row is opened again and the bytes are kept again.

What a feed reads again by design is refused again each time: that counts nothing and opens nothing.

The rows of one source are written under the lock of its usage row, so counting needs no other.
Not here: when a body is refused (`intake`), and validating it again (`intake.release`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)

from app.store import append, filters, quota, tables

MOST_FAULTS = 20
LONGEST_TEXT = 200
"""What is kept of the faults told to the sender, which he can make as long as his body."""

_Key = tuple[str, bytes, int]


@dataclass(frozen=True, slots=True)
class Hold:
    """A body to quarantine as row `id` (a new UUIDv7), unless it is there already.

    `raw_digest`: SHA-256 of `body`. `body` is the whole, or its first 64 kB and then `truncated`;
    `length` is what was read. `faults`: of {path, problem, expected}. `reread`: a feed shows it, as
    it may do again and again.
    """

    id: str
    source: str
    raw_digest: bytes
    code: int
    message: str
    faults: Sequence[Mapping[str, str]]
    received_at: datetime
    channel: str
    flavour: str | None
    event_name: str | None
    content_type: str | None
    principal: str | None
    remote_addr: str | None
    body: bytes | None
    length: int
    truncated: bool
    reread: bool = False

    @property
    def key(self) -> _Key:
        """What makes two refusals one row."""
        return (self.source, self.raw_digest, self.code)


def hold(connection: Connection, holds: Sequence[Hold]) -> list[str | append.Unchanged]:
    """Keep `holds`; answers the id of the row of each, in order.

    That is the id of the earlier row for a body seen before, which is counted; of one that is
    `reread` and was seen before, `Unchanged`. A refusal that is only counted, beyond all quotas,
    answers its own id, of which there is no row.
    """
    counted = _counted(holds)
    usage = quota.lock(connection, {key[0] for key in counted})
    before = {source: replace(used) for source, used in usage.items()}
    known = _known(connection, counted)
    repeats, news, over = [], [], []
    for key, (held, count, last) in counted.items():
        if key in known:
            repeats += _repeats(held, count, last, known[key], usage[held.source])
        elif row := _new(held, count, last, usage[held.source]):
            news.append(row)
        else:
            over.append((held, count, last))
    if repeats:
        connection.execute(_REPEAT, repeats)
    if news:
        connection.execute(insert(tables.QUARANTINE), news)
    _count_overflow(connection, over)
    quota.save(connection, {s: used for s, used in usage.items() if used != before[s]})
    rows = {key: known[key].id if key in known else counted[key][0].id for key in counted}
    return [_answer(held, rows[held.key]) for held in holds]


def _answer(held: Hold, row: str) -> str | append.Unchanged:
    again = held.reread and row != held.id
    return append.Unchanged() if again else row


def page(
    connection: Connection,
    *,
    state: str | None,
    source: str | None,
    code: int | None = None,
    after_id: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """At most `limit` rows before `after_id` (null: from the newest), newest first.

    `code`: refused for this reason. Each has every column but `body` and `faults`; `state` is open,
    released or discarded, and `kept` (bool) whether there are bytes.
    """
    if not (filters.is_storable(state) and filters.is_storable(source)):
        return []
    rows = _listed(limit)
    quarantine = tables.QUARANTINE
    asked = {"status": state, "source": source, "code": code}
    for name, value in asked.items():
        if value is not None:
            rows = rows.where(quarantine.c[name] == value)
    if after_id is not None:
        rows = rows.where(quarantine.c.id < after_id)
    return [dict(row) for row in connection.execute(rows).mappings()]


@dataclass(frozen=True, slots=True)
class Many:
    """Open rows not newer than `upto`: of `source`, refused with `code`, among `ids`.

    What is null or empty asks nothing.
    """

    upto: str
    source: str | None = None
    code: int | None = None
    ids: Sequence[str] = ()

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on the rows, all of which must hold."""
        row = tables.QUARANTINE.c
        asked = [row.status == "open", row.id <= self.upto]
        for name, value in (("source", self.source), ("code", self.code)):
            if value is not None:
                asked.append(row[name] == value)
        return [*asked, row.id.in_(self.ids)] if self.ids else asked


def still_open(connection: Connection, asked: Many, limit: int) -> list[str]:
    """At most `limit` of the rows that are `asked` for, newest first."""
    row = tables.QUARANTINE.c
    rows = select(row.id).where(*asked.conditions()).order_by(row.id.desc())
    return list(connection.execute(rows.limit(limit)).scalars())


def count_open(connection: Connection, asked: Many) -> tuple[int, datetime | None]:
    """How many there are of the rows that are `asked` for, and when the oldest of them came."""
    row = tables.QUARANTINE.c
    these = select(func.count(), func.min(row.id)).where(*asked.conditions())
    count, oldest = connection.execute(these).one()
    since = connection.execute(select(row.received_at).where(row.id == oldest)).scalar()
    return count, since


def one(connection: Connection, id_: str) -> dict[str, Any] | None:
    """Row `id_` whole, with `body` (bytes or null), `faults` and `kept`; null: none such."""
    if not filters.is_storable(id_):
        return None
    rows = select(*_columns()).where(tables.QUARANTINE.c.id == id_)
    found = connection.execute(rows).mappings().one_or_none()
    return None if found is None else {**found, "kept": found["body"] is not None}


def mark(
    connection: Connection,
    id_: str,
    status: str,
    by: str,
    at: datetime,
    notification_id: str | None = None,
) -> bool:
    """Mark the open row `id_` as `released` (into `notification_id`) or `discarded`, `by` whom.

    Its bytes and its place in the quota are let go. False, and nothing done, when it is not open.
    """
    if not filters.is_storable(id_):
        return False
    quarantine = tables.QUARANTINE
    source = connection.execute(
        select(quarantine.c.source).where(quarantine.c.id == id_)
    ).scalar_one_or_none()
    if source is None:
        return False
    used = quota.lock(connection, {source})[source]
    still_open = (quarantine.c.id == id_, quarantine.c.status == "open")
    size = connection.execute(
        select(func.coalesce(func.length(quarantine.c.body), -1)).where(*still_open)
    ).scalar_one_or_none()
    if size is None:
        return False
    resolved = {"status": status, "resolved_by": by, "resolved_at": at, "body": None}
    connection.execute(
        update(quarantine).where(*still_open).values(**resolved, notification_id=notification_id)
    )
    freed = (0, 0, 1) if size < 0 else (1, size, 0)
    left = quota.Usage(used.rows - freed[0], used.bytes - freed[1], used.digests - freed[2])
    quota.save(connection, {source: left})
    return True


# --- holding ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """A row that is there."""

    id: str
    status: str
    kept: bool


def _counted(holds: Iterable[Hold]) -> dict[_Key, tuple[Hold, int, datetime]]:
    """Each key once: its first hold, how many there were, when the last came."""
    counted: dict[_Key, tuple[Hold, int, datetime]] = {}
    for held in holds:
        first, count, last = counted.get(held.key, (held, 0, held.received_at))
        counted[held.key] = (first, count + 1, max(last, held.received_at))
    return counted


def _known(connection: Connection, keys: Collection[_Key]) -> dict[_Key, _Known]:
    """The rows of `keys` that are there, and perhaps others (SQLite cannot seek triples)."""
    row = tables.QUARANTINE.c
    rows = select(
        row.source, row.raw_digest, row.code, row.id, row.status, row.body.is_not(None)
    ).where(row.source.in_({key[0] for key in keys}), row.raw_digest.in_({key[1] for key in keys}))
    return {
        (source, bytes(digest), code): _Known(id_, status, bool(kept))
        for source, digest, code, id_, status, kept in connection.execute(rows)
    }


def _repeats(
    held: Hold, count: int, last: datetime, known: _Known, used: quota.Usage
) -> list[dict[str, Any]]:
    """What a repeat changes; of one that is reread no more than that it has its bytes."""
    if not held.reread:
        return [_repeat(held, count, last, known, used)]
    if known.kept or known.status != "open":
        return []
    return [_repeat(held, 0, last, known, used)]


def _repeat(
    held: Hold, count: int, last: datetime, known: _Known, used: quota.Usage
) -> dict[str, Any]:
    """The parameters of `_REPEAT`; takes a place where the row had none or no bytes."""
    body = None
    if not known.kept and held.body is not None and used.admit(len(held.body)):
        body = held.body
        used.digests -= known.status == "open"
    elif not known.kept and known.status != "open":
        used.digests += 1
    return {"row_id": known.id, "more": count, "last": last, "bytes": body}


def _new(held: Hold, count: int, last: datetime, used: quota.Usage) -> dict[str, Any] | None:
    """The row of a body not seen before; null when there is no place for it."""
    body = held.body if held.body is not None and used.admit(len(held.body)) else None
    if body is None and not used.admit_digest():
        return None
    faults = held.faults[:MOST_FAULTS] if body is not None else ()
    return {
        "id": held.id,
        "source": held.source,
        "raw_digest": held.raw_digest,
        "code": held.code,
        "message": _storable(held.message),
        "faults": [{k: _storable(v) for k, v in fault.items()} for fault in faults],
        "status": "open",
        "count": count,
        "received_at": held.received_at,
        "last_received_at": last,
        "channel": held.channel,
        "flavour": held.flavour,
        "event_name": _optional(held.event_name),
        "content_type": _optional(held.content_type),
        "principal": _optional(held.principal),
        "remote_addr": held.remote_addr,
        "body": body,
        "length": held.length,
        "truncated": held.truncated,
    }


def _count_overflow(connection: Connection, over: Sequence[tuple[Hold, int, datetime]]) -> None:
    for held, count, last in over:
        row = {"source": held.source, "code": held.code, "more": count, "last": last}
        connection.execute(_OVERFLOW, row)


def _storable(value: str) -> str:
    """The beginning of `value`, without what a text column refuses: NUL, lone surrogates."""
    kept = value[:LONGEST_TEXT].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return kept.encode(errors="replace").decode()


def _optional(value: str | None) -> str | None:
    return None if value is None else _storable(value)


def _listed(limit: int) -> Select[Any]:
    quarantine = tables.QUARANTINE
    columns = [c for c in _columns() if c.name not in {"body", "faults"}]
    rows = select(*columns, quarantine.c.body.is_not(None).label("kept"))
    return rows.order_by(quarantine.c.id.desc()).limit(limit)


def _columns() -> list[ColumnElement[Any]]:
    """The columns as they are told; an answer's `status` is another thing than a row's state."""
    quarantine = tables.QUARANTINE
    told = {"status": quarantine.c.status.label("state")}
    return [told.get(column.name, column) for column in quarantine.columns]


_OVERFLOW = text(
    "INSERT INTO quarantine_overflow (source, code, count, last_received_at) "
    "VALUES (:source, :code, :more, :last) ON CONFLICT (source, code) DO UPDATE "
    "SET count = quarantine_overflow.count + excluded.count, "
    "last_received_at = excluded.last_received_at"
).bindparams(bindparam("last", type_=tables.UtcMoment()))
_REPEAT = (
    update(tables.QUARANTINE)
    .where(tables.QUARANTINE.c.id == bindparam("row_id"))
    .values(
        count=tables.QUARANTINE.c.count + bindparam("more"),
        last_received_at=bindparam("last"),
        body=func.coalesce(bindparam("bytes", type_=LargeBinary()), tables.QUARANTINE.c.body),
        status="open",
        resolved_at=None,
        resolved_by=None,
        notification_id=None,
    )
)
