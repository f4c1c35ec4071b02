"""Reading the log: a page of it, one notification whole, its bytes, its head.

Rows are dicts of plain values, times as aware UTC datetimes. Not here: appending (`append`,
`writer`), and how any of it looks on the wire (`web`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select

from app.store import filters, indexing, search, tables, zones

Filter = filters.Filter

FIELDS = tuple(c.name for c in tables.LOG.columns if c.name != "payload_gone_at")
"""The canonical columns, in their order."""

FEW: Final = 30_000
"""Rows of rare sorts, and those between them, that are looked at one by one for what is sought."""

_ALL: Final[zones.Span] = (0, 2**63 - 1)


def page(
    connection: Connection,
    asked: Filter,
    *,
    after_seq: int | None,
    limit: int,
    ascending: bool,
    also: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """At most `limit` notifications beyond `after_seq` (null: from the end they begin at).

    Each has every field of DESIGN §5 but `summary` and `raw`, and `conflict` (bool) and `sightings`
    (how often it came again). `also`: which of those two it has all the same.
    """
    conditions = asked.conditions()
    spans = _spans(connection, asked.sort(), after_seq, ascending=ascending)
    if asked.q is not None and filters.is_storable(asked.q):
        few = _few(connection, asked, after_seq, ascending=ascending) if conditions else None
        if few is None:
            sought = search.Sought(asked.q, conditions, after_seq, limit, ascending)
            conditions = [tables.LOG.c.seq.in_(search.seqs(connection, sought))]
            spans = [_ALL]
        else:
            conditions.append(search.by_row(asked.q, connection.dialect.name))
            spans = few
    found: list[dict[str, Any]] = []
    for part in _parts(spans, limit):
        rows = select(tables.LOG).where(*conditions, part)
        found += _read(connection, rows, limit - len(found), ascending=ascending, also=also)
        if len(found) == limit:
            break
    return found


def _spans(
    connection: Connection, sort: Mapping[str, Any], after_seq: int | None, *, ascending: bool
) -> list[zones.Span]:
    """The stretches of the log to read, in order, beyond `after_seq`."""
    first, last = _ALL
    if after_seq is not None:
        first, last = (after_seq + 1, last) if ascending else (first, after_seq - 1)
    found = [(first, last)]
    if sort:
        found = zones.spans(connection, sort, indexing.position(connection), ascending=ascending)
    cut = ((max(low, first), min(high, last)) for low, high in found)
    return [(low, high) for low, high in cut if low <= high]


def _few(
    connection: Connection, asked: Filter, after_seq: int | None, *, ascending: bool
) -> list[zones.Span] | None:
    """The stretches to read where what is asked beside `q` leaves few rows; null where it does not.

    By an index, or by the sorts there are in each stretch.
    """
    whole = _spans(connection, {}, after_seq, ascending=ascending)
    beyond = [tables.LOG.c.seq.between(*span) for span in whole]
    indexed = asked.indexed()
    known = bool(indexed) and _are_fewer(connection, [*indexed, *beyond], FEW)
    if known and _are_fewer(connection, [*asked.conditions(), *beyond], search.NEAR):
        return whole
    spans = _spans(connection, asked.sorts(), after_seq, ascending=ascending)
    end = head(connection)
    rows = sum(max(min(last, end) - first + 1, 0) for first, last in spans)
    return spans if rows <= FEW else None


def _are_fewer(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], most: int
) -> bool:
    some = select(tables.LOG.c.seq).where(*conditions).limit(most).subquery()
    count: int = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return count < most


def _parts(spans: Iterable[zones.Span], most: int) -> Iterator[ColumnElement[bool]]:
    """The stretches as conditions, in their order; of single rows at most `most` at once."""
    seq = tables.LOG.c.seq
    for alone, some in itertools.groupby(spans, key=lambda span: span[0] == span[1]):
        if not alone:
            yield from (seq.between(*span) for span in some)
            continue
        rows = [first for first, _ in some]
        yield from (seq.in_(rows[n : n + most]) for n in range(0, len(rows), most))


def _read(
    connection: Connection, rows: Select[Any], limit: int, *, ascending: bool, also: Sequence[str]
) -> list[dict[str, Any]]:
    """The first `limit` of `rows` of the log, with what the other tables add to them."""
    seq = tables.LOG.c.seq
    chosen = rows.order_by(seq if ascending else seq.desc()).limit(limit)
    payload = [tables.PAYLOAD.c[name] for name in also]
    found = connection.execute(_told(chosen, ascending=ascending).add_columns(*payload))
    return [
        {**_notification(row), **{name: _kept(row, name) for name in also}}
        for row in found.mappings()
    ]


def _kept(row: RowMapping, name: str) -> Any:
    """What is kept of a payload: of one that was erased no bytes, though its row is there."""
    return None if name == "raw" and row["payload_gone_at"] is not None else row[name]


def one(connection: Connection, id_: str) -> dict[str, Any] | None:
    """The notification `id_` whole, or null: as `page` tells it, and more.

    `summary`, `raw` (bytes; null where they are not kept), `payload_gone_at` (when they were
    erased), `first_seen_at` and `last_seen_at`, and `sightings_list`: at most 20 of {received_at,
    principal, remote_addr}.
    """
    if not filters.is_storable(id_):
        return None
    log, payload, ledger = tables.LOG, tables.PAYLOAD, tables.LEDGER
    rows = _told(select(log).where(log.c.id == id_), ascending=True).add_columns(
        payload.c.summary, payload.c.raw, ledger.c.last_seen_at
    )
    found = connection.execute(rows).mappings().one_or_none()
    if found is None:
        return None
    return {
        **_notification(found),
        "summary": found["summary"] or {},
        "raw": _kept(found, "raw"),
        "payload_gone_at": found["payload_gone_at"],
        "first_seen_at": found["received_at"],
        "last_seen_at": found["last_seen_at"] or found["received_at"],
        "sightings_list": _sightings(connection, found["seq"]),
    }


def raw(connection: Connection, id_: str) -> tuple[bytes, str | None] | None:
    """The exact bytes of notification `id_` and their content type; null: they are not there."""
    if not filters.is_storable(id_):
        return None
    log, payload = tables.LOG, tables.PAYLOAD
    found = connection.execute(
        select(payload.c.raw, payload.c.content_type)
        .join(log, log.c.seq == payload.c.seq)
        .where(log.c.id == id_, log.c.payload_gone_at.is_(None))
    ).one_or_none()
    return None if found is None else (found.raw, found.content_type)


def head(connection: Connection) -> int:
    """The seq of the newest notification; 0 when there is none."""
    return int(connection.execute(select(func.max(tables.LOG.c.seq))).scalar_one() or 0)


def _told(rows: Select[Any], *, ascending: bool) -> Select[Any]:
    """`rows` of the log, chosen and cut first, with what ledger and payload add to them."""
    chosen = rows.subquery("chosen")
    payload, ledger = tables.PAYLOAD, tables.LEDGER
    return (
        select(chosen, payload.c.content_type, ledger.c.sightings)
        .outerjoin(payload, payload.c.seq == chosen.c.seq)
        .outerjoin(ledger, ledger.c.seq == chosen.c.seq)
        .order_by(chosen.c.seq if ascending else chosen.c.seq.desc())
    )


def _notification(row: Any) -> dict[str, Any]:
    told = {name: row[name] for name in FIELDS}
    told["content_type"] = row["content_type"]
    told["conflict"] = row["conflict_of"] is not None
    told["sightings"] = row["sightings"] or 0
    return told


def _sightings(connection: Connection, seq: int) -> list[dict[str, Any]]:
    sighting = tables.SIGHTING
    rows = select(sighting.c.received_at, sighting.c.principal, sighting.c.remote_addr)
    found = connection.execute(rows.where(sighting.c.seq == seq).order_by(sighting.c.n))
    return [dict(row) for row in found.mappings()]
