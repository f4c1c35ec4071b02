"""Making the steps of the schema, by alembic. Not here: which are needed, and when (`schema`)."""

from __future__ import annotations

import re
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from app.store import feed_tables, order_tables, search_tables, tables, work_tables

_DECLARED = (
    tables.LOG,
    feed_tables.FEED,
    order_tables.ORDERS,
    search_tables.SEARCH_TEXT,
    work_tables.OPENING,
)  # one of each module of tables
METADATA = _DECLARED[0].metadata

_OWN = re.compile(r"payload_p\d+|search_words\w*")


def migrate(connection: Connection) -> None:
    """Make all steps that the database has not seen, in the transaction of `connection`."""
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, "head")


def config() -> Config:
    """Where alembic finds the steps."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.set_main_option("path_separator", "os")
    return made


def is_declared(name: str | None, _kind: str, _parents: object) -> bool:
    """Whether alembic compares the object with the declared tables.

    All but what each engine has of its own: partitions of `payload`, the index of `search_text`.
    """
    return name is None or not _OWN.fullmatch(name)
