"""What alembic runs: the steps, on the connection of `store.schema` and in its transaction."""

from __future__ import annotations

from alembic import context

from app.store import migrating

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=migrating.METADATA,
    include_name=migrating.is_declared,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
