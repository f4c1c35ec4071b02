"""Which placed orders their operator told anything of; what a source has in quarantine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UNHEARD = sa.text("over_at IS NULL AND NOT told")


def upgrade() -> None:
    """Make the step."""
    op.add_column(
        "expected_order",
        sa.Column("told", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.execute(_say("UPDATE expected_order SET told = TRUE WHERE KNOWN"))
    op.create_index(
        "expected_order_unheard",
        "expected_order",
        ["id", "source", "placed_at"],
        sqlite_where=UNHEARD,
        postgresql_where=UNHEARD,
    )
    op.create_index("quarantine_source", "quarantine", ["source", "status", "id"])
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


_PLACED = "resource_type IN ('productOrder', 'serviceOrder', 'order')"
_KNOWN = """
EXISTS (
    SELECT 1 FROM orders WHERE orders.source = expected_order.source
    AND orders.order_id = expected_order.order_id AND orders.PLACED
)
""".replace("PLACED", _PLACED)


def _say(statement: str) -> str:
    return statement.replace("PLACED", _PLACED).replace("KNOWN", _KNOWN)


_SQLITE = (
    _say("""
CREATE TRIGGER orders_told AFTER INSERT ON orders WHEN new.PLACED BEGIN
    UPDATE expected_order SET told = TRUE WHERE source = new.source AND order_id = new.order_id;
END
"""),
    _say("""
CREATE TRIGGER orders_untold AFTER DELETE ON orders WHEN old.PLACED BEGIN
    UPDATE expected_order SET told = KNOWN
    WHERE source = old.source AND order_id = old.order_id;
END
"""),
)
_POSTGRESQL = (
    # The lock is `expected.LOCK`, of whoever says what was placed: neither overlooks the other.
    _say("""
CREATE FUNCTION orders_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7237106625);
    UPDATE expected_order SET told = TRUE FROM come
    WHERE expected_order.source = come.source AND expected_order.order_id = come.order_id
        AND NOT expected_order.told AND come.PLACED;
    RETURN NULL;
END
$$
"""),
    _say("""
CREATE FUNCTION orders_untold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE expected_order SET told = KNOWN FROM gone
    WHERE expected_order.source = gone.source AND expected_order.order_id = gone.order_id;
    RETURN NULL;
END
$$
"""),
    """
CREATE TRIGGER orders_told AFTER INSERT ON orders REFERENCING NEW TABLE AS come
FOR EACH STATEMENT EXECUTE FUNCTION orders_told()
""",
    """
CREATE TRIGGER orders_untold AFTER DELETE ON orders REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION orders_untold()
""",
)
_TRIGGERS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
