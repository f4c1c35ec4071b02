"""What notifications are found and counted by: words, tallies, zones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "search_text",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("words", sa.Text(), nullable=False),
    )
    op.create_table(
        "tally",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("n", BIG, nullable=False),
    )
    op.create_table(
        "zone",
        sa.Column("zone", BIG, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text(), primary_key=True)
            for name in ("source", "kind", "state", "flavour", "channel")
        ),
        sa.Column("conflict", sa.Boolean(), primary_key=True),
    )
    for statement in _INDEX[op.get_bind().dialect.name]:
        op.execute(statement)


_FTS5 = """
CREATE VIRTUAL TABLE search_words USING fts5(
    words, content='search_text', content_rowid='seq', tokenize='ascii', detail='none', columnsize=0
)
"""
_PUT = """
CREATE TRIGGER search_text_put AFTER INSERT ON search_text BEGIN
    INSERT INTO search_words (rowid, words) VALUES (new.seq, new.words);
END
"""
_TAKEN = """
CREATE TRIGGER search_text_taken AFTER DELETE ON search_text BEGIN
    INSERT INTO search_words (search_words, rowid, words) VALUES ('delete', old.seq, old.words);
END
"""
_TSVECTOR = """
ALTER TABLE search_text ADD COLUMN search_words tsvector
    GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED
"""
_GIN = "CREATE INDEX search_words ON search_text USING gin (search_words)"
_INDEX = {"sqlite": (_FTS5, _PUT, _TAKEN), "postgresql": (_TSVECTOR, _GIN)}
