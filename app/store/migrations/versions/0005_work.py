"""What people do with orders: expected ones, the work list, what alerts told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
STILL_OPEN = sa.text("cleared_at IS NULL AND closed_at IS NULL")


def upgrade() -> None:
    """Make the step."""
    op.create_index(
        "orders_unfinished",
        "orders",
        ["place"],
        sqlite_where=sa.text("NOT final"),
        postgresql_where=sa.text("NOT final"),
    )
    _expected_orders()
    _openings()
    _alerts()


def _expected_orders() -> None:
    op.create_table(
        "expected_order",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("order_id", sa.Text(), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("own_ref", sa.Text()),
        sa.Column("access_id", sa.Text()),
        sa.Column("placed_at", MOMENT, nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("put_at", MOMENT, nullable=False),
        sa.Column("put_by", sa.Text(), nullable=False),
        sa.Column("over_at", MOMENT),
    )
    op.create_index(
        "expected_order_outstanding",
        "expected_order",
        ["id"],
        unique=True,
        sqlite_where=sa.text("over_at IS NULL"),
        postgresql_where=sa.text("over_at IS NULL"),
    )
    for index, column in (("own_ref", "own_ref"), ("access", "access_id")):
        op.create_index(
            f"expected_order_{index}",
            "expected_order",
            [column],
            postgresql_ops={column: "text_pattern_ops"},
        )
    op.create_table(
        "patience",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), primary_key=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("learned_at", MOMENT, nullable=False),
    )


def _openings() -> None:
    op.create_table(
        "opening",
        sa.Column("notification_id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("attention", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("cleared_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.Column("closed_by", sa.Text()),
        sa.Column("assignee", sa.Text()),
        sa.Column("notes", DOCUMENT, nullable=False),
    )
    op.create_index("opening_order", "opening", ["order_id", "source", "resource_type"])
    op.create_index(
        "opening_open",
        "opening",
        ["notification_id"],
        unique=True,
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    )


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("severity", sa.Text(), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("orders", DOCUMENT, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT),
        sa.Column("over_at", MOMENT),
        sa.Column("due_at", MOMENT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
    )
    op.create_index("alert_due", "alert", ["due_at"])
