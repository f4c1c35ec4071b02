"""The tables, as SQLModel classes; private to `store`: other rooms see canonical objects and dicts.

`ledger`, `log` and `payload` are the three of DESIGN §5: ledger and log rows are never deleted,
what is taken away is taken from payload alone. Rows are built from canonical objects only, for a
`table=True` class does not validate. The steps under `migrations/` make these tables; a test holds
both equal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class UtcMoment(TypeDecorator[datetime]):
    """An aware UTC datetime: `timestamptz` on PostgreSQL, sortable RFC 3339 text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Text on SQLite, which would drop the zone."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times; write SQLite's text with 6 decimals."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive datetime reached the store"
            raise ValueError(msg)
        value = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Always aware, always UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            value = datetime.fromisoformat(value)
        moment: datetime = value.astimezone(UTC)
        return moment


BIG = BigInteger().with_variant(Integer(), "sqlite")
DOCUMENT = JSON().with_variant(JSONB(), "postgresql")


class Table(SQLModel):
    """What every table is made of.

    No validator is built, for none would be used: a `table=True` class does not validate, and to
    build all of them takes every process a while.
    """

    model_config = {"defer_build": True}


class Epoch(Table, table=True):
    """The log's epochs; the one in force has the highest `number` (law 10)."""

    __tablename__ = "epoch"

    number: int = Field(primary_key=True)
    epoch: str = Field(sa_type=Text, unique=True)
    started_at: datetime = Field(sa_type=UtcMoment)
    reason: str = Field(sa_type=Text)


class Ledger(Table, table=True):
    """Who we know already: one row an identity (law 4). Never deleted.

    `identity` is SHA-256 (32 bytes) over (source, event id or an absent mark, content digest).
    """

    __tablename__ = "ledger"
    __table_args__ = (
        Index(
            "ledger_event", "event_id", "source", postgresql_ops={"event_id": "text_pattern_ops"}
        ),
    )

    seq: int = Field(sa_type=BIG, primary_key=True)
    identity: bytes = Field(sa_type=LargeBinary, unique=True)
    source: str = Field(sa_type=Text)
    event_id: str | None = Field(default=None, sa_type=Text)
    raw_digest: bytes = Field(sa_type=LargeBinary)
    canonical_digest: bytes = Field(sa_type=LargeBinary)
    sightings: int = Field(default=0)
    last_seen_at: datetime = Field(sa_type=UtcMoment)


class Sighting(Table, table=True):
    """A repeat of a notification: when it was seen again and who sent it; at most 20 rows a seq."""

    __tablename__ = "sighting"
    __table_args__ = (Index("sighting_received", "received_at"),)

    seq: int = Field(sa_type=BIG, primary_key=True)
    n: int = Field(primary_key=True)
    received_at: datetime = Field(sa_type=UtcMoment)
    principal: str | None = Field(default=None, sa_type=Text)
    remote_addr: str | None = Field(default=None, sa_type=Text)


def _log_index(column: str, *, prefix: bool = False, only_present: bool = False) -> Index:
    """An index of the log on (column, seq); `prefix`: fit for "begins with"."""
    present = text(f"{column} IS NOT NULL") if only_present else None
    return Index(
        f"log_{column}",
        column,
        "seq",
        sqlite_where=present,
        postgresql_where=present,
        postgresql_ops={column: "text_pattern_ops"} if prefix else {},
    )


class Log(Table, table=True):
    """The log: the canonical columns, in commit order (law 3). Never deleted.

    Indexed are the ids people look for and what is rare. Not source, kind, state: read backwards,
    the log answers those from its end, and a value nobody has costs 0.2 s a million rows (SQLite;
    PostgreSQL 0.06 s), while each such index costs every append 3 µs and leads SQLite's planner
    away from the order's. event_id is found by the ledger's index.
    """

    __tablename__ = "log"
    __table_args__ = (
        Index("log_id", "id", unique=True, postgresql_ops={"id": "text_pattern_ops"}),
        _log_index("order_id", prefix=True),
        _log_index("external_id", prefix=True, only_present=True),
        _log_index("about_order_id", prefix=True, only_present=True),
        _log_index("service_id", prefix=True, only_present=True),
        _log_index("access_id", prefix=True, only_present=True),
        _log_index("attention", only_present=True),
        _log_index("conflict_of", only_present=True),
        {"sqlite_autoincrement": True},
    )

    seq: int = Field(sa_type=BIG, primary_key=True)
    id: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    flavour: str = Field(sa_type=Text)
    event_id: str | None = Field(default=None, sa_type=Text)
    event_type: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    resource_type: str = Field(sa_type=Text)
    order_id: str | None = Field(default=None, sa_type=Text)
    about_order_id: str | None = Field(default=None, sa_type=Text)
    href: str | None = Field(default=None, sa_type=Text)
    external_id: str | None = Field(default=None, sa_type=Text)
    items: list[dict[str, Any]] = Field(default=[], sa_type=DOCUMENT)
    service_id: str | None = Field(default=None, sa_type=Text)
    access_id: str | None = Field(default=None, sa_type=Text)
    refs: dict[str, str] = Field(default={}, sa_type=DOCUMENT)
    state: str | None = Field(default=None, sa_type=Text)
    raw_state: str | None = Field(default=None, sa_type=Text)
    attention: str | None = Field(default=None, sa_type=Text)
    origin: str = Field(sa_type=Text)
    occurred_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    occurred_at_raw: str | None = Field(default=None, sa_type=Text)
    received_at: datetime = Field(sa_type=UtcMoment)
    principal: str | None = Field(default=None, sa_type=Text)
    remote_addr: str | None = Field(default=None, sa_type=Text)
    backfill: bool = Field(default=False)
    appointment: Any = Field(default=None, sa_type=DOCUMENT, nullable=True)
    attention_clears: bool = Field(default=False)
    conflict_of: str | None = Field(default=None, sa_type=Text)
    warnings: list[str] = Field(default=[], sa_type=DOCUMENT)
    payload_gone_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class Payload(Table, table=True):
    """What may be taken away, and the log stays: the exact bytes and the small summary.

    Partitioned by range of seq on PostgreSQL (`payloads`).
    """

    __tablename__ = "payload"

    seq: int = Field(sa_type=BIG, primary_key=True)
    content_type: str | None = Field(default=None, sa_type=Text)
    raw: bytes = Field(sa_type=LargeBinary)
    summary: dict[str, Any] = Field(default={}, sa_type=DOCUMENT)


