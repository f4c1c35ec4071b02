"""The statements an append is made of, for both engines, built once from the columns of `tables`.

On PostgreSQL they run in psycopg pipelines, the advisory lock in a statement of its own, first:
READ COMMITTED takes its snapshot per statement, so a lock inside the INSERT would come too late
(DESIGN §4 [M]). SQLite needs none: its transaction began IMMEDIATE. Not here: the rows (`rows`).
"""
# ruff: noqa: S608 - what is put together here are names of our own columns, never anyone's values

from __future__ import annotations

from dataclasses import dataclass

from app.store import tables

LOCK = 7_237_106_622
"""Advisory lock key of the log; readers and other programs must not use it."""

KEPT_SIGHTINGS = 20
DIGEST = 32
"""Bytes of a SHA-256."""

LOG_COLUMNS = tuple(
    c.name
    for c in tables.Log.__table__.columns  # type: ignore[attr-defined]
    if c.name != "payload_gone_at"
)
LEDGER_COLUMNS = (
    "identity",
    "seq",
    "source",
    "event_id",
    "raw_digest",
    "canonical_digest",
    "sightings",
    "last_seen_at",
)
PAYLOAD_COLUMNS = ("seq", "content_type", "raw", "summary")
_TYPES = {
    c.name: "timestamptz" if isinstance(c.type, tables.UtcMoment) else str(c.type)
    for c in tables.Log.__table__.columns  # type: ignore[attr-defined]
}


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one engine; many rows travel as one JSON parameter."""

    lock: str | None
    find: str
    latest: str
    latest_orderless: str
    sight: tuple[str, ...]
    notify: str | None


_KNOWN = "l.seq, g.id, l.identity, l.raw_digest, l.canonical_digest"


def _sqlite() -> Statements:
    head = "(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'log')"
    return Statements(
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
        latest=_latest("g.source = ? AND g.order_id = ?"),
        latest_orderless=_latest("g.source = ? AND g.order_id IS NULL"),
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


def _postgresql() -> Statements:
    seen = (
        "json_to_recordset(%(rows)s::json)"
        " AS r(seq bigint, n int, received_at timestamptz, principal text, remote_addr text)"
    )
    return Statements(
        lock=f"SELECT pg_advisory_xact_lock({LOCK})",
        find=f"""
            SELECT head.seq, k.* FROM
            (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS seq
                FROM log_seq) head
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
        latest=_latest("g.source = %s AND g.order_id = %s"),
        latest_orderless=_latest("g.source = %s AND g.order_id IS NULL"),
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


def _latest(where: str) -> str:
    return f"""SELECT {_KNOWN} FROM log g JOIN ledger l ON l.seq = g.seq
               WHERE {where} ORDER BY g.seq DESC LIMIT 1"""


def _postgresql_insert() -> str:
    columns = ", ".join(LOG_COLUMNS)
    typed = ", ".join(f"{c} {_pg_type(c)}" for c in LOG_COLUMNS)
    digest = [
        f"substring(%(digests)s::bytea from r.d + {n * DIGEST} for {DIGEST})" for n in range(3)
    ]
    rows = (
        "json_to_recordset(%(rows)s::json)"
        f" AS r(d int, at int, len int, content_type text, summary jsonb, {typed})"
    )
    return f"""WITH r AS MATERIALIZED (SELECT * FROM {rows}),
        l AS (INSERT INTO ledger ({", ".join(LEDGER_COLUMNS)})
            SELECT {digest[0]}, seq, source, event_id, {digest[1]}, {digest[2]}, 0, received_at
            FROM r),
        g AS (INSERT INTO log ({columns}) SELECT {columns} FROM r),
        p AS (INSERT INTO payload ({", ".join(PAYLOAD_COLUMNS)})
            SELECT seq, content_type, substring(%(bodies)s::bytea from at for len), summary FROM r)
        SELECT setval('log_seq', (SELECT max(seq) FROM r))"""


def _pg_type(column: str) -> str:
    kind = _TYPES[column]
    return {"JSON": "jsonb", "BIGINT": "bigint"}.get(kind, kind.lower())


OF = {"sqlite": _sqlite(), "postgresql": _postgresql()}
POSTGRESQL_INSERT = _postgresql_insert()
