"""The list of commands by source, by state and by order, each from its newest on."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the step."""
    for name in ("source", "state", "order_id"):
        op.create_index(f"command_by_{name}", "command", [name, "id"])
