"""The hot path: find what is known of a batch, then append what is new, in one transaction.

Rows travel as one JSON parameter, bytes as one concatenated blob with offset and length per row:
each row's own `execute` would give the GIL away and wait to get it back, and inside JSON a NUL
truncates silently on SQLite and fails the batch on PostgreSQL (DESIGN §4 [M]). On PostgreSQL the
statements run in one psycopg pipeline, the advisory lock in a statement of its own, first: READ
COMMITTED takes its snapshot per statement, so a lock inside the INSERT would come too late.

Not here: what is new, a repeat or a conflict. That is `intake`'s to say; here is what was found.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from app.notifications.notification import Notification, rfc3339
from app.store import payloads, tables

LOCK = 7_237_106_622
"""Advisory lock key of the log; readers and other programs must not use it."""

KEPT_SIGHTINGS = 20
DIGEST = 32

EXCLUDED = {"raw": True, "seq": True, "conflict_of": True}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A notification that may become a row, with its digests (SHA-256, 32 bytes each).

    `identity` is null for a push with neither event id nor time: it depends on how often its order
    changed, which only the append lock can tell. `row` is the notification as JSON.
    """

    notification: Notification
    raw_digest: bytes
    canonical_digest: bytes
    identity: bytes | None
    event_id_unique: bool
    row: bytes

    @classmethod
    def of(
        cls,
        notification: Notification,
        *,
        raw_digest: bytes,
        canonical_digest: bytes,
        identity: bytes | None,
        event_id_unique: bool = True,
    ) -> Candidate:
        """Build a candidate, rendering the row on the caller's thread rather than the writer's."""
        row = notification.__pydantic_serializer__.to_json(notification, exclude=EXCLUDED)
        return cls(notification, raw_digest, canonical_digest, identity, event_id_unique, row)


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
    identity without event id. `latest`: of a (source, order id), its newest row and its row count.
    `head` is the highest seq handed out.
    """

    head: int = 0
    by_event: dict[tuple[str, str], list[Known]] = field(default_factory=dict)
    by_identity: dict[bytes, Known] = field(default_factory=dict)
    latest: dict[tuple[str, str | None], tuple[Known | None, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class New:
    """The candidate becomes row `seq`; `conflict_of` is the id it disagrees with."""

    seq: int
    identity: bytes
    conflict_of: str | None


@dataclass(frozen=True, slots=True)
class Repeat:
    """The candidate is `known` again: a sighting."""

    known: Known


Decision = New | Repeat


def _pipeline(connection: Connection) -> AbstractContextManager[Any]:
    """One network round trip for what is sent inside, on PostgreSQL; nothing on SQLite."""
    if connection.dialect.name == "postgresql":
        return connection.connection.driver_connection.pipeline()  # type: ignore[union-attr, no-any-return]
    return nullcontext()


def find(connection: Connection, candidates: Sequence[Candidate]) -> Found:
    """Take the append lock, then read what the log knows of `candidates`.

    On SQLite the transaction began IMMEDIATE, which is the lock.
    """
    sql = _SQL[connection.dialect.name]
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
        rows = cursor.fetchall()
    for head, source, event_id, *known in rows:
        found.head = head
        if source is not None:
            _remember(found, source, event_id, _known(known))
    for key in {
        (c.notification.source, c.notification.order_id) for c in candidates if c.identity is None
    }:
        cursor.execute(sql.latest, (key[0], key[1]))
        found.latest[key] = _latest(cursor.fetchall())
    return found


def insert(
    connection: Connection, candidates: Sequence[Candidate], decisions: Sequence[Decision]
) -> None:
    """Append every `New` to ledger, log and payload, count every `Repeat`, and commit.

    The commit travels with the statements: the lock is held for one round trip less.
    """
    sql = _SQL[connection.dialect.name]
    new = [(c, d) for c, d in zip(candidates, decisions, strict=True) if isinstance(d, New)]
    again = [(c, d) for c, d in zip(candidates, decisions, strict=True) if isinstance(d, Repeat)]
    statements: list[tuple[str, dict[str, Any]]] = []
    if new:
        last = new[-1][1].seq
        payloads.ensure_partition(connection, last)
        rows, digests, bodies = _parameters(new)
        values = {"rows": rows, "digests": digests, "bodies": bodies}
        statements += [(statement, values) for statement in sql.insert]
        if sql.notify:
            statements.append((sql.notify, {"head": last}))
    if again:
        statements += [(statement, {"rows": _sightings(again)}) for statement in sql.sight]
    with _pipeline(connection):
        for statement, parameters in statements:
            _cursor(connection).execute(statement, parameters)
        connection.connection.commit()


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


def _latest(rows: Sequence[Sequence[Any]]) -> tuple[Known | None, int]:
    if not rows:
        return None, 0
    count, *known = rows[0]
    return _known(known), count


def _parameters(new: Sequence[tuple[Candidate, New]]) -> tuple[str, bytes, bytes]:
    rows, bodies, digests, offset = [], [], [], 1
    for n, (candidate, decision) in enumerate(new):
        body = candidate.notification.raw
        conflict = "null" if decision.conflict_of is None else f'"{decision.conflict_of}"'
        head = (
            f'{{"seq":{decision.seq},"d":{n * 3 * DIGEST + 1},"at":{offset},"len":{len(body)},'
            f'"conflict_of":{conflict},'
        )
        rows.append(head.encode() + candidate.row[1:])
        bodies.append(body)
        digests += (decision.identity, candidate.raw_digest, candidate.canonical_digest)
        offset += len(body)
    return (b"[" + b",".join(rows) + b"]").decode(), b"".join(digests), b"".join(bodies)


def _sightings(again: Sequence[tuple[Candidate, Repeat]]) -> str:
    turn: dict[int, int] = {}
    rows = []
    for candidate, decision in again:
        seq = decision.known.seq
        turn[seq] = turn.get(seq, 0) + 1
        seen = candidate.notification
        rows.append(
            {
                "seq": seq,
                "n": turn[seq],
                "received_at": rfc3339(seen.received_at),
                "principal": seen.principal,
                "remote_addr": seen.remote_addr,
            }
        )
    return json.dumps(rows)


# --- statements -----------------------------------------------------------------------------

LOG_COLUMNS = tuple(c.name for c in tables.Log.__table__.columns if c.name != "payload_gone_at")  # type: ignore[attr-defined]
_TYPES = {
    c.name: "timestamptz" if isinstance(c.type, tables.UtcMoment) else str(c.type)
    for c in tables.Log.__table__.columns  # type: ignore[attr-defined]
}


@dataclass(frozen=True, slots=True)
class _Statements:
    """The statements of one engine; each takes its rows as one JSON parameter."""

    lock: str | None
    find: str
    latest: str
    insert: tuple[str, ...]
    sight: tuple[str, ...]
    notify: str | None


_KNOWN = "l.seq, g.id, l.identity, l.raw_digest, l.canonical_digest"


def _sqlite() -> _Statements:
    columns = ", ".join(LOG_COLUMNS)
    picked = ", ".join(
        f"nullif(value -> '$.{c}', 'null')" if _TYPES[c] == "JSON" else f"value ->> '$.{c}'"
        for c in LOG_COLUMNS
    )
    digest = [f"substr(:digests, (value ->> '$.d') + {n * DIGEST}, {DIGEST})" for n in range(3)]
    head = "(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'log')"
    return _Statements(
        lock=None,
        find=f"""
            SELECT head.seq, k.* FROM (SELECT {head} AS seq) head LEFT JOIN (
                SELECT l.source, l.event_id, {_KNOWN}
                FROM json_each(?1) j CROSS JOIN ledger l
                ON l.source = j.value ->> 0 AND l.event_id = j.value ->> 1
                JOIN log g ON g.seq = l.seq
                UNION ALL
                SELECT l.source, NULL, {_KNOWN}
                FROM json_each(?3) j CROSS JOIN ledger l
                ON l.identity = substr(?2, j.value, {DIGEST})
                JOIN log g ON g.seq = l.seq
            ) k ON true ORDER BY k.seq""",
        latest=f"""
            SELECT (SELECT count(*) FROM log WHERE source = ?1 AND order_id IS ?2), {_KNOWN}
            FROM log g JOIN ledger l ON l.seq = g.seq
            WHERE g.source = ?1 AND g.order_id IS ?2 ORDER BY g.seq DESC LIMIT 1""",
        insert=(
            f"""INSERT INTO ledger (identity, seq, source, event_id, raw_digest, canonical_digest,
                    sightings, last_seen_at)
                SELECT {digest[0]}, value ->> '$.seq', value ->> '$.source',
                    value ->> '$.event_id', {digest[1]}, {digest[2]}, 0,
                    value ->> '$.received_at' FROM json_each(:rows)""",
            f"INSERT INTO log ({columns}) SELECT {picked} FROM json_each(:rows)",
            """INSERT INTO payload (seq, content_type, raw, summary)
                SELECT value ->> '$.seq', value ->> '$.content_type',
                    substr(:bodies, value ->> '$.at', value ->> '$.len'), value -> '$.summary'
                FROM json_each(:rows)""",
        ),
        sight=(
            f"""INSERT INTO sighting (seq, n, received_at, principal, remote_addr)
                SELECT l.seq, l.sightings + (value ->> '$.n'), value ->> '$.received_at',
                    value ->> '$.principal', value ->> '$.remote_addr'
                FROM json_each(:rows) CROSS JOIN ledger l ON l.seq = value ->> '$.seq'
                WHERE l.sightings + (value ->> '$.n') <= {KEPT_SIGHTINGS}""",
            """UPDATE ledger SET sightings = sightings + r.n, last_seen_at = r.at
                FROM (SELECT value ->> '$.seq' AS seq, count(*) AS n,
                        max(value ->> '$.received_at') AS at
                    FROM json_each(:rows) GROUP BY 1) AS r
                WHERE ledger.seq = r.seq""",
        ),
        notify=None,
    )


def _postgresql() -> _Statements:
    columns = ", ".join(LOG_COLUMNS)
    typed = ", ".join(f"{c} {_pg_type(c)}" for c in LOG_COLUMNS)
    digest = [f"substring(%(digests)s::bytea from r.d + {n * DIGEST} for {DIGEST})" for n in range(3)]
    rows = f"json_to_recordset(%(rows)s::json) AS r(d int, at int, len int, content_type text, summary jsonb, {typed})"
    seen = "json_to_recordset(%(rows)s::json) AS r(seq bigint, n int, received_at timestamptz, principal text, remote_addr text)"
    return _Statements(
        lock=f"SELECT pg_advisory_xact_lock({LOCK})",
        find=f"""
            SELECT head.seq, k.* FROM
            (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS seq FROM log_seq) head
            LEFT JOIN (
                SELECT l.source, l.event_id, {_KNOWN}
                FROM json_array_elements(%s::json) j
                JOIN ledger l ON l.source = j ->> 0 AND l.event_id = j ->> 1
                JOIN log g ON g.seq = l.seq
                UNION ALL
                SELECT l.source, NULL, {_KNOWN}
                FROM (SELECT %s::bytea AS all_of_them) b
                CROSS JOIN json_array_elements_text(%s::json) AS n(at)
                JOIN ledger l ON l.identity = substring(b.all_of_them from n.at::int for {DIGEST})
                JOIN log g ON g.seq = l.seq
            ) k ON true ORDER BY k.seq""",
        latest=f"""
            WITH key(source, order_id) AS (VALUES (%s::text, %s::text))
            SELECT (SELECT count(*) FROM log WHERE log.source = key.source
                    AND log.order_id IS NOT DISTINCT FROM key.order_id), {_KNOWN}
            FROM key JOIN log g ON g.source = key.source
                AND g.order_id IS NOT DISTINCT FROM key.order_id
            JOIN ledger l ON l.seq = g.seq ORDER BY g.seq DESC LIMIT 1""",
        insert=(
            f"""WITH r AS MATERIALIZED (SELECT * FROM {rows}),
                l AS (INSERT INTO ledger (identity, seq, source, event_id, raw_digest,
                        canonical_digest, sightings, last_seen_at)
                    SELECT {digest[0]}, seq, source, event_id, {digest[1]}, {digest[2]}, 0,
                        received_at FROM r),
                g AS (INSERT INTO log ({columns}) SELECT {columns} FROM r),
                p AS (INSERT INTO payload (seq, content_type, raw, summary)
                    SELECT seq, content_type, substring(%(bodies)s::bytea from at for len), summary
                    FROM r)
                SELECT setval('log_seq', (SELECT max(seq) FROM r))""",
        ),
        sight=(
            f"""INSERT INTO sighting (seq, n, received_at, principal, remote_addr)
                SELECT l.seq, l.sightings + r.n, r.received_at, r.principal, r.remote_addr
                FROM {seen} JOIN ledger l ON l.seq = r.seq
                WHERE l.sightings + r.n <= {KEPT_SIGHTINGS}""",
            f"""UPDATE ledger SET sightings = sightings + s.n, last_seen_at = s.at
                FROM (SELECT seq, count(*) AS n, max(received_at) AS at FROM {seen} GROUP BY 1) AS s
                WHERE ledger.seq = s.seq""",
        ),
        notify="SELECT pg_notify('listener_log', %(head)s::text)",
    )


def _pg_type(column: str) -> str:
    kind = _TYPES[column]
    return {"JSON": "jsonb", "BIGINT": "bigint"}.get(kind, kind.lower())


_SQL = {"sqlite": _sqlite(), "postgresql": _postgresql()}
