"""What the overview counts by the minute: repeats, and bodies that were refused again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

AGAIN = sa.text("count > 1")


def upgrade() -> None:
    """Make the step."""
    op.create_index("sighting_received", "sighting", ["received_at"])
    op.create_index(
        "quarantine_again",
        "quarantine",
        ["last_received_at"],
        sqlite_where=AGAIN,
        postgresql_where=AGAIN,
    )
