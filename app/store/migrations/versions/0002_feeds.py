"""What we do at operators: feeds, leases, commands, files, jobs, hubs, personal data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Make the step."""
    _leases()
    _feeds()
    _commands()
    _personal()
    _files()
    _jobs()
    _hubs()


def _leases() -> None:
    op.create_table(
        "replica",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text()),
        sa.Column("token", BIG, nullable=False),
    )


def _feeds() -> None:
    op.create_table(
        "feed",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("cursor", DOCUMENT, nullable=False),
        sa.Column("cursor_at", MOMENT),
        sa.Column("connected_at", MOMENT, nullable=False),
        sa.Column("caught_up_at", MOMENT),
        sa.Column("paused_at", MOMENT),
        sa.Column("paused_by", sa.Text()),
        sa.Column("last_turn_at", MOMENT),
        sa.Column("last_success_at", MOMENT),
        sa.Column("next_turn_at", MOMENT),
        sa.Column("cause", sa.Text()),
        sa.Column("last_error", sa.Text()),
        sa.Column("last_error_at", MOMENT),
        sa.Column("remedy", sa.Text()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("entries", BIG, nullable=False),
        sa.Column("appended", BIG, nullable=False),
        sa.Column("reread", BIG, nullable=False),
        sa.Column("quarantined", BIG, nullable=False),
        sa.Column("followed_seq", BIG, nullable=False),
        sa.Column("warnings", DOCUMENT, nullable=False),
    )
    op.create_table(
        "feed_turn",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("appended", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text()),
        sa.Column("error", sa.Text()),
    )
    op.create_index("feed_turn_feed", "feed_turn", ["feed", "id"])
    op.create_table(
        "snapshot",
        sa.Column("feed", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
    )


def _commands() -> None:
    op.create_table(
        "command",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text()),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("arguments", DOCUMENT, nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("harmful", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("follows", sa.Text()),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", MOMENT),
        sa.Column("token", BIG),
        sa.Column("finished_at", MOMENT),
        sa.Column("result", DOCUMENT),
        sa.Column("error", sa.Text()),
        sa.UniqueConstraint("source", "idempotency_key", name="command_once"),
    )
    op.create_index("command_state", "command", ["state", "source", "id"])
    op.create_index("command_order", "command", ["source", "order_id", "id"])
    op.create_index("command_attempted", "command", ["source", "attempted_at"])
    op.create_index("command_follows", "command", ["follows"])


def _personal() -> None:
    op.create_table(
        "personal",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("order_id", sa.Text(), primary_key=True),
        sa.Column("fetched_at", MOMENT, nullable=False),
        sa.Column("content_type", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )


def _files() -> None:
    op.create_table(
        "file",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text()),
        sa.Column("notification_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text()),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wanted_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fetched_at", MOMENT),
        sa.Column("content_type", sa.Text()),
        sa.Column("length", BIG),
        sa.Column("digest", sa.LargeBinary()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("error", sa.Text()),
        sa.UniqueConstraint("notification_id", "label", name="file_once"),
    )
    op.create_index("file_state", "file", ["state", "source", "id"])
    op.create_index("file_order", "file", ["source", "order_id", "id"])


def _jobs() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("arguments", DOCUMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("result", DOCUMENT),
        sa.Column("error", sa.Text()),
    )
    op.create_index("job_state", "job", ["state", "id"])


def _hubs() -> None:
    op.create_table(
        "hub_registration",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("hub_url", sa.Text(), nullable=False),
        sa.Column("query", sa.Text()),
        sa.Column("remote_id", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Text()),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("registered_at", MOMENT),
        sa.Column("checked_at", MOMENT),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
    )
