"""What follows the log: the orders as folded, and how far each follower has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "follower",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", BIG, nullable=False),
    )
    op.create_table(
        "orders",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("resource_type", sa.Text(), primary_key=True),
        sa.Column("order_id", sa.Text(), primary_key=True),
        sa.Column("place", BIG, nullable=False),
        sa.Column("state", sa.Text()),
        sa.Column("raw_state", sa.Text()),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("out_of_order", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("conflicting", sa.Boolean(), nullable=False),
        sa.Column("changed_after_final", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("open_attention", sa.Text()),
        sa.Column("attention", DOCUMENT, nullable=False),
        sa.Column("appointment", DOCUMENT),
        sa.Column("external_id", sa.Text()),
        sa.Column("access_id", sa.Text()),
        sa.Column("service_id", sa.Text()),
        sa.Column("about_order_id", sa.Text()),
        sa.Column("first_news_at", MOMENT, nullable=False),
        sa.Column("last_news_at", MOMENT, nullable=False),
        sa.Column("occurred_at", MOMENT),
        sa.Column("state_since", MOMENT),
        sa.Column("news", BIG, nullable=False),
        sa.Column("folded_seq", BIG, nullable=False),
    )
    _indexes()


def _indexes() -> None:
    op.create_index("orders_place", "orders", ["place"], unique=True)
    op.create_index("orders_last_news_at", "orders", ["last_news_at", "place"])
    for column in ("source", "state"):
        op.create_index(f"orders_{column}", "orders", [column, "place"])
    op.create_index(
        "orders_order_id",
        "orders",
        ["order_id", "place"],
        postgresql_ops={"order_id": "text_pattern_ops"},
    )
    for column in ("external_id", "access_id", "service_id", "about_order_id"):
        present = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"orders_{column}",
            "orders",
            [column, "place"],
            sqlite_where=present,
            postgresql_where=present,
            postgresql_ops={column: "text_pattern_ops"},
        )
    _partial("open_attention", ["open_attention", "place"], "open_attention IS NOT NULL")
    for flag in ("out_of_order", "late", "conflicting", "changed_after_final", "removed"):
        _partial(flag, ["place"], flag)


def _partial(name: str, columns: list[str], condition: str) -> None:
    only = sa.text(condition)
    op.create_index(f"orders_{name}", "orders", columns, sqlite_where=only, postgresql_where=only)