class Quarantine(Table, table=True):
    """A refused body of an authenticated sender (law 2): one row a (source, raw digest, code).

    `body` is null when only the digest is kept (over the source's quota); `length` is what was
    read; `truncated` says that `body` is only its first 64 kB. `status`: open, released, discarded.
    """

    __tablename__ = "quarantine"
    __table_args__ = (
        UniqueConstraint("source", "raw_digest", "code", name="quarantine_once"),
        Index("quarantine_status", "status", "id"),
        Index("quarantine_source", "source", "status", "id"),
        Index(
            "quarantine_again",
            "last_received_at",
            sqlite_where=text("count > 1"),
            postgresql_where=text("count > 1"),
        ),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text)
    raw_digest: bytes = Field(sa_type=LargeBinary)
    code: int
    message: str = Field(sa_type=Text)
    faults: list[dict[str, str]] = Field(default=[], sa_type=DOCUMENT)
    status: str = Field(default="open", sa_type=Text)
    count: int = Field(default=1, sa_type=BIG)
    received_at: datetime = Field(sa_type=UtcMoment)
    last_received_at: datetime = Field(sa_type=UtcMoment)
    channel: str = Field(sa_type=Text)
    flavour: str | None = Field(default=None, sa_type=Text)
    event_name: str | None = Field(default=None, sa_type=Text)
    content_type: str | None = Field(default=None, sa_type=Text)
    principal: str | None = Field(default=None, sa_type=Text)
    remote_addr: str | None = Field(default=None, sa_type=Text)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    length: int = Field(sa_type=BIG)
    truncated: bool = Field(default=False)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    resolved_by: str | None = Field(default=None, sa_type=Text)
    notification_id: str | None = Field(default=None, sa_type=Text)


class QuarantineUsage(Table, table=True):
    """What one source holds in quarantine: full rows, their bytes, digest-only rows."""

    __tablename__ = "quarantine_usage"

    source: str = Field(sa_type=Text, primary_key=True)
    rows: int = Field(default=0, sa_type=BIG)
    bytes: int = Field(default=0, sa_type=BIG)
    digests: int = Field(default=0, sa_type=BIG)


class QuarantineOverflow(Table, table=True):
    """Refusals beyond every quota: only counted."""

    __tablename__ = "quarantine_overflow"

    source: str = Field(sa_type=Text, primary_key=True)
    code: int = Field(primary_key=True)
    count: int = Field(default=0, sa_type=BIG)
    last_received_at: datetime = Field(sa_type=UtcMoment)


class Credential(Table, table=True):
    """A long-lived credential of a source; the secret is shown once and kept only as a hash."""

    __tablename__ = "credential"
    __table_args__ = (Index("credential_source", "source"),)

    id: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    secret_hash: bytes = Field(sa_type=LargeBinary)
    label: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=UtcMoment)
    expires_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class SourceState(Table, table=True):
    """What is decided about a source at run time: tokens issued before this moment are void."""

    __tablename__ = "source_state"

    source: str = Field(sa_type=Text, primary_key=True)
    tokens_not_before: datetime | None = Field(default=None, sa_type=UtcMoment)


class AuditTrail(Table, table=True):
    """Who did what, when: every act of an administrator."""

    __tablename__ = "audit_trail"

    id: str = Field(sa_type=Text, primary_key=True)
    at: datetime = Field(sa_type=UtcMoment)
    principal: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    target: str = Field(sa_type=Text)
    detail: dict[str, Any] = Field(default={}, sa_type=DOCUMENT)


METADATA = SQLModel.metadata
EPOCH = METADATA.tables["epoch"]
LEDGER = METADATA.tables["ledger"]
SIGHTING = METADATA.tables["sighting"]
LOG = METADATA.tables["log"]
PAYLOAD = METADATA.tables["payload"]
QUARANTINE = METADATA.tables["quarantine"]
QUARANTINE_USAGE = METADATA.tables["quarantine_usage"]
QUARANTINE_OVERFLOW = METADATA.tables["quarantine_overflow"]
CREDENTIAL = METADATA.tables["credential"]
SOURCE_STATE = METADATA.tables["source_state"]
AUDIT_TRAIL = METADATA.tables["audit_trail"]
