"""Personal data: kept apart, read only with the scope `personal`, and erased so that it is gone.

What an operator tells of a person has its own table. Erasing an order also takes, wherever they
lie, the bodies that tell of it: raw bytes and summaries, quarantined bodies, files, what was sent
and answered. Ledger and log rows stay, with the moment it was done (`payload_gone_at`): that
something was told, when, and by whom is no personal data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, or_, select, text, update

from app.store import indexing, quarantine, tables
from app.store.feed_tables import COMMAND, FILE, PERSONAL

KEPT_OF_ARGUMENTS: Final = frozenset({"status"})
"""Arguments of a command that name no person and tell nothing of one."""


@dataclass(frozen=True, slots=True)
class Person:
    """What an operator told of the person behind an order: names and values as it spells them."""

    source: str
    order_id: str
    fetched_at: datetime
    told: dict[str, str]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took: of how many notifications, quarantined bodies, files and commands."""

    notifications: int
    quarantined: int
    files: int
    commands: int
    person: bool


def put(connection: Connection, person: Person) -> None:
    """Keep what is known of a person, in place of what was known before."""
    row = {
        "source": person.source,
        "order_id": person.order_id,
        "at": person.fetched_at,
        "type": "application/json",
        "body": json.dumps(person.told, ensure_ascii=False).encode(),
    }
    connection.execute(_PUT, row)


def one(connection: Connection, source: str, order_id: str) -> Person | None:
    """What is known of the person behind an order; null where nothing is."""
    key = and_(PERSONAL.c.source == source, PERSONAL.c.order_id == order_id)
    found = connection.execute(select(PERSONAL).where(key)).first()
    if found is None:
        return None
    return Person(found.source, found.order_id, found.fetched_at, json.loads(found.body))


def erase(connection: Connection, source: str, order_id: str, *, by: str, at: datetime) -> Erased:
    """Take what is personal of the order `order_id` of `source`, everywhere it lies.

    Also of rows that are only about the order (a cancel task, a service's events that name it). Do
    it again for what arrives later. Harmless when there is nothing.
    """
    seqs = _seqs(connection, source, order_id)
    key = and_(PERSONAL.c.source == source, PERSONAL.c.order_id == order_id)
    return Erased(
        notifications=_blank_payloads(connection, seqs, at),
        quarantined=_discard(connection, source, order_id, by, at),
        files=_blank_files(connection, source, order_id, seqs),
        commands=_blank_commands(connection, source, order_id),
        person=connection.execute(delete(PERSONAL).where(key)).rowcount == 1,
    )


def _seqs(connection: Connection, source: str, order_id: str) -> list[int]:
    log = tables.LOG.c
    about = or_(log.order_id == order_id, log.about_order_id == order_id)
    rows = select(log.seq).where(log.source == source, about)
    return list(connection.execute(rows).scalars())


def _blank_payloads(connection: Connection, seqs: list[int], at: datetime) -> int:
    """Blank bytes, summaries and the words they are found by.

    The canonical columns keep ids, states and times only.
    """
    log, payload = tables.LOG, tables.PAYLOAD
    blank: dict[str, Any] = {"raw": b"", "summary": {}}
    for some in _parts(seqs):
        connection.execute(update(payload).where(payload.c.seq.in_(some)).values(**blank))
        connection.execute(update(log).where(log.c.seq.in_(some)).values(payload_gone_at=at))
    indexing.again(connection, seqs)
    return len(seqs)


def _discard(connection: Connection, source: str, order_id: str, by: str, at: datetime) -> int:
    """Discard the refused bodies that name the order anywhere in them, and what is told of them."""
    table = tables.QUARANTINE
    needles = (json.dumps(order_id, ensure_ascii=True)[1:-1].encode(), order_id.encode())
    rows = select(table.c.id, table.c.body).where(
        table.c.source == source, table.c.body.is_not(None)
    )
    found = [
        id_ for id_, body in connection.execute(rows) if any(one in bytes(body) for one in needles)
    ]
    for id_ in found:
        quarantine.mark(connection, id_, "discarded", by, at)
        words = {"faults": [], "message": "erased"}
        connection.execute(update(table).where(table.c.id == id_).values(**words))
    return len(found)


def _blank_files(connection: Connection, source: str, order_id: str, seqs: list[int]) -> int:
    log = tables.LOG.c
    ids: list[str] = []
    for some in _parts(seqs):
        ids += connection.execute(select(log.id).where(log.seq.in_(some))).scalars()
    blanked = 0
    blank: dict[str, Any] = {"state": "gone", "body": None, "label": FILE.c.id, "address": ""}
    own = and_(FILE.c.source == source, FILE.c.order_id == order_id, FILE.c.state != "gone")
    blanked += connection.execute(update(FILE).where(own).values(**blank)).rowcount
    for part in _parts(ids):
        more = and_(FILE.c.notification_id.in_(part), FILE.c.state != "gone")
        blanked += connection.execute(update(FILE).where(more).values(**blank)).rowcount
    return blanked


def _blank_commands(connection: Connection, source: str, order_id: str) -> int:
    own = and_(COMMAND.c.source == source, COMMAND.c.order_id == order_id)
    rows = connection.execute(select(COMMAND.c.id, COMMAND.c.arguments).where(own)).all()
    for id_, arguments in rows:
        kept = {name: value for name, value in arguments.items() if name in KEPT_OF_ARGUMENTS}
        blank: dict[str, Any] = {"arguments": kept, "result": None, "error": None}
        connection.execute(update(COMMAND).where(COMMAND.c.id == id_).values(**blank))
    return len(rows)


def _parts(values: list[Any]) -> list[list[Any]]:
    return [values[n : n + 500] for n in range(0, len(values), 500)]


_PUT = text(
    "INSERT INTO personal (source, order_id, fetched_at, content_type, body)"
    " VALUES (:source, :order_id, :at, :type, :body) ON CONFLICT (source, order_id) DO UPDATE"
    " SET fetched_at = excluded.fetched_at, content_type = excluded.content_type,"
    " body = excluded.body"
).bindparams(bindparam("at", type_=tables.UtcMoment()))
