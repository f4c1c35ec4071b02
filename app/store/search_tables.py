"""What search and counting keep beside the log; both follow it and can be made anew from it."""

from __future__ import annotations

from sqlalchemy import Text
from sqlmodel import Field

from app.store.tables import BIG, METADATA, Table


class SearchText(Table, table=True):
    """The folded words of a notification that has any (`notifications.findable`).

    Their index is `search_words`: on SQLite an FTS5 table kept by triggers, on PostgreSQL a
    generated tsvector column of this table under a GIN index.
    """

    __tablename__ = "search_text"

    seq: int = Field(sa_type=BIG, primary_key=True)
    words: str = Field(sa_type=Text)


class Tally(Table, table=True):
    """How many rows of the log there are of a source and kind, as far as the follower came."""

    __tablename__ = "tally"

    source: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text, primary_key=True)
    n: int = Field(sa_type=BIG)


class Zone(Table, table=True):
    """Which sorts of rows a stretch of the log has (`zones`); of no state: an empty `state`.

    `seq`: the only row of the sort there; null where there are several.
    """

    __tablename__ = "zone"

    zone: int = Field(sa_type=BIG, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text, primary_key=True)
    state: str = Field(sa_type=Text, primary_key=True)
    flavour: str = Field(sa_type=Text, primary_key=True)
    channel: str = Field(sa_type=Text, primary_key=True)
    conflict: bool = Field(primary_key=True)
    seq: int | None = Field(default=None, sa_type=BIG)


SEARCH_TEXT = METADATA.tables["search_text"]
TALLY = METADATA.tables["tally"]
ZONE = METADATA.tables["zone"]
