"""The hot path: find what is known of a batch, then append what is new, in one transaction.

Many rows travel in one statement (`rows`, `statements`), for each row's own `execute` would give
the GIL away and wait to get it back (DESIGN §4 [M]).

Not here: what is new, a repeat or a conflict. That is `intake`'s to say; here is what was found.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from app.notifications.notification import Channel, Notification, rfc3339
from app.store import payloads, rows, snapshots, statements
from app.store.statements import DIGEST


@dataclass(frozen=True, slots=True)
class Candidate:
    """A notification that may become a row, with its digests (SHA-256, 32 bytes each).

    `identity` is null where only the append lock can tell it: for a push with neither event id nor
    time (it depends on how often its order changed), and for an entry of a feed without event ids
    (`snapshot_key`: what its changes are counted under; `later`: what it is told as where it is not
    the first).
    """

    notification: Notification
    raw_digest: bytes
    canonical_digest: bytes
    identity: bytes | None
    event_id_unique: bool = True
    snapshot_key: str | None = None
    later: Notification | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A notification the ledger holds already."""

    seq: int
    id: str
    identity: bytes
    raw_digest: bytes
    canonical_digest: bytes


@dataclass(slots=True)
class Found:
    """What the log knows that bears on a batch, read under the append lock.

    `by_event`: every known row of a (source, event id), oldest first. `by_identity`: the row of an
    identity without event id. `latest`: the newest row of a (source, order id).
    `snapshots`: the last content of a (source, snapshot key). `head` is the highest seq handed out.
    """

    head: int = 0
    by_event: dict[tuple[str, str], list[Known]] = field(default_factory=dict)
    by_identity: dict[bytes, Known] = field(default_factory=dict)
    latest: dict[tuple[str, str | None], Known | None] = field(default_factory=dict)
    snapshots: dict[tuple[str, str], snapshots.Snapshot] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class New:
    """The candidate becomes row `seq`; `conflict_of` is the id it disagrees with.

    `snapshot` is what it changed, and names it, in a feed without event ids.
    """

    seq: int
    identity: bytes
    conflict_of: str | None
    snapshot: snapshots.Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """The candidate is `known` again: a sighting, unless a feed read it again by design."""

    known: Known


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A feed shows what it showed before, without an event id or unreadable."""


Decision = New | Repeat | Unchanged


def _pipeline(connection: Connection) -> AbstractContextManager[Any]:
    """One network round trip for what is sent inside, on PostgreSQL; nothing on SQLite."""
    if connection.dialect.name == "postgresql":
        return connection.connection.driver_connection.pipeline()  # type: ignore[union-attr, no-any-return]
    return nullcontext()


def find(connection: Connection, candidates: Sequence[Candidate]) -> Found:
    """Take the append lock, then read what the log knows of `candidates`.

    On SQLite the transaction began IMMEDIATE, which is the lock.
    """
    sql = statements.OF[connection.dialect.name]
    found = Found()
    named = {(c.notification.source, c.notification.event_id): None for c in candidates}
    keys = json.dumps([k for k in named if k[1] is not None])
    bare = [c.identity for c in candidates if c.identity and c.notification.event_id is None]
    offsets = json.dumps([n * DIGEST + 1 for n in range(len(bare))])
    cursor = _cursor(connection)
    with _pipeline(connection):
        if sql.lock:
            _cursor(connection).execute(sql.lock)
        cursor.execute(sql.find, (keys, b"".join(bare), offsets))
        answer = cursor.fetchall()
    for head, source, event_id, *known in answer:
        found.head = head
        if source is not None:
            _remember(found, source, event_id, _known(known))
    found.snapshots = snapshots.latest(
        connection,
        {(c.notification.source, c.snapshot_key) for c in candidates if c.snapshot_key is not None},
    )
    for key in {
        (c.notification.source, c.notification.order_id)
        for c in candidates
        if c.identity is None and c.snapshot_key is None
    }:
        if key[1] is None:
            cursor.execute(sql.latest_orderless, key[:1])
        else:
            cursor.execute(sql.latest, key)
        newest = cursor.fetchone()
        found.latest[key] = None if newest is None else _known(newest)
    return found


def insert(
    connection: Connection,
    candidates: Sequence[Candidate],
    decisions: Sequence[Decision],
    *,
    commit: bool = True,
) -> None:
    """Append every `New` to ledger, log and payload, count every `Repeat`, and commit.

    The commit travels with the statements: the lock is held for one round trip less.
    """
    sql = statements.OF[connection.dialect.name]
    new, again = _parted(candidates, decisions)
    changes = (d.snapshot for d in decisions if isinstance(d, New) and d.snapshot is not None)
    snapshots.put(connection, changes)
    work: list[rows.Statement] = []
    if new:
        payloads.ensure_partition(connection, new[-1].seq)
        work += rows.OF[connection.dialect.name](new)
        if sql.notify:
            work.append((sql.notify, {"head": new[-1].seq}))
    if again:
        work += [(statement, {"rows": _sightings(again)}) for statement in sql.sight]
    with _pipeline(connection):
        for statement, parameters in work:
            _cursor(connection).execute(statement, parameters)
        if commit:
            connection.connection.commit()


def _parted(
    candidates: Sequence[Candidate], decisions: Sequence[Decision]
) -> tuple[list[rows.Row], list[tuple[Candidate, Repeat]]]:
    """What becomes a row, and what is a sighting: of what was pushed, not what a feed re-reads."""
    new: list[rows.Row] = []
    again: list[tuple[Candidate, Repeat]] = []
    for candidate, decision in zip(candidates, decisions, strict=True):
        match decision:
            case New():
                new.append(_row(candidate, decision))
            case Repeat() if candidate.notification.channel is Channel.PUSH:
                again.append((candidate, decision))
            case _:
                pass
    return new, again


def _row(candidate: Candidate, decision: New) -> rows.Row:
    told = candidate.notification
    if decision.snapshot is not None:
        told = candidate.later if decision.snapshot.n > 1 and candidate.later else told
        told = told.model_copy(update={"event_id": decision.snapshot.event_id})
    return rows.Row(
        decision.seq,
        decision.identity,
        candidate.raw_digest,
        candidate.canonical_digest,
        decision.conflict_of,
        told,
    )


def _cursor(connection: Connection) -> Any:
    return connection.connection.driver_connection.cursor()  # type: ignore[union-attr]


def _known(row: Sequence[Any]) -> Known:
    seq, id_, identity, raw, canonical = row
    return Known(seq, id_, bytes(identity), bytes(raw), bytes(canonical))


def _remember(found: Found, source: str, event_id: str | None, known: Known) -> None:
    if event_id is None:
        found.by_identity[known.identity] = known
    else:
        found.by_event.setdefault((source, event_id), []).append(known)


def _sightings(again: Sequence[tuple[Candidate, Repeat]]) -> str:
    turn: dict[int, int] = {}
    seen_again = []
    for candidate, decision in again:
        seq = decision.known.seq
        turn[seq] = turn.get(seq, 0) + 1
        seen = candidate.notification
        seen_again.append(
            {
                "seq": seq,
                "n": turn[seq],
                "received_at": rfc3339(seen.received_at),
                "principal": seen.principal,
                "remote_addr": seen.remote_addr,
            }
        )
    return json.dumps(seen_again)
