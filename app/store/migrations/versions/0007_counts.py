"""What long lists and the overview read: orders counted by state, wider indexes, lone rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "order_tally",
        sa.Column("state", sa.Text(), primary_key=True),
        sa.Column("slot", BIG, primary_key=True, autoincrement=False),
        sa.Column("n", BIG, nullable=False),
    )
    op.execute(
        "INSERT INTO order_tally (state, slot, n)"
        " SELECT coalesce(state, ''), 0, count(*) FROM orders GROUP BY state"
    )
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.add_column("zone", sa.Column("seq", BIG))
    _widen("orders", "unfinished", ("place", "source", "state", "last_news_at"), "NOT final")
    still_open = "cleared_at IS NULL AND closed_at IS NULL"
    _widen("opening", "open", ("notification_id", "source", "attention", "since"), still_open)


def _widen(table: str, name: str, columns: tuple[str, ...], where: str) -> None:
    """Make the index anew, of all that is counted by it."""
    only = sa.text(where)
    op.drop_index(f"{table}_{name}")
    op.create_index(
        f"{table}_{name}", table, list(columns), sqlite_where=only, postgresql_where=only
    )


_MORE = """
INSERT INTO order_tally (state, slot, n) VALUES (coalesce(new.state, ''), 0, 1)
ON CONFLICT (state, slot) DO UPDATE SET n = n + 1;
"""
_FEWER = "UPDATE order_tally SET n = n - 1 WHERE state = coalesce(old.state, '') AND slot = 0;"
_SQLITE = (
    f"CREATE TRIGGER orders_come AFTER INSERT ON orders BEGIN {_MORE} END",
    f"CREATE TRIGGER orders_go AFTER DELETE ON orders BEGIN {_FEWER} END",
    (
        "CREATE TRIGGER orders_change AFTER UPDATE OF state ON orders"
        f" WHEN old.state IS NOT new.state BEGIN {_FEWER} {_MORE} END"
    ),
)

_COUNT = """
CREATE FUNCTION order_tally_count(counted text, difference bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE order_tally SET n = n + difference WHERE state = counted AND slot = (
        SELECT slot FROM order_tally WHERE state = counted LIMIT 1 FOR UPDATE SKIP LOCKED
    );
    IF NOT FOUND THEN
        INSERT INTO order_tally (state, slot, n)
        VALUES (counted, nextval('order_tally_slot'), difference);
    END IF;
END
$$
"""
"""Counts in a row that no other transaction counts in now: nobody waits, the sum is the truth."""

_COME = """
CREATE FUNCTION orders_come() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM order_tally_count(coalesce(state, ''), count(*)) FROM come GROUP BY state;
    RETURN NULL;
END
$$
"""
_GO = """
CREATE FUNCTION orders_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM order_tally_count(coalesce(state, ''), -count(*)) FROM gone GROUP BY state;
    RETURN NULL;
END
$$
"""
_CHANGE = """
CREATE FUNCTION orders_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM order_tally_count(coalesce(state, ''), sum(one)::bigint) FROM (
        SELECT state, 1 AS one FROM come UNION ALL SELECT state, -1 FROM gone
    ) AS changed GROUP BY state HAVING sum(one) <> 0;
    RETURN NULL;
END
$$
"""


def _trigger(name: str, event: str, tables: str) -> str:
    """Calls the function of the same name once a statement: it counts many rows at once."""
    return (
        f"CREATE TRIGGER orders_{name} AFTER {event} ON orders REFERENCING {tables}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION orders_{name}()"
    )


_POSTGRESQL = (
    "CREATE SEQUENCE order_tally_slot",
    _COUNT,
    _COME,
    _GO,
    _CHANGE,
    _trigger("come", "INSERT", "NEW TABLE AS come"),
    _trigger("go", "DELETE", "OLD TABLE AS gone"),
    _trigger("change", "UPDATE", "OLD TABLE AS gone NEW TABLE AS come"),
)
_TRIGGERS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
