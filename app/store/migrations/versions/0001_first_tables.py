"""The first tables: epochs, ledger, log, payload, quarantine, credentials, audit trail.

On PostgreSQL `payload` is partitioned by range of seq and `log_seq` holds the last seq handed out;
on SQLite AUTOINCREMENT does (DESIGN §4, §5). Writes the first epoch (law 10).
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Make the step."""
    _epoch()
    _ledger()
    _log()
    _payload()
    _quarantine()
    _credentials()
    _audit_trail()


def _epoch() -> None:
    epoch = op.create_table(
        "epoch",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Text(), nullable=False, unique=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    now: datetime | str = datetime.now(UTC)
    if op.get_bind().dialect.name == "sqlite":
        now = f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"
    first = {"number": 1, "epoch": str(uuid.uuid4()), "started_at": now, "reason": "created"}
    op.bulk_insert(epoch, [first])


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text()),
        sa.Column("raw_digest", sa.LargeBinary(), nullable=False),
        sa.Column("canonical_digest", sa.LargeBinary(), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
    )
    op.create_index(
        "ledger_event", "ledger", ["event_id", "source"],
        postgresql_ops={"event_id": "text_pattern_ops"},
    )  # fmt: skip
    op.create_table(
        "sighting",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("principal", sa.Text()),
        sa.Column("remote_addr", sa.Text()),
    )


def _log() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "log",
        sa.Column("seq", BIG, primary_key=True, autoincrement=sqlite),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("flavour", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text()),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text()),
        sa.Column("about_order_id", sa.Text()),
        sa.Column("href", sa.Text()),
        sa.Column("external_id", sa.Text()),
        sa.Column("items", DOCUMENT, nullable=False),
        sa.Column("service_id", sa.Text()),
        sa.Column("access_id", sa.Text()),
        sa.Column("refs", DOCUMENT, nullable=False),
        sa.Column("state", sa.Text()),
        sa.Column("raw_state", sa.Text()),
        sa.Column("attention", sa.Text()),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("occurred_at", MOMENT),
        sa.Column("occurred_at_raw", sa.Text()),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("principal", sa.Text()),
        sa.Column("remote_addr", sa.Text()),
        sa.Column("backfill", sa.Boolean(), nullable=False),
        sa.Column("appointment", DOCUMENT),
        sa.Column("attention_clears", sa.Boolean(), nullable=False),
        sa.Column("conflict_of", sa.Text()),
        sa.Column("warnings", DOCUMENT, nullable=False),
        sa.Column("payload_gone_at", MOMENT),
        sqlite_autoincrement=True,
    )
    op.create_index("log_id", "log", ["id"], unique=True, postgresql_ops={"id": "text_pattern_ops"})
    for column in ("order_id", "external_id", "about_order_id", "service_id", "access_id"):
        _log_index(column, only_present=column != "order_id", prefix=True)
    for column in ("attention", "conflict_of"):
        _log_index(column, only_present=True)
    if not sqlite:
        op.execute("CREATE SEQUENCE log_seq AS bigint MINVALUE 0 START 0 CACHE 1")
        op.execute("SELECT setval('log_seq', 0)")


def _log_index(column: str, *, only_present: bool, prefix: bool = False) -> None:
    """An index on (column, seq); `prefix`: fit for "begins with" whatever the collation."""
    present = sa.text(f"{column} IS NOT NULL") if only_present else None
    op.create_index(
        f"log_{column}",
        "log",
        [column, "seq"],
        sqlite_where=present,
        postgresql_where=present,
        postgresql_ops={column: "text_pattern_ops"} if prefix else {},
    )


def _payload() -> None:
    op.create_table(
        "payload",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("content_type", sa.Text()),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("summary", DOCUMENT, nullable=False),
        postgresql_partition_by="RANGE (seq)",
    )
    if op.get_bind().dialect.name == "postgresql":
        for k in range(2):
            op.execute(
                f"CREATE TABLE payload_p{k} PARTITION OF payload "
                f"FOR VALUES FROM ({k}000000) TO ({k + 1}000000)"
            )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("raw_digest", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("faults", DOCUMENT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("count", BIG, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("last_received_at", MOMENT, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("flavour", sa.Text()),
        sa.Column("event_name", sa.Text()),
        sa.Column("content_type", sa.Text()),
        sa.Column("principal", sa.Text()),
        sa.Column("remote_addr", sa.Text()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("length", BIG, nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("resolved_at", MOMENT),
        sa.Column("resolved_by", sa.Text()),
        sa.Column("notification_id", sa.Text()),
        sa.UniqueConstraint("source", "raw_digest", "code", name="quarantine_once"),
    )
    op.create_index("quarantine_status", "quarantine", ["status", "id"])
    op.create_table(
        "quarantine_usage",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("rows", BIG, nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.Column("digests", BIG, nullable=False),
    )
    op.create_table(
        "quarantine_overflow",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("code", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("count", BIG, nullable=False),
        sa.Column("last_received_at", MOMENT, nullable=False),
    )


def _credentials() -> None:
    op.create_table(
        "credential",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
    )
    op.create_index("credential_source", "credential", ["source"])
    op.create_table(
        "source_state",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("tokens_not_before", MOMENT),
    )


def _audit_trail() -> None:
    op.create_table(
        "audit_trail",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", DOCUMENT, nullable=False),
    )
