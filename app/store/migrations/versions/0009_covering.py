"""Indexes with all that is counted by them; SQLite wants the columns of their conditions, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the step."""
    for name, table, columns, where in (
        (
            "orders_unfinished",
            "orders",
            ["place", "source", "state", "last_news_at", "final"],
            "NOT final",
        ),
        (
            "opening_open",
            "opening",
            ["notification_id", "source", "attention", "since", "cleared_at", "closed_at"],
            "cleared_at IS NULL AND closed_at IS NULL",
        ),
        (
            "expected_order_unheard",
            "expected_order",
            ["told", "id", "source", "placed_at", "over_at"],
            "over_at IS NULL",
        ),
    ):
        op.drop_index(name)
        only = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=only, postgresql_where=only)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ANALYZE expected_order")  # which has a column nobody knows the values of
